import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { numbersOf } from '../../src/graph/constant.ts';
import { type Case, c, f } from './cases/case.ts';
import { check, record } from './check.ts';

/** Weights that the graph computes, of a shape that is not known when rules are applied: right, or refused by name. */
const cases: readonly Case[] = [
  c('Conv', [f([2, 3, 5]), f([4, 3, 2])], { kernel_shape: [2] }),
  c('Conv', [f([2, 3, 5, 5]), f([4, 3, 3, 3]), f([4])], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  c('Conv', [f([2, 3, 5, 5]), f([4, 3, 3, 3])]),
  c('Conv', [f([1, 4, 5, 5]), f([4, 2, 3, 3])], { kernel_shape: [3, 3], group: 2, strides: [2, 2] }),
  c('Conv', [f([1, 3, 5, 5]), f([3, 1, 2, 2])], { kernel_shape: [2, 2], group: 3 }),
  c('ConvTranspose', [f([2, 2, 3, 3]), f([2, 3, 2, 2])], { kernel_shape: [2, 2], strides: [2, 2] }),
  c('ConvTranspose', [f([2, 4, 3]), f([4, 1, 2])], { group: 2 }),
];
for (const one of cases) {
  test(`${one.name}, weights of unknown shape`, async () => {
    let made: Awaited<ReturnType<typeof record>>;
    try {
      made = await record(one, 'float32', 'unknown');
    } catch (error) {
      assert.ok(Fault.is(error, 'graph/unknown-size'), String(error));
      assert.match(error.message, /Conv.*shape of 'x1' is not known/);
      return;
    }
    for (const [name, constant] of made.emit.constants)
      if (constant.dtype !== 'bool') assert.ok(numbersOf(constant).every(Number.isFinite), `${name} is not finite`);
    await check(one);
  });
}
