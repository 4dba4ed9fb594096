import { Fault } from '../../base/fault.ts';
import { type ChoiceOption, choice, type RealOption, real } from '../../base/option.ts';
import { sizeOf } from '../../base/tensor.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Attribute } from '../../graph/types.ts';
import type { Net } from '../define-layers.ts';

/** A value and the shape of one of its rows. */
export interface Flow {
  readonly value: string;
  readonly row: readonly number[];
}

const ints = (...value: number[]): Attribute => ({ type: 'ints', value });
const int = (value: number): Attribute => ({ type: 'int', value });

export const activation: ChoiceOption<'relu' | 'tanh' | 'sigmoid'> = choice({
  default: 'relu',
  of: ['relu', 'tanh', 'sigmoid'],
  help: 'Non-linearity after each hidden layer.',
});
export const dropout: RealOption = real({
  default: 0,
  min: 0,
  max: 0.95,
  help: 'Share of the numbers between layers that each training step sets to 0, the others being scaled up; 0 for none.',
});
/** Nothing where nothing is dropped. */
export const drop = (net: Net, { value, row }: Flow, share: number, name: string = `${value}.dropout`): Flow =>
  share === 0 ? { value, row } : { value: net.dropped(name, value, share, row), row };

const operators = { relu: 'Relu', tanh: 'Tanh', sigmoid: 'Sigmoid' } as const;

export const activate = (net: Net, { value, row }: Flow, kind: keyof typeof operators): Flow => ({
  value: net.layer(operators[kind], `${value}.${kind}`, [value], {}, row),
  row,
});

export const flatten = (net: Net, { value, row }: Flow): Flow => {
  const flat = [sizeOf(row)];
  return row.length === 1 ? { value, row } : { value: net.layer('Flatten', 'flatten', [value], { axis: int(1) }, flat), row: flat };
};

/** y = x·Wᵀ + b, the weight stored [out, in]. */
export const dense = (net: Net, { value, row }: Flow, name: string, out: number): Flow => {
  const weight = net.parameter(`${name}.weight`, [out, row[0]]);
  const bias = net.parameter(`${name}.bias`, [out]);
  return { value: net.layer('Gemm', name, [value, weight, bias], { transB: int(1) }, [out]), row: [out] };
};

/** Padded so that height and width stay where the stride is 1. */
export const conv = (
  net: Net,
  { value, row }: Flow,
  name: string,
  out: number,
  kernel: number,
  { stride = 1, bias = true, padded = true }: { readonly stride?: number; readonly bias?: boolean; readonly padded?: boolean } = {},
): Flow => {
  const [before, after] = padded ? [Math.floor((kernel - 1) / 2), Math.floor(kernel / 2)] : [0, 0];
  const [height, width] = row.slice(1).map((d) => Math.floor((d + before + after - kernel) / stride) + 1);
  const next = [out, height, width];
  const weight = net.parameter(`${name}.weight`, [out, row[0], kernel, kernel]);
  const inputs = [value, weight, ...(bias ? [net.parameter(`${name}.bias`, [out])] : [])];
  const attributes = {
    kernel_shape: ints(kernel, kernel),
    pads: ints(before, before, after, after),
    ...(stride === 1 ? {} : { strides: ints(stride, stride) }),
  };
  return { value: net.layer('Conv', name, inputs, attributes, next), row: next };
};

/** y = x·W + b along the last axis, the weight stored [in, out]. */
export const along = (net: Net, { value, row }: Flow, name: string, out: number, bias = true): Flow => {
  const next = [...row.slice(0, -1), out];
  const weight = net.parameter(`${name}.weight`, [row[row.length - 1], out]);
  const product = net.layer('MatMul', bias ? `${name}.product` : name, [value, weight], {}, next);
  return { value: bias ? net.layer('Add', name, [product, net.parameter(`${name}.bias`, [out])], {}, next) : product, row: next };
};

/** A single number, which no training touches. */
export const number = (net: Net, name: string, value: number): string =>
  net.tensor('Constant', name, [], { value: { type: 'tensor', value: constantOf('float32', [], [value]) } }, []);

export const integers = (net: Net, name: string, values: readonly number[]): string =>
  net.buffer(name, constantOf('int64', [values.length], values));

/** The same elements in rows of another shape. */
export const reshape = (net: Net, { value }: Flow, name: string, row: readonly number[]): Flow => ({
  value: net.layer('Reshape', name, [value, integers(net, `${name}.shape`, [0, ...row])], {}, row),
  row,
});

/** Rows of `channels × height × width`, or a fault that says what the architecture needs. */
export const imageRow = (arch: string, row: readonly number[]): void => {
  if (row.length === 3) return;
  const side = Math.sqrt(row[0]);
  const likely = row.length === 2 ? row : Number.isInteger(side) && side > 2 ? [side, side] : undefined;
  const advice = likely ? `; if they are pictures of one channel, say so with "input": [1, ${likely.join(', ')}] in arch` : '';
  throw new Fault('training/architecture', { arch, reason: `it needs rows of shape channels × height × width, not [${row}]${advice}` });
};

/** Windows of 2 × 2 side by side; an odd last row or column is left out. */
export const maxPool = (net: Net, { value, row }: Flow, name: string): Flow => {
  const next = [row[0], Math.floor(row[1] / 2), Math.floor(row[2] / 2)];
  return { value: net.layer('MaxPool', name, [value], { kernel_shape: ints(2, 2), strides: ints(2, 2) }, next), row: next };
};

/** Running statistics start at mean 0, variance 1. */
export const batchNorm = (net: Net, { value, row }: Flow, name: string): Flow => {
  const channels = [row[0]];
  const fill = (x: number): Float32Array => new Float32Array(row[0]).fill(x);
  const inputs = [
    value,
    net.parameter(`${name}.weight`, channels),
    net.parameter(`${name}.bias`, channels),
    net.buffer(`${name}.running_mean`, constantOf('float32', channels, fill(0))),
    net.buffer(`${name}.running_var`, constantOf('float32', channels, fill(1))),
  ];
  return { value: net.layer('BatchNormalization', name, inputs, {}, row), row };
};

/** Layer sizes written as whole numbers separated by commas; '' for none. */
export const sizesOf = (name: string, given: string): number[] => {
  if (given.trim() === '') return [];
  const sizes = given.split(',').map(Number);
  if (!sizes.every((n) => Number.isInteger(n) && n >= 1 && n <= 1e6))
    throw new Fault('option/value', { name, value: given, expected: 'whole numbers from 1 separated by commas' });
  return sizes;
};
