import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { Matrix, Tools } from '../../evidence/evidence.ts';
import type { WeightTensor } from '../../evidence/weights.ts';

export interface InvarianceOptions {
  readonly rows: number;
  readonly statistics: 'batch' | 'stored';
  readonly tolerance: number;
  readonly channels: number;
  readonly delta: number;
  readonly rate: number;
}

/** What the two tests say of one weight. */
export interface TensorFacts {
  readonly name: string;
  readonly dims: readonly number[];
  readonly entries: number;
  /** ‖f(2w) − f(w)‖/‖f(w)‖. */
  readonly change: number;
  readonly invariant: boolean;
  /** Output channels doubled one by one, those of them that have a gradient, and how many of these change nothing. */
  readonly tested: number;
  readonly active: number;
  readonly invariantChannels: number;
  /** max_r |cos(g_r, w_r)| by channel and of the whole, each with its threshold. */
  readonly channelCosine: number;
  readonly channelThreshold: number;
  readonly layerCosine: number;
  readonly layerThreshold: number;
  readonly view: 'channel' | 'layer' | 'none';
  readonly length: number;
  readonly gradientLength: number;
  /** rate · ‖g⊥‖/‖w‖ of one step of plain gradient descent. */
  readonly effectiveStep: number;
}
export interface Invariance {
  readonly tensors: readonly TensorFacts[];
  readonly normalisations: Readonly<Record<string, number>>;
  readonly rows: number;
  readonly loss: number;
}

type Entries = ArrayLike<number>;
const EPS = 1e-8;

const dot = (a: Entries, b: Entries, at?: readonly number[]): number => {
  let sum = 0;
  if (at) for (const i of at) sum += a[i] * b[i];
  else for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};
const relative = (changed: Matrix, own: Matrix): number => {
  const difference = changed.data.map((x, i) => x - own.data[i]);
  return Math.sqrt(dot(difference, difference) / dot(own.data, own.data));
};
/** |⟨g, w⟩| / max(‖g‖‖w‖, ε) over some entries. */
const cosine = (g: Entries, w: Entries, at?: readonly number[]): number =>
  Math.abs(dot(g, w, at)) / Math.max(Math.sqrt(dot(g, g, at) * dot(w, w, at)), EPS);

/** Entries of every output channel. */
const channelsOf = ({ dims, channels }: Pick<WeightTensor, 'dims' | 'channels'>): readonly number[][] => {
  const inner = sizeOf(dims.slice(channels + 1));
  const found: number[][] = Array.from({ length: dims[channels] }, () => []);
  for (let i = 0; i < sizeOf(dims); i++) found[Math.floor(i / inner) % dims[channels]].push(i);
  return found;
};

const doubled = (values: Float64Array, at?: readonly number[]): Float64Array => {
  const next = values.slice();
  if (at) for (const i of at) next[i] *= 2;
  else for (let i = 0; i < next.length; i++) next[i] *= 2;
  return next;
};

/** Both tests on every weight of at least two axes. */
export const invarianceRun = async (
  { fresh, weights }: Pick<Tools, 'fresh' | 'weights'>,
  options: InvarianceOptions,
  job: Job,
): Promise<Invariance> => {
  const all = await fresh.data();
  const count = Math.min(options.rows, all.labels.length);
  if (count < 2) throw new Fault('diagnostic/batch-rows', { rows: all.labels.length });
  const size = sizeOf(all.dims);
  const picked = job
    .random('rows')
    .shuffle(Array.from(all.labels, (_, i) => i))
    .slice(0, count)
    .toSorted((a, b) => a - b);
  const x = new Float32Array(count * size);
  for (const [k, i] of picked.entries()) x.set(all.x.subarray(i * size, (i + 1) * size), k * size);
  const labels = Int32Array.from(picked, (i) => all.labels[i]);
  const at = await weights.open({ x, dims: all.dims, labels, classes: all.classes }, options);
  const { loss, gradients } = await at.gradient();
  if (!Number.isFinite(loss)) throw new Fault('diagnostic/probe-loss', { rows: count });
  const own = await at.scores();
  const found = at.tensors.flatMap((tensor, i) => (tensor.dims.length > 1 ? [{ tensor, i }] : []));
  if (found.length === 0) throw new Fault('diagnostic/no-weights', {});
  const tensors: TensorFacts[] = [];
  for (const [k, { tensor, i }] of found.entries()) {
    const [w, g] = [tensor.values, gradients[i]];
    const channels = channelsOf(tensor);
    const change = relative(await at.scores({ at: i, values: doubled(w) }), own);
    const stride = Math.max(1, Math.ceil(channels.length / Math.max(1, options.channels)));
    const tested = options.channels === 0 ? [] : channels.filter((_, c) => c % stride === 0);
    const active = tested.filter((entries) => dot(g, g, entries) > 0 && dot(w, w, entries) > 0);
    let invariantChannels = 0;
    for (const [c, entries] of active.entries()) {
      job.progress((k + c / active.length) / found.length, tensor.name);
      if (relative(await at.scores({ at: i, values: doubled(w, entries) }), own) < options.tolerance) invariantChannels++;
    }
    const channelCosine = Math.max(...channels.map((entries) => cosine(g, w, entries)));
    const channelThreshold = options.delta / Math.sqrt(w.length / channels.length);
    const layerCosine = cosine(g, w);
    const layerThreshold = options.delta / Math.sqrt(w.length);
    const length = Math.sqrt(dot(w, w));
    const gradientLength = Math.sqrt(dot(g, g));
    const along = dot(g, w) / Math.max(length, EPS);
    tensors.push({
      name: tensor.name,
      dims: tensor.dims,
      entries: w.length,
      change,
      invariant: length > 0 && gradientLength > 0 && change < options.tolerance,
      tested: tested.length,
      active: active.length,
      invariantChannels,
      channelCosine,
      channelThreshold,
      layerCosine,
      layerThreshold,
      view: channelCosine < channelThreshold ? 'channel' : layerCosine < layerThreshold ? 'layer' : 'none',
      length,
      gradientLength,
      effectiveStep: (options.rate * Math.sqrt(Math.max(0, gradientLength ** 2 - along ** 2))) / Math.max(length, EPS),
    });
  }
  return { tensors, normalisations: at.normalisations, rows: count, loss };
};
