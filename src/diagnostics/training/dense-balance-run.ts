import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import { sigmoid } from '../../base/maths/logistic.ts';
import type { FoundBiases } from '../../evidence/biases.ts';
import type { Tools } from '../../evidence/evidence.ts';
import { type Balance, balanceScores, boundedShare, logit } from './balance-scores.ts';
import { addBalance, balanceState, type Focal } from './balance-state.ts';
import { type DenseLayout, denseLayout, type Layout } from './dense-layout.ts';
import { anchorTargets, type TargetOptions } from './dense-targets.ts';
import { addTerms, noSums, ratioOf } from './ratio-of-sums.ts';

export interface DenseOptions extends TargetOptions, Focal {
  readonly tensor: string;
  readonly tensorLayout: Layout;
  readonly classCount: number;
  readonly regression: string;
  readonly regressionTargets: string;
  readonly beta: number;
  readonly batch: number;
  readonly normaliser: 'foreground' | 'foreground+images';
  readonly perClass: boolean;
  readonly save: string;
  readonly confidenceLevel: number;
}
/** Σ|∂L/∂z| over foreground and background pairs. */
export interface Split {
  readonly name: string;
  readonly foreground: number;
  readonly background: number;
}
/** Losses of a batch, and the factor that guided scaling would give; NaN without boxes. */
export interface BatchLoss {
  readonly classes: number;
  readonly boxes: number;
  readonly factor: number;
  /** Without foreground, so that the running mean of the factors before serves. */
  readonly held: boolean;
}
export interface DenseBalance {
  readonly tensor: string;
  readonly images: number;
  readonly anchors: number;
  readonly ignored: number;
  readonly classes: number;
  readonly balance: Balance;
  readonly splits: readonly Split[];
  readonly batches: readonly BatchLoss[];
  /** Why there is no split by other biases. */
  readonly unbiased?: string;
  readonly saved?: string;
}

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
/** Girshick 2015 with a transition at β. */
const smoothL1 = (x: number, beta: number): number => {
  const size = Math.abs(x);
  return size < beta ? (0.5 * size * size) / beta : size - 0.5 * beta;
};
const DECAY = 0.9;

/** Which stored number is added to a score; undefined where that cannot be told. */
const biasOf = (
  found: FoundBiases,
  layout: DenseLayout,
): { readonly of: (anchor: number, c: number) => number } | { readonly reason: string } => {
  if ('reason' in found) return found;
  const [first, ...rest] = found.stored;
  const place = layout.bias(first.values.length);
  const same = first.values.every((v) => v === first.values[0]);
  if (rest.some(({ values }) => values.length !== first.values.length || values.some((v, i) => v !== first.values[i])))
    return { reason: 'the parts of the tensor have different biases' };
  if (same) return { of: () => first.values[0] };
  return place ? { of: (anchor, c) => first.values[place(anchor, c)] } : { reason: `${first.values.length} biases do not fit its classes` };
};

/** One pass over the images: counts and gradients of foreground and background, and the losses batch by batch. */
export const denseRun = async (
  { features, columns, biases }: Pick<Tools, 'features' | 'columns' | 'biases'>,
  options: DenseOptions,
  job: Job,
): Promise<DenseBalance> => {
  const writer = options.save === '' ? undefined : await biases.open(options.save);
  const stream = await features.open({ layer: options.tensor, pooling: 'flatten', scores: true });
  if (stream.op === 'Softmax') throw new Fault('diagnostic/dense-softmax', { tensor: stream.layer });
  const layout = denseLayout(stream.layer, stream.dims, options.tensorLayout, options.classCount);
  const { anchors, classes } = layout;
  const targetsOf = await anchorTargets(columns, options, classes, anchors, job.signal);
  const found = await biases.read(options.tensor);
  const bias = biasOf(found, layout);
  if (writer && 'reason' in bias) throw new Fault('evidence/biases', { tensor: stream.layer, reason: bias.reason });
  // The prior is of all images, before the model is asked: the best bias is one of the three that are compared.
  let [used, ignored] = [0, 0];
  const counts = new Float64Array(classes);
  for (let p = 0; p < stream.count; p++) {
    if (p % 64 === 0) await breathe(job);
    for (const t of targetsOf(p)) {
      if (t < 0) ignored++;
      else used++;
      if (t > 0) counts[t - 1]++;
    }
  }
  const positives = counts.reduce((a, b) => a + b, 0);
  if (positives === 0) throw new Fault('diagnostic/no-foreground', { anchors: used });
  const best = logit(boundedShare(positives, used * classes));
  const boxes = await boxLoss({ features, columns }, options, anchors, job);
  const state = balanceState();
  const ratio = noSums();
  const others = [
    { name: 'bias 0', bias: 0, foreground: 0, background: 0 },
    { name: 'optimal bias', bias: best, foreground: 0, background: 0 },
  ];
  const now = { foreground: 0, background: 0 };
  const losses: BatchLoss[] = [];
  let open = { classes: 0, boxes: 0, foreground: 0, images: 0 };
  let mean = Number.NaN;
  const close = (): void => {
    if (open.images === 0) return;
    const by = options.normaliser === 'foreground' ? Math.max(1, open.foreground) : open.foreground + open.images;
    const [own, other] = [open.classes / by, boxes ? open.boxes / Math.max(1, open.foreground) : Number.NaN];
    const ratioNow = other / own;
    const usable = ratioNow > 0 && Number.isFinite(ratioNow);
    if (usable) mean = Number.isNaN(mean) ? ratioNow : DECAY * mean + (1 - DECAY) * ratioNow;
    losses.push({
      classes: own,
      boxes: other,
      factor: usable ? ratioNow : boxes ? mean : Number.NaN,
      held: boxes !== undefined && !usable,
    });
    open = { classes: 0, boxes: 0, foreground: 0, images: 0 };
  };
  let within = true;
  let total = 0;
  let place = 0;
  for await (const { rows, features: values } of stream.batches(job.signal)) {
    for (let i = 0; i < rows.length; i++, place++) {
      await breathe(job);
      const targets = targetsOf(place);
      const kept = Array.from(targets.keys()).filter((a) => targets[a] >= 0);
      const marks = new Float64Array(kept.length * classes);
      const probs = new Float64Array(kept.length * classes);
      const before = { ...now };
      for (const [k, a] of kept.entries())
        for (let c = 0; c < classes; c++) {
          const z = values[i * stream.width + layout.at(a, c)];
          within &&= z >= 0 && z <= 1;
          const one = targets[a] === c + 1;
          const p = sigmoid(z);
          marks[k * classes + c] = Number(one);
          probs[k * classes + c] = p;
          const loss = softplus(z) - (one ? z : 0);
          total += loss;
          open.classes += loss;
          now[one ? 'foreground' : 'background'] += one ? 1 - p : p;
          if ('of' in bias)
            for (const other of others) {
              const q = sigmoid(z - bias.of(a, c) + other.bias);
              other[one ? 'foreground' : 'background'] += one ? 1 - q : q;
            }
        }
      addTerms(ratio, now.background - before.background, now.foreground - before.foreground);
      const size = { rows: kept.length, cols: classes };
      addBalance(
        state,
        { marks: { ...size, data: marks }, labelProbs: { ...size, data: probs }, rows: new Float64Array(kept.length).fill(rows[i]) },
        options,
      );
      open.foreground += kept.reduce((n, a) => n + Number(targets[a] > 0), 0);
      if (boxes) open.boxes += await boxes(place, targets);
      open.images++;
      if (open.images === options.batch) close();
    }
    job.progress(place / stream.count, `${place} of ${stream.count} images`);
  }
  close();
  if (within) throw new Fault('diagnostic/dense-probabilities', { tensor: stream.layer });
  const base = balanceScores(state, options, options.confidenceLevel);
  const balance: Balance = { ...base, loss: total / positives, priorInterval: null, ratio: ratioOf(ratio, options.confidenceLevel) };
  if (writer && 'stored' in found && 'of' in bias) {
    const each = (i: number): number => (options.perClass ? logit(boundedShare(counts[i % classes], used)) : best);
    await writer(Object.fromEntries(found.stored.map(({ name, values }) => [name, values.map((_, i) => each(i))])), {
      prior: positives / (used * classes),
      bias: options.perClass ? 'by class' : best,
    });
  }
  return {
    tensor: stream.layer,
    images: place,
    anchors: used,
    ignored,
    classes,
    balance,
    splits: [{ name: 'as it is', ...now }, ...('of' in bias ? others : [])],
    batches: losses,
    ...('reason' in bias ? { unbiased: bias.reason } : {}),
    ...(writer ? { saved: options.save } : {}),
  };
};

/** Σ of smooth-L1 over the foreground anchors of an image. */
const boxLoss = async (
  { features, columns }: Pick<Tools, 'features' | 'columns'>,
  { regression, regressionTargets, beta }: DenseOptions,
  anchors: number,
  { signal }: Job,
): Promise<((place: number, targets: Int32Array) => Promise<number>) | undefined> => {
  if (regression === '') return undefined;
  if (regressionTargets === '')
    throw new Fault('option/missing', { name: '--regression-targets', usage: '--regression TENSOR --regression-targets ARRAY' });
  const stream = await features.open({ layer: regression, pooling: 'flatten' });
  if (stream.width % anchors !== 0)
    throw new Fault('diagnostic/dense-shape', {
      tensor: regression,
      shape: `[${stream.dims.join(', ')}]`,
      layout: 'anchors',
      due: `[${anchors}, numbers of a box]`,
    });
  const each = stream.width / anchors;
  const due = await columns.take(regressionTargets, signal);
  if (due.data.length !== columns.rows.length * stream.width)
    throw new Fault('diagnostic/dense-array', {
      name: regressionTargets,
      shape: `[${due.dims.join(', ')}]`,
      due: `[rows, ${anchors}, ${each}]`,
    });
  const images = stream.batches(signal);
  let [values, from] = [new Float32Array(), 0];
  return async (place, targets) => {
    while (place >= from + values.length / stream.width) {
      from += values.length / stream.width;
      const next = await images.next();
      values = Float32Array.from(next.value?.features ?? []);
      if (values.length === 0) throw new RangeError('boxes of fewer images than scores');
    }
    let sum = 0;
    targets.forEach((t, a) => {
      if (t <= 0) return;
      for (let k = 0; k < each; k++)
        sum += smoothL1(values[(place - from) * stream.width + a * each + k] - due.data[place * stream.width + a * each + k], beta);
    });
    return sum;
  };
};
