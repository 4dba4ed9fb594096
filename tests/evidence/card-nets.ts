import assert from 'node:assert/strict';
import { quietJob } from '../../src/base/job.ts';
import type { ModelGradients } from '../../src/evidence/evidence.ts';
import { endsOf, openModel } from '../../src/evidence/model.ts';
import { openGradient } from '../../src/evidence/providers/gradient.ts';
import type { Graph } from '../../src/graph/types.ts';
import { world } from '../../src/jobs/world.ts';
import { graph, int, ints, node, value } from '../graph/build.ts';
import { floats, modelFile } from './models.ts';

/** Nets A and B of card 00-attribution-common. */
const ports = await world();

export const w1 = [1, -2, 0.5, 0.5, 1, -1, -1.5, 0.5, 2, 2, 1, 1];
export const w2 = [1, -1, 0.5, 2, -0.5, 1.5, 1, -1];
export const b1 = [0.1, -0.2, 0.3, -1];
export const b2 = [0.05, -0.05];
/** Net A: 3 → ReLU(4) → 2; as Gemm with its bias, or as MatMul and Add. */
export const netA = ({ split = false, softmax = false, batch = 'N' as string | number } = {}): Graph => {
  const transposed = (w: readonly number[], rows: number, cols: number): number[] =>
    Array.from({ length: rows * cols }, (_, i) => w[(i % rows) * cols + Math.floor(i / rows)]);
  const layer = (x: string, k: number, y: string) =>
    split
      ? [node('MatMul', [x, `t${k}`], [`m${k}`]), node('Add', [`m${k}`, `b${k}`], [y])]
      : [node('Gemm', [x, `w${k}`, `b${k}`], [y], { transB: int(1) })];
  return graph(
    [value('x', [batch, 3])],
    [
      ...layer('x', 1, 'z'),
      node('Relu', ['z'], ['h']),
      ...layer('h', 2, 'logits'),
      ...(softmax ? [node('Softmax', ['logits'], ['p'], { axis: int(-1) })] : []),
    ],
    [softmax ? 'p' : 'logits'],
    {
      b1: floats([4], b1),
      b2: floats([2], b2),
      ...(split
        ? { t1: floats([3, 4], transposed(w1, 4, 3)), t2: floats([4, 2], transposed(w2, 2, 4)) }
        : { w1: floats([4, 3], w1), w2: floats([2, 4], w2) }),
    },
  );
};
export const image = [0, 1, 2, 0, 1, 3, 1, 0, 0, 1, 0, 1, 2, 0, 1, 1];
/** Net B: a 4 × 4 image, two 3 × 3 kernels, ReLU, global average, two logits. */
export const netB = graph(
  [value('x', ['N', 1, 4, 4])],
  [
    node('Conv', ['x', 'k', 'kb'], ['c'], { pads: ints(1, 1, 1, 1) }),
    node('Relu', ['c'], ['a']),
    node('GlobalAveragePool', ['a'], ['m']),
    node('Flatten', ['m'], ['f']),
    node('Gemm', ['f', 'w', 'b'], ['logits'], { transB: int(1) }),
  ],
  ['logits'],
  {
    k: floats([2, 1, 3, 3], [0, 1, 0, 1, -4, 1, 0, 1, 0, 1, 0, -1, 2, 0, -2, 1, 0, -1]),
    kb: floats([2], [0.5, 0]),
    w: floats([2, 2], [1, -1, 0.5, 2]),
    b: floats([2], [0, 0.1]),
  },
);

export const withModel = async (g: Graph, dims: readonly number[], work: (tool: ModelGradients) => Promise<void>): Promise<void> => {
  const job = quietJob();
  const path = modelFile(g);
  const opened = await openModel({ path }, ports, job);
  const subject = { ...opened, ends: endsOf(opened, { path }, job) };
  const gradient = await openGradient(subject, dims, { runtime: ports.runtime, device: 'cpu' }, job);
  try {
    await work(gradient.tool);
  } finally {
    await gradient.release();
  }
};

/** float32 throughout: a dozen roundings of numbers below 5. */
export const near = (actual: ArrayLike<number>, expected: readonly number[], tolerance = 3e-6): void => {
  assert.equal(actual.length, expected.length);
  expected.forEach((e, k) => {
    assert.ok(Math.abs(actual[k] - e) <= tolerance, `[${Array.from(actual)}] is not [${expected}] ± ${tolerance}`);
  });
};
