import { type Carried, carliniWagnerGraph, carried } from '../../autodiff/carlini-wagner.ts';
import { type Climbed, slopesGraph } from '../../autodiff/slopes.ts';
import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import type { Device } from '../../base/request.ts';
import { int64, sizeOf, type Tensor } from '../../base/tensor.ts';
import { fromFloats, toFloats } from '../../data/values.ts';
import type { Model } from '../../graph/types.ts';
import { write } from '../../graph/write.ts';
import type { DeviceChoice, Runtime, Session } from '../../runtime/session.ts';
import type { AttackRange, OpenAttacks, Search, UnitRows } from '../attack.ts';
import type { GradientSubject } from './gradient.ts';
import { chunkOf, inChunks, rowBytes, rowsAt } from './gradient-paths.ts';

/** Bytes of values made in one call of the search: a call lasts a part of a second. */
const CALL = 2 ** 28;
/** Above every objective. */
const FAR = 1e30;
/** Keeps tanh w away from 1, where its slope is 0. */
const INSIDE = 0.999999;

export interface ModelAttacks {
  open(range: AttackRange): Promise<OpenAttacks>;
  device(): DeviceChoice | undefined;
  release(): Promise<void>;
}

/** Where the search for c stands in each row. */
interface Bounds {
  readonly constant: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}
/** Halves what is left between a c that failed and one that succeeded; tenfold while none has. */
const searched = ({ constant, lower, upper }: Bounds, i: number, success: boolean): void => {
  if (success) upper[i] = Math.min(upper[i], constant[i]);
  else lower[i] = Math.max(lower[i], constant[i]);
  constant[i] = upper[i] < Infinity ? (lower[i] + upper[i]) / 2 : 10 * constant[i];
};

/** The attacks of a model, compiled when first asked for. */
export const attacks = (
  subject: GradientSubject,
  inputDims: readonly number[],
  { runtime, device }: { readonly runtime: Runtime; readonly device: Device },
  job: Pick<Job, 'note' | 'signal'>,
): ModelAttacks => {
  const sessions: Session[] = [];
  let choice: DeviceChoice | undefined;
  const { input, output, fixedBatch } = subject.ends;
  const row = sizeOf(inputDims);

  const open = async (range: AttackRange): Promise<OpenAttacks> => {
    if (!/^(b?float|double)/.test(input.dtype)) throw new Fault('evidence/whole-input', { input: input.name, dtype: input.dtype });
    const { model, probed } = await subject.prepared();
    const chunk = chunkOf(probed, fixedBatch);
    const dtype = input.dtype === 'float64' ? 'float64' : 'float32';
    const floats = (values: ArrayLike<number>, dims: readonly number[]): Tensor => ({
      dtype,
      dims,
      data: fromFloats(Float64Array.from(values), dtype),
    });
    const limits = {
      low: floats(range.low, inputDims),
      span: floats(
        range.low.map((l, k) => range.high[k] - l),
        inputDims,
      ),
    };
    const ends = { input: input.name, output, probabilities: range.probabilities };
    const opened = async (graph: Model, probe: Readonly<Record<string, Tensor>>): Promise<Session> => {
      const found = await runtime.open(
        write(graph),
        { device: choice?.actual ?? device, name: `attacks on ${subject.name}`, folder: subject.folder, probe },
        job,
      );
      choice ??= found.choice;
      sessions.push(found.session);
      return found.session;
    };
    const points = (u: Float32Array, at: readonly number[]): Tensor => floats(rowsAt(u, row, at), [at.length, ...inputDims]);
    const labelled = (labels: Int32Array, at: readonly number[]): Tensor =>
      int64(
        [at.length],
        at.map((i) => labels[i]),
      );
    const tried = Array.from({ length: fixedBatch ?? 2 }, () => 0);

    const slopeOf = async (of: Climbed | undefined) => {
      const graph = slopesGraph(model, probed, { ...ends, ...(of ? { of } : {}) });
      const { u, low, span, label, temperature } = graph.inputs;
      const feeds = (rows: UnitRows, at: readonly number[], t: number): Record<string, Tensor> => ({
        [u]: points(rows.u, at),
        [low]: limits.low,
        [span]: limits.span,
        ...(label ? { [label]: labelled(rows.labels, at) } : {}),
        ...(temperature ? { [temperature]: floats([t], []) } : {}),
      });
      return { graph, feeds, session: await opened(graph.model, feeds({ u: new Float32Array(row), labels: new Int32Array(1) }, tried, 1)) };
    };
    const made = new Map<Climbed | undefined, ReturnType<typeof slopeOf>>();
    const slope = (of?: Climbed): ReturnType<typeof slopeOf> => {
      const known = made.get(of) ?? slopeOf(of);
      made.set(of, known);
      return known;
    };
    const { graph: plain } = await slope();
    const { classes, bare } = plain;
    if (classes === undefined) throw new Fault('evidence/output-shape', { output, shape: 'that follows the data' });

    const searchOf = async (targeted: boolean) => {
      const graph = carliniWagnerGraph(model, probed, { ...ends, targeted });
      const start = (u: Float32Array, at: readonly number[]): Record<Carried, Tensor> => {
        const n = at.length;
        const own = rowsAt(u, row, at);
        const wide = (values: ArrayLike<number>): Tensor => floats(values, [n, ...inputDims]);
        const long = (value: number): Tensor => floats(new Float64Array(n).fill(value), [n]);
        return {
          w: wide(Float64Array.from(own, (v) => Math.atanh(INSIDE * (2 * v - 1)))),
          m: wide(new Float64Array(n * row)),
          v: wide(new Float64Array(n * row)),
          best: wide(own),
          least: long(FAR),
          found: long(0),
          before: long(FAR),
          active: long(1),
        };
      };
      const feeds = (
        rows: UnitRows,
        at: readonly number[],
        state: Readonly<Record<Carried, Tensor>>,
        given: { readonly constant: ArrayLike<number>; readonly confidence: number; readonly rate: number },
        turns: Readonly<Record<'first' | 'count' | 'window', number>>,
      ): Record<string, Tensor> => {
        const { inputs } = graph;
        return {
          [inputs.u]: points(rows.u, at),
          [inputs.low]: limits.low,
          [inputs.span]: limits.span,
          [inputs.label]: labelled(rows.labels, at),
          [inputs.constant]: floats(given.constant, [at.length]),
          [inputs.confidence]: floats([given.confidence], []),
          [inputs.rate]: floats([given.rate], []),
          ...Object.fromEntries((['first', 'count', 'window'] as const).map((key) => [inputs[key], int64([], [turns[key]])])),
          ...Object.fromEntries(carried.map((key) => [graph.state[key].input, state[key]])),
        };
      };
      const zero = { u: new Float32Array(row), labels: new Int32Array(1) };
      const given = { constant: tried.map(() => 1), confidence: 0, rate: 0 };
      const session = await opened(graph.model, feeds(zero, tried, start(zero.u, tried), given, { first: 0, count: 1, window: 1 }));
      return { graph, start, feeds, session };
    };
    const searches = new Map<boolean, ReturnType<typeof searchOf>>();

    const roundOf = async (
      compiled: Awaited<ReturnType<typeof searchOf>>,
      rows: UnitRows,
      at: readonly number[],
      begun: Readonly<Record<Carried, Tensor>>,
      constant: ArrayLike<number>,
      { confidence, rate, steps }: Search,
      signal: AbortSignal,
    ): Promise<Record<Carried, Tensor>> => {
      const most = Math.max(1, Math.floor(CALL / (at.length * rowBytes(probed))));
      const window = Math.max(1, Math.floor(steps / 10));
      let state: Record<Carried, Tensor> = { ...begun };
      for (let first = 0; first < steps; first += most) {
        await breathe({ signal });
        const turns = { first, count: Math.min(most, steps - first), window };
        const out = await compiled.session.run(compiled.feeds(rows, at, state, { constant, confidence, rate }, turns));
        state = Object.fromEntries(carried.map((key) => [key, out[compiled.graph.state[key].output]])) as Record<Carried, Tensor>;
        if (toFloats(state.active).every((v) => v === 0)) break;
      }
      return state;
    };

    return {
      classes,
      bare,
      async scores(u, signal) {
        const count = u.length / row;
        const { graph, feeds, session } = await slope();
        const data = new Float64Array(count * classes);
        await inChunks(count, chunk, { signal, note: job.note }, async (at, from, n) => {
          const out = await session.run(feeds({ u, labels: new Int32Array(count) }, at, 1));
          data.set(toFloats(out[graph.outputs.scores]).subarray(0, n * classes), from * classes);
        });
        return { rows: count, cols: classes, data };
      },
      async slopes(rows, of, signal) {
        const { graph, feeds, session } = await slope(of.kind);
        const slopes = new Float32Array(rows.u.length);
        await inChunks(rows.labels.length, chunk, { signal, note: job.note }, async (at, from, n) => {
          const out = await session.run(feeds(rows, at, of.kind === 'loss' ? of.temperature : 1));
          slopes.set(toFloats(out[graph.outputs.slope ?? '']).subarray(0, n * row), from * row);
        });
        return slopes;
      },
      async carliniWagner(rows, search, signal, told) {
        const compiled = searches.get(search.targeted) ?? searchOf(search.targeted);
        searches.set(search.targeted, compiled);
        const graph = await compiled;
        const total = rows.labels.length;
        const u = rows.u.slice();
        const distances = new Float64Array(total).fill(Infinity);
        await inChunks(total, chunk, { signal, note: job.note }, async (at, from, n) => {
          const bounds: Bounds = {
            constant: new Float64Array(at.length).fill(search.constant),
            lower: new Float64Array(at.length),
            upper: new Float64Array(at.length).fill(Infinity),
          };
          const begun = graph.start(rows.u, at);
          let kept: Pick<Record<Carried, Tensor>, 'best' | 'least'> = begun;
          for (let round = 0; round < search.rounds; round++) {
            const { best, least, found } = await roundOf(
              graph,
              rows,
              at,
              { ...begun, best: kept.best, least: kept.least },
              bounds.constant,
              search,
              signal,
            );
            kept = { best, least };
            toFloats(found).forEach((f, i) => {
              searched(bounds, i, f > 0);
            });
            told((from + (n * (round + 1)) / search.rounds) / total);
          }
          const [best, least] = [toFloats(kept.best), toFloats(kept.least)];
          for (let i = 0; i < n; i++) {
            if (least[i] >= FAR / 2) continue;
            distances[from + i] = Math.sqrt(least[i]);
            u.set(best.subarray(i * row, (i + 1) * row), (from + i) * row);
          }
        });
        return { u, distances };
      },
    };
  };
  return {
    open,
    device: () => choice,
    async release() {
      for (const session of sessions) await session.release();
    },
  };
};
