import fc from 'fast-check';
import { random } from '../../src/base/random.ts';
import { type DType, sizeOf, type Tensor } from '../../src/base/tensor.ts';
import { constantOf, tensorOf } from '../../src/graph/constant.ts';
import { type Emit, emitter } from '../../src/graph/emit.ts';
import { dialect } from '../../src/graph/passes/normalise.ts';
import { prune } from '../../src/graph/passes/prune.ts';
import type { Model } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { type Case, type Input, spread } from './cases/case.ts';
import { families } from './cases/index.ts';
import { numbers, open } from './ort.ts';
import { type Float, glue, type Maker, type Part } from './random-steps.ts';

/** A random graph as numbers, which fast-check makes and shrinks. */
export interface Program {
  /** What the rules are told of sizes: all, none, or what preparing the graph as a file finds. */
  readonly sizes: 'known' | 'unknown' | 'probed';
  readonly float: Float;
  /** ONNX Runtime's fusions of our graphs are tested too; they take most of the time. */
  readonly optimize: boolean;
  readonly leaves: readonly (readonly number[])[];
  readonly steps: readonly { readonly op: number; readonly seed: number }[];
}
const size = fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 1, max: 3 }) }, { weight: 1, arbitrary: fc.constant(0) });
export const programs: fc.Arbitrary<Program> = fc.record({
  sizes: fc.constantFrom('known', 'unknown', 'probed'),
  float: fc.oneof({ weight: 3, arbitrary: fc.constant<Float>('float64') }, { weight: 1, arbitrary: fc.constant<Float>('float32') }),
  optimize: fc.oneof({ weight: 1, arbitrary: fc.constant(true) }, { weight: 3, arbitrary: fc.constant(false) }),
  leaves: fc.array(fc.array(size, { maxLength: 4 }), { minLength: 1, maxLength: 3 }),
  steps: fc.array(fc.record({ op: fc.nat(), seed: fc.nat() }), { minLength: 3, maxLength: 12 }),
});

/**
 * Operators of the dialect; derivatives by convention alone (straight-through rules) are checked on their own. Of ONNX Runtime
 * 1.30: BatchNormalization writes new statistics over those that were fed, and MoE its output over its input, which are still
 * read; and it mistakes shapes behind operators of com.microsoft where it knows theirs in part: they come with known sizes only.
 */
export const cases: readonly Case[] = Object.values(families)
  .flat()
  .filter(
    (one) =>
      !one.first &&
      one.opset <= dialect.opset &&
      !one.name.includes('training_mode=1 momentum') &&
      !one.name.startsWith('com.microsoft.MoE'),
  );
/**
 * ONNX Runtime 1.30 holds some inputs (the bias of MatMulNBits, the sizes of Resize, the weights of EmbedLayerNormalization) to shapes
 * that it does not know, and refuses the graph.
 */
const held = ['Resize to sizes at run time', 'com.microsoft.EmbedLayerNormalization'];
const probed = cases.filter(
  (one) => !held.some((name) => one.name.startsWith(name)) && !(one.name.startsWith('com.microsoft.MatMulNBits') && one.x.length > 4),
);
const standard = probed.filter((one) => !one.name.startsWith('com.microsoft'));

/** What ONNX Runtime says of an element type that it has no kernel for. */
export const missing = /NOT_IMPLEMENTED|Could not find an implementation|Type Error|is invalid\.|not supported|type inference failed/i;

export type Feeds = Record<string, Tensor>;
export const fedWith = (dtype: DType, dims: readonly number[], values: readonly number[]): Tensor =>
  tensorOf(constantOf(dtype, dims, values));

export const modelOf = (emit: Emit, feeds: Feeds, outputs: readonly string[]): Model => {
  const domains = [...new Set(emit.nodes.map((n) => n.domain))].filter((d) => d);
  const inputs = Object.entries(feeds).map(([name, { dtype, dims }]) => ({
    name,
    // Symbols where the recorder knows no size, so that ONNX Runtime knows none either.
    type: { kind: 'tensor' as const, dtype, dims: dims.map((_, i) => emit.type(name)?.dims?.[i] ?? `${name}.${i}`) },
  }));
  return prune({
    irVersion: dialect.ir,
    opsets: new Map([['', dialect.opset], ...domains.map((d) => [d, 1] as const)]),
    producer: '',
    producerVersion: '',
    domain: '',
    version: 0,
    metadata: new Map(),
    graph: emit.graph(
      'random',
      inputs,
      [...new Set(outputs)].map((name) => ({ name })),
    ),
    functions: [],
  });
};

/** The input of a case as a constant or a fed value, under a fresh name; '' where it is left out. */
const given = (emit: Emit, feeds: Feeds, x: Input, float: Float, sized: boolean): string => {
  if (x.kind === 'none') return '';
  const dtype = x.kind === 'float' ? float : x.kind;
  if (x.kind === 'float' ? !x.wanted : x.held) return emit.hold(emit.fresh('held'), constantOf(dtype, x.dims, x.values));
  const name = emit.fresh('fed');
  feeds[name] = fedWith(dtype, x.dims, x.values);
  return emit.typed(name, { kind: 'tensor', dtype, dims: sized ? x.dims : x.dims.map(() => undefined) });
};

/** What a case's outputs are like, found by running it once; undefined where ONNX Runtime has no kernel of that type. */
type Shapes = readonly { readonly dims: readonly number[]; readonly bound: number }[] | undefined;
const known = { float32: new Map<Case, Promise<Shapes>>(), float64: new Map<Case, Promise<Shapes>>() };
const lookAt = async (one: Case, float: Float): Promise<Shapes> => {
  if (float === 'float64' && one.single) return undefined;
  const emit = emitter();
  const feeds: Feeds = {};
  const outputs = one.build(
    emit,
    one.x.map((x) => given(emit, feeds, x, float, true)),
  );
  try {
    const out = await (await open(write(modelOf(emit, feeds, outputs)), false))(feeds);
    return outputs.map((y) => ({ dims: out[y].dims, bound: 2 * numbers(out[y]).reduce((m, v) => Math.max(m, Math.abs(v)), 0.1) }));
  } catch (error) {
    if (error instanceof Error && missing.test(error.message)) return undefined;
    throw error;
  }
};
const shapesOf = (one: Case, float: Float): Promise<Shapes> => {
  const found = known[float].get(one) ?? lookAt(one, float);
  known[float].set(one, found);
  return found;
};

export interface Assembled {
  readonly emit: Emit;
  readonly feeds: Feeds;
  /** Inputs to differentiate by. */
  readonly wanted: readonly string[];
  /** The scalar that is differentiated: all values that nothing reads, weighed and summed. */
  readonly value: string;
  /** Cases that it is made of. */
  readonly drawn: readonly string[];
}

/** Values so far and how to make more. */
const workshop = (sizes: Program['sizes'], float: Float) => {
  const emit = emitter();
  const feeds: Feeds = {};
  const wanted: string[] = [];
  const pool: Part[] = [];
  const used = new Set<string>();
  const typed = (name: string, dims: readonly number[], keep: boolean): string =>
    emit.typed(name, { kind: 'tensor', dtype: float, dims: keep || sizes !== 'unknown' ? dims : dims.map(() => undefined) });
  const made = (name: string, dims: readonly number[], bound: number, keep = false): Part => {
    const part = { name: typed(name, dims, keep), dims, bound };
    pool.push(part);
    return part;
  };
  const leaf = (dims: readonly number[], values?: readonly number[], keep = false): Part => {
    const name = emit.fresh('x');
    const numbersOf = values ?? spread(dims, -2, 2, wanted.length + 1);
    feeds[name] = fedWith(float, dims, numbersOf);
    wanted.push(name);
    return made(
      name,
      dims,
      numbersOf.reduce((m, v) => Math.max(m, Math.abs(v)), 0),
      keep,
    );
  };
  const scalar = (value: number): string => emit.constant(constantOf(float, [], [value]));
  const shaped = (part: Part, dims: readonly number[]): Part => {
    if (part.dims.join() === dims.join()) return part;
    const [have, need] = [sizeOf(part.dims), sizeOf(dims)];
    if (have === need) return { name: emit.Reshape(part.name, emit.ints(dims)), dims, bound: part.bound };
    const flat = emit.Reshape(part.name, emit.ints([-1]));
    const order = Array.from({ length: need }, (_, i) => i);
    const taken = emit.Gather(flat, emit.ints(order.map((i) => i % have)), { axis: 0 });
    // Repeated elements are moved apart: a normalisation of equal numbers is all rounding.
    const apart = order.map((i) => 0.7 * Math.sin(3 * i));
    const name = emit.Add(taken, emit.constant(constantOf(float, [need], apart)));
    return { name: emit.Reshape(name, emit.ints(dims), { allowzero: dims.includes(0) ? 1 : undefined }), dims, bound: part.bound + 0.7 };
  };
  const within = (part: Part, low: number, high: number): Part => {
    if (-part.bound >= low && part.bound <= high) return part;
    const [middle, half] = [(low + high) / 2, 0.95 * ((high - low) / 2)];
    const waves = emit.Sin(part.bound > 3 ? emit.Mul(part.name, scalar(3 / part.bound)) : part.name);
    const bound = Math.max(Math.abs(low), Math.abs(high));
    return { name: emit.Add(emit.Mul(waves, scalar(half)), scalar(middle)), dims: part.dims, bound };
  };
  const makerOf = (seed: number): Maker => {
    const chance = random(seed, 'step');
    const draw = (n: number): number => chance.below(n);
    const pick = <T>(from: readonly T[]): T => from[draw(from.length)];
    // Late values are likelier, so that graphs grow deep.
    const value = (empty = false): Part => {
      const usable = empty ? pool : pool.filter((p) => sizeOf(p.dims) > 0);
      const part = usable[usable.length - 1 - Math.floor(usable.length * chance.next() ** 2)];
      used.add(part.name);
      return part;
    };
    return { emit, float, draw, pick, value, leaf, shaped, within, made };
  };
  /** One operator as its case has it, on values made before wherever it takes floats. */
  const apply = (one: Case, shapes: Exclude<Shapes, undefined>, { draw, value }: Maker): void => {
    const names = one.x.map((x) => {
      const keep = one.sized || (x.kind === 'float' && x.fixed);
      if (x.kind !== 'float' || !x.wanted) return given(emit, feeds, x, float, one.sized || sizes !== 'unknown');
      if (draw(3) === 0 || x.values.length === 0) {
        const { name } = leaf(x.dims, x.values, keep);
        used.add(name);
        return name;
      }
      const [low, high] = [Math.min(...x.values), Math.max(...x.values)];
      // A single number stands for a range around it.
      const room = low === high ? Math.abs(low) / 4 : 0;
      return typed(emit.Identity(within(shaped(value(), x.dims), low - room, high + room).name), x.dims, keep);
    });
    one.build(emit, names).forEach((y, i) => void made(y, shapes[i].dims, shapes[i].bound, one.sized));
  };
  return { emit, feeds, wanted, pool, used, leaf, makerOf, apply };
};

/** Every step records one operator on values of the steps before it; `float` may differ from the type the operators are chosen for. */
export const assemble = async (program: Program, float: Float = program.float): Promise<Assembled> => {
  const { emit, feeds, wanted, pool, used, leaf, makerOf, apply } = workshop(program.sizes, float);
  for (const dims of program.leaves) leaf(dims);
  if (!pool.some((p) => sizeOf(p.dims) > 0)) leaf([2]);
  const drawn: string[] = [];
  const table = { known: cases, probed, unknown: standard }[program.sizes];
  for (const { op, seed } of program.steps) {
    const maker = makerOf(seed);
    const one = op % 5 < 3 ? undefined : table[op % table.length];
    const shapes = one && (await shapesOf(one, program.float));
    if (one && shapes) {
      apply(one, shapes, maker);
      drawn.push(one.name);
    } else glue[op % glue.length](maker);
  }
  const ends = pool.filter((p) => !used.has(p.name) && !feeds[p.name]);
  const sums = (ends.length > 0 ? ends : pool).map((p, k) => {
    const weights = Array.from({ length: sizeOf(p.dims) }, (_, i) => Math.cos(1 + k + i));
    return emit.ReduceSum(emit.Mul(p.name, emit.constant(constantOf(float, p.dims, weights))), { keepdims: 0 });
  });
  return { emit, feeds, wanted, value: sums.reduce((a, b) => emit.Add(a, b)), drawn };
};
