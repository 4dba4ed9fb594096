import { Fault } from '../base/fault.ts';
import { breathe } from '../base/job.ts';
import {
  descent,
  enoughDimensions,
  exactVectors,
  firstVectors,
  goalOf,
  largestCosine,
  SLACK,
  type Spread,
  searchRates,
  welchBound,
} from '../base/maths/equiangular.ts';
import { random } from '../base/random.ts';
import { float32 } from '../base/tensor.ts';
import { writeNpz } from '../data/npz-write.ts';
import { toFloats } from '../data/values.ts';
import { write } from '../graph/write.ts';
import { vectorDescent } from '../training/vector-descent.ts';
import type { AppJob, Ports, UseCase } from './ports.ts';

/** Beyond so many numbers the products of a step are left to ONNX Runtime. */
const HOST = 1e5;
/** Steps of a call there. */
const CALL = 50;
/** Numbers of one file. */
const MOST = 2 ** 28;

type Search = (rate: (step: number) => number, tell: (step: number, best: number) => Promise<void>) => Promise<Spread>;

/** On the host, in float64. */
const searched =
  (start: Float64Array, n: number, d: number, alpha: number, most: number): Search =>
  async (rate, tell) => {
    const steps = descent(start, [n, d], alpha, rate, most);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      await tell(value.step, value.best);
    }
  };

/** As a Loop, in float32. */
const looped = async (
  start: Float64Array,
  n: number,
  d: number,
  alpha: number,
  most: number,
  device: Parameters<Ports['runtime']['open']>[1]['device'],
  ports: Ports,
  job: AppJob,
): Promise<{ readonly search: Search; release(): Promise<void> }> => {
  const first = float32([n, d], Float32Array.from(start));
  const one = (value: number) => float32([], [value]);
  const feeds = { alpha: one(alpha), goal: one(alpha + SLACK) };
  const probe = { ...feeds, vectors: first, best: first, worst: one(2), rates: float32([1], [1e-3]) };
  const { session } = await ports.runtime.open(write(vectorDescent(n, d)), { device, name: 'the search for vectors', probe }, job);
  return {
    release: () => session.release(),
    async search(rate, tell) {
      let [vectors, best, worst] = [first, first, one(2)];
      let least = Number.POSITIVE_INFINITY;
      for (let step = 0; ; step += CALL) {
        const rates = float32(
          [CALL],
          Array.from({ length: CALL }, (_, k) => rate(step + k)),
        );
        const out = await session.run({ ...feeds, vectors, best, worst, rates });
        [vectors, best, worst] = [out['next/vectors'], out['next/best'], out['next/worst']];
        least = toFloats(worst)[0];
        if (least <= alpha + SLACK || step + CALL >= most)
          return { vectors: Float64Array.from(toFloats(best)), worst: least, steps: Math.min(most, step + CALL) };
        await tell(step, least);
      }
    },
  };
};

/** Writes unit vectors with small cosines to an `.npz`, for the option `vectors` of the head `ebv`. */
export const vectors: UseCase<'vectors'> = async ({ count: n, dim, alpha, steps, seed, out, device }, ports, job) => {
  const d = dim === 0 ? Math.max(n, 2) : dim;
  if (n * d > MOST)
    throw new Fault('option/value', {
      name: 'count',
      value: String(n),
      expected: `at most ${Math.floor(MOST / d)} vectors of ${d} numbers`,
    });
  const bound = welchBound(n, d);
  if (alpha >= 0 && alpha < bound)
    throw new Fault('option/value', {
      name: 'alpha',
      value: String(alpha),
      expected: `at least ${bound.toPrecision(7)}, below which no ${n} vectors lie in ${d} dimensions (Welch bound); --dim ${enoughDimensions(n, alpha)} would do`,
    });
  const goal = goalOf(n, d, alpha);
  const chance = random(seed, 'vectors');
  job.progress(0, `${n} vectors in ${d} dimensions`);
  await breathe(job);
  let found = exactVectors(n, d, chance);
  if (!found) {
    const start = firstVectors(n, d, chance);
    const rates = searchRates(steps);
    const large = n * d > HOST;
    const opened = large ? await looped(start, n, d, goal, steps, device, ports, job) : undefined;
    const search = opened?.search ?? searched(start, n, d, goal, steps);
    try {
      for (const [k, rate] of rates.entries()) {
        const next = await search(rate, async (step, best) => {
          job.progress(
            (k + step / steps) / rates.length,
            `step ${step}: largest cosine ${best.toPrecision(4)}, ${goal.toPrecision(4)} wanted`,
          );
          await breathe(job);
        });
        if (!found || next.worst < found.worst) found = next;
        if (found.worst <= goal + SLACK) break;
      }
    } finally {
      await opened?.release();
    }
  }
  if (!found) throw new RangeError('no rate was tried');
  const kept = Float32Array.from(found.vectors);
  const largest = n * n * d <= 1e10 ? largestCosine(kept, n, d) : found.worst;
  const reached = largest <= goal + SLACK + 1e-6;
  if (alpha >= 0 && !reached)
    throw new Fault('option/value', {
      name: 'alpha',
      value: String(alpha),
      expected: `an angle that the search reaches: after ${steps} steps its best largest cosine was ${largest.toPrecision(4)}; give that, a larger dim, more steps or another seed`,
    });
  await ports.write(out, writeNpz({ vectors: float32([n, d], kept) }));
  job.progress(1, 'written');
  return { out, count: n, dim: d, largest, bound, goal, reached, steps: found.steps };
};
