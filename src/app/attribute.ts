import { Fault } from '../base/fault.ts';
import { choose } from '../base/option.ts';
import { random } from '../base/random.ts';
import { attributeRows } from '../diagnostics/attribution/attributed-rows.ts';
import { baselinesOf } from '../diagnostics/attribution/baselines.ts';
import { type AttributionChoice, attributionOptions } from '../diagnostics/attribution/options.ts';
import { mapOf } from '../diagnostics/attribution/overlay.ts';
import { factsOf, inputName, type Saliency } from '../diagnostics/attribution/saliency-result.ts';
import { alongSignal } from '../diagnostics/attribution/signal-cards.ts';
import { piecesIn } from '../diagnostics/attribution/tokens.ts';
import type { Bound, GivenBatch } from '../evidence/bound.ts';
import type { ModelGradients, SamplesTool } from '../evidence/evidence.ts';
import { nouns } from '../evidence/plan.ts';
import type { AttributeRequest, Attribution, Placed, Shown } from '../report/tasks.ts';
import { GIVEN } from './given-row.ts';
import { withSubject } from './kept-subjects.ts';
import type { UseCase } from './ports.ts';

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

/** What the one row attributed is drawn over, and the values of the map there. */
const shownOf = (s: Saliency, x: Float32Array): { readonly shown: Shown; readonly values: Float64Array } => {
  const { found, tokens, pictures, signals } = s;
  if (tokens) {
    const kept = tokens.padding[0].flatMap((padding, k) => (padding ? [] : [k]));
    const all = piecesIn(tokens, 0);
    const pieces = all.map(({ text: _, score: __, ...piece }) => piece);
    return {
      shown: { kind: 'tokens', words: all.map(({ text }) => text), pieces },
      values: Float64Array.from(kept, (k) => tokens.scores[k]),
    };
  }
  if (pictures && found.grid?.kind !== 'units') {
    const { width, height, values } = mapOf(found, 0, 1, pictures.axes);
    return { shown: { kind: 'map', picture: pictures.pictures[0], width, height }, values };
  }
  if (signals) {
    const { channels, places } = signals;
    return { shown: { kind: 'signal', channels, places, signal: signals.x }, values: alongSignal(found.values, places) };
  }
  const names = Array.from(found.values, (_, k) => inputName(s, k));
  const units = found.grid?.kind === 'units';
  return {
    shown: { kind: 'bars', what: units ? 'Unit' : 'Input', names, ...(units ? {} : { inputs: x }) },
    values: found.values,
  };
};

/** What stands for an input that is absent, on average, where the method has such a thing. */
const baselineOf = async (
  s: Saliency,
  x: Float32Array,
  samples: SamplesTool,
  chosen: Pick<AttributionChoice, 'baseline'>,
  job: Parameters<typeof baselinesOf>[5],
): Promise<Float32Array | undefined> => {
  if (!s.found.how.some(({ label, value }) => label === 'Baseline' && value !== 'none')) return undefined;
  const { all } = await baselinesOf(chosen.baseline, x, samples, s.rows, s.pictures?.axes, job);
  return x.map((_, k) => all.reduce((sum, one) => sum + one[k], 0) / all.length);
};

/** Where the values of a row that was given stand in it; undefined where the map is over something else. */
const placedIn = (
  { text, fields }: GivenBatch,
  s: Saliency,
  x: Float32Array,
  baseline: Float32Array | undefined,
): { readonly placed?: Placed } => {
  if (text && s.tokens) {
    const { ranges, count, field } = text;
    // As words are shown: without padding.
    const kept = s.tokens.padding[0].flatMap((padding, k) => (padding ? [] : [ranges[k] ?? null]));
    return { placed: { kind: 'text', ranges: kept, tokens: count, ...(field === undefined ? {} : { field }) } };
  }
  if (!fields || s.found.grid?.kind === 'units' || s.found.values.length !== fields.length) return {};
  const values = Float32Array.from(s.found.values);
  return { placed: { kind: 'fields', fields, values, inputs: x, ...(baseline ? { baseline } : {}) } };
};

const layersIn = ({ layers }: ModelGradients): Attribution['layers'] =>
  layers.map(({ name, dims }) => ({ name, shape: dims.join(' × ') || '1' }));

/** One sample with its attribution, for the image tab. The model stays open for the next one. */
export const attribute: UseCase<'attribute'> = async (ask, ports, job): Promise<Attribution> => {
  const chosen = choose("'saliency'", attributionOptions, { ...ask.options, method: ask.method });
  const own = { ...job, random: (name: string) => random(ask.seed, name) };
  return withSubject(ask, ports, own, async ({ open, subject, meaning, samples, gradient, notes }) => {
    const began = performance.now();
    const given = ask.given && samples.put(ask.given);
    const position = given ? GIVEN : placeOf(ask, open.bound);
    const asked = {
      ...chosen,
      target: 'predicted' as const,
      class: ask.target === undefined ? '' : String(ask.target),
    };
    const told: string[] = [];
    const part = {
      ...own,
      note: (text: string) => void told.push(text),
      progress: (f: number, text: string) => own.progress(0.3 + 0.7 * f, text),
    };
    const tools = { gradient: gradient.tool, samples: samples.tool };
    const { rows: s, asked: taken, x } = await attributeRows(tools, [position], asked, subject, part, SIDE);
    // One column that is no class score is a regression: it has no classes to name.
    const classed = subject.classes.length > 1;
    const { outputs } = taken;
    const scores = meaning && nouns({ rows: Float64Array.from(s.rows), scores: outputs, meaning }, ['probs']).probs;
    const { shown, values } = shownOf(s, x);
    const baseline = given?.fields && (await baselineOf(s, x, samples.tool, asked, part));
    const { actual } = gradient.choice;
    return {
      row: s.rows[0],
      position,
      count: open.bound.count,
      shown,
      ...(given ? placedIn(given, s, x, baseline) : {}),
      values: Float32Array.from(values),
      outliers: chosen.outliers,
      classes: classed ? subject.classes : [],
      probs: scores ? Array.from(scores.data) : [],
      ...(s.labels && classed ? { label: s.labels[0] } : {}),
      prediction: s.predicted[0],
      target: s.targets[0],
      method: chosen.method,
      layers: layersIn(gradient.tool),
      facts: [
        ...factsOf(s, 0, subject),
        { label: 'Device', value: actual },
        { label: 'Time', value: (performance.now() - began) / 1000, unit: 'seconds' },
      ],
      notes: [...notes, ...told],
    };
  });
};
