import { inputGradient, type PathGradient } from '../../autodiff/differentiate.ts';
import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import type { Device } from '../../base/request.ts';
import { type DType, int64, sizeOf, type Tensor } from '../../base/tensor.ts';
import { fromFloats, toFloats } from '../../data/values.ts';
import { dimsAt } from '../../graph/batch-dim.ts';
import type { Prepared } from '../../graph/prepare.ts';
import type { Probed } from '../../graph/probe.ts';
import { write } from '../../graph/write.ts';
import type { DeviceChoice, Runtime, Session } from '../../runtime/session.ts';
import type { GradientTool } from '../evidence.ts';
import type { Ends } from '../model.ts';

/** Bytes that the values of one batch of points may take, forward and backward. */
const memory = 2 ** 29;
/** Backward values stand beside forward ones. */
const backward = 3;

/** Bytes of all intermediate values for one row, as far as probing told their shapes. */
const rowBytes = ({ types }: Probed): number => {
  let sum = 0;
  for (const { dims } of types.values()) {
    const [one, two] = [1, 2].map((n) => (dims ? dimsAt(dims, n) : undefined)).map((d) => (d ? sizeOf(d) : 0));
    sum += 4 * Math.max(0, two - one);
  }
  return Math.max(1, sum);
};

interface Compiled {
  readonly graph: PathGradient;
  /** As the graph takes its weights: sums of half-precision gradients are float32. */
  weights(values: readonly number[]): Tensor;
  readonly session: Session;
}

export interface OpenGradient {
  readonly tool: GradientTool;
  readonly choice: DeviceChoice;
  release(): Promise<void>;
}

/** The model whose gradient is wanted. */
export interface GradientSubject {
  readonly name: string;
  readonly folder: string;
  readonly ends: Ends;
  prepared(): Promise<Prepared>;
}

/** Compiles the gradient graph once (and once more where squares are asked for) and runs paths through it in chunks. */
export const openGradient = async (
  subject: GradientSubject,
  inputDims: readonly number[],
  { runtime, device }: { readonly runtime: Runtime; readonly device: Device },
  job: Pick<Job, 'note' | 'signal'>,
): Promise<OpenGradient> => {
  const { input, output, fixedBatch } = subject.ends;
  if (!/^(b?float)/.test(input.dtype)) throw new Fault('evidence/whole-input', { input: input.name, dtype: input.dtype });
  const { model, probed } = await subject.prepared();
  const d = sizeOf(inputDims);
  const tensor = (points: Float32Array, dtype: DType): Tensor => ({
    dtype,
    dims: [points.length / d, ...inputDims],
    data: dtype === 'float32' ? points : fromFloats(points, dtype),
  });

  let choice: DeviceChoice | undefined;
  const compile = async (square: boolean): Promise<Compiled> => {
    const graph = inputGradient(model, probed, { input: input.name, output, square });
    const rows = fixedBatch ?? 2;
    const type = graph.model.graph.inputs.find((i) => i.name === graph.inputs.weights)?.type;
    const dtype = type?.kind === 'tensor' ? type.dtype : 'float32';
    const weights = (values: readonly number[]): Tensor => ({
      dtype,
      dims: [values.length],
      data: fromFloats(Float64Array.from(values), dtype),
    });
    const probe = {
      [graph.inputs.points]: tensor(new Float32Array(rows * d), input.dtype),
      [graph.inputs.target]: int64([rows], new Array<number>(rows).fill(0)),
      [graph.inputs.weights]: weights([1]),
    };
    const found = await runtime.open(
      write(graph.model),
      { device: choice?.actual ?? device, name: `gradient of ${subject.name}`, folder: subject.folder, probe },
      job,
    );
    choice ??= found.choice;
    return { graph, weights, session: found.session };
  };
  const plain = await compile(false);
  let squared: Promise<Compiled> | undefined;
  if (!choice) throw new Fault('runtime/session', { model: subject.name, reason: 'no device was chosen' });

  let most = fixedBatch ?? Math.max(1, Math.min(1024, Math.floor(memory / (backward * rowBytes(probed)))));
  const { targets } = plain.graph;
  if (targets === undefined) throw new Fault('evidence/output-shape', { output: plain.graph.of, shape: 'that follows the data' });

  const tool: GradientTool = {
    output: plain.graph.of,
    targets,
    inputDims,
    async sum({ rows, points, weights, targets: wanted, square = false }, signal) {
      squared ??= square ? compile(true) : undefined;
      const { graph, weights: weightsOf, session } = square && squared ? await squared : plain;
      const steps = weights.length;
      const gradient = new Float64Array(rows * d);
      const squares = square ? new Float64Array(rows * d) : undefined;
      const values = new Float64Array(rows * steps);
      /** Steps [from, to) of the paths of rows [first, last). */
      const run = async (first: number, last: number, from: number, to: number): Promise<void> => {
        const [b, s] = [last - first, to - from];
        const part =
          s === steps
            ? points.subarray(first * steps * d, last * steps * d)
            : points.subarray((first * steps + from) * d, (first * steps + to) * d);
        // A fixed batch takes single points: rows of the batch are steps, the last of them filled up.
        const given = fixedBatch === undefined ? part : filled(part, fixedBatch * d);
        const result = await session.run({
          [graph.inputs.points]: tensor(given, input.dtype),
          [graph.inputs.target]: int64(
            [fixedBatch ?? b],
            fixedBatch === undefined ? wanted.subarray(first, last) : new Int32Array(fixedBatch).fill(wanted[first]),
          ),
          [graph.inputs.weights]: weightsOf(fixedBatch === undefined ? weights.slice(from, to) : [1]),
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
        const last = fixedBatch === undefined ? Math.min(rows, first + Math.max(1, Math.floor(most / steps))) : first + 1;
        for (let from = 0; from < steps; ) {
          const to = last - first > 1 ? steps : Math.min(steps, from + most);
          await breathe({ signal });
          try {
            await run(first, last, from, to);
          } catch (error) {
            const size = (last - first) * (to - from);
            if (!Fault.is(error, 'runtime/memory') || fixedBatch !== undefined || size === 1) throw error;
            most = Math.ceil(size / 2);
            job.note(`Memory ran out at ${size} points of a path at once; went on with ${most}.`);
            // Several whole paths are taken up again as fewer; a single one goes on where it stopped.
            if (last - first > 1) break;
            continue;
          }
          from = to;
          if (from === steps) first = last;
        }
      }
      return { gradient, values, ...(squares ? { squared: squares } : {}) };
    },
  };
  return {
    tool,
    choice,
    async release() {
      await plain.session.release();
      if (squared) await (await squared).session.release();
    },
  };
};

const filled = (part: Float32Array, size: number): Float32Array => {
  if (part.length === size) return part;
  const out = new Float32Array(size);
  out.set(part);
  return out;
};
