import { Fault } from '../../base/fault.ts';
import { intOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Rule, Rules, Site } from '../rule.ts';
import { dimsOf, dtypeOf, given, positive, rankOf } from '../shapes.ts';

/** Fourier transforms as products with matrices of cosines and sines; the last axis holds real and imaginary parts. */
interface Transform {
  readonly size: number;
  readonly length: number;
  readonly bins: number;
  readonly inverse: boolean;
}
const unknown = (node: Site['node']): never => {
  throw new Fault('graph/unknown-size', { node: `'${node.name || node.outputs[0]}' (${node.op})` });
};

/** x [..., size, …, parts] along `axis`: what lies beyond `length` is dropped, what is missing counts as 0. */
const transformed = (emit: Emit, x: string, axis: number, { size, length, bins, inverse }: Transform): string => {
  const used = Math.min(size, length);
  const table = (f: (angle: number) => number): string => {
    const values = new Float64Array(bins * size);
    for (let k = 0; k < bins; k++) {
      for (let n = 0; n < used; n++) values[k * size + n] = f((2 * Math.PI * ((k * n) % length)) / length) / (inverse ? length : 1);
    }
    return emit.constant(constantOf(dtypeOf(emit, x), [bins, size], values));
  };
  const rank = rankOf(emit, x) ?? 0;
  const last = rank - 1;
  // The axis goes second to last, in front of the parts, so that a matrix on the left acts on it.
  const order = [...Array.from({ length: last }, (_, i) => i).filter((i) => i !== axis), axis, last];
  const moved = emit.Transpose(x, { perm: order });
  const parts = dimsOf(emit, x)?.[last] === 2 ? emit.calls('Split', [moved, emit.ints([1, 1])], 2, { axis: last }) : [moved];
  const [cos, sin] = [table(Math.cos), table(Math.sin)];
  const [re, im] = parts;
  const sign = inverse ? emit.Neg : (v: string): string => v;
  const real = im ? emit.Add(emit.MatMul(cos, re), sign(emit.MatMul(sin, im))) : emit.MatMul(cos, re);
  const turned = sign(emit.Neg(emit.MatMul(sin, re)));
  const imaginary = im ? emit.Add(turned, emit.MatMul(cos, im)) : turned;
  return emit.Transpose(emit.Concat(real, imaginary, { axis: last }), { perm: order.map((_, i) => order.indexOf(i)) });
};

const dft: Rule = {
  as: (emit, { node, x: [x, given1, axisInput] }) => {
    const dims = dimsOf(emit, x) ?? [];
    const written = axisInput ? given(emit, axisInput)?.[0] : intOf(node, 'axis', node.attributes.axis ? 1 : -2);
    const axis = positive(written ?? -2, dims.length);
    const size = dims[axis];
    const length = given1 ? given(emit, given1)?.[0] : size;
    if (typeof size !== 'number' || typeof length !== 'number') return unknown(node);
    const bins = intOf(node, 'onesided', 0) === 1 ? Math.floor(length / 2) + 1 : length;
    return [transformed(emit, x, axis, { size, length, bins, inverse: intOf(node, 'inverse', 0) === 1 })];
  },
};

/** Frames of the signal, windowed, each transformed. */
const stft: Rule = {
  as: (emit, { node, x: [signal, step, window, lengthInput] }) => {
    const dims = dimsOf(emit, signal) ?? [];
    const hop = given(emit, step)?.[0];
    const declared = lengthInput ? given(emit, lengthInput)?.[0] : window ? dimsOf(emit, window)?.[0] : undefined;
    const total = dims[1];
    if (typeof hop !== 'number' || typeof declared !== 'number' || typeof total !== 'number') return unknown(node);
    const frames = Math.floor((total - declared) / hop) + 1;
    const rows = Array.from({ length: frames * declared }, (_, i) => Math.floor(i / declared) * hop + (i % declared));
    const cut = emit.Gather(signal, emit.constant(constantOf('int64', [frames, declared], rows)), { axis: 1 });
    const whole = rankOf(emit, signal) === 3 ? cut : emit.Unsqueeze(cut, emit.ints([-1]));
    const seen = window ? emit.Mul(whole, emit.Unsqueeze(window, emit.ints([1]))) : whole;
    const bins = intOf(node, 'onesided', 1) === 1 ? Math.floor(declared / 2) + 1 : declared;
    return [transformed(emit, seen, 2, { size: declared, length: declared, bins, inverse: false })];
  },
};

export const spectral: Rules = { DFT: dft, STFT: stft };
