import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { constantOf } from '../../src/graph/constant.ts';
import type { Graph, Model, Node, ValueInfo } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { floatConstant, floats, graph, int, model, node, value } from '../graph/build.ts';
import { assay, folder, sentence } from './program.ts';

const home = folder();
const file = (name: string, m: Model): string => {
  const path = join(home, `${name}.onnx`);
  writeFileSync(path, write(m));
  return path;
};
const x = value('x', ['N', 4]);
const weights = { w: floatConstant([4, 3]), v: floatConstant([3, 3]) };
const of = (nodes: readonly Node[], outputs: readonly (string | ValueInfo)[] = ['y'], extra: Partial<Graph> = {}): Model =>
  model({ ...graph([x], nodes, outputs, weights), ...extra });

const rows = join(home, 'rows.csv');
writeFileSync(rows, 'a,b,c,d,y\n1,2,3,4,0\n2,3,4,5,1\n');

/** What is wrong with the file → the file, and what the one sentence must name. */
const illegal: readonly (readonly [string, Model, readonly RegExp[]])[] = [
  [
    'a cycle',
    of([node('MatMul', ['x', 'w'], ['h']), node('Add', ['h', 'b'], ['a']), node('Tanh', ['a'], ['b']), node('Neg', ['b'], ['y'])]),
    [/'n_a' \(Add\)/, /cycle/],
  ],
  ['a value made twice', of([node('MatMul', ['x', 'w'], ['h']), node('Relu', ['h'], ['h']), node('Neg', ['h'], ['y'])]), [/'h'/, /twice/]],
  [
    'an input that nothing makes',
    of([node('MatMul', ['x', 'w'], ['h']), node('Add', ['h', 'nowhere'], ['y'])]),
    [/'n_y' \(Add\)/, /'nowhere'/],
  ],
  [
    'element types that do not fit',
    of([node('Cast', ['x'], ['d'], { to: int(11) }), node('MatMul', ['x', 'w'], ['h']), node('Where', ['x', 'h', 'h'], ['y'])]),
    [/'n_y' \(Where\)/, /bool/],
  ],
  ['an output that is not made', of([node('MatMul', ['x', 'w'], ['h'])], ['y']), [/'y'/, /not made/]],
  [
    'a constant that is too short',
    of([node('MatMul', ['x', 'w'], ['y'])], ['y'], {
      initializers: new Map([['w', { dtype: 'float32', dims: [4, 3], bytes: new Uint8Array(40) }]]),
    }),
    [/'w'/, /48/],
  ],
];

for (const [what, m, names] of illegal) {
  test(`${what}: told where, by every command`, async () => {
    const path = file(what.replaceAll(' ', '-'), m);
    const out = join(home, 'never.onnx');
    const commands = [
      ['info', path],
      ['grad', path, '-o', out, '--of', 'sum'],
      ['run', 'confusion-matrix', '--model', path, '--data', rows],
    ];
    for (const ended of await Promise.all(commands.map((args) => assay(args)))) {
      assert.equal(ended.code, 2, ended.err + ended.out);
      for (const name of [/\.onnx'/, ...names]) assert.match(sentence(ended), name);
      assert.doesNotMatch(ended.err, /\n {4}at /, 'no stack trace');
      assert.ok(!existsSync(out));
    }
  });
}

const gradient = (name: string, m: Model, wrt: string, of = 'sum:y'): ReturnType<typeof assay> =>
  assay(['grad', file(name, m), '-o', join(home, `${name}-gradient.onnx`), '--of', of, '--wrt', wrt]);

/** w flows to the class number only, v to the output. */
const split = of([
  node('MatMul', ['x', 'w'], ['h']),
  node('ArgMax', ['h'], ['class'], { axis: int(1), keepdims: int(0) }),
  node('Gather', ['v', 'class'], ['y']),
]);

test('a gradient that cannot flow: the node that stops it, its operator and reason, and what is reachable', async () => {
  for (const [wrt, wanted] of [
    ['inputs', 'x'],
    ['w', 'w'],
  ]) {
    const ended = await gradient('blocked', split, wrt);
    assert.equal(ended.code, 2, ended.err);
    const said = sentence(ended);
    assert.ok(said.includes(`No gradient can flow to '${wanted}'`), said);
    assert.match(said, /'n_class' \(ArgMax: its output is a whole number\)/);
    assert.match(said, /Reachable: v\./);
  }
});

test('of all parameters those that are reachable; the others are named with what stops them', async () => {
  const ended = await gradient('some', split, 'parameters');
  assert.equal(ended.code, 0, ended.err);
  assert.match(ended.out, /grad\/v/);
  assert.doesNotMatch(ended.out, /grad\/w/);
  assert.match(ended.out, /No gradient flows to 'w': it is stopped at 'n_class' \(ArgMax/);
});

/** ai.onnx.ml.Scaler has no rule here. */
const scaler = (input: string, output: string): Node =>
  node('Scaler', [input], [output], { offset: floats(0), scale: floats(2) }, 'ai.onnx.ml');
const scaled = (nodes: readonly Node[], outputs: readonly string[]): Model => ({
  ...of(nodes, outputs),
  opsets: new Map([
    ['', 21],
    ['ai.onnx.ml', 3],
  ]),
});

test('an operator without a rule: named where it is on the way, no harm where it is not', async () => {
  const on = scaled([node('MatMul', ['x', 'w'], ['h']), scaler('h', 's'), node('MatMul', ['s', 'v'], ['y'])], ['y']);
  const refused = await gradient('on', on, 'inputs');
  assert.equal(refused.code, 2, refused.err);
  assert.match(sentence(refused), /'n_s' \(ai\.onnx\.ml\.Scaler: an operator Assay does not know\)/);
  assert.match(sentence(refused), /Reachable: v\./);
  const after = await gradient('on', on, 'v');
  assert.equal(after.code, 0, after.err);
  const off = scaled([node('MatMul', ['x', 'w'], ['y']), scaler('y', 'z')], ['y', 'z']);
  const fine = await gradient('off', off, 'inputs,parameters');
  assert.equal(fine.code, 0, fine.err);
  assert.match(fine.out, /grad\/x, grad\/w/);
});

test('--check: exit code 1 and the node, where the gradient is not finite', async () => {
  const m = of([node('MatMul', ['x', 'w'], ['h']), node('Abs', ['h'], ['a']), node('Sqrt', ['a'], ['y'])]);
  const path = file('root', m);
  const out = join(home, 'root-gradient.onnx');
  const zeros = await assay(['grad', path, '-o', out, '--of', 'sum', '--check', 'zeros']);
  assert.equal(zeros.code, 1, zeros.err);
  assert.match(zeros.out, /check: 'grad\/x' is not finite .*\(Div\) makes infinite values of finite ones/);
  const random = await assay(['grad', path, '-o', out, '--of', 'sum', '--check', 'random']);
  assert.equal(random.code, 0, random.err);
  assert.match(random.out, /check: The loss and all derivatives are finite on 16 rows of random\./);
  const missing = await assay(['grad', path, '-o', out, '--of', 'sum', '--check', join(home, 'nowhere.csv')]);
  assert.equal(missing.code, 2);
  assert.match(sentence(missing), /nowhere\.csv/);
});

test('info lists nodes without gradient and why, and says what it made of the batch', async () => {
  const fixed = model(
    graph(
      [value('x', [3, 4])],
      [
        node('MatMul', ['x', 'w'], ['h']),
        node('ArgMax', ['h'], ['class'], { axis: int(1), keepdims: int(0) }),
        node('Gather', ['v', 'class'], ['g']),
        node('Reshape', ['g', 'shape'], ['y']),
      ],
      ['y'],
      { ...weights, shape: constantOf('int64', [2], [3, 3]) },
    ),
  );
  const { code, out } = await assay(['info', file('fixed', fixed)]);
  assert.equal(code, 0);
  assert.match(out, /n_class.*ArgMax.*whole number/);
  assert.match(out, /written for batches of 3; its batch axis was freed/);
  const one = scaled([scaler('x', 'y')], ['y']);
  const unknown = await assay(['info', file('unknown', one)]);
  assert.match(unknown.out, /n_y.*Scaler/);
});
