import type { Smooth } from '../../base/maths/lbfgs.ts';
import { type HeadRows, pulled, softmaxMean } from '../../base/maths/softmax-head.ts';
import type { Tensor } from '../../base/tensor.ts';
import { toFloats } from '../../data/values.ts';
import { write } from '../../graph/write.ts';
import type { Runtime, Session } from '../../runtime/session.ts';
import { softmaxObjective } from '../../training/fitted-heads/softmax.ts';

/** Products of rows, features and classes below which the host is done before a session is called. */
const SMALL = 2 ** 16;

export interface OpenObjectives {
  /** The mean objective of a softmax head (base/maths/softmax-head.ts): on the host where rows are few, else by ONNX Runtime, in float64. */
  objective(rows: HeadRows, strength: number): Promise<Smooth>;
  release(): Promise<void>;
}

/** One session for each number of classes and features, on the CPU: other devices have no float64. */
export const openObjectives = (runtime: Runtime): OpenObjectives => {
  const sessions = new Map<string, Promise<Session>>();
  const sessionOf = (classes: number, width: number): Promise<Session> => {
    const key = `${classes}/${width}`;
    const found =
      sessions.get(key) ??
      runtime.open(write(softmaxObjective(classes, width)), { device: 'cpu', name: 'softmax head' }).then((opened) => opened.session);
    sessions.set(key, found);
    return found;
  };
  return {
    async objective(rows, strength) {
      const { classes, width, features, labels, weights } = rows;
      if (features.length * classes < SMALL) return softmaxMean(rows, strength);
      const session = await sessionOf(classes, width);
      const n = labels.length;
      const total = weights ? weights.reduce((a, b) => a + b, 0) : n;
      const column = (data: Float64Array | BigInt64Array): Tensor => ({
        dtype: data instanceof Float64Array ? 'float64' : 'int64',
        dims: [n, 1],
        data,
      });
      const fixed = {
        x: { dtype: 'float64', dims: [n, width], data: features },
        labels: column(BigInt64Array.from(labels, BigInt)),
        shares: column(Float64Array.from({ length: n }, (_, i) => (weights ? weights[i] : 1) / total)),
      } as const;
      return async (theta) => {
        const { loss, gradient } = await session.run({ ...fixed, theta: { dtype: 'float64', dims: [theta.length], data: theta } });
        return pulled({ value: toFloats(loss)[0], gradient: Float64Array.from(toFloats(gradient)) }, theta, rows, strength);
      };
    },
    async release() {
      for (const session of sessions.values()) await (await session).release();
    },
  };
};
