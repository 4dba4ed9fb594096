import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readNpz } from '../../src/data/npz.ts';
import { compileSteps } from '../../src/training/compile.ts';
import type { Precision } from '../../src/training/layout.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { fixture } from '../graph/run.ts';
import { open } from './session.ts';
import { call, pick, planOfModel } from './subject.ts';

interface Golden {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly runs: readonly {
    readonly id: string;
    readonly settings: { readonly lr: number; readonly momentum: number; readonly weight_decay: number };
    readonly losses: readonly number[];
    readonly norms: readonly number[];
  }[];
}
const goldens: readonly Golden[] = JSON.parse(readFileSync(new URL('../golden/training/steps.json', import.meta.url), 'utf8'));

const files: Record<string, string> = { softmax_digits: 'softmax_digits', mlp_digits: 'mlp_digits', lenet_mnist: 'lenet_mnist.raw' };
/** float64: rounding alone. float32: that of 10 steps, losses relative to the first (LeNet's SGD rate is past stability and magnifies it), norms to the largest. Conv has no float64 kernel. */
const cases: readonly { readonly name: string; readonly precision: Precision; readonly loss: number; readonly norm: number }[] = [
  { name: 'softmax_digits', precision: 'float64', loss: 1e-12, norm: 1e-12 },
  { name: 'mlp_digits', precision: 'float64', loss: 1e-12, norm: 1e-12 },
  { name: 'softmax_digits', precision: 'float32', loss: 2e-6, norm: 1e-6 },
  { name: 'mlp_digits', precision: 'float32', loss: 2e-6, norm: 1e-6 },
  { name: 'lenet_mnist', precision: 'float32', loss: 1e-4, norm: 1e-6 },
];

for (const { name, precision, loss, norm } of cases) {
  test(`${name} in ${precision}: ten compiled steps are PyTorch's`, async () => {
    const golden = goldens.find((g) => g.name === name);
    assert.ok(golden);
    const arrays = readNpz(readFileSync(new URL(`../golden/autodiff/${name}.npz`, import.meta.url)));
    const x =
      precision === 'float64' ? { ...arrays.x, dtype: precision, data: Float64Array.from(arrays.x.data as Float32Array) } : arrays.x;
    const plan = await planOfModel(fixture(files[name]), 10);
    const all = Array.from({ length: 8 }, (_, i) => i);
    for (const { id, settings, losses, norms } of golden.runs) {
      const optimizer = pick(optimizers, id === 'adam' ? 'adam' : 'sgd', {
        lr: settings.lr,
        weightDecay: settings.weight_decay,
        ...(id === 'momentum' ? { momentum: settings.momentum } : {}),
      });
      const compiled = compileSteps({ ...plan, optimizer, precision, statistics: 'stored' });
      const session = await open(compiled.model);
      const lr = losses.map((_, k) => (k < 10 ? settings.lr : 0));
      const made = await call(session, compiled, compiled.start, { x, y: arrays.y }, Array(11).fill(all), lr);
      const theta = made.state.theta.data as Float64Array;
      const deepest = Math.max(...made.loss.map((l, k) => Math.abs(l - losses[k]))) / losses[0];
      assert.ok(deepest <= loss, `${id}: losses differ by ${deepest}`);
      for (const [i, parameter] of golden.parameters.entries()) {
        const entry = compiled.layout.entries.find((e) => e.name === parameter);
        assert.ok(entry, parameter);
        const size = Math.hypot(...theta.subarray(entry.offset, entry.offset + entry.size));
        const off = Math.abs(size - norms[i]) / Math.max(...norms);
        assert.ok(off <= norm, `${id}: the norm of ${parameter} is off by ${off}`);
      }
      await session.release();
    }
  });
}
