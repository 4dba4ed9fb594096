import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients } from '../../src/autodiff/reverse.ts';
import { random } from '../../src/base/random.ts';
import { float32, type Tensor } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { emitter, type Given } from '../../src/graph/emit.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import type { Graph, Model, TensorType } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { numbers, run } from './ort.ts';
import { type Cell, gates, type Numbers, reference } from './recurrent-reference.ts';

interface Variant extends Omit<Cell, 'steps' | 'batch' | 'inputs' | 'hidden'> {
  readonly steps?: number;
  readonly batch?: number;
  /** Optional inputs that are given; all where absent. */
  readonly given?: readonly string[];
  /** Outputs that the loss is made of; all where absent. */
  readonly of?: readonly ('y' | 'h' | 'c')[];
  /** Outputs that the node lists; all where absent. */
  readonly listed?: readonly boolean[];
  /** Sizes are known to the recorder. */
  readonly sizes?: 'known' | 'unknown';
}

const attributes = (cell: Cell): Record<string, Given> => ({
  hidden_size: cell.hidden,
  direction: cell.direction,
  activations: cell.activations && { type: 'strings', value: cell.activations },
  activation_alpha: cell.alpha && { type: 'floats', value: cell.alpha },
  activation_beta: cell.beta && { type: 'floats', value: cell.beta },
  clip: cell.clip === undefined ? undefined : { type: 'float', value: cell.clip },
  input_forget: cell.inputForget ? 1 : undefined,
  linear_before_reset: cell.linearBeforeReset ? 1 : undefined,
});
const names = {
  LSTM: ['x', 'w', 'r', 'b', 'lengths', 'h0', 'c0', 'p'],
  GRU: ['x', 'w', 'r', 'b', 'lengths', 'h0'],
  RNN: ['x', 'w', 'r', 'b', 'lengths', 'h0'],
} as const;

const modelOf = (graph: Graph, opset = 21): Model => ({
  irVersion: 10,
  opsets: new Map([['', opset]]),
  producer: '',
  producerVersion: '',
  domain: '',
  version: 0,
  metadata: new Map(),
  graph,
  functions: [],
});

/**
 * The gradient of f = Σ cos(k)·output[k] and of ⟨∇f, v⟩, computed in float32 by ONNX Runtime, against central differences of the
 * float64 reference. Both differences are good to 1e-6 of the largest entry (steps 1e-5 and 1e-4), float32 to about 1e-6 in
 * each of some ten chained sums: allowed are 2e-5 and 1e-4 of the largest entry.
 */
const prove = async (variant: Variant): Promise<void> => {
  const cell: Cell = { steps: variant.lengths ? 4 : 3, batch: variant.lengths?.length ?? 2, inputs: 2, hidden: 2, ...variant };
  const { steps: T, batch: B, inputs: I, hidden: H, op } = cell;
  const [G, D] = [gates[op], cell.direction === 'bidirectional' ? 2 : 1];
  const shapes: Record<string, readonly number[]> = {
    x: [T, B, I],
    w: [D, G * H, I],
    r: [D, G * H, H],
    b: [D, 2 * G * H],
    h0: [D, B, H],
    c0: [D, B, H],
    p: [D, 3 * H],
  };
  const given = names[op].filter((n) => n !== 'lengths' && (['x', 'w', 'r'].includes(n) || !variant.given || variant.given.includes(n)));
  const draw = random(3, 'recurrent');
  const values: Record<string, Float64Array> = {};
  // Numbers of float32, so that both sides see the same.
  for (const n of given)
    values[n] = Float64Array.from({ length: shapes[n].reduce((a, b) => a * b, 1) }, () => Math.fround(0.6 * draw.normal()));
  const directions = Object.fromEntries(given.map((n) => [n, values[n].map(() => Math.fround(draw.normal()))]));
  const of = variant.of ?? (op === 'LSTM' ? ['y', 'h', 'c'] : ['y', 'h']);

  const f = (at: Numbers): number => {
    const out = reference(cell, at);
    return of.reduce((sum, o, k) => sum + out[o].reduce((s, v, i) => s + Math.cos(i + k) * v, 0), 0);
  };
  const moved = (n: string, i: number, by: number, along: number): Numbers => {
    const at = Object.fromEntries(given.map((m) => [m, values[m].map((v, j) => v + along * directions[m][j])]));
    at[n][i] += by;
    return at;
  };

  const known = variant.sizes !== 'unknown';
  const type = (n: string): TensorType => ({ kind: 'tensor', dtype: 'float32', dims: shapes[n].map((d) => (known ? d : undefined)) });
  const emit = emitter({ types: new Map(given.map((n) => [n, type(n)])), taken: ['lengths'] });
  const inputs = names[op].map((n) => (n === 'lengths' ? (cell.lengths ? n : '') : given.includes(n) ? n : ''));
  const listed = variant.listed ?? (op === 'LSTM' ? [true, true, true] : [true, true]);
  const made = emit.calls(op, inputs, listed, attributes(cell));
  const loss = of
    .map((o, k) => {
      const y = made[['y', 'h', 'c'].indexOf(o)];
      const dims = o === 'y' ? [T, D, B, H] : [D, B, H];
      const size = dims.reduce((a, b) => a * b, 1);
      return emit.ReduceSum(
        emit.Mul(
          y,
          emit.constant(
            constantOf(
              'float32',
              dims,
              Array.from({ length: size }, (_, i) => Math.cos(i + k)),
            ),
          ),
        ),
        { keepdims: 0 },
      );
    })
    .reduce((a, b) => emit.Add(a, b));
  const first = gradients(emit, loss, given);
  const dots = given.map((n) => {
    const v = emit.constant(constantOf('float32', shapes[n], directions[n]));
    return emit.ReduceSum(emit.Mul(first.get(n) ?? '', v), { keepdims: 0 });
  });
  const second = gradients(
    emit,
    dots.reduce((a, b) => emit.Add(a, b)),
    given,
  );
  const outputs = [loss, ...new Set([...first.values(), ...second.values()])];
  const model = modelOf(
    emit.graph(
      'cell',
      [
        ...given.map((n) => ({ name: n, type: type(n) })),
        ...(cell.lengths ? [{ name: 'lengths', type: { kind: 'tensor' as const, dtype: 'int32' as const, dims: [B] } }] : []),
      ],
      outputs.map((name) => ({ name })),
    ),
  );
  const feeds: Record<string, Tensor> = Object.fromEntries(given.map((n) => [n, float32([...shapes[n]], Float32Array.from(values[n]))]));
  if (cell.lengths) feeds.lengths = { dtype: 'int32', dims: [B], data: Int32Array.from(cell.lengths) };
  const out = await run(mustVerify(model), feeds);
  const close = (what: string, name: string, expected: readonly number[], tolerance: number): void => {
    assert.deepEqual([...out[name].dims], what === 'f' ? [] : [...shapes[what.slice(-what.length + 2)]], what);
    const got = numbers(out[name]);
    const scale = Math.max(...expected.map(Math.abs));
    expected.forEach((e, i) => {
      assert.ok(Math.abs(got[i] - e) <= tolerance * scale + 1e-6, `${what}[${i}]: ${got[i]}, by differences ${e}`);
    });
  };
  close('f', loss, [f(values)], 1e-5);
  for (const n of given) {
    const [h, k] = [1e-5, 1e-4];
    const entries = Array.from(values[n], (_, i) => i);
    close(
      `1 ${n}`,
      first.get(n) ?? '',
      entries.map((i) => (f(moved(n, i, h, 0)) - f(moved(n, i, -h, 0))) / (2 * h)),
      2e-5,
    );
    const along = (i: number, by: number): number => f(moved(n, i, by, k)) - f(moved(n, i, by, -k));
    close(
      `2 ${n}`,
      second.get(n) ?? '',
      entries.map((i) => (along(i, k) - along(i, -k)) / (4 * k * k)),
      1e-4,
    );
  }
};

const ops = ['LSTM', 'GRU', 'RNN'] as const;
const ways = ['forward', 'reverse', 'bidirectional'] as const;
const taking: Readonly<Record<string, { readonly alpha?: readonly number[]; readonly beta?: readonly number[] }>> = {
  Affine: { alpha: [0.6], beta: [0.2] },
  ScaledTanh: { alpha: [1.2], beta: [0.7] },
  ThresholdedRelu: { alpha: [0.1] },
};
const functions = ['Sigmoid', 'Tanh', 'Relu', 'LeakyRelu', 'HardSigmoid', 'Elu', 'Softsign', 'Softplus', ...Object.keys(taking)];
const usual = { LSTM: ['Sigmoid', 'Tanh', 'Tanh'], GRU: ['Sigmoid', 'Tanh'], RNN: ['Tanh'] } as const;

const variants: readonly Variant[] = [
  ...ops.flatMap((op) => ways.map((direction) => ({ op, direction }))),
  ...ops.flatMap((op) => ways.map((direction) => ({ op, direction, lengths: [2, 4, 0] }))),
  ...ways.map((direction) => ({ op: 'GRU' as const, direction, linearBeforeReset: true, lengths: [4, 1, 0] })),
  { op: 'GRU', linearBeforeReset: true },
  ...ops.flatMap((op) => [
    { op, given: [] },
    { op, given: [], direction: 'bidirectional' as const, lengths: [1, 3, 4] },
    { op, given: ['h0'], steps: 1 },
    { op, given: ['b'], batch: 1 },
    { op, of: ['y'] as const },
    { op, of: ['h'] as const },
    { op, of: ['h'] as const, listed: [false, true], direction: 'reverse' as const },
    { op, of: ['y'] as const, listed: [true] },
    { op, sizes: 'unknown' as const, lengths: [2, 4, 3], direction: 'bidirectional' as const },
    { op, clip: 0.4 },
    { op, clip: 0.8, lengths: [2, 4, 0], direction: 'bidirectional' as const },
  ]),
  { op: 'LSTM', of: ['c'] },
  { op: 'LSTM', of: ['h', 'c'], listed: [false, true, true] },
  { op: 'LSTM', given: ['b', 'h0', 'c0'] },
  { op: 'LSTM', given: ['b', 'h0', 'c0'], direction: 'bidirectional', lengths: [3, 0, 4], sizes: 'unknown' },
  { op: 'LSTM', given: ['b', 'h0', 'c0'], inputForget: true },
  { op: 'LSTM', inputForget: true, direction: 'reverse', lengths: [3, 0, 4] },
  { op: 'GRU', linearBeforeReset: true, clip: 0.4, given: ['h0'] },
  { op: 'GRU', linearBeforeReset: true, sizes: 'unknown' },
  ...functions.flatMap((name) =>
    ops.flatMap((op) =>
      usual[op].flatMap((_, k) =>
        // A gate of the GRU or LSTM that is not bounded makes the states explode.
        k === 0 && op !== 'RNN' && !['Sigmoid', 'HardSigmoid', 'Tanh', 'Softsign', 'ScaledTanh'].includes(name)
          ? []
          : [{ op, activations: usual[op].map((other, i) => (i === k ? name : other)), ...taking[name] }],
      ),
    ),
  ),
  {
    op: 'LSTM',
    direction: 'bidirectional',
    activations: ['HardSigmoid', 'Tanh', 'ScaledTanh', 'Sigmoid', 'LeakyRelu', 'Affine'],
    alpha: [0.3, 0.9, 0.1, 0.7],
    beta: [0.4, 0.8, 0.05],
  },
];

for (const variant of variants) {
  test(
    Object.entries(variant)
      .map(([k, v]) => `${k}=${v}`)
      .join(' '),
    () => prove(variant),
  );
}

/** [a, b, …] as [b, a, …]. */
const swapped = (v: ArrayLike<number>, a: number, b: number): number[] => {
  const n = v.length / (a * b);
  return Array.from({ length: v.length }, (_, i) => v[((Math.floor(i / n) % a) * b + Math.floor(i / (n * a))) * n + (i % n)]);
};
for (const op of ops) {
  test(`${op} with the batch first (layout 1), which ONNX Runtime has no kernel for`, async () => {
    const cell: Cell = { op, direction: 'bidirectional', steps: 3, batch: 2, inputs: 2, hidden: 2 };
    const draw = random(5, 'layout');
    const size = { x: 12, w: 2 * gates[op] * 4, r: 2 * gates[op] * 4, h0: 8 };
    const values = Object.fromEntries(Object.entries(size).map(([n, k]) => [n, Float32Array.from({ length: k }, () => draw.normal())]));
    const dims = { x: [2, 3, 2], w: [2, gates[op] * 2, 2], r: [2, gates[op] * 2, 2], h0: [2, 2, 2] };
    const expected = reference(cell, { ...values, x: swapped(values.x, 2, 3), h0: swapped(values.h0, 2, 2) });
    const model = modelOf(
      {
        name: 'layout',
        inputs: Object.entries(dims).map(([name, d]) => ({ name, type: { kind: 'tensor', dtype: 'float32', dims: d } })),
        outputs: [{ name: 'y' }, { name: 'last' }],
        nodes: [
          {
            op,
            domain: '',
            name: 'cell',
            inputs: ['x', 'w', 'r', '', '', 'h0'],
            outputs: ['y', 'last'],
            attributes: {
              hidden_size: { type: 'int', value: 2 },
              layout: { type: 'int', value: 1 },
              direction: { type: 'string', value: 'bidirectional' },
            },
          },
        ],
        initializers: new Map(),
        values: new Map(),
      },
      14,
    );
    const feeds = Object.fromEntries(Object.entries(dims).map(([n, d]) => [n, float32(d, values[n])]));
    const out = await run(mustVerify(normalise(model)), feeds);
    assert.deepEqual(
      [out.y.dims, out.last.dims],
      [
        [2, 3, 2, 2],
        [2, 2, 2],
      ],
    );
    const near = (got: Tensor, want: readonly number[]): void =>
      numbers(got).forEach((v, i) => void assert.ok(Math.abs(v - want[i]) <= 1e-6, `${v} for ${want[i]}`));
    // [T, D, B, H] as [B, T, D, H]
    near(out.y, swapped(expected.y, 6, 2));
    near(out.last, swapped(expected.h, 2, 2));
  });
}
