import type { PathGradient } from '../../autodiff/path-gradient.ts';
import { evenParts } from '../../base/even-parts.ts';
import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import { type DType, int64, sizeOf, type Tensor } from '../../base/tensor.ts';
import { fromFloats, toFloats } from '../../data/values.ts';
import { dimsAt } from '../../graph/batch-dim.ts';
import type { Probed } from '../../graph/probe.ts';
import type { Session } from '../../runtime/session.ts';
import type { GradientRequest, GradientSums, PointRequest } from '../evidence.ts';

/** A value of the graph with one row for each row of the batch: the model's input, or one inside it. */
export interface Place {
  readonly name: string;
  /** Shape of one row. */
  readonly dims: readonly number[];
  readonly dtype: DType;
}

/** Rows of values as the model takes them. */
export const pointsOf = (values: Float32Array, { dims, dtype }: Omit<Place, 'name'>): Tensor => ({
  dtype,
  dims: [values.length / sizeOf(dims), ...dims],
  data: dtype === 'float32' ? values : fromFloats(values, dtype),
});

/** Rows of `values`, `size` numbers each, at these positions. */
export const rowsAt = (values: Float32Array, size: number, at: readonly number[]): Float32Array => {
  const out = new Float32Array(at.length * size);
  at.forEach((row, i) => {
    out.set(values.subarray(row * size, (row + 1) * size), i * size);
  });
  return out;
};
const indicesAt = (list: Int32Array, at: readonly number[]): Tensor =>
  int64(
    [at.length],
    at.map((row) => list[row]),
  );

/** A graph that takes points and chooses one entry for each. */
export interface PointGraph {
  readonly inputs: { readonly points: string; readonly target: string; readonly against?: string };
  readonly beside: readonly string[];
}
/** Where its points are, and what the model itself takes. */
export interface Places {
  readonly at: Place;
  readonly input: Place;
}

/** The input rows at these positions, where a graph reads them beside its points. */
const besideAt = (
  { beside }: Pick<PointGraph, 'beside'>,
  { input }: Places,
  inputs: Float32Array | undefined,
  at: readonly number[],
): Readonly<Record<string, Tensor>> => {
  if (!beside.includes(input.name)) return {};
  if (!inputs) throw new RangeError(`the input rows were not given, and the model reads '${input.name}' beside the points`);
  return { [input.name]: pointsOf(rowsAt(inputs, sizeOf(input.dims), at), input) };
};

/** What a graph of points is fed for the rows at these positions. */
export const feedsAt = (
  graph: PointGraph,
  places: Places,
  { points, targets, against, inputs }: PointRequest,
  rows: readonly number[],
): Readonly<Record<string, Tensor>> => ({
  [graph.inputs.points]: pointsOf(rowsAt(points, sizeOf(places.at.dims), rows), places.at),
  [graph.inputs.target]: indicesAt(targets, rows),
  ...(graph.inputs.against && against ? { [graph.inputs.against]: indicesAt(against, rows) } : {}),
  ...besideAt(graph, places, inputs, rows),
});

/** Zeros, to try a graph with. */
export const blank = (rows: number, { at, input }: Places): Required<PointRequest> => ({
  points: new Float32Array(rows * sizeOf(at.dims)),
  targets: new Int32Array(rows),
  against: new Int32Array(rows),
  inputs: new Float32Array(rows * sizeOf(input.dims)),
});

/** Weights as the graph takes them: sums of half-precision gradients are float32. */
export const weightsOf = ({ model, inputs }: PathGradient, values: readonly number[]): Tensor => {
  const type = model.graph.inputs.find((i) => i.name === inputs.weights)?.type;
  const dtype = type?.kind === 'tensor' ? type.dtype : 'float32';
  return { dtype, dims: [values.length], data: fromFloats(Float64Array.from(values), dtype) };
};

/** Points of straight paths, as the graph that makes them takes them. */
export const mixOf = (nodes: readonly number[]): Tensor => ({
  dtype: 'float32',
  dims: [nodes.length, 2],
  data: Float32Array.from(nodes.flatMap((t) => [1 - t, t])),
});

/**
 * Forward bytes of the points run at once: more leave the processor's caches (squeezenet1_1, 2 MB a point, takes 0.50 ms a point in
 * batches of 17, 0.62 in batches of 50, 0.93 in batches of 512). So many points run at once in any case, a third of the usual 50:
 * fewer do not pay for a call.
 */
const cached = 2 ** 23;
const least = 17;

/** Bytes of all intermediate values for one row, as far as probing told their shapes. */
export const rowBytes = ({ types }: Probed): number => {
  let sum = 0;
  for (const { dims } of types.values()) {
    const [one, two] = [1, 2].map((n) => (dims ? dimsAt(dims, n) : undefined)).map((d) => (d ? sizeOf(d) : 0));
    sum += 4 * Math.max(0, two - one);
  }
  return Math.max(1, sum);
};

/** How many points are run at once; halved where memory runs out. */
export interface Chunk {
  most: number;
  readonly fixedBatch?: number;
}

export const chunkOf = (probed: Probed, fixedBatch: number | undefined): Chunk => ({
  most: fixedBatch ?? Math.min(1024, Math.max(least, Math.floor(cached / rowBytes(probed)))),
  ...(fixedBatch === undefined ? {} : { fixedBatch }),
});

/** Runs rows through `work` in chunks; a fixed batch is filled up with its first row. Where memory runs out, fewer at once. */
export const inChunks = async (
  rows: number,
  chunk: Chunk,
  job: Pick<Job, 'note' | 'signal'>,
  /** Runs the rows at these positions, of which the first `count`, from `from` on, are wanted. */
  work: (at: readonly number[], from: number, count: number) => Promise<void>,
): Promise<void> => {
  for (let from = 0; from < rows; ) {
    await breathe({ signal: job.signal });
    const count = Math.min(rows - from, chunk.fixedBatch ?? chunk.most);
    const at = Array.from({ length: chunk.fixedBatch ?? count }, (_, i) => (i < count ? from + i : from));
    try {
      await work(at, from, count);
      from += count;
    } catch (error) {
      if (!Fault.is(error, 'runtime/memory') || chunk.fixedBatch !== undefined || count === 1) throw error;
      chunk.most = Math.ceil(count / 2);
      job.note(`Memory ran out at ${count} rows at once; went on with ${chunk.most}.`);
    }
  }
};

/** Points of straight paths, [rows, S, d], from their ends [rows, 2, d]. */
export const pointsBetween = (ends: Float32Array, nodes: readonly number[], d: number): Float32Array => {
  const rows = ends.length / 2 / d;
  const points = new Float32Array(rows * nodes.length * d);
  for (let b = 0, at = 0; b < rows; b++)
    for (const t of nodes) for (let k = 2 * b * d, end = k + d; k < end; k++, at++) points[at] = (1 - t) * ends[k] + t * ends[k + d];
  return points;
};

/** A compiled path gradient with what it takes to feed it. */
export interface CompiledPath {
  readonly graph: PathGradient;
  readonly session: Session;
  readonly places: Places;
}

/** Runs paths through a compiled graph in chunks. */
export const runPaths = async (
  { graph, session, places }: CompiledPath,
  chunk: Chunk,
  { rows, points, nodes, weights, targets, against, square = false, inputs }: GradientRequest,
  job: Pick<Job, 'note' | 'signal'>,
): Promise<GradientSums> => {
  const { fixedBatch } = chunk;
  const d = sizeOf(places.at.dims);
  const steps = weights.length;
  const gradient = new Float64Array(rows * d);
  const squares = square ? new Float64Array(rows * d) : undefined;
  const values = new Float64Array(rows * steps);
  /** Steps [from, to) of the paths of rows [first, last). */
  const run = async (first: number, last: number, from: number, to: number): Promise<void> => {
    const [b, s] = [last - first, to - from];
    // A fixed batch takes single points: rows of the batch are steps, the last of them filled up.
    const own = Array.from({ length: fixedBatch ?? b }, (_, i) => (fixedBatch === undefined ? first + i : first));
    const some = nodes?.slice(from, to);
    const ends = points.subarray(first * 2 * d, last * 2 * d);
    const part =
      graph.inputs.mix !== undefined
        ? ends
        : some
          ? pointsBetween(ends, some, d)
          : points.subarray((first * steps + from) * d, ((last - 1) * steps + to) * d);
    const given = fixedBatch === undefined || part.length === fixedBatch * d ? part : new Float32Array(fixedBatch * d);
    if (given !== part) given.set(part);
    const repeated = fixedBatch === undefined ? own.flatMap((row) => new Array<number>(s).fill(row)) : own;
    const result = await session.run({
      [graph.inputs.points]: pointsOf(given, places.at),
      [graph.inputs.target]: indicesAt(targets, own),
      ...(graph.inputs.against && against ? { [graph.inputs.against]: indicesAt(against, own) } : {}),
      ...(some && graph.inputs.mix !== undefined ? { [graph.inputs.mix]: mixOf(some) } : {}),
      [graph.inputs.weights]: weightsOf(graph, fixedBatch === undefined ? weights.slice(from, to) : [1]),
      ...besideAt(graph, places, inputs, repeated),
    });
    const g = toFloats(result[graph.outputs.gradient]);
    const f = toFloats(result[graph.outputs.values]);
    const g2 = squares && graph.outputs.squared ? toFloats(result[graph.outputs.squared]) : undefined;
    if (fixedBatch === undefined) {
      for (let i = 0; i < b * d; i++) gradient[first * d + i] += g[i];
      if (squares && g2) for (let i = 0; i < b * d; i++) squares[first * d + i] += g2[i];
      for (let r = 0; r < b; r++) for (let k = 0; k < s; k++) values[(first + r) * steps + from + k] = f[r * s + k];
      return;
    }
    for (let k = 0; k < s; k++) {
      const w = weights[from + k];
      for (let i = 0; i < d; i++) gradient[first * d + i] += w * g[k * d + i];
      if (squares && g2) for (let i = 0; i < d; i++) squares[first * d + i] += w * g2[k * d + i];
      values[first * steps + from + k] = f[k];
    }
  };
  for (let first = 0; first < rows; ) {
    // Whole paths of several rows where they fit, else one path in pieces.
    const last = fixedBatch === undefined ? Math.min(rows, first + Math.max(1, Math.floor(chunk.most / steps))) : first + 1;
    for (let from = 0; from < steps; ) {
      const to = last - first > 1 ? steps : Math.min(steps, from + evenParts(steps, chunk.most));
      await breathe({ signal: job.signal });
      try {
        await run(first, last, from, to);
      } catch (error) {
        const size = (last - first) * (to - from);
        if (!Fault.is(error, 'runtime/memory') || fixedBatch !== undefined || size === 1) throw error;
        chunk.most = Math.ceil(size / 2);
        job.note(`Memory ran out at ${size} points of a path at once; went on with ${chunk.most}.`);
        // Several whole paths are taken up again as fewer; a single one goes on where it stopped.
        if (last - first > 1) break;
        continue;
      }
      from = to;
      if (from === steps) first = last;
    }
  }
  return { gradient, values, ...(squares ? { squared: squares } : {}) };
};
