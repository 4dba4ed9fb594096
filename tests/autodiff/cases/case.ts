import { random } from '../../../src/base/random.ts';
import { sizeOf } from '../../../src/base/tensor.ts';
import type { Emit, Given } from '../../../src/graph/emit.ts';
import { dialect } from '../../../src/graph/passes/normalise.ts';

type Whole = 'int64' | 'int32' | 'int8' | 'uint8' | 'bool';
/** An input of a case: floats that are differentiated, or values that stay as they are. */
export type Input =
  | {
      readonly kind: 'float';
      readonly dims: readonly number[];
      readonly values: readonly number[];
      readonly wanted: boolean;
      readonly fixed: boolean;
    }
  | { readonly kind: Whole; readonly dims: readonly number[]; readonly values: readonly number[]; readonly held: boolean }
  | { readonly kind: 'none' };

export interface Case {
  readonly name: string;
  readonly x: readonly Input[];
  /** Records the operators and gives the float values that are differentiated. */
  readonly build: (emit: Emit, x: readonly string[]) => readonly string[];
  /** Types of the inputs keep their sizes in the variant without sizes. */
  readonly sized: boolean;
  /** Kernels of ONNX Runtime are float32 only. */
  readonly single: boolean;
  /** The second derivative is not checked: a straight-through rule, or one that ends in a constant by convention. */
  readonly first: boolean;
  readonly opset: number;
}

/**
 * Distinct values evenly spread over (low, high) in a shuffled order: none is 0 or near another, so that no kink or tie is
 * within reach of a difference quotient.
 */
export const spread = (dims: readonly number[], low: number, high: number, seed: number): number[] => {
  const n = sizeOf(dims);
  const chance = random(seed, 'case');
  const shift = 0.35 + 0.3 * chance.next();
  const order = chance.shuffle(Array.from({ length: n }, (_, i) => i));
  return order.map((k) => low + ((high - low) * (k + shift)) / n);
};
let seeds = 0;
/** Floats to differentiate by. */
export const f = (dims: readonly number[], low = -2, high = 2): Input => {
  seeds++;
  return { kind: 'float', dims, values: spread(dims, low, high, seeds), wanted: true, fixed: false };
};
/** Floats whose shape stays known even where others' is not: weights. */
export const weight = (dims: readonly number[], low = -1, high = 1): Input => {
  seeds++;
  return { kind: 'float', dims, values: spread(dims, low, high, seeds), wanted: true, fixed: true };
};
/** Floats given by value, not differentiated, held as a constant. */
export const held = (values: readonly number[], dims: readonly number[] = [values.length]): Input => ({
  kind: 'float',
  dims,
  values,
  wanted: false,
  fixed: true,
});
/** Whole numbers: a constant, as exporters write axes and shapes. */
export const ints = (values: readonly number[], dims: readonly number[] = [values.length]): Input => ({
  kind: 'int64',
  dims,
  values,
  held: true,
});
/** Whole numbers that are fed when the graph runs. */
export const fed = (values: readonly number[], dims: readonly number[] = [values.length]): Input => ({
  kind: 'int64',
  dims,
  values,
  held: false,
});
/** Whole numbers of another type, a constant or fed. */
export const whole = (kind: Whole, values: readonly number[], dims: readonly number[] = [values.length], isHeld = false): Input => ({
  kind,
  dims,
  values,
  held: isHeld,
});
export const flags = (values: readonly number[], dims: readonly number[] = [values.length]): Input => ({
  kind: 'bool',
  dims,
  values,
  held: false,
});
export const none: Input = { kind: 'none' };

interface Extra {
  readonly outputs?: readonly boolean[];
  readonly domain?: string;
  readonly sized?: boolean;
  readonly single?: boolean;
  readonly first?: boolean;
  readonly opset?: number;
  /** What makes this variant. */
  readonly is?: string;
}

/** One operator with these inputs and attributes. `outputs` are those it is recorded with; the true ones are differentiated. */
export const c = (op: string, x: readonly Input[], attributes: Readonly<Record<string, Given>> = {}, extra: Extra = {}): Case => {
  const shapes = x.map((i) => (i.kind === 'none' ? '-' : i.kind === 'int64' ? `(${i.values.join()})` : `[${i.dims.join()}]`)).join(' ');
  const given = Object.entries(attributes).map(([k, v]) => `${k}=${JSON.stringify(typeof v === 'object' && 'value' in v ? v.value : v)}`);
  return {
    name: [extra.domain ? `${extra.domain}.${op}` : op, shapes, ...given, extra.is ?? ''].filter((s) => s).join(' '),
    x,
    build: (emit, names) =>
      emit.calls(op, names, extra.outputs?.length ?? 1, attributes, extra.domain).filter((_, i) => extra.outputs?.[i] ?? true),
    sized: extra.sized ?? false,
    single: extra.single ?? false,
    first: extra.first ?? false,
    opset: extra.opset ?? dialect.opset,
  };
};

/** A small graph of several operators. */
export const graph = (name: string, x: readonly Input[], build: Case['build'], extra: Extra = {}): Case => ({
  name,
  x,
  build,
  sized: extra.sized ?? false,
  single: extra.single ?? false,
  first: extra.first ?? false,
  opset: extra.opset ?? dialect.opset,
});
