import { intOf, stringOf } from '../../graph/attribute.ts';
import type { Rule, Rules } from '../rule.ts';
import { rankOf, sizeAt } from '../shapes.ts';

/** Operators of ONNX Runtime's own domain that move elements: forerunners of standard ones, or the like. */
const unfold: Rule = {
  as: (emit, { x: [x], node }) => {
    const rank = rankOf(emit, x) ?? 1;
    const dim = (intOf(node, 'dim', -1) + rank) % rank;
    const [size, step] = [intOf(node, 'size', 1), intOf(node, 'step', 1)];
    const last = emit.Sub(sizeAt(emit, x, dim), emit.ints([size - 1]));
    const starts = emit.Range(emit.scalar(0, 'int64'), emit.Squeeze(last, emit.ints([0])), emit.scalar(step, 'int64'));
    const windows = emit.Add(emit.Unsqueeze(starts, emit.ints([1])), emit.ints(Array.from({ length: size }, (_, i) => i)));
    const axes = Array.from({ length: rank + 1 }, (_, i) => i);
    return [emit.Transpose(emit.Gather(x, windows, { axis: dim }), { perm: [...axes.filter((a) => a !== dim + 1), dim + 1] })];
  },
};

const sampling: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' };

export const contribShape: Rules = {
  'com.microsoft.Trilu': { as: (emit, { x: [x, k], node }) => [emit.Trilu(x, k ?? '', { upper: intOf(node, 'upper', 1) })] },
  'com.microsoft.GatherND': { as: (emit, { x: [x, indices] }) => [emit.GatherND(x, emit.Cast(indices, { to: 7 }))] },
  'com.microsoft.Pad': {
    as: (emit, { x: [x, pads, value], node }) => [
      emit.Pad(x, emit.Reshape(pads, emit.ints([-1])), value ? emit.Reshape(value, emit.ints([])) : '', {
        mode: stringOf(node, 'mode', 'constant'),
      }),
    ],
  },
  'com.microsoft.GridSample': {
    as: (emit, { x, node }) => {
      const mode = sampling[stringOf(node, 'mode', 'bilinear')] ?? 'nearest';
      return [emit.call('GridSample', x, { ...node.attributes, mode })];
    },
  },
  'com.microsoft.ExpandDims': {
    as: (emit, { x: [x, axis] }) => [emit.Unsqueeze(x, emit.Reshape(emit.Cast(axis, { to: 7 }), emit.ints([1])))],
  },
  'com.microsoft.UnfoldTensor': unfold,
  'com.microsoft.SampleOp': { back: [(_, g) => g] },
};
