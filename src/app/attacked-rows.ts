import { attackGraph } from '../autodiff/attack-graph.ts';
import { breathe, type Job } from '../base/job.ts';
import { int64, sizeOf, type Tensor } from '../base/tensor.ts';
import { fromFloats, toFloats } from '../data/values.ts';
import type { FreshAsk, FreshRows } from '../evidence/fresh.ts';
import type { Prepared } from '../graph/prepare.ts';
import { write } from '../graph/write.ts';
import { unitBall } from '../training/adversarial.ts';
import type { Ports } from './ports.ts';

/** Rows scored, or attacked, at a time. */
const CHUNK = 256;

export const inChunks = async (
  rows: number,
  job: Pick<Job, 'signal'>,
  work: (from: number, to: number) => Promise<void>,
): Promise<void> => {
  for (let from = 0; from < rows; from += CHUNK) {
    await breathe(job);
    await work(from, Math.min(rows, from + CHUNK));
  }
};

type Attack = NonNullable<FreshAsk['adversarial']>;

/** 2.5·ε/steps reaches the edge of the ball from anywhere in it. */
export const stepOf = ({ epsilon, steps }: Pick<Attack, 'epsilon' | 'steps'>): number => (steps === 1 ? epsilon : (2.5 * epsilon) / steps);

interface Attacked extends Pick<Prepared, 'model' | 'probed'> {
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly dtype: Tensor['dtype'];
  /** Shape of a row. */
  readonly dims: readonly number[];
}

/** Adversarial rows near these, by an attack in the graph. */
export const attackedRows = async (
  { model, probed, name, input, output, dtype, dims }: Attacked,
  { x, labels }: FreshRows,
  { norm, epsilon, steps, randomStart, range }: Attack,
  ports: Pick<Ports, 'runtime'>,
  job: Job,
): Promise<Float32Array> => {
  const size = sizeOf(dims);
  const tensor = (values: Float32Array, from: number, to: number): Tensor => ({
    dtype,
    dims: [to - from, ...dims],
    data: fromFloats(values.subarray(from * size, to * size), dtype),
  });
  const attack = attackGraph(model, probed, { input, output, norm, steps, randomStart, clip: range !== undefined });
  const { session } = await ports.runtime.open(write(attack.model), { device: 'cpu', name: `an attack on ${name}` }, job);
  const scalar = (v: number): Tensor => ({ dtype, dims: [], data: fromFloats(Float64Array.of(v), dtype) });
  const { label, low = '', high = '', start = '' } = attack.inputs;
  const out = new Float32Array(x.length);
  try {
    await inChunks(labels.length, job, async (from, to) => {
      const feeds: Record<string, Tensor> = {
        [attack.inputs.x]: tensor(x, from, to),
        [label]: int64([to - from], labels.subarray(from, to)),
        [attack.inputs.epsilon]: scalar(epsilon),
        [attack.inputs.step]: scalar(stepOf({ epsilon, steps })),
      };
      if (range) Object.assign(feeds, { [low]: scalar(range[0]), [high]: scalar(range[1]) });
      if (start) feeds[start] = tensor(unitBall(norm, to - from, dims, job.random(`attack/${from}`)), 0, to - from);
      out.set(toFloats((await session.run(feeds))[attack.adversarial]), from * size);
    });
  } finally {
    await session.release();
  }
  return out;
};
