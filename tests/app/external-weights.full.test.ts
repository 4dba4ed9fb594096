import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { grad } from '../../src/app/grad.ts';
import { info } from '../../src/app/info.ts';
import type { AppJob } from '../../src/app/ports.ts';
import { quietJob } from '../../src/base/job.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import type { Constant } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import { graph, int, model, node, value } from '../graph/build.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-external-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const jobOf = (): AppJob => ({ ...quietJob(), live: () => {} });

/** A table of 530,000 tokens and two dense layers: 2.2 GB, zeros but for the diagonals, in a sparse file. */
const [tokens, width, wide] = [530_000, 1024, 4096];
const layers = [
  ['table', [tokens, width]],
  ['up', [width, wide]],
  ['down', [wide, width]],
] as const;
const path = join(folder, 'weights.bin');
const file = openSync(path, 'w');
const held = new Map<string, Constant>();
let offset = 0;
for (const [name, dims] of layers) {
  const length = 4 * dims[0] * dims[1];
  held.set(name, { dtype: 'float32', dims, external: { location: 'weights.bin', offset, length } });
  const two = new Uint8Array(Float32Array.of(2).buffer);
  for (let i = 0; i < width; i++) writeSync(file, two, 0, 4, offset + 4 * (i * dims[1] + i));
  offset += length;
}
ftruncateSync(file, offset);
closeSync(file);
const large = model(
  graph(
    [value('ids', ['N', 3], 'int64'), value('x', ['N', width])],
    [
      node('Gather', ['table', 'ids'], ['rows']),
      node('ReduceSum', ['rows', 'axis'], ['bag'], { keepdims: int(0) }),
      node('Add', ['bag', 'x'], ['h']),
      node('MatMul', ['h', 'up'], ['u']),
      node('Relu', ['u'], ['r']),
      node('MatMul', ['r', 'down'], ['d']),
      node('Softmax', ['d'], ['y']),
    ],
    [value('y', ['N', width])],
    { axis: { dtype: 'int64', dims: [1], bytes: new Uint8Array(BigInt64Array.of(1n).buffer) } },
  ),
);
const bytes = write({ ...large, graph: { ...large.graph, initializers: new Map([...large.graph.initializers, ...held]) } });
writeFileSync(join(folder, 'large.onnx'), bytes);

/** Bytes in JavaScript's hands at most while `work` runs. */
const watched = async <T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly most: number }> => {
  let most = 0;
  const look = (): void => {
    most = Math.max(most, process.memoryUsage().arrayBuffers);
  };
  const timer = setInterval(look, 5);
  try {
    const result = await work();
    look();
    return { result, most };
  } finally {
    clearInterval(timer);
  }
};
/** Chunks of 16 MB and what is not collected yet. */
const bounded = 2 ** 28;

test('2.2 GB of external weights: facts', async (t) => {
  assert.ok(statSync(path).size > 2 ** 31);
  const { result, most } = await watched(() => info({ model: { path: join(folder, 'large.onnx') } }, ports, jobOf()));
  t.diagnostic(`${(most / 2 ** 20).toFixed(0)} MB`);
  assert.equal(result.parameters, tokens * width + 2 * width * wide);
  assert.match(result.notes.join('\n'), /Weights lie beside the file in weights\.bin/);
  assert.deepEqual(result.withoutGradient, []);
  assert.ok(most < bounded);
});

for (const [out, extra] of [
  ['gradient.onnx', 0],
  ['elsewhere/gradient.onnx', 4 * (tokens * width + 2 * width * wide)],
] as const) {
  test(`2.2 GB of external weights: the gradient by the input, written to ${out}`, async (t) => {
    const to = join(folder, out);
    const ask = { model: join(folder, 'large.onnx'), out: to, of: 'cross-entropy', wrt: ['x'] };
    const { most } = await watched(() => grad(ask, ports, jobOf()));
    t.diagnostic(`${(most / 2 ** 20).toFixed(0)} MB`);
    assert.ok(most < bounded, `${most} bytes in memory`);
    assert.ok(statSync(to).size < 2 ** 16);
    if (extra > 0) assert.ok(Math.abs(statSync(`${to}.data`).size - extra) < 2 ** 16);
    const { session } = await ports.runtime.open(to, { device: 'cpu', name: out, brief: true });
    const x = new Float32Array(width).fill(-10).map((v, i) => (i < 2 ? 0 : v));
    // Tokens 0 and 1 are rows of 2 at their own place: h = (2, 2, −10, …) + a token of zeros, d = (8, 8, 0, …).
    const feeds = { ids: int64([1, 3], [0, 1, tokens - 1]), x: float32([1, width], x), target: int64([1], [1]) };
    const found = await session.run(feeds, ['grad/x', 'loss']);
    await session.release();
    const share = Math.exp(8) / (2 * Math.exp(8) + width - 2);
    const g = found['grad/x'].data as Float32Array;
    // d = 4·h where h > 0; float32.
    const expected = [4 * share, 4 * (share - 1), 0];
    for (const [i, e] of expected.entries()) assert.ok(Math.abs(g[i] - e) < 1e-5, `${g[i]} for ${e}`);
    assert.ok(Math.abs((found.loss.data as Float32Array)[0] + Math.log(share)) < 1e-5);
  });
}
