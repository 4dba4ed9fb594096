import assert from 'node:assert/strict';
import test from 'node:test';
import { softmaxMean } from '../../src/base/maths/softmax-head.ts';
import { random } from '../../src/base/random.ts';
import { openObjectives } from '../../src/evidence/providers/softmax-objective.ts';
import { world } from '../../src/jobs/world.ts';

const ports = await world();

test('the compiled objective of a softmax head is that of the host', async () => {
  const { objective, release } = openObjectives(ports.runtime);
  const r = random(2, 'objective');
  try {
    for (const [rows, width, classes, weighted] of [
      [300, 40, 7, false],
      [300, 40, 7, true],
      [700, 64, 2, true],
    ] as const) {
      const of = {
        classes,
        width,
        features: Float64Array.from({ length: rows * width }, () => r.normal()),
        labels: Int32Array.from({ length: rows }, () => r.below(classes)),
        ...(weighted ? { weights: Float64Array.from({ length: rows }, () => r.next()) } : {}),
      };
      const theta = Float64Array.from({ length: classes * (width + 1) }, () => r.normal());
      const [there, here] = [await (await objective(of, 0.5))(theta), await softmaxMean(of, 0.5)(theta)];
      // Both are float64: only the order of the sums differs.
      assert.ok(Math.abs(there.value - here.value) < 1e-12 * here.value);
      assert.equal(there.gradient.length, here.gradient.length);
      there.gradient.forEach((g, i) => {
        assert.ok(Math.abs(g - here.gradient[i]) < 1e-13);
      });
    }
  } finally {
    await release();
  }
});
