import type { Job } from '../../base/job.ts';
import type { GradientTool, ModelGradients, Subject, Tools } from '../../evidence/evidence.ts';
import { type AttributedSamples, attributeSamples, entriesOf, type Samples } from './attribute.ts';
import { baselinesOf } from './baselines.ts';
import type { EmbeddedSamples } from './embedded.ts';
import { hiddenValues, type Places, placesOf } from './hiding.ts';
import type { Question } from './method.ts';
import { methods } from './methods.ts';
import type { AttributionChoice } from './options.ts';
import { drawnRows } from './samples.ts';
import { randomisation, type Stage } from './sanity-randomisation.ts';

/** Checks of a method on this model and these samples. */
export interface Sanity {
  /** Samples checked, the first of those shown. */
  readonly samples: number;
  /** Mean value over samples as more and more is hidden (revealed), most important first; and in a random order. */
  readonly curves?: Curves;
  readonly infidelity?: Infidelity;
  /** Max-sensitivity per sample. */
  readonly sensitivity: readonly number[];
  readonly stages: readonly Stage[];
}
export interface Curves {
  /** What the values are: the probability of the class, or the output. */
  readonly of: 'probability' | 'output';
  readonly shares: readonly number[];
  /** [samples][shares] */
  readonly deletion: readonly Float64Array[];
  readonly insertion: readonly Float64Array[];
  readonly randomDeletion: readonly Float64Array[];
  readonly randomInsertion: readonly Float64Array[];
}
export interface Infidelity {
  /** Mean over samples and draws of (Σ of attributions hidden − fall of the output)². */
  readonly value: number;
  /** The same over the mean square of the fall: 0 is exact, 1 no better than attributing nothing. */
  readonly relative: number;
}

/** Samples checked: fewer where rows are large. */
const checked = (rows: number, d: number): number => Math.min(rows, d > 10_000 ? 4 : 16);
const SHARES: readonly number[] = Array.from({ length: 21 }, (_, i) => i / 20);
/** Sets of places hidden at once for the infidelity of a sample. */
const SUBSETS = 64;
/** Points around a sample at which max-sensitivity looks, and how far away, as a share of the range (Captum: 10, 0.02). */
const NEARBY = 10;
const RADIUS = 0.02;

const first = (asked: Samples, n: number): Samples => {
  const d = asked.x.length / asked.rows.length;
  const { cols } = asked.outputs;
  return {
    ...asked,
    x: asked.x.subarray(0, n * d),
    ...(asked.inputs ? { inputs: asked.inputs.subarray(0, (n * asked.inputs.length) / asked.rows.length) } : {}),
    rows: asked.rows.slice(0, n),
    outputs: { rows: n, cols, data: asked.outputs.data.subarray(0, n * cols) },
    targets: asked.targets.subarray(0, n),
  };
};
const firstFound = (found: AttributedSamples, rows: number, n: number): AttributedSamples => ({
  ...found,
  values: found.values.subarray(0, (found.values.length / rows) * n),
  output: found.output.subarray(0, n),
});

/** One score per place: signed sums over the inputs there, or the method's own map. */
const placeScores = (
  found: AttributedSamples,
  b: number,
  n: number,
  { inputs, height, width }: Places,
  d: number,
): Float64Array | undefined => {
  const size = found.values.length / n;
  const row = found.values.subarray(b * size, (b + 1) * size);
  const { grid } = found;
  if (grid?.kind === 'units') return undefined;
  if (grid?.kind === 'map') return grid.height === height && grid.width === width ? row : undefined;
  return size === d ? Float64Array.from(inputs, (list) => list.reduce((sum, k) => sum + row[k], 0)) : undefined;
};

/** Most important first (ties by place). */
const orderOf = (scores: Float64Array): number[] => Array.from(scores, (_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);

interface Hidden {
  readonly tool: GradientTool;
  readonly question: Question;
  readonly baseline: Float32Array;
  readonly places: Places;
}

/** f as the first share of an order is hidden, and as only it is shown (Petsiuk et al. 2018, section 4). */
const alongOrder = async (row: number, order: readonly number[], h: Hidden, job: Pick<Job, 'signal'>) => {
  const n = SHARES.length;
  const values = await hiddenValues(
    h.tool,
    h.question,
    row,
    h.baseline,
    h.places,
    2 * n,
    (copy, share) => {
      const hiding = copy < n;
      share.fill(hiding ? 1 : 0);
      for (const place of order.slice(0, Math.round(SHARES[copy % n] * order.length))) share[place] = hiding ? 0 : 1;
    },
    job,
  );
  return { deletion: values.subarray(0, n), insertion: values.subarray(n) };
};

/** How far values reach, by row and input: each column of a table over rows of the data, everything else over the row itself. */
const rangesOf = async (
  { x, rows, axes }: Pick<Samples, 'x' | 'rows' | 'axes'>,
  samples: EmbeddedSamples,
  signal: AbortSignal,
): Promise<(row: number, input: number) => number> => {
  const d = x.length / rows.length;
  const range = (values: Float32Array, from: number, to: number, step: number): number => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let k = from; k < to; k += step) [low, high] = [Math.min(low, values[k]), Math.max(high, values[k])];
    return high - low;
  };
  if (axes || samples.embedding || samples.inputDims.length !== 1) {
    const each = rows.map((_, b) => range(x, b * d, (b + 1) * d, 1));
    return (row) => each[row];
  }
  const seen = await drawnRows(samples, signal);
  const each = Float64Array.from({ length: d }, (_, k) => range(seen.x, k, seen.x.length, d));
  return (_, input) => each[input];
};

/** All the checks, on the first samples. */
export const sanity = async (
  tools: { readonly gradient: ModelGradients; readonly samples: EmbeddedSamples },
  all: Samples,
  foundAll: AttributedSamples,
  chosen: AttributionChoice,
  subject: Pick<Subject, 'classes'>,
  job: Job,
  /** Samples checked; by default few, and fewer where rows are large. */
  most: number = checked(all.rows.length, all.x.length / all.rows.length),
): Promise<Sanity> => {
  const d = all.x.length / all.rows.length;
  const n = Math.min(most, all.rows.length);
  const asked = first(all, n);
  const found = firstFound(foundAll, all.rows.length, n);
  const { gradient, samples } = tools;
  const quiet = { ...job, progress: () => {} };
  const places = placesOf(samples, asked.axes);
  const { all: baselines } = await baselinesOf(chosen.baseline, asked.x, samples, asked.rows, asked.axes, job);
  const [baseline] = baselines;
  const scores = asked.rows.map((_, b) => placeScores(found, b, n, places, d));

  let curves: Curves | undefined;
  if (scores.every((s) => s !== undefined) && chosen.neuron === '') {
    job.progress(0.1, 'deletion and insertion');
    const classes = subject.classes.length > 1;
    const tool = classes ? await gradient.asked({ scale: 'probability' }, job.signal) : gradient;
    const given = { x: asked.x, ...(asked.inputs ? { inputs: asked.inputs } : {}) };
    const h: Hidden = { tool, question: { ...given, targets: classes ? asked.targets : new Int32Array(n) }, baseline, places };
    const [own, other] = [
      [] as { deletion: Float64Array; insertion: Float64Array }[],
      [] as { deletion: Float64Array; insertion: Float64Array }[],
    ];
    for (let b = 0; b < n; b++) {
      own.push(await alongOrder(b, orderOf(scores[b] ?? new Float64Array(0)), h, job));
      const order = places.inputs.map((_, i) => i);
      job.random(`order/${asked.rows[b]}`).shuffle(order);
      other.push(await alongOrder(b, order, h, job));
    }
    curves = {
      of: classes ? 'probability' : 'output',
      shares: SHARES,
      deletion: own.map((o) => o.deletion),
      insertion: own.map((o) => o.insertion),
      randomDeletion: other.map((o) => o.deletion),
      randomInsertion: other.map((o) => o.insertion),
    };
  }

  const attribute = (tool: ModelGradients, points: Samples): Promise<AttributedSamples> =>
    attributeSamples({ ...tools, gradient: tool }, points, chosen, subject, quiet);
  job.progress(0.3, 'infidelity');
  const infidelity = await infidelityOf(tools, asked, found, chosen, subject, { places, baseline }, quiet);

  job.progress(0.4, 'sensitivity to small changes');
  const worst = new Float64Array(n);
  const sources = asked.rows.map((row) => job.random(`nearby/${row}`));
  const size = found.values.length / n;
  const norm = (b: number, other?: Float64Array): number =>
    Math.sqrt(found.values.subarray(b * size, (b + 1) * size).reduce((sum, v, k) => sum + (other ? other[b * size + k] - v : v) ** 2, 0));
  const ranges = await rangesOf(asked, samples, job.signal);
  for (let i = 0; i < NEARBY; i++) {
    const x = Float32Array.from(asked.x);
    for (let k = 0; k < x.length; k++) x[k] += RADIUS * ranges(Math.floor(k / d), k % d) * (2 * sources[Math.floor(k / d)].next() - 1);
    const near = await attribute(gradient, { ...asked, x });
    for (let b = 0; b < n; b++) if (norm(b) > 0) worst[b] = Math.max(worst[b], norm(b, near.values) / norm(b));
  }

  job.progress(0.6, 'redrawing weights');
  const stages = await randomisation(gradient, asked, found, (tool) => attribute(tool, asked), job);
  return { samples: n, ...(curves ? { curves } : {}), ...(infidelity ? { infidelity } : {}), sensitivity: Array.from(worst), stages };
};

/**
 * E(Σ_S a − (f(x) − f(x with S hidden)))² over drawn sets S of places (Yeh et al. 2019, definition 2.1, with the set's difference
 * from the baseline as perturbation); slopes are first multiplied by that difference.
 */
const infidelityOf = async (
  { gradient }: Pick<Tools, 'gradient'>,
  asked: Samples,
  found: AttributedSamples,
  chosen: AttributionChoice,
  subject: Pick<Subject, 'classes'>,
  { places, baseline }: { readonly places: Places; readonly baseline: Float32Array },
  job: Pick<Job, 'random' | 'signal' | 'progress'>,
): Promise<Infidelity | undefined> => {
  const { kind } = methods[chosen.method];
  const n = asked.rows.length;
  const d = asked.x.length / n;
  if (kind === 'importance' || found.grid?.kind === 'units' || chosen.neuron !== '' || chosen.againstClass !== '') return undefined;
  const contributions = kind === 'contributions' ? found : { ...found, values: found.values.map((g, k) => g * (asked.x[k] - baseline[k])) };
  const { tool, targets } = await entriesOf(gradient, chosen, subject, asked.targets, job.signal);
  let [errors, falls] = [0, 0];
  for (let b = 0; b < n; b++) {
    const scores = placeScores(contributions, b, n, places, d);
    if (!scores) return undefined;
    const random = job.random(`subsets/${asked.rows[b]}`);
    const sets = Array.from({ length: SUBSETS }, () => {
      const share = random.next();
      return places.inputs.flatMap((_, i) => (random.next() < share ? [i] : []));
    });
    const question: Question = { x: asked.x, targets, ...(asked.inputs ? { inputs: asked.inputs } : {}) };
    const f = await hiddenValues(
      tool,
      question,
      b,
      baseline,
      places,
      SUBSETS + 1,
      (copy, share) => {
        share.fill(1);
        for (const i of copy === 0 ? [] : sets[copy - 1]) share[i] = 0;
      },
      job,
    );
    sets.forEach((set, i) => {
      const fall = f[0] - f[i + 1];
      const claimed = set.reduce((sum, place) => sum + scores[place], 0);
      errors += (claimed - fall) ** 2;
      falls += fall ** 2;
    });
  }
  const count = n * SUBSETS;
  return { value: errors / count, relative: falls > 0 ? errors / falls : Number.NaN };
};
