import { Fault } from '../base/fault.ts';
import { choose } from '../base/option.ts';
import { random } from '../base/random.ts';
import { attributeRows } from '../diagnostics/attribution/attributed-rows.ts';
import { attributionOptions } from '../diagnostics/attribution/options.ts';
import { mapOf, overlayScale } from '../diagnostics/attribution/overlay.ts';
import { factsOf } from '../diagnostics/attribution/saliency-result.ts';
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
    job.progress(0.2, 'Compiling the gradient');
    const gradient = await openGradient(model, bound.inputDims, { runtime: ports.runtime, device: ask.device }, own);
    try {
      job.progress(0.5, 'Attributing');
      const asked = { ...chosen, target: 'predicted' as const, class: ask.target === undefined ? '' : String(ask.target) };
      const quiet = { ...own, progress: () => {} };
      const { rows: s } = await attributeRows({ gradient: gradient.tool, samples: reader }, [position], asked, subject, quiet, SIDE);
      // One column that is no class score is a regression: it has no classes to name.
      const classed = subject.classes.length > 1;
      const { pictures, tokens, found, labels } = s;
      const map = tokens?.scores ?? (pictures && found.grid?.kind !== 'units' ? mapOf(found, 0, 1, pictures.axes).values : found.values);
      const { outputs } = await reader.take([position], job.signal);
      const scores = meaning && nouns({ rows: Float64Array.from(s.rows), scores: outputs, meaning }, ['probs']).probs;
      return {
        row: s.rows[0],
        position,
        count: bound.count,
        picture: found.grid?.kind === 'units' ? null : (pictures?.pictures[0] ?? null),
        width: pictures && map.length === pictures.axes.width * pictures.axes.height ? pictures.axes.width : map.length,
        height: pictures && map.length === pictures.axes.width * pictures.axes.height ? pictures.axes.height : 1,
        values: Float32Array.from(map),
        scale: overlayScale(map, chosen.outliers),
        ...(tokens ? { tokens: tokens.words[0] } : {}),
        classes: classed ? subject.classes : [],
        probs: scores ? Array.from(scores.data) : [],
        ...(labels && classed ? { label: labels[0] } : {}),
        prediction: s.predicted[0],
        target: s.targets[0],
        method: chosen.method,
        facts: factsOf(s, 0, subject).map(({ label, value }) => ({ label, value })),
      };
    } finally {
      await gradient.release();
    }
  } finally {
    await open.close();
  }
};
