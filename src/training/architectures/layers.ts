import { Fault } from '../../base/fault.ts';
import { type ChoiceOption, choice } from '../../base/option.ts';
import { sizeOf } from '../../base/tensor.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Attribute } from '../../graph/types.ts';
import type { Net } from '../define.ts';

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

/** Stride 1, padded so that height and width stay. */
export const conv = (net: Net, { value, row }: Flow, name: string, out: number, kernel: number): Flow => {
  const next = [out, row[1], row[2]];
  const weight = net.parameter(`${name}.weight`, [out, row[0], kernel, kernel]);
  const bias = net.parameter(`${name}.bias`, [out]);
  const [before, after] = [Math.floor((kernel - 1) / 2), Math.floor(kernel / 2)];
  const attributes = { kernel_shape: ints(kernel, kernel), pads: ints(before, before, after, after) };
  return { value: net.layer('Conv', name, [value, weight, bias], attributes, next), row: next };
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
