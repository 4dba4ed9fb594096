import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constantOf } from '../../src/graph/constant.ts';
import { forWebGpu } from '../../src/graph/passes/for-webgpu.ts';
import type { Model } from '../../src/graph/types.ts';
import { verify } from '../../src/graph/verify.ts';
import { nodesWithin } from '../../src/graph/walk.ts';
import { body, graph, model, node, value, wave } from './build.ts';
import { runModel } from './run.ts';
import { caseFeeds, caseModel, webGpuCases } from './webgpu-cases.ts';

for (const one of webGpuCases) {
  const { name, op, stays } = one;
  test(`${op}, ${name}: ${stays ? 'is left as it is' : 'gives what it gave'}`, async () => {
    const before = caseModel(one);
    const after = forWebGpu(before);
    if (stays) {
      assert.equal(after, before);
      return;
    }
    assert.notEqual(after, before);
    assert.deepEqual(verify(after), []);
    const expected = await runModel(before, caseFeeds(one));
    for (const [o, got] of Object.entries(await runModel(after, caseFeeds(one)))) {
      assert.deepEqual(got.dims, expected[o].dims);
      // The same float32 sums in another order: at most a few units in the last place of the largest value.
      const [a, b] = [got.data as Float32Array, expected[o].data as Float32Array];
      const largest = b.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      b.forEach((v, i) => void assert.ok(Math.abs(v - a[i]) <= 2e-6 * largest, `${o}[${i}]: ${a[i]} for ${v}`));
    }
  });
}

test('nodes in the body of a loop are rewritten too', async () => {
  const turn = graph(
    [value('i', [], 'int64'), value('go', [], 'bool'), value('before', [2, 3])],
    [node('Sign', ['before'], ['signs']), node('Add', ['before', 'signs'], ['after']), node('Identity', ['go'], ['on'])],
    [value('on', [], 'bool'), value('after', [2, 3])],
  );
  const count = { count: constantOf('int64', [], [3]) };
  const before: Model = model(graph([value('x', [2, 3])], [node('Loop', ['count', '', 'x'], ['y'], { body: body(turn) })], ['y'], count));
  const after = forWebGpu(before);
  assert.deepEqual(verify(after), []);
  assert.ok(!Array.from(nodesWithin(after.graph)).some((n) => n.op === 'Sign'));
  const feeds = { x: wave([2, 3]) };
  assert.deepEqual(await runModel(after, feeds), await runModel(before, feeds));
});
