import { Fault } from '../../base/fault.ts';
import { intOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Rule, Rules, Site } from '../rule.ts';
import { cast, castLike, dimsOf, dtypeOf, given, num, positive, rankOf, sizeAt } from '../shapes.ts';

/** Fourier transforms as products with matrices of cosines and sines; the last axis holds real and imaginary parts. */
interface Transform {
  readonly size: number;
  readonly length: number;
  readonly bins: number;
  readonly inverse: boolean;
}
const unknown = (node: Site['node'], why: string): never => {
  throw new Fault('graph/unknown-size', { node: `'${node.name || node.outputs[0]}' (${node.op}: ${why})` });
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

/** The same where sizes are known only when the graph runs: int64 scalars. */
const transformedInGraph = (
  emit: Emit,
  x: string,
  axis: number,
  rank: number,
  { length, onesided, inverse }: { readonly length: string; readonly onesided: boolean; readonly inverse: boolean },
): string => {
  const last = rank - 1;
  // A product with a matrix on the right: the axis goes last, parts apart.
  const order = [...Array.from({ length: last }, (_, i) => i).filter((i) => i !== axis), axis];
  const one = emit.scalar(1, 'int64');
  const count = (n: string): string => emit.Range(emit.scalar(0, 'int64'), n, one);
  const bins = onesided ? emit.Add(emit.Div(length, emit.scalar(2, 'int64')), one) : length;
  const size = emit.Squeeze(sizeAt(emit, x, axis), emit.ints([0]));
  const n = count(size);
  const turns = emit.call('Mod', [emit.Mul(emit.Unsqueeze(n, emit.ints([1])), count(bins)), length]);
  const whole = castLike(emit, length, x);
  const angle = emit.Mul(castLike(emit, turns, x), emit.Div(num(emit, 2 * Math.PI, x), whole));
  const used = castLike(emit, emit.Unsqueeze(emit.Less(n, length), emit.ints([1])), x);
  const table = (v: string): string => {
    const kept = emit.Mul(v, used);
    return inverse ? emit.Div(kept, whole) : kept;
  };
  const [cos, sin] = [table(emit.Cos(angle)), table(emit.Sin(angle))];
  // Real numbers get an imaginary part of 0.
  const parts = emit.Concat(emit.ints([0]), emit.Sub(emit.ints([2]), sizeAt(emit, x, last)), { axis: 0 });
  const [re, im] = emit
    .calls('Split', [emit.Pad(x, parts, '', emit.ints([last])), emit.ints([1, 1])], 2, { axis: last })
    .map((part) => emit.Transpose(emit.Squeeze(part, emit.ints([last])), { perm: order }));
  const sign = inverse ? emit.Neg : (v: string): string => v;
  const real = emit.Add(emit.MatMul(re, cos), sign(emit.MatMul(im, sin)));
  const imaginary = emit.Add(sign(emit.Neg(emit.MatMul(re, sin))), emit.MatMul(im, cos));
  const back = [real, imaginary].map((v) =>
    emit.Unsqueeze(emit.Transpose(v, { perm: order.map((_, i) => order.indexOf(i)) }), emit.ints([last])),
  );
  return emit.Concat(...back, { axis: last });
};
const single = (emit: Emit, v: string): string => emit.Reshape(cast(emit, v, 'int64'), emit.ints([]));

const dft: Rule = {
  as: (emit, { node, x: [x, given1, axisInput] }) => {
    const dims = dimsOf(emit, x);
    const written = axisInput ? given(emit, axisInput)?.[0] : intOf(node, 'axis', node.attributes.axis ? 1 : -2);
    if (!dims || written === undefined)
      return unknown(node, dims ? `its axis '${axisInput}' is computed` : `the rank of '${x}' is not known`);
    const axis = positive(written, dims.length);
    const size = dims[axis];
    const length = given1 ? given(emit, given1)?.[0] : size;
    const [onesided, inverse] = [intOf(node, 'onesided', 0) === 1, intOf(node, 'inverse', 0) === 1];
    if (typeof size !== 'number' || typeof length !== 'number' || typeof dims.at(-1) !== 'number') {
      const run = given1 ? single(emit, given1) : emit.Squeeze(sizeAt(emit, x, axis), emit.ints([0]));
      return [transformedInGraph(emit, x, axis, dims.length, { length: run, onesided, inverse })];
    }
    const bins = onesided ? Math.floor(length / 2) + 1 : length;
    return [transformed(emit, x, axis, { size, length, bins, inverse })];
  },
};

/** Frames of the signal, windowed, each transformed. */
const stft: Rule = {
  as: (emit, { node, x: [signal, step, window, lengthInput] }) => {
    const dims = dimsOf(emit, signal);
    if (!dims) return unknown(node, `the rank of '${signal}' is not known`);
    const hop = given(emit, step)?.[0];
    const declared = lengthInput ? given(emit, lengthInput)?.[0] : window ? dimsOf(emit, window)?.[0] : undefined;
    const total = dims[1];
    const onesided = intOf(node, 'onesided', 1) === 1;
    const seen = (cut: string): string => {
      const whole = dims.length === 3 ? cut : emit.Unsqueeze(cut, emit.ints([-1]));
      return window ? emit.Mul(whole, emit.Unsqueeze(window, emit.ints([1]))) : whole;
    };
    if (
      typeof hop !== 'number' ||
      typeof declared !== 'number' ||
      typeof total !== 'number' ||
      (dims.length === 3 && dims[2] === undefined)
    ) {
      const length = lengthInput ? single(emit, lengthInput) : emit.Squeeze(sizeAt(emit, window, 0), emit.ints([0]));
      const every = single(emit, step);
      const one = emit.scalar(1, 'int64');
      const count = (n: string): string => emit.Range(emit.scalar(0, 'int64'), n, one);
      const rest = emit.Sub(emit.Squeeze(sizeAt(emit, signal, 1), emit.ints([0])), length);
      const starts = emit.Mul(count(emit.Add(emit.Div(rest, every), one)), every);
      const rows = emit.Add(emit.Unsqueeze(starts, emit.ints([1])), count(length));
      return [transformedInGraph(emit, seen(emit.Gather(signal, rows, { axis: 1 })), 2, 4, { length, onesided, inverse: false })];
    }
    const frames = Math.floor((total - declared) / hop) + 1;
    const rows = Array.from({ length: frames * declared }, (_, i) => Math.floor(i / declared) * hop + (i % declared));
    const cut = emit.Gather(signal, emit.constant(constantOf('int64', [frames, declared], rows)), { axis: 1 });
    const bins = onesided ? Math.floor(declared / 2) + 1 : declared;
    return [transformed(emit, seen(cut), 2, { size: declared, length: declared, bins, inverse: false })];
  },
};

export const spectral: Rules = { DFT: dft, STFT: stft };
