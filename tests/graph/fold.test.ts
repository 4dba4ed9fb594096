import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { constantOf, tensorOf } from '../../src/graph/constant.ts';
import { evaluators } from '../../src/graph/passes/fold/evaluate.ts';
import { foldConstants } from '../../src/graph/passes/fold-constants.ts';
import type { Attribute, Constant, Model } from '../../src/graph/types.ts';
import { floatConstant, graph, int, ints, model, node, value, wave } from './build.ts';
import { runModel } from './run.ts';

interface Case {
  readonly op: string;
  readonly inputs: readonly (Constant | '')[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}
const i64 = (dims: readonly number[], ...values: number[]): Constant => constantOf('int64', dims, values);
const f32 = (dims: readonly number[], ...values: number[]): Constant => constantOf('float32', dims, values);
const bool = (dims: readonly number[], ...values: number[]): Constant => constantOf('bool', dims, values);
const vector = (...values: number[]): Constant => i64([values.length], ...values);
const scalar = (v: number): Constant => i64([], v);
const grid = i64([2, 3, 2], ...Array.from({ length: 12 }, (_, i) => i * 3 - 7));
const arithmetic = ['Add', 'Sub', 'Mul', 'Max', 'Min'];
const comparing = ['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'];

const cases: readonly Case[] = [
  ...arithmetic.map((op) => ({ op, inputs: [grid, i64([3, 1], -2, 5, 1)] })),
  ...comparing.map((op) => ({ op, inputs: [grid, i64([3, 1], -7, 2, 8)] })),
  { op: 'Div', inputs: [i64([4], 7, -7, 6, 1), scalar(2)] },
  { op: 'Div', inputs: [f32([3], 1, 2, 1e-20), f32([], 3)] },
  { op: 'Div', inputs: [f32([2], 1, -1), f32([], 0)] },
  { op: 'Mul', inputs: [f32([2], 0.1, 3), f32([], 0.3)] },
  { op: 'Mod', inputs: [i64([4], 7, -7, 7, -7), i64([4], 3, 3, -3, -3)] },
  ...['Abs', 'Neg'].map((op) => ({ op, inputs: [grid] })),
  ...['Ceil', 'Floor'].map((op) => ({ op, inputs: [f32([4], 1.5, -1.5, 2, -0.2)] })),
  { op: 'Sqrt', inputs: [f32([3], 2, 9, 0.1)] },
  { op: 'Not', inputs: [bool([2], 1, 0)] },
  { op: 'And', inputs: [bool([2, 1], 1, 0), bool([2], 1, 0)] },
  { op: 'Or', inputs: [bool([2, 1], 1, 0), bool([2], 1, 0)] },
  { op: 'Cast', inputs: [f32([4], 1.7, -1.7, 0, 2 ** 40)], attributes: { to: int(7) } },
  { op: 'Cast', inputs: [f32([3], 0.5, 0, -3)], attributes: { to: int(9) } },
  { op: 'Cast', inputs: [vector(3, -4)], attributes: { to: int(1) } },
  { op: 'Cast', inputs: [vector(3, -4)], attributes: { to: int(6) } },
  { op: 'Concat', inputs: [i64([2, 1], 1, 2), i64([2, 2], 3, 4, 5, 6)], attributes: { axis: int(-1) } },
  { op: 'Concat', inputs: [vector(1), vector(2, 3)], attributes: { axis: int(0) } },
  { op: 'ConstantOfShape', inputs: [vector(2, 3)] },
  { op: 'ConstantOfShape', inputs: [vector(2)], attributes: { value: { type: 'tensor', value: vector(9) } } },
  { op: 'Expand', inputs: [i64([2, 1], 4, 5), vector(3, 1, 2)] },
  { op: 'Flatten', inputs: [grid], attributes: { axis: int(2) } },
  { op: 'Flatten', inputs: [grid], attributes: { axis: int(0) } },
  { op: 'Gather', inputs: [grid, i64([2, 2], 1, 0, -1, 2)], attributes: { axis: int(1) } },
  { op: 'Gather', inputs: [vector(5, 6, 7), scalar(-1)] },
  { op: 'Identity', inputs: [vector(1, 2)] },
  { op: 'Range', inputs: [scalar(1), scalar(8), scalar(3)] },
  { op: 'Range', inputs: [scalar(5), scalar(0), scalar(-2)] },
  { op: 'Range', inputs: [f32([], 0), f32([], 1), f32([], 0.3)] },
  ...['ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceSum'].map((op) => ({ op, inputs: [vector(3, -4, 5)] })),
  { op: 'ReduceProd', inputs: [vector(3, -4, 5), vector(0)], attributes: { keepdims: int(0) } },
  { op: 'Reshape', inputs: [grid, vector(0, -1)] },
  { op: 'Reshape', inputs: [vector(7), i64([0])] },
  { op: 'Slice', inputs: [grid, vector(1, -1), vector(3, -(2 ** 62)), vector(1, 2), vector(1, -1)] },
  { op: 'Slice', inputs: [vector(1, 2, 3, 4, 5), vector(-3), vector(2 ** 62)] },
  { op: 'Slice', inputs: [vector(1, 2, 3, 4, 5), vector(4), vector(-9), vector(0), vector(-2)] },
  { op: 'Slice', inputs: [vector(1, 2, 3), vector(2), vector(1)] },
  { op: 'Squeeze', inputs: [i64([1, 2, 1], 1, 2)] },
  { op: 'Squeeze', inputs: [i64([1, 2, 1], 1, 2), vector(-1)] },
  { op: 'Tile', inputs: [i64([2, 2], 1, 2, 3, 4), vector(2, 3)] },
  { op: 'Transpose', inputs: [grid] },
  { op: 'Transpose', inputs: [grid], attributes: { perm: ints(1, 2, 0) } },
  { op: 'Unsqueeze', inputs: [vector(1, 2), vector(0, -1)] },
  { op: 'Where', inputs: [bool([2, 1], 1, 0), vector(1, 2, 3), scalar(9)] },
];

const built = (c: Case): Model => {
  const constants = Object.fromEntries(c.inputs.flatMap((x, i) => (x ? [[`c${i}`, x]] : [])));
  const names = c.inputs.map((x, i) => (x ? `c${i}` : ''));
  return model(graph([], [node(c.op, names, ['v'], c.attributes), node('Identity', ['v'], ['y'])], ['y'], constants));
};

test('every evaluator is tested', () => {
  const seen = new Set(cases.map((c) => c.op));
  deepEqual(
    Object.keys(evaluators).filter((op) => !seen.has(op)),
    [],
  );
});

for (const [i, c] of cases.entries()) {
  test(`${c.op} on the host is ${c.op} in ONNX Runtime (${i})`, async () => {
    const whole = built(c);
    // A float array of the file is a parameter and is not folded: the evaluator is asked itself.
    const asked = c.inputs.some((x) => x && x.dtype === 'float32' && x.dims.length > 0)
      ? evaluators[c.op](
          c.inputs.map((x) =>
            x ? { dtype: x.dtype, dims: x.dims, values: Array.from(tensorOf(x).data as ArrayLike<number>, Number) } : undefined,
          ),
          whole.graph.nodes[0],
        )
      : undefined;
    const folded = foldConstants(whole).graph;
    const got = asked ? constantOf(asked.dtype, asked.dims, asked.values) : folded.initializers.get('v');
    ok(got, 'not folded');
    if (!asked)
      deepEqual(
        folded.nodes.map((n) => n.op),
        ['Identity'],
      );
    const { y } = await runModel(whole, {});
    // Exact: one rounding to float32 of an exact double operation is the float32 operation.
    deepEqual(tensorOf(got), { dtype: y.dtype, dims: [...y.dims], data: y.data });
  });
}

test('what is computed from a parameter stays', () => {
  const m = model(
    graph([value('x', [2])], [node('Mul', ['w', 'k'], ['v']), node('Add', ['x', 'v'], ['y'])], ['y'], {
      w: floatConstant([2]),
      k: f32([], 2),
    }),
  );
  equal(foldConstants(m).graph.nodes.length, 2);
});

test('division by zero, bad indices and large results are left to ONNX Runtime', () => {
  const left = (c: Case): boolean => foldConstants(built(c)).graph.nodes.length === 2;
  ok(left({ op: 'Div', inputs: [vector(1), vector(0)] }));
  ok(left({ op: 'Gather', inputs: [vector(1, 2), scalar(5)] }));
  ok(left({ op: 'Range', inputs: [scalar(0), scalar(10_000), scalar(1)] }));
  ok(left({ op: 'Add', inputs: [vector(1, 2), vector(1, 2, 3)] }));
});

test('with known types, shapes fold and a Reshape target keeps only its open axis', async () => {
  const m = model(
    graph(
      [value('x', ['N', 2, 3])],
      [
        node('Shape', ['x'], ['s'], { start: int(0), end: int(1) }),
        node('Shape', ['x'], ['t'], { start: int(1) }),
        node('ReduceProd', ['t'], ['p']),
        node('Concat', ['s', 'p'], ['target'], { axis: int(0) }),
        node('Reshape', ['x', 'target'], ['y']),
      ],
      ['y'],
    ),
  );
  const types = new Map([
    ['x', { kind: 'tensor', dtype: 'float32', dims: ['N', 2, 3] }],
    ['y', { kind: 'tensor', dtype: 'float32', dims: ['N', 6] }],
  ] as const);
  const folded = foldConstants(m, { types, contents: new Map() });
  const reshape = folded.graph.nodes.at(-1);
  equal(reshape?.op, 'Reshape');
  deepEqual(folded.graph.initializers.get('y/shape'), constantOf('int64', [2], [-1, 6]));
  for (const n of [1, 4]) {
    const feeds = { x: wave([n, 2, 3]) };
    deepEqual(await runModel(folded, feeds), await runModel(m, feeds));
  }
});

test('branches see the constants around them', async () => {
  const inner = graph([], [node('Add', ['k', 'k'], ['t'])], ['t']);
  const m = model(
    graph(
      [value('c', [], 'bool')],
      [
        node('If', ['c'], ['y'], {
          then_branch: { type: 'graph', value: inner },
          else_branch: { type: 'graph', value: graph([], [node('Identity', ['k'], ['e'])], ['e']) },
        }),
      ],
      ['y'],
      { k: vector(3) },
    ),
  );
  const feeds = { c: { dtype: 'bool', dims: [], data: Uint8Array.of(1) } } as const;
  const folded = foldConstants(m);
  deepEqual(await runModel(folded, feeds), await runModel(m, feeds));
});
