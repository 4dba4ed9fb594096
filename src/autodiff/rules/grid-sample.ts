import { Fault } from '../../base/fault.ts';
import { intOf, stringOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Rule, Rules } from '../rule.ts';
import { castLike, dimsOf, dtypeOf, num, sizeAt } from '../shapes.ts';
import { isWhole, product, tapsOf, windowOf } from './convolution-window.ts';
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
    const sizes = dimsOf(emit, offset)?.slice(2) ?? [];
    if (!isWhole(sizes)) throw new Fault('graph/unknown-size', { node: `'${node.name || y}' (DeformConv)` });
    const groups = intOf(node, 'offset_group', 1);
    const taps = tapsOf(kernel);
    const places = product(sizes);
    // [N, G·K·2, o₁, o₂] → [N·G, K, 2, L]
    const moved = emit.Reshape(offset, emit.ints([-1, taps.length, 2, places]));
    const points = kernel.map((_, k) => {
      const base = taps.flatMap((tap) => tapsOf(sizes).map((o) => o[k] * strides[k] - begin[k] + tap[k] * dilations[k]));
      const home = emit.constant(constantOf(dtypeOf(emit, x), [1, taps.length, places], base));
      return emit.Reshape(emit.Add(emit.Gather(moved, emit.scalar(k, 'int64'), { axis: 2 }), home), emit.ints([0, -1]));
    });
    const channels = Number(dimsOf(emit, w)?.[1]) * group;
    const pictures = emit.Reshape(x, emit.Concat(emit.ints([-1, channels / groups]), sizeAt(emit, x, 2), sizeAt(emit, x, 3), { axis: 0 }));
    const read = sampled(emit, pictures, points, { mode: 'linear', padding: 'zeros', align: true });
    const masked = mask ? emit.Mul(read, emit.Reshape(mask, emit.ints([-1, 1, taps.length * places]))) : read;
    // [N, G, C/G·K, L]
    const columns = emit.Reshape(masked, emit.ints([-1, group, (channels / group) * taps.length, places]));
    const filters = Number(dimsOf(emit, w)?.[0]);
    const flat = emit.Reshape(w, emit.ints([group, filters / group, (channels / group) * taps.length]));
    const out = emit.Reshape(emit.MatMul(flat, columns), emit.ints([-1, filters, ...sizes]));
    return [bias ? emit.Add(out, emit.Reshape(bias, emit.ints([-1, 1, 1]))) : out];
  },
};

export const gridSampling: Rules = { GridSample: gridSample, DeformConv: deformConv };
