import { Fault } from '../../base/fault.ts';
import { intOf, stringOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Rule, Rules } from '../rule.ts';
import { castLike, dimsOf, dtypeOf, num, sizeAt } from '../shapes.ts';
import { tapsOf, windowOf } from './convolution-window.ts';
import { type Sampling, sampled } from './sampling.ts';

const modes: Readonly<Record<string, Sampling['mode']>> = {
  bilinear: 'linear',
  linear: 'linear',
  bicubic: 'cubic',
  cubic: 'cubic',
  nearest: 'nearest',
};
const paddings: Readonly<Record<string, Sampling['padding']>> = { zeros: 'zeros', border: 'border', reflection: 'reflection' };

/** The grid's coordinates, x first, run from −1 to 1 over the picture. */
const gridSample: Rule = {
  as: (emit, { node, x: [x, grid], y: [y] }) => {
    const align = intOf(node, 'align_corners', 0) === 1;
    const rank = (dimsOf(emit, x)?.length ?? 4) - 2;
    const n = (v: number): string => num(emit, v, grid);
    const points = Array.from({ length: rank }, (_, k) => {
      const size = castLike(emit, emit.Squeeze(sizeAt(emit, x, k + 2), emit.ints([0])), grid);
      const g = emit.Reshape(emit.Gather(grid, emit.scalar(rank - 1 - k, 'int64'), { axis: rank + 1 }), emit.ints([0, -1]));
      const half = emit.Mul(n(0.5), align ? emit.Sub(size, n(1)) : size);
      return emit.Sub(emit.Mul(emit.Add(g, n(1)), half), n(align ? 0 : 0.5));
    });
    const mode = modes[stringOf(node, 'mode', 'linear')] ?? 'linear';
    const flat = sampled(emit, x, points, { mode, padding: paddings[stringOf(node, 'padding_mode', 'zeros')] ?? 'zeros', align });
    const spatial = Array.from({ length: rank }, (_, k) => sizeAt(emit, grid, k + 1));
    const out = emit.Reshape(flat, emit.Concat(sizeAt(emit, x, 0), sizeAt(emit, x, 1), ...spatial, { axis: 0 }));
    const type = emit.type(y);
    return [type ? emit.typed(out, type) : out];
  },
};

/** Each tap of each window reads the input at its own place plus an offset; the columns meet the weights in one product. */
const deformConv: Rule = {
  as: (emit, site) => {
    const {
      node,
      x: [x, w, offset, bias, mask],
      y: [y],
    } = site;
    const { kernel, strides, dilations, begin, group } = windowOf(emit, site);
    const [filters, depth] = (dimsOf(emit, w) ?? []).map(Number);
    if (kernel.some(Number.isNaN) || !(filters * depth > 0))
      throw new Fault('graph/unknown-size', { node: `'${node.name || y}' (DeformConv: the shape of '${w}' is not known)` });
    const groups = intOf(node, 'offset_group', 1);
    const taps = tapsOf(kernel);
    const sizes = kernel.map((_, k) => sizeAt(emit, offset, k + 2));
    const spatial = emit.Concat(...sizes, { axis: 0 });
    const places = emit.call('ReduceProd', [spatial], { keepdims: 1 });
    const shape = (...parts: readonly (number | string)[]): string =>
      emit.Concat(...parts.map((p) => (typeof p === 'number' ? emit.ints([p]) : p)), { axis: 0 });
    // [N, G·K·2, o₁, o₂] → [N·G, K, 2, L]
    const moved = emit.Reshape(offset, shape(-1, taps.length, 2, places));
    const points = kernel.map((_, k) => {
      const n = (v: number): string => num(emit, v, x);
      const length = emit.Squeeze(sizes[k], emit.ints([0]));
      const out = castLike(emit, emit.Range(emit.scalar(0, 'int64'), length, emit.scalar(1, 'int64')), x);
      const others = kernel.flatMap((_, j) => (j === k ? [] : [j]));
      const open = others.length === 0 ? out : emit.Unsqueeze(out, emit.ints(others));
      const row = emit.Reshape(emit.Expand(open, spatial), emit.ints([1, 1, -1]));
      const first = emit.constant(
        constantOf(
          dtypeOf(emit, x),
          [1, taps.length, 1],
          taps.map((tap) => tap[k] * dilations[k] - begin[k]),
        ),
      );
      const home = emit.Add(emit.Mul(row, n(strides[k])), first);
      return emit.Reshape(emit.Add(emit.Gather(moved, emit.scalar(k, 'int64'), { axis: 2 }), home), emit.ints([0, -1]));
    });
    const channels = depth * group;
    const pictures = emit.Reshape(x, shape(-1, channels / groups, sizeAt(emit, x, 2), sizeAt(emit, x, 3)));
    const read = sampled(emit, pictures, points, { mode: 'linear', padding: 'zeros', align: true });
    const samples = emit.Mul(places, emit.ints([taps.length]));
    const masked = mask ? emit.Mul(read, emit.Reshape(mask, shape(-1, 1, samples))) : read;
    // [N, G, C/G·K, L]
    const columns = emit.Reshape(masked, shape(-1, group, (channels / group) * taps.length, places));
    const flat = emit.Reshape(w, emit.ints([group, filters / group, (channels / group) * taps.length]));
    const out = emit.Reshape(emit.MatMul(flat, columns), shape(-1, filters, spatial));
    return [bias ? emit.Add(out, emit.Reshape(bias, emit.ints([-1, 1, 1]))) : out];
  },
};

export const gridSampling: Rules = { GridSample: gridSample, DeformConv: deformConv };
