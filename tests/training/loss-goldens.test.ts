import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gradients } from '../../src/autodiff/reverse.ts';
import { int64 } from '../../src/base/tensor.ts';
import { emitter } from '../../src/graph/emit.ts';
import { losses } from '../../src/training/losses/index.ts';
import { emitObjective } from '../../src/training/objective.ts';
import { hyperOf, modelOf, only, tensorType } from '../../src/training/plan.ts';
import { float64, numbers, once } from './session.ts';
import { pick } from './subject.ts';

type Stored = 'classes' | 'values' | 'marks' | 'teacher';
interface Golden {
  readonly data: Readonly<Record<Stored | 'z' | 'embeddings', readonly number[]>>;
  readonly runs: readonly {
    readonly id: string;
    readonly options: Record<string, unknown>;
    readonly rows: 'z' | 'embeddings';
    readonly target: Stored;
    readonly loss: number;
    readonly gradient: readonly number[];
  }[];
}
const { data, runs }: Golden = JSON.parse(readFileSync(new URL('../golden/training/losses.json', import.meta.url), 'utf8'));

/** Loss, its gradient and the number of right rows, compiled in float64. */
const measured = async (id: string, options: Record<string, unknown>, z: readonly number[], target: Stored, y: readonly number[]) => {
  const base = emitter({});
  const emit: typeof base = { ...base, scalar: (value, dtype = 'float64') => base.scalar(value, dtype) };
  const loss = pick(losses, id, options);
  const classes = target === 'classes' ? 4 : 0;
  emit.typed('z', tensorType('float64', ['N', 4]));
  emit.typed('y', classes ? tensorType('int64', ['N']) : tensorType('float64', ['N', 4]));
  const { names, values } = hyperOf(emit, loss, 'loss', 'float64');
  const { mean, correct } = emitObjective(emit, loss, names, 'z', 'y', classes);
  const gradient = gradients(emit, mean, ['z']).get('z') ?? '';
  const given = only(values, emit.nodes);
  const outputs = [mean, gradient, ...(correct ? [correct] : [])];
  const graph = emit.graph(
    'loss',
    ['z', 'y', ...Object.keys(given)].map((name) => ({ name, type: emit.type(name) ?? tensorType('float64', []) })),
    outputs.map((name) => ({ name, type: tensorType('float64', name === gradient ? ['N', 4] : []) })),
  );
  const rows = z.length / 4;
  const feeds = { ...given, z: float64([rows, 4], z), y: classes ? int64([rows], y) : float64([rows, 4], y) };
  const out = await once(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph), feeds);
  return { loss: numbers(out[mean])[0], gradient: numbers(out[gradient]), correct: correct ? numbers(out[correct])[0] : undefined };
};

for (const run of runs) {
  test(`${run.id} ${JSON.stringify(run.options)}: loss and gradient are PyTorch's`, async () => {
    const { loss, gradient } = await measured(run.id, run.options, data[run.rows], run.target, data[run.target]);
    // float64: the rounding of some tens of operations on numbers below 100.
    assert.ok(Math.abs(loss - run.loss) < 1e-13 * Math.max(1, run.loss), `${loss} is not ${run.loss}`);
    for (const [i, g] of gradient.entries()) assert.ok(Math.abs(g - run.gradient[i]) < 1e-13, `at ${i}: ${g} is not ${run.gradient[i]}`);
  });
}

test('focal loss of gamma 0 is cross-entropy, and finite where a row is right beyond rounding', async () => {
  const plain = await measured('cross-entropy', {}, data.z, 'classes', data.classes);
  const focal = await measured('focal', { gamma: 0 }, data.z, 'classes', data.classes);
  assert.deepEqual([focal.loss, focal.correct], [plain.loss, plain.correct]);
  // The gradient of cross-entropy is written apart, p − 1[y]: equal but for the last rounding of float64.
  assert.equal(focal.gradient.length, plain.gradient.length);
  focal.gradient.forEach((g, i) => void assert.ok(Math.abs(g - plain.gradient[i]) <= 1e-15));
  const sure = await measured('focal', { gamma: 0.5 }, [1000, 0, 0, 0], 'classes', [0]);
  assert.deepEqual([sure.loss, ...sure.gradient].map(Math.abs), [0, 0, 0, 0, 0]);
});

test('binary cross-entropy is finite where exp would overflow, and a row is right by its share of labels', async () => {
  const { loss, correct } = await measured('binary-cross-entropy', {}, [1000, -1000, 2, -3], 'marks', [1, 1, 0, 0]);
  // Per label: 0, 1000, log(1 + e²), log(1 + e⁻³).
  assert.ok(Math.abs(loss - (1000 + Math.log1p(Math.exp(2)) + Math.log1p(Math.exp(-3))) / 4) < 1e-10);
  assert.equal(correct, 0.5);
});

test('binary cross-entropy is that of the card', async () => {
  const card = await measured('binary-cross-entropy', {}, [0.3, -2, 5, 0.3], 'marks', [1, 0, 0, 1]);
  const [first, rest] = [Math.log1p(Math.exp(-0.3)), 1.895999534667 * 3];
  // The card has three scores and prints twelve decimals; the first of them stands here twice.
  assert.ok(Math.abs(card.loss - (first + rest) / 4) < 2e-12);
});

test('distillation has no loss and no gradient where the student agrees with its teacher', async () => {
  const { loss, gradient } = await measured('kl-distillation', {}, data.teacher, 'teacher', data.teacher);
  assert.ok(Math.abs(loss) < 1e-15);
  for (const g of gradient) assert.ok(Math.abs(g) < 1e-15);
});
