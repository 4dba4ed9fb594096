import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sizeOf, type Tensor } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import { architectures } from '../../src/training/architectures/index.ts';
import { buildModel } from '../../src/training/build.ts';
import { compileSteps } from '../../src/training/compile.ts';
import { losses } from '../../src/training/losses/index.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { parametersOf } from '../../src/training/parameters.ts';
import type { Plan } from '../../src/training/plan.ts';
import { numbers, once, open } from './session.ts';
import { call, pick, planOf } from './subject.ts';

interface Run {
  readonly arch: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly loss: string;
  readonly row: readonly number[];
  readonly x: readonly number[];
  readonly logits: readonly number[];
  readonly mean: number;
  readonly parameters: readonly {
    readonly name: string;
    readonly dims: readonly number[];
    readonly scale: boolean;
    readonly gradient: readonly number[];
  }[];
  readonly running: Readonly<Record<string, readonly number[]>>;
}
const { labels, runs }: { labels: number[]; runs: Run[] } = JSON.parse(
  readFileSync(new URL('../golden/training/architectures.json', import.meta.url), 'utf8'),
);
const COUNT = labels.length;

/** What tests/golden/make/architectures.py puts into parameter j. */
const filled = (j: number, dims: readonly number[], scale: boolean): Float64Array =>
  Float64Array.from({ length: sizeOf(dims) }, (_, k) => {
    const wave = Math.sin(0.9 * k + 1.3 * j + 0.5);
    return scale ? 1 + 0.2 * wave : 0.4 * wave;
  });

/** The run's plan with the golden's parameters, and its rows. */
const planFor = (run: Run): { readonly plan: Plan; readonly x: Tensor; readonly y: Tensor } => {
  const { part, chosen } = pick(architectures, run.arch, run.options);
  const built = buildModel(part, run.row, 3, chosen);
  const initializers = new Map(built.graph.initializers);
  for (const [j, { name, dims, scale }] of run.parameters.entries()) {
    assert.deepEqual(initializers.get(name)?.dims, dims, name);
    initializers.set(name, constantOf('float32', dims, filled(j, dims, scale)));
  }
  const trained = parametersOf(built.graph).filter((p) => built.graph.initializers.has(p.name));
  assert.deepEqual(trained.map((p) => p.name).toSorted(), run.parameters.map((p) => p.name).toSorted());
  const { graph, opsets, irVersion } = normalise({ ...built, graph: { ...built.graph, initializers } });
  const dims = [COUNT, ...run.row];
  const x: Tensor = part.tokens
    ? { dtype: 'int64', dims, data: BigInt64Array.from(run.x, BigInt) }
    : { dtype: 'float32', dims, data: Float32Array.from(run.x) };
  return {
    plan: {
      ...planOf('mlp', [1], 3),
      graph,
      opsets,
      irVersion,
      loss: pick(losses, run.loss),
      optimizer: pick(optimizers, 'sgd', { lr: 1 }),
      groups: [{ parameters: trained, lrScale: 1 }],
    },
    x,
    y: { dtype: 'int64', dims: [COUNT], data: BigInt64Array.from(labels, BigInt) },
  };
};

const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);

for (const run of runs) {
  const said = Object.entries(run.options).map(([k, v]) => `${k} ${v}`);
  test(`${run.arch} (${said.join(', ')}): loss, gradients and running statistics are PyTorch's`, async () => {
    const { plan, x, y } = planFor(run);
    const compiled = compileSteps(plan);
    const session = await open(compiled.model);
    const { state, loss } = await call(session, compiled, compiled.start, { x, y }, [[0, 1, 2, 3, 4, 5]], [1]);
    await session.release();
    // Float32 against float64, the gradient read off a step of rate 1, so off by the rounding of parameters of size 1 too.
    assert.ok(Math.abs(loss[0] - run.mean) < 2e-6 * Math.max(1, run.mean), `${loss[0]} is not ${run.mean}`);
    const [before, after] = [numbers(compiled.start.theta), numbers(state.theta)];
    const largest = Math.max(...run.parameters.flatMap((p) => p.gradient.map(Math.abs)));
    for (const { name, gradient } of run.parameters) {
      const entry = compiled.layout.entries.find((e) => e.name === name);
      assert.ok(entry, name);
      const found = gradient.map((_, i) => before[entry.offset + i] - after[entry.offset + i]);
      assert.ok(apart(found, gradient) < 1e-5 * largest + 2e-7, `${name}: off by ${apart(found, gradient)} of ${largest}`);
    }
    for (const [name, values] of Object.entries(run.running))
      assert.ok(
        apart(numbers(state[`statistic/${name}`]), values) < 1e-5,
        `${name}: ${numbers(state[`statistic/${name}`])} is not ${values}`,
      );
  });

  // Batch statistics are those of training alone: the model as stored has its own.
  if (Object.keys(run.running).length > 0) continue;
  test(`${run.arch} (${said.join(', ')}): the model's logits are PyTorch's`, async () => {
    const { plan, x } = planFor(run);
    const { logits } = await once({ ...buildModel(pick(architectures, 'linear').part, [1], 2, {}), ...plan, graph: plan.graph }, { x });
    assert.deepEqual(logits.dims, [COUNT, 3]);
    assert.ok(apart(numbers(logits), run.logits) < 5e-6, `off by ${apart(numbers(logits), run.logits)}`);
  });
}
