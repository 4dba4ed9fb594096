import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradientGraph } from '../../src/autodiff/gradient-graph.ts';
import { gradients } from '../../src/autodiff/reverse.ts';
import { Fault } from '../../src/base/fault.ts';
import { type DType, float32, int64 } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { type Emit, emitter } from '../../src/graph/emit.ts';
import type { Dim, Graph, Model, TensorType } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { body, turn } from './bodies.ts';
import { checkFamilies } from './families.ts';
import { numbers, probed, run } from './ort.ts';

checkFamilies(3);

const tensor = (dims: readonly Dim[], dtype: DType = 'float32'): TensorType => ({ kind: 'tensor', dtype, dims });
const modelOf = (g: Graph): Model => ({
  irVersion: 10,
  opsets: new Map([['', 21]]),
  producer: '',
  producerVersion: '',
  domain: '',
  version: 0,
  metadata: new Map(),
  graph: g,
  functions: [],
});
const infos = (emit: Emit, names: readonly string[]): Graph['inputs'] =>
  names.map((name) => ({ name, ...(emit.type(name) ? { type: emit.type(name) ?? tensor([]) } : {}) }));
const known = (types: Readonly<Record<string, TensorType>>): Emit => emitter({ types: new Map(Object.entries(types)) });

test('a Loop that ends before its first turn passes cotangents on', async () => {
  const emit = known({ x: tensor([2]), w: tensor([2]), n: tensor([], 'int64') });
  const inner = body(emit, [...turn, ['float32']], (at, _i, go, s) => {
    const next = at.Sin(at.Mul(s, 'w'));
    return [go, next, at.Exp(next)];
  });
  const [last, all] = emit.calls('Loop', ['n', '', 'x'], 2, { body: inner });
  const loss = emit.Add(emit.ReduceSum(emit.Mul(last, last), { keepdims: 0 }), emit.ReduceSum(all, { keepdims: 0 }));
  const first = gradients(emit, loss, ['x', 'w']);
  const slope = emit.ReduceSum(emit.Mul(first.get('x') ?? '', 'x'), { keepdims: 0 });
  const second = gradients(emit, slope, ['x', 'w']);
  const wanted = [...first.values(), ...second.values()];
  const model = mustVerify(
    modelOf(
      emit.graph(
        'none',
        infos(emit, ['x', 'w', 'n']),
        wanted.map((name) => ({ name })),
      ),
    ),
  );
  const out = await run(model, { x: float32([2], [1, 2]), w: float32([2], [3, 4]), n: int64([], [0]) });
  assert.deepEqual(
    wanted.map((name) => numbers(out[name])),
    [
      [2, 4],
      [0, 0],
      [4, 8],
      [0, 0],
    ],
  );
});

test('what is drawn in a turn is kept for the derivative, not drawn again', async () => {
  const emit = known({ x: tensor([4]) });
  const inner = body(emit, [...turn, ['float32']], (at, _i, go, s) => [go, at.Mul(s, at.call('RandomNormalLike', [s]))]);
  const [y] = emit.calls('Loop', [emit.scalar(3, 'int64'), '', 'x'], 1, { body: inner });
  const g = gradients(emit, emit.ReduceSum(y, { keepdims: 0 }), ['x']).get('x') ?? '';
  const out = await run(mustVerify(modelOf(emit.graph('noise', infos(emit, ['x']), infos(emit, [y, g])))), {
    x: float32([4], [1, 1, 1, 1]),
  });
  const [product, slope] = [numbers(out[y]), numbers(out[g])];
  // Both multiply the same three numbers, in opposite order.
  product.forEach((v, i) => void assert.ok(Math.abs(v - slope[i]) <= 1e-6 * Math.abs(v), `${slope[i]} for ${v}`));
});

test('constants inside a body serve the derivative as well', async () => {
  const emit = known({ x: tensor([2]) });
  const inner = body(emit, [...turn, ['float32']], (at, _i, go, s) => [go, at.Mul(s, 'factor')]);
  const held: Graph = { ...inner, initializers: new Map([['factor', constantOf('float32', [2], [2, 3])]]) };
  const [y] = emit.calls('Loop', [emit.scalar(2, 'int64'), '', 'x'], 1, { body: held });
  const g = gradients(emit, emit.ReduceSum(emit.Mul(y, y), { keepdims: 0 }), ['x']).get('x') ?? '';
  const out = await run(mustVerify(modelOf(emit.graph('held', infos(emit, ['x']), infos(emit, [g])))), { x: float32([2], [1, 1]) });
  // d(c²x)²/dx = 2c⁴x
  assert.deepEqual(numbers(out[g]), [32, 162]);
});

const refused = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Fault);
    return error.message;
  }
  throw new assert.AssertionError({ message: 'no fault' });
};
test('what stops a derivative inside a body is named', () => {
  const over = (op: string, domain = ''): string => {
    const emit = known({ x: tensor([2]) });
    const inner = body(emit, [...turn, ['float32']], (at, _i, go, s) => {
      at.node({ op, domain, name: 'inside', inputs: [s], outputs: ['stopped'], attributes: {} });
      at.typed('stopped', tensor([2]));
      return [go, at.Identity('stopped')];
    });
    const [y] = emit.calls('Loop', [emit.scalar(2, 'int64'), '', 'x'], 1, { body: inner });
    return refused(() => gradients(emit, emit.ReduceSum(y, { keepdims: 0 }), ['x']));
  };
  assert.equal(
    over('Round'),
    "No gradient can flow to 'x': it is stopped at 'inside' (Round: its output is constant between jumps). Reachable: nothing.",
  );
  assert.match(over('Frobnicate', 'com.example'), /No gradient can flow to 'x': it is stopped at 'inside' \(com\.example\.Frobnicate/);
});

test('a file with a Loop: probed, gradients per parameter and per example', async () => {
  const emit = known({ x: tensor(['N', 2]) });
  emit.hold('w', constantOf('float32', [2, 2], [0.5, -0.25, 0.125, 1]));
  const inner = body(emit, [...turn, ['float32']], (at, _i, go, s) => [go, at.Tanh(at.MatMul(s, 'w'))]);
  const [y] = emit.calls('Loop', [emit.scalar(3, 'int64'), '', 'x'], 1, { body: inner });
  emit.rename(y, 'y');
  const model = modelOf(emit.graph('file', infos(emit, ['x']), [{ name: 'y', type: tensor(['N', 2]) }]));
  const types = await probed(model);
  const x = float32([3, 2], [0.1, -0.2, 0.3, 0.4, -0.5, 0.6]);
  const whole = await run(mustVerify(gradientGraph(model, types, { of: 'sum', wrt: ['w', 'x'] }).model), { x });
  assert.deepEqual(
    [whole['grad/w'].dims, whole['grad/x'].dims],
    [
      [2, 2],
      [3, 2],
    ],
  );
  const each = mustVerify(gradientGraph(model, types, { of: 'sum', wrt: ['w'], perExample: 'gradients' }).model);
  const rows = numbers((await run(each, { x }))['grad/example/w']);
  const sums = Array.from({ length: 4 }, (_, i) => rows[i] + rows[4 + i] + rows[8 + i]);
  // The same products in float32, summed in another order.
  numbers(whole['grad/w']).forEach((v, i) => void assert.ok(Math.abs(v - sums[i]) <= 1e-6, `${sums[i]} for ${v}`));
});
