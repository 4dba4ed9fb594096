import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { float32, type Tensor } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { type NonFinite, traceNonFinite } from '../../src/graph/non-finite.ts';
import type { Graph } from '../../src/graph/types.ts';
import { body, float, graph, intConstant, model, node, value } from './build.ts';
import { run } from './run.ts';

const trace = (g: Graph, x: Tensor, output = 'y'): Promise<NonFinite | undefined> => traceNonFinite(model(g), output, { x }, run);
const told = (found: NonFinite | undefined) => found && [found.kind, found.source, found.node?.op, found.turned?.op];
const x = value('x', ['N', 3]);

test('what is finite has no source', async () => {
  equal(await trace(graph([x], [node('Exp', ['x'], ['y'])], ['y']), float32([1, 3], [0, 1, 2])), undefined);
});

test('an infinite value is followed to its node, and the node that made NaN of it is told', async () => {
  const g = graph(
    [x],
    [node('Log', ['x'], ['l']), node('Mul', ['l', 'x'], ['m']), node('Tanh', ['m'], ['t']), node('Neg', ['t'], ['y'])],
    ['y', 'l'],
  );
  deepEqual(told(await trace(g, float32([1, 3], [1, 0, 2]))), ['infinite', 'l', 'Log', 'Mul']);
  deepEqual(told(await trace(g, float32([1, 3], [1, 0, 2]), 'l')), ['infinite', 'l', 'Log', undefined]);
  const negative = await trace(g, float32([1, 3], [1, -1, 2]));
  deepEqual(told(negative), ['NaN', 'l', 'Log', undefined]);
  deepEqual(negative?.ranges, [{ value: 'x', low: -1, high: 2 }]);
});

test('a mask of infinite values that Softmax takes away is not on the way', async () => {
  const mask = constantOf('float32', [3], [0, Number.NEGATIVE_INFINITY, 0]);
  const nodes = [
    node('Add', ['x', 'mask'], ['masked']),
    node('Softmax', ['masked'], ['p']),
    node('Sub', ['p', 'one'], ['s']),
    node('Sqrt', ['s'], ['r']),
    node('Exp', ['r'], ['y']),
  ];
  const g = graph([x], nodes, ['y', 'masked'], { mask, one: constantOf('float32', [], [1]) });
  deepEqual(told(await trace(g, float32([1, 3], [1, 2, 3]))), ['NaN', 'r', 'Sqrt', undefined]);
  deepEqual(told(await trace(g, float32([1, 3], [1, 2, 3]), 'masked')), ['infinite', 'mask', undefined, undefined]);
});

test('inputs and parameters may hold it themselves', async () => {
  const g = graph([x], [node('Add', ['x', 'w'], ['s']), node('Relu', ['s'], ['y'])], ['y'], { w: constantOf('float32', [3], [1, 2, 3]) });
  deepEqual(told(await trace(g, float32([1, 3], [1, Number.NaN, 3]))), ['NaN', 'x', undefined, undefined]);
  const w = constantOf('float32', [3], [1, Number.POSITIVE_INFINITY, 3]);
  const held = { ...g, initializers: new Map([['w', w]]) };
  deepEqual(told(await trace(held, float32([1, 3], [1, 2, 3]))), ['infinite', 'w', undefined, undefined]);
});

test('inside a body the node that holds it is named; masks, whole numbers and half precision are looked at as they are', async () => {
  const inner = graph([], [node('Reciprocal', ['h'], ['inverse'])], ['inverse']);
  const nodes = [
    node('Cast', ['x'], ['half'], { to: { type: 'int', value: 10 } }),
    node('Cast', ['half'], ['h'], { to: { type: 'int', value: 1 } }),
    node('Greater', ['h', 'zero'], ['above']),
    node('ReduceMax', ['h'], ['most'], {}),
    node('Greater', ['most', 'zero'], ['any']),
    node('Squeeze', ['any'], ['flag']),
    node('If', ['flag'], ['r'], { then_branch: body(inner), else_branch: body(graph([], [node('Neg', ['h'], ['n'])], ['n'])) }),
    node('Where', ['above', 'r', 'zero'], ['w']),
    node('Add', ['w', 'r'], ['y']),
  ];
  const g = graph([x], nodes, ['y'], { zero: constantOf('float32', [], [0]), unused: intConstant(1) });
  deepEqual(told(await trace(g, float32([1, 3], [1, 0, 2]))), ['infinite', 'r', 'If', undefined]);
  // 1e5 is beyond half precision.
  deepEqual(told(await trace(g, float32([1, 3], [1, 1e5, 2]))), undefined);
});

test('a long graph is looked at in several runs', async () => {
  const names = Array.from({ length: 900 }, (_, i) => `v${i}`);
  const nodes = names.map((name, i) =>
    i === 450 ? node('Log', ['v449'], [name]) : node('Elu', [i === 0 ? 'x' : names[i - 1]], [name], { alpha: float(1) }),
  );
  const g = graph([x], nodes, ['v899']);
  let runs = 0;
  const found = await traceNonFinite(model(g), 'v899', { x: float32([1, 3], [1, 0, 2]) }, (...args) => {
    runs++;
    return run(...args);
  });
  // Elu of −∞ is −1: the last value is finite.
  equal(found, undefined);
  // 901 values, 400 at a time.
  equal(runs, 3);
  deepEqual(told(await traceNonFinite(model(g), 'v899', { x: float32([1, 3], [1, -3, 2]) }, run)), ['NaN', 'v450', 'Log', undefined]);
});
