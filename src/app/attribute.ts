import { Fault } from '../base/fault.ts';
import { choose } from '../base/option.ts';
import { random } from '../base/random.ts';
import { attributeSamples } from '../diagnostics/attribution/attribute.ts';
import { attributionOptions } from '../diagnostics/attribution/options.ts';
import { mapOf, overlayScale } from '../diagnostics/attribution/overlay.ts';
import { factsOf } from '../diagnostics/attribution/saliency-result.ts';
import { inputValues, picturesOf } from '../diagnostics/attribution/samples.ts';
import { predictions } from '../diagnostics/attribution/targets.ts';
import type { Bound } from '../evidence/bound.ts';
import { nouns } from '../evidence/plan.ts';
import { openGradient } from '../evidence/providers/gradient.ts';
import { samples } from '../evidence/providers/samples.ts';
import type { AttributeRequest, Attribution } from '../report/tasks.ts';
import { lookAt } from './look-at.ts';
import type { UseCase } from './ports.ts';
import { openSubject } from './subject.ts';

/** Longest side of the picture shown in a tab. */
const SIDE = 1024;

const placeOf = ({ position, row }: AttributeRequest, bound: Bound): number => {
  const bad = (name: string, value: number, expected: string): Fault => new Fault('option/value', { name, value: String(value), expected });
  if (row === undefined) {
    if (Number.isInteger(position) && position >= 0 && position < bound.count) return position;
    throw bad('position', position, `a whole number from 0 to ${bound.count - 1}, the rows of the split`);
  }
  for (let p = 0; p < bound.count; p++) if (bound.rowAt(p) === row) return p;
  throw bad('row', row, 'a row of the split that was chosen');
};

const checkTarget = (target: number, names: readonly string[], entries: number): void => {
  if (Number.isInteger(target) && target >= 0 && target < entries) return;
  const classes = names.length === entries ? names : Array.from({ length: entries }, (_, i) => String(i));
  throw new Fault('diagnostic/target', { target: String(target), nearest: '', classes });
};

/** One sample with its attribution, for the image tab: a map over its picture, or one value per input. */
export const attribute: UseCase<'attribute'> = async (ask, ports, job): Promise<Attribution> => {
  const chosen = choose("'saliency'", attributionOptions, { ...ask.options, method: ask.method });
  const own = { ...job, random: (name: string) => random(ask.seed, name) };
  const open = await openSubject({ model: ask.model, data: ask.data, device: ask.device }, ports, own);
  try {
    const { bound, model } = open;
    if (!model) throw new Fault('evidence/no-model', { id: 'saliency', tool: 'gradient' });
    const position = placeOf(ask, bound);
    const { subject, meaning } = await lookAt(open, 'auto', own);
    const { tool: reader } = samples(bound, model.score);
    job.progress(0.2, 'Reading the sample');
    const { x, rows, outputs, labels } = await reader.take([position], job.signal);
    // One column that is no class score is a regression: it has no classes to name.
    const classed = subject.classes.length > 1;
    const [predicted] = predictions(outputs, subject);
    const target = ask.target ?? predicted;
    checkTarget(target, subject.classes, Math.max(outputs.cols, subject.classes.length));
    const values = inputValues(x.data);
    const pictures = await picturesOf(reader, rows, values, SIDE, job.signal);
    job.progress(0.4, 'Compiling the gradient');
    const gradient = await openGradient(model, bound.inputDims, { runtime: ports.runtime, device: ask.device }, own);
    try {
      job.progress(0.7, 'Attributing');
      const targets = Int32Array.of(target);
      const asked = { x: values, rows, outputs, targets, ...(pictures ? { axes: pictures.axes } : {}) };
      const found = await attributeSamples({ gradient: gradient.tool, samples: reader }, asked, chosen, subject, own);
      const map = pictures ? mapOf(found, 0, 1, pictures.axes).values : found.values;
      const scores = meaning && nouns({ rows: Float64Array.from(rows), scores: outputs, meaning }, ['probs']).probs;
      return {
        row: rows[0],
        position,
        count: bound.count,
        picture: pictures?.pictures[0] ?? null,
        width: pictures?.axes.width ?? map.length,
        height: pictures?.axes.height ?? 1,
        values: Float32Array.from(map),
        scale: overlayScale(map, chosen.outliers),
        classes: classed ? subject.classes : [],
        probs: scores ? Array.from(scores.data) : [],
        ...(labels && classed ? { label: labels[0] } : {}),
        prediction: predicted,
        target,
        method: chosen.method,
        facts: factsOf({ found, targets }, 0, subject).map(({ label, value }) => ({ label, value })),
      };
    } finally {
      await gradient.release();
    }
  } finally {
    await open.close();
  }
};
