import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import type { FunctionDef, Graph } from '../../src/graph/types.ts';
import { mustVerify, type Problem, verify } from '../../src/graph/verify.ts';
import { topological } from '../../src/graph/walk.ts';
import { body, float, floatConstant, graph, int, intConstant, model, node, reference, value } from './build.ts';
import { fixture, fixtures } from './run.ts';

const x = value('x', [2]);
const only = (subject: Graph): Problem => {
  const problems = verify(subject);
  equal(problems.length, 1, problems.map((p) => p.sentence).join('; '));
  return problems[0];
};
const is = (subject: Graph, kind: Problem['kind'], sentence: RegExp): void => {
  const p = only(subject);
  equal(p.kind, kind);
  match(p.sentence, sentence);
};

for (const f of fixtures) test(`${f} is legal`, () => deepEqual(verify(fixture(f)), []));

test('a value that nothing defines', () => {
  is(graph([x], [node('Add', ['x', 'gone'], ['y'])], ['y']), 'dangling', /'n_y' \(Add\) reads 'gone', which nothing defines/);
});

test('a value read before it is made, and a cycle', () => {
  is(graph([x], [node('Relu', ['a'], ['y']), node('Neg', ['x'], ['a'])], ['y']), 'order', /reads 'a' before it is made/);
  const cyclic = verify(graph([x], [node('Add', ['x', 'b'], ['a']), node('Neg', ['a'], ['b'])], ['b']));
  deepEqual(
    cyclic.map((p) => p.kind),
    ['cycle'],
  );
  match(cyclic[0].sentence, /'n_a' \(Add\) lies on or behind a cycle through 'b'/);
});

test('names defined twice', () => {
  is(
    graph([x], [node('Relu', ['x'], ['y']), { ...node('Neg', ['x'], ['y']), name: 'again' }], ['y']),
    'duplicate',
    /'y', made by node 'again' \(Neg\), is defined twice/,
  );
  is(
    graph([x], [node('Relu', ['x'], ['h']), { ...node('Neg', ['h'], ['y']), name: 'n_h' }], ['y']),
    'duplicate',
    /two nodes are named 'n_h'/,
  );
  is(graph([x, x], [node('Relu', ['x'], ['y'])], ['y']), 'duplicate', /input 'x' is listed twice/);
  is(graph([x], [node('Relu', ['x'], ['w'])], ['w'], { w: floatConstant([2]) }), 'duplicate', /'w', made by/);
  is(graph([x], [node('Relu', ['x'], ['y'])], ['y', 'y']), 'duplicate', /output 'y' is listed twice/);
});

test('an output that nothing makes', () => {
  is(graph([x], [node('Relu', ['x'], ['y'])], ['z']), 'output', /output 'z' of graph 'g' is not made in it/);
});

test('an initializer may be the default of an input', () => {
  deepEqual(verify(graph([x, value('w', [2])], [node('Add', ['x', 'w'], ['y'])], ['y'], { w: floatConstant([2]) })), []);
});

const branch = (nodes: Graph['nodes'], output: string): Graph => graph([], nodes, [output]);
const conditional = (then: Graph): Graph =>
  graph(
    [x, value('c', [], 'bool')],
    [
      node('Neg', ['x'], ['a']),
      node('If', ['c'], ['y'], { then_branch: body(then), else_branch: body(branch([node('Relu', ['a'], ['e'])], 'e')) }),
    ],
    ['y'],
  );

test('subgraphs see what is made before them, and may not hide it', () => {
  deepEqual(verify(conditional(branch([node('Abs', ['a'], ['t'])], 't'))), []);
  is(conditional(branch([node('Abs', ['y'], ['t'])], 't')), 'cycle', /through 'y'/);
  is(conditional(branch([node('Abs', ['x'], ['a'])], 'a')), 'shadow', /'a', made by node 'n_a' \(Abs\), hides/);
  is(
    conditional({ ...branch([node('Abs', ['a'], ['t'])], 't'), initializers: new Map([['a', floatConstant([2])]]) }),
    'shadow',
    /initializer 'a' of graph 'g' hides/,
  );
  is(conditional(branch([], 'a')), 'output', /output 'a' of graph 'g' is not made in it/);
  is(conditional(branch([node('Abs', ['nowhere'], ['t'])], 't')), 'dangling', /'nowhere'/);
});

test('stored tensors have the bytes of their shape', () => {
  const w = { dtype: 'float32', dims: [3], bytes: new Uint8Array(8) } as const;
  is(graph([x], [node('Relu', ['w'], ['y'])], ['y'], { w }), 'constant', /'w' of shape \[3\] and type float32 needs 12 bytes but has 8/);
  const empty = { dtype: 'float32', dims: [3] } as const;
  is(graph([x], [node('Relu', ['w'], ['y'])], ['y'], { w: empty }), 'constant', /exactly one place/);
});

test('attributes are what they say', () => {
  is(graph([x], [node('Flatten', ['x'], ['y'], { axis: int(0.5) })], ['y']), 'attribute', /'axis' of node 'n_y' \(Flatten\) is 0.5/);
  is(graph([x], [node('Elu', ['x'], ['y'], { alpha: reference('a') })], ['y']), 'attribute', /refers to 'a' outside a function/);
  deepEqual(verify(graph([x], [node('Elu', ['x'], ['y'], { alpha: float(0.5) })], ['y'])), []);
});

test('element types that cannot meet', () => {
  const k = intConstant(1, 2);
  is(
    graph([x], [node('Add', ['x', 'k'], ['y'])], ['y'], { k }),
    'type',
    /'n_y' \(Add\) takes 'x' of type float32 together with 'k' of type int64/,
  );
  is(graph([x], [node('Not', ['x'], ['y'])], ['y']), 'type', /'x' of node 'n_y' \(Not\) is of type float32 but must be bool/);
  // Through operators: Shape gives int64, Relu keeps float32.
  is(
    graph([x], [node('Relu', ['x'], ['r']), node('Shape', ['x'], ['s']), node('Mul', ['r', 's'], ['y'])], ['y']),
    'type',
    /'r' of type float32 together with 's' of type int64/,
  );
});

test('operators of a domain that is not imported', () => {
  const m = model(graph([x], [node('Gelu', ['x'], ['y'], {}, 'com.microsoft')], ['y']));
  match(verify(m)[0].sentence, /domain 'com.microsoft', which the model does not import/);
  deepEqual(verify({ ...m, opsets: new Map([...m.opsets, ['com.microsoft', 1]]) }), []);
});

test('functions: unknown outputs, twice the same, and calls in a circle', () => {
  const f = (name: string, nodes: FunctionDef['nodes'], outputs = ['y']): FunctionDef => ({
    name,
    domain: 'my',
    inputs: ['x'],
    outputs,
    attributes: [],
    defaults: {},
    nodes,
    opsets: new Map([
      ['', 17],
      ['my', 1],
    ]),
  });
  const m = model(graph([x], [node('Relu', ['x'], ['y'])], ['y']));
  const problems = (...functions: FunctionDef[]): readonly string[] => verify({ ...m, functions }).map((p) => p.sentence);
  deepEqual(problems(f('F', [node('Abs', ['x'], ['y'])])), []);
  match(problems(f('F', [node('Abs', ['x'], ['a'])]))[0], /output 'y' of function 'my.F' is not made/);
  match(problems(f('F', [node('Abs', ['x'], ['y'])]), f('F', [node('Abs', ['x'], ['y'])]))[0], /defined twice/);
  match(problems(f('F', [node('G', ['x'], ['y'], {}, 'my')]), f('G', [node('F', ['x'], ['y'], {}, 'my')]))[0], /calls itself/);
});

test('mustVerify throws one sentence with the first problems', () => {
  throws(
    () => mustVerify(graph([x], [node('Add', ['x', 'gone'], ['y'])], ['y']), 'a.onnx'),
    (error: unknown) =>
      Fault.is(error, 'graph/illegal') && /'a.onnx' is not a legal graph: node 'n_y' \(Add\) reads 'gone'/.test(error.message),
  );
});

test('topological order keeps a legal order and repairs another', () => {
  for (const f of fixtures) {
    const { nodes } = fixture(f).graph;
    deepEqual(topological(nodes).order, nodes);
    const { order, stuck } = topological(nodes.toReversed());
    equal(stuck.length, 0);
    const { graph: g } = fixture(f);
    deepEqual(verify({ ...g, nodes: order }), []);
  }
  ok(topological([node('A', ['b'], ['a']), node('B', ['a'], ['b']), node('C', [], ['c'])]).stuck.length === 2);
});
