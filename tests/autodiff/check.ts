import assert from 'node:assert/strict';
import { gradients } from '../../src/autodiff/reverse.ts';
import type { Rules } from '../../src/autodiff/rule.ts';
import { random } from '../../src/base/random.ts';
import { type DType, sizeOf, type Tensor } from '../../src/base/tensor.ts';
import { constantFrom, constantOf, tensorOf } from '../../src/graph/constant.ts';
import { type Emit, emitter } from '../../src/graph/emit.ts';
import { prune } from '../../src/graph/passes/prune.ts';
import type { Model, TensorType } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import type { Case } from './cases/case.ts';
import { numbers, open } from './ort.ts';

type Float = 'float32' | 'float64';
type Sizes = 'known' | 'unknown';

/** A case as a recorded graph: f = Σ c·y with fixed c, its gradient, s = Σ ⟨gradient, v⟩ with fixed v, and the gradient of s. */
export interface Recorded {
  readonly emit: Emit;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly wrt: readonly string[];
  readonly value: string;
  readonly first: ReadonlyMap<string, string>;
  readonly slope: string;
  readonly second: ReadonlyMap<string, string>;
  readonly opset: number;
}

const dataOf = (dtype: DType, dims: readonly number[], values: readonly number[]): Tensor => tensorOf(constantOf(dtype, dims, values));

/** Values that cross to JavaScript: onnxruntime-node 1.30 ends the process on packed ones. */
const crossing = (emit: Emit): string[] =>
  emit.nodes.flatMap((n) =>
    n.outputs.filter((o) => o && n.op !== 'Optional' && !emit.isSequence(o) && !['int4', 'uint4'].includes(emit.type(o)?.dtype ?? '')),
  );

/** Types of what the case itself records, found by running it, as the product finds those of a model. */
const probe = async (emit: Emit, feeds: Recorded['feeds'], opset: number, sized: boolean): Promise<void> => {
  const values = crossing(emit);
  const run = await open(write(modelOf({ emit, feeds, opset }, values)), false);
  for (const [name, { dtype, dims }] of Object.entries(await run(feeds)))
    emit.typed(name, { kind: 'tensor', dtype, dims: dims.map((d) => (sized ? d : undefined)) });
};

export const record = async (one: Case, float: Float, sizes: Sizes, rules: Rules = {}): Promise<Recorded> => {
  const emit = emitter();
  const feeds: Record<string, Tensor> = {};
  const wrt: string[] = [];
  const names = one.x.map((input, i) => {
    if (input.kind === 'none') return '';
    const dtype = input.kind === 'float' ? float : input.kind;
    const data = dataOf(dtype, input.dims, input.values);
    if (input.kind === 'float' ? !input.wanted : input.held) return emit.hold(`held${i}`, constantFrom(data));
    const name = emit.fresh(`x${i}`);
    const keep = sizes === 'known' || one.sized || (input.kind === 'float' && input.fixed);
    emit.typed(name, { kind: 'tensor', dtype, dims: input.dims.map((d) => (keep ? d : undefined)) });
    feeds[name] = data;
    if (input.kind === 'float') wrt.push(name);
    return name;
  });
  const outputs = one.build(emit, names);
  await probe(emit, feeds, one.opset, sizes === 'known' || one.sized);
  const weigh = (y: string, index: number): string => {
    // Weights that need no shape: cos of a running number, cut or repeated by Resize of a Range would be an operator too many.
    const flat = emit.Reshape(y, emit.ints([-1]));
    const count = emit.Squeeze(emit.call('Shape', [flat]), emit.ints([0]));
    const order = emit.Cast(emit.Range(emit.scalar(0, 'int64'), count, emit.scalar(1, 'int64')), { to: float === 'float64' ? 11 : 1 });
    return emit.ReduceSum(emit.Mul(flat, emit.Cos(emit.Add(order, emit.scalar(1 + index, float)))), { keepdims: 0 });
  };
  const value = outputs.map(weigh).reduce((a, b) => emit.Add(a, b));
  const first = gradients(emit, value, wrt, { rules });
  const random32 = random(7, 'direction');
  const dots = wrt.map((x) => {
    const { dims } = feeds[x];
    const v = emit.constant(
      constantOf(
        float,
        dims,
        Array.from({ length: sizeOf(dims) }, () => random32.normal()),
      ),
    );
    return emit.ReduceSum(emit.Mul(first.get(x) ?? '', v), { keepdims: 0 });
  });
  const slope = dots.reduce((a, b) => emit.Add(a, b));
  const second = one.first ? new Map<string, string>() : gradients(emit, slope, wrt, { rules, missing: 'omit' });
  return { emit, feeds, wrt, value, first, slope, second, opset: one.opset };
};

export const modelOf = ({ emit, feeds, opset }: Pick<Recorded, 'emit' | 'feeds' | 'opset'>, outputs: readonly string[]): Model => {
  const info = (name: string): { name: string; type?: TensorType } => {
    const type = emit.type(name);
    return type ? { name, type } : { name };
  };
  // Symbols where the recorder knows no size, so that ONNX Runtime knows none either.
  const inputs = Object.entries(feeds).map(([name, { dtype, dims }]) => ({
    name,
    type: { kind: 'tensor' as const, dtype, dims: dims.map((_, i) => emit.type(name)?.dims?.[i] ?? `${name}.${i}`) },
  }));
  const unique = [...new Set(outputs)];
  const graph = emit.graph('case', inputs, unique.map(info));
  const domains = [...new Set(emit.nodes.map((n) => n.domain))].filter((d) => d);
  return prune({
    irVersion: 10,
    opsets: new Map([['', opset], ...domains.map((d) => [d, 1] as const)]),
    producer: '',
    producerVersion: '',
    domain: '',
    version: 0,
    metadata: new Map(),
    graph,
    functions: [],
  });
};

const missing = /NOT_IMPLEMENTED|Could not find an implementation|Type Error|is invalid\.|not supported|type inference failed/i;
/** Central differences: step and tolerances per element type. The tolerance is relative to the largest entry, plus its own floor. */
const steps = { float64: { h: 1e-5, relative: 1e-6, floor: 1e-7 }, float32: { h: 1e-2, relative: 1e-2, floor: 2e-3 } } as const;

/** First derivatives, then second ones, per input. */
type Derivatives = readonly (readonly (Tensor | undefined)[])[];
type Run = (feeds: Recorded['feeds'], wanted?: readonly string[]) => Promise<Record<string, Tensor>>;

const derivatives = async (one: Case, made: Recorded): Promise<{ readonly run: Run; readonly found: Derivatives }> => {
  const { feeds, wrt, value, slope, first, second } = made;
  const model = mustVerify(modelOf(made, [value, slope, ...first.values(), ...second.values()]), one.name);
  const run = await open(write(model));
  const out = await run(feeds);
  return { run, found: [first, second].map((by) => wrt.map((x) => out[by.get(x) ?? ''])) };
};

/** Central differences of the value and of the slope by every element of an input. */
const differences = async ({ feeds, value, slope }: Recorded, run: Run, x: string, h: number): Promise<readonly (readonly number[])[]> => {
  const array = feeds[x].data as Float64Array;
  const both = async (): Promise<readonly number[]> => {
    const got = await run(feeds, [...new Set([value, slope])]);
    return [numbers(got[value])[0], numbers(got[slope])[0]];
  };
  const found: number[][] = [[], []];
  for (let i = 0; i < array.length; i++) {
    const at = array[i];
    array[i] = at + h;
    const up = await both();
    const high = array[i];
    array[i] = at - h;
    const down = await both();
    const width = high - array[i];
    array[i] = at;
    found.forEach((list, order) => void list.push((up[order] - down[order]) / width));
  }
  return found;
};

const close = (what: string, actual: Tensor | undefined, expected: readonly number[], dims: readonly number[], float: Float): void => {
  const { relative, floor } = steps[float];
  if (actual) assert.deepEqual([...actual.dims], [...dims], `${what}: shape`);
  const got = actual ? numbers(actual) : expected.map(() => 0);
  const scale = Math.max(0, ...expected.map(Math.abs));
  expected.forEach((e, i) => {
    assert.ok(Math.abs(e - got[i]) <= relative * scale + floor, `${what}[${i}] (${float}): ${got[i]} for ${e}`);
  });
};

const attempt = async (one: Case, float: Float): Promise<void> => {
  const made = await record(one, float, 'known');
  const { run, found } = await derivatives(one, made);
  for (const [i, x] of made.wrt.entries()) {
    const numeric = await differences(made, run, x, steps[float].h);
    for (const order of one.first ? [0] : [0, 1])
      close(`${order + 1}. derivative by ${x}`, found[order][i], numeric[order], made.feeds[x].dims, float);
  }
  // The same where no size is known when the rules are applied.
  const unsized = await record(one, float, 'unknown');
  const { found: others } = await derivatives(one, unsized);
  found.forEach((by, order) => {
    by.forEach((known, i) => {
      const { dims } = made.feeds[made.wrt[i]];
      const expected = known ? numbers(known) : Array.from({ length: sizeOf(dims) }, () => 0);
      close(`${order + 1}. derivative by ${made.wrt[i]} without sizes`, others[order][i], expected, dims, float);
    });
  });
};

/** First and second derivatives against central differences: in float64 where ONNX Runtime has the kernels, else float32. */
export const check = async (one: Case): Promise<Float> => {
  if (!one.single) {
    try {
      await attempt(one, 'float64');
      return 'float64';
    } catch (error) {
      if (!(error instanceof Error) || !missing.test(error.message)) throw error;
    }
  }
  await attempt(one, 'float32');
  return 'float32';
};

/** Types that the recorder inferred must be what ONNX Runtime finds. */
export const checkTypes = async (one: Case): Promise<void> => {
  const made = await record(one, 'float32', 'known');
  const values = crossing(made.emit).filter((o) => made.emit.type(o));
  const run = await open(write(modelOf(made, values)), false);
  const out = await run(made.feeds);
  for (const v of values) {
    const type = made.emit.type(v);
    if (!out[v] || !type) continue;
    assert.equal(type.dtype, out[v].dtype, `${v}: type`);
    type.dims?.forEach((d, i) => {
      if (typeof d === 'number') assert.equal(d, out[v].dims[i], `${v}: size of axis ${i}`);
    });
    if (type.dims) assert.equal(type.dims.length, out[v].dims.length, `${v}: rank`);
  }
};
