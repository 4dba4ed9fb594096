import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random } from '../../src/base/random.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import type { Model } from '../../src/graph/types.ts';
import { branchFrom } from '../../src/training/branch.ts';
import { compileSteps, type State } from '../../src/training/compile.ts';
import { monitors } from '../../src/training/monitors/index.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import type { Plan } from '../../src/training/plan.ts';
import { numbers, open } from './session.ts';
import { call, pick, planOf } from './subject.ts';

const inputs = 300;
const base = planOf('mlp', [inputs], 3, { hidden: '256' });
const draw = random(5, 'rows');
const x = Array.from({ length: 12 * inputs }, () => draw.normal());
const data = {
  x: float32([12, inputs], x),
  y: int64(
    [12],
    Array.from({ length: 12 }, () => draw.below(3)),
  ),
};
const batches = Array.from({ length: 5 }, (_, k) => [0, 1, 2, 3].map((i) => (k + 3 * i) % 12));
const opsOf = ({ graph }: Model): string[] => {
  const body = graph.nodes.find((n) => n.op === 'Loop')?.attributes.body;
  assert.ok(body?.type === 'graph');
  return body.value.nodes.map((n) => n.op);
};
const bits = (state: State): string[] =>
  Object.entries(state).map(([k, t]) => `${k} ${Buffer.from((t.data as Float32Array).buffer.slice(0)).toString('hex')}`);

const plans: Readonly<Record<string, Plan>> = {
  adam: { ...base, optimizer: pick(optimizers, 'adam', { lr: 0.01 }) },
  'adam with a running mean': { ...base, optimizer: pick(optimizers, 'adam', { lr: 0.01 }), ema: 0.9 },
  'momentum, two batches an update': { ...base, optimizer: pick(optimizers, 'sgd', { lr: 0.1, momentum: 0.9 }), accumulate: 2 },
  'momentum with a monitor of what was moved': {
    ...base,
    optimizer: pick(optimizers, 'sgd', { lr: 0.1, momentum: 0.9 }),
    monitors: [pick(monitors, 'update-ratio')],
  },
};

for (const [name, plan] of Object.entries(plans)) {
  test(`long vectors of parameters branch, and steps are the same bit for bit: ${name}`, async () => {
    assert.ok(compileSteps(plan).layout.size >= branchFrom);
    const here = { ...plan, block: 0 };
    assert.ok(opsOf(compileSteps(here).model).includes('If'));
    assert.ok(!opsOf(compileSteps(plan).model).includes('If'));
    // The third step is not finite: everything stays as it was, and the fourth goes on from there.
    const lr = [0.01, 0.01, 0.01, 0.01, 0.01];
    const spoilt = {
      ...data,
      x: float32(
        [12, inputs],
        x.map((v, i) => (i === 2 * inputs ? Number.NaN : v)),
      ),
    };
    for (const rows of [data, spoilt]) {
      const [plain, branched] = await Promise.all(
        [plan, here].map(async (p) => {
          const compiled = compileSteps(p);
          const session = await open(compiled.model);
          const { state } = await call(session, compiled, compiled.start, rows, batches, lr);
          await session.release();
          return state;
        }),
      );
      assert.deepEqual(bits(branched), bits(plain));
      assert.ok(numbers(branched.theta).every(Number.isFinite));
      assert.notDeepEqual(numbers(branched.theta), numbers(compileSteps(here).start.theta));
    }
  });
}

test('a short vector is chosen element by element', () => {
  assert.ok(!opsOf(compileSteps({ ...planOf('mlp', [5], 3, { hidden: '7' }), block: 0 }).model).includes('If'));
});
