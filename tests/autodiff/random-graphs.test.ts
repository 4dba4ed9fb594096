import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rule } from '../../src/autodiff/rule.ts';
import { Disagreement, examine, examineMany } from './random-graphs.ts';

test('random graphs of 3 to 12 operators: first and second derivatives agree with differences', async (t) => {
  const { graphs, discarded } = await examineMany(250, 1);
  t.diagnostic(`${graphs} graphs, ${discarded} at a kink or not finite`);
  // A kink within a step of 1e-5, or 4e-3 in float32, is a rare chance; graphs thrown away by the dozen would hide a fault.
  assert.ok(discarded <= 0.05 * graphs, `${discarded} of ${graphs} graphs were discarded`);
});

test('a rule that is wrong by a thousandth is noticed, in the first derivative or only in the second', async () => {
  const graph = (op: number) => ({
    sizes: 'known' as const,
    float: 'float64' as const,
    optimize: false,
    leaves: [[2, 3]],
    // 'Sin', as the first of the steps without a case.
    steps: [0, 0, 0].map((seed) => ({ op, seed })),
  });
  assert.equal((await examine(graph(0))).outcome, 'agrees');
  const off = (op: 'Cos' | 'Sin', sign: number): Rule => ({
    back: [(emit, g, { x: [x] }) => emit.Mul(g, emit.Mul(emit[op](x), emit.scalar(1.001 * sign, 'float64')))],
  });
  await assert.rejects(examine(graph(0), { Sin: off('Cos', 1) }), Disagreement);
  // The derivative of Sin is a Cos, so the rule for Cos serves the second derivative alone.
  await assert.rejects(examine(graph(0), { Cos: off('Sin', -1) }), Disagreement);
});
