import { fromHalf } from '../base/half.ts';
import type { Tensor } from '../base/tensor.ts';

/**
 * Per float output: max|a − b| ≤ relative · max|b| + 1e-6, b from the CPU. 1e-3 admits another order of summation and
 * the 10-bit products (TF32) that CUDA uses by default, not a wrong kernel; float16 carries 11 bits, hence 1e-2.
 */
const tolerance = { float: 1e-3, half: 1e-2, absolute: 1e-6 } as const;

export interface Agreement {
  readonly agrees: boolean;
  /** max|a − b| / max|b| over the float outputs. */
  readonly difference: number;
  /** Where they part, or ''. */
  readonly reason: string;
}

const numbers = (t: Tensor): ArrayLike<number> => {
  if (t.dtype === 'float16') return Array.from(t.data as Uint16Array, fromHalf);
  return t.data as Float32Array | Float64Array;
};

const floats = (t: Tensor): boolean => t.dtype === 'float32' || t.dtype === 'float64' || t.dtype === 'float16';

/** Compares the outputs of a device with those of the CPU. Whole numbers, truth values and text must be equal. */
export const agreement = (device: Readonly<Record<string, Tensor>>, cpu: Readonly<Record<string, Tensor>>): Agreement => {
  let difference = 0;
  for (const [name, b] of Object.entries(cpu)) {
    const a = device[name];
    const no = (reason: string, d = Number.POSITIVE_INFINITY): Agreement => ({ agrees: false, difference: d, reason });
    if (!a || a.dtype !== b.dtype || a.dims.join() !== b.dims.join()) return no(`output '${name}' has another shape than on the CPU`);
    if (!floats(b)) {
      for (let i = 0; i < b.data.length; i++)
        if (a.data[i] !== b.data[i]) return no(`output '${name}' differs from the CPU at element ${i}`);
      continue;
    }
    const [x, y] = [numbers(a), numbers(b)];
    let gap = 0;
    let size = 0;
    for (let i = 0; i < y.length; i++) {
      if (Object.is(x[i], y[i]) || x[i] === y[i]) {
        if (Number.isFinite(y[i])) size = Math.max(size, Math.abs(y[i]));
        continue;
      }
      if (!Number.isFinite(x[i]) || !Number.isFinite(y[i])) return no(`output '${name}' is ${x[i]} where the CPU gives ${y[i]}`);
      size = Math.max(size, Math.abs(y[i]));
      gap = Math.max(gap, Math.abs(x[i] - y[i]));
    }
    const relative = gap / Math.max(size, tolerance.absolute);
    difference = Math.max(difference, relative);
    if (gap > (b.dtype === 'float16' ? tolerance.half : tolerance.float) * size + tolerance.absolute) {
      return no(`output '${name}' differs from the CPU by ${relative.toExponential(1)} of its largest value`, relative);
    }
  }
  return { agrees: true, difference, reason: '' };
};
