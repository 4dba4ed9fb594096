import { intOf, intsOf, stringOf } from './attribute.ts';
import { type Infer, like, tensor } from './infer-type.ts';
import type { Dim, Node } from './types.ts';

/** Explicit pads of a windowed node, begins then ends; SAME_* needs the sizes. */
export const padsOf = (node: Node, sizes: readonly Dim[], kernel: readonly number[]): readonly number[] | undefined => {
  const auto = stringOf(node, 'auto_pad', 'NOTSET');
  const r = kernel.length;
  if (auto === 'VALID') return Array.from({ length: 2 * r }, () => 0);
  if (auto === 'NOTSET' || auto === '') return intsOf(node, 'pads') ?? Array.from({ length: 2 * r }, () => 0);
  const strides = intsOf(node, 'strides') ?? kernel.map(() => 1);
  const dilations = intsOf(node, 'dilations') ?? kernel.map(() => 1);
  const begin: number[] = [];
  const end: number[] = [];
  for (let i = 0; i < r; i++) {
    const n = sizes[i];
    if (typeof n !== 'number' && strides[i] !== 1) return undefined;
    const extent = (kernel[i] - 1) * dilations[i] + 1;
    const total = typeof n === 'number' ? Math.max(0, (Math.ceil(n / strides[i]) - 1) * strides[i] + extent - n) : extent - 1;
    const small = Math.floor(total / 2);
    begin.push(auto === 'SAME_UPPER' ? small : total - small);
    end.push(auto === 'SAME_UPPER' ? total - small : small);
  }
  return [...begin, ...end];
};

const windowed = (node: Node, sizes: readonly Dim[], kernel: readonly number[]): Dim[] => {
  const pads = padsOf(node, sizes, kernel);
  const strides = intsOf(node, 'strides') ?? kernel.map(() => 1);
  const dilations = intsOf(node, 'dilations') ?? kernel.map(() => 1);
  const ceil = intOf(node, 'ceil_mode', 0) === 1;
  return sizes.map((n, i) => {
    if (typeof n !== 'number' || !pads) return undefined;
    const span = n + pads[i] + pads[i + kernel.length] - ((kernel[i] - 1) * dilations[i] + 1);
    const count = (ceil ? Math.ceil(span / strides[i]) : Math.floor(span / strides[i])) + 1;
    return ceil && (count - 1) * strides[i] >= n + pads[i] ? count - 1 : count;
  });
};
export const conv: Infer = ({ node, x: [a, w] }) => {
  const kernel = w?.dims?.slice(2);
  if (!a?.dims || !w?.dims || !kernel?.every((k): k is number => typeof k === 'number')) return like(a, undefined);
  return like(a, [a.dims[0], w.dims[0], ...windowed(node, a.dims.slice(2), kernel)]);
};
export const transposed: Infer = ({ node, x: [a, w] }) => {
  const kernel = w?.dims?.slice(2);
  if (!a?.dims || !w?.dims || !kernel?.every((k): k is number => typeof k === 'number')) return like(a, undefined);
  const channels = w.dims[1];
  const shape = intsOf(node, 'output_shape');
  const sizes = a.dims.slice(2).map((n, i): Dim => {
    if (shape) return shape[i];
    const stride = intsOf(node, 'strides')?.[i] ?? 1;
    const auto = stringOf(node, 'auto_pad', 'NOTSET');
    if (typeof n !== 'number') return undefined;
    if (auto.startsWith('SAME')) return n * stride;
    const pads = auto === 'VALID' ? undefined : intsOf(node, 'pads');
    const extent = (kernel[i] - 1) * (intsOf(node, 'dilations')?.[i] ?? 1) + 1;
    return (n - 1) * stride + (intsOf(node, 'output_padding')?.[i] ?? 0) + extent - (pads?.[i] ?? 0) - (pads?.[i + kernel.length] ?? 0);
  });
  return like(a, [a.dims[0], typeof channels === 'number' ? channels * intOf(node, 'group', 1) : undefined, ...sizes]);
};
export const pool: Infer = ({ node, x: [a] }) => {
  const kernel = intsOf(node, 'kernel_shape');
  const out = a?.dims && kernel ? [...a.dims.slice(0, 2), ...windowed(node, a.dims.slice(2), kernel)] : undefined;
  return node.outputs.map((_, i) => a && tensor(i === 0 ? a.dtype : 'int64', out));
};
