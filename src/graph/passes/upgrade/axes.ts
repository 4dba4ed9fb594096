import { floatOf, intOf, intsOf } from '../../attribute.ts';
import type { Node } from '../../types.ts';
import { type Rewriter, type Upgrade, type Upgrades, withInput, without } from './rewriter.ts';

/** An attribute of whole numbers that later became input `index`. */
const moved =
  (name: string, index: number) =>
  (node: Node, at: Rewriter): Node => {
    const values = intsOf(node, name);
    return values ? withInput(without(node, name), index, at.ints(values)) : node;
  };

const axesBefore = (before: number): readonly Upgrade[] => [{ before, rewrite: moved('axes', 1) }];

const split: readonly Upgrade[] = [
  { before: 13, rewrite: moved('split', 1) },
  {
    before: 18,
    rewrite: (node) =>
      node.inputs[1] ? node : { ...node, attributes: { ...node.attributes, num_outputs: { type: 'int', value: node.outputs.length } } },
  },
];

const slice: readonly Upgrade[] = [
  {
    before: 10,
    rewrite: (node, at) => {
      const starts = intsOf(node, 'starts') ?? [];
      const axes = intsOf(node, 'axes') ?? starts.map((_, i) => i);
      const inputs = [node.inputs[0], at.ints(starts), at.ints(intsOf(node, 'ends') ?? []), at.ints(axes)];
      return { ...without(node, 'starts', 'ends', 'axes'), inputs };
    },
  },
];

const pad: readonly Upgrade[] = [
  {
    before: 11,
    rewrite: (node, at) => {
      const value = floatOf(node, 'value', 0);
      const padded = withInput(without(node, 'pads', 'value'), 1, at.ints(intsOf(node, 'pads') ?? []));
      return value === 0 ? padded : withInput(padded, 2, at.scalarLike(value, node.inputs[0]));
    },
  },
];

const clip: readonly Upgrade[] = [
  {
    before: 11,
    rewrite: (node, at) => {
      let out = without(node, 'min', 'max');
      if (node.attributes.min) out = withInput(out, 1, at.scalarLike(floatOf(node, 'min', 0), node.inputs[0]));
      if (node.attributes.max) out = withInput(out, 2, at.scalarLike(floatOf(node, 'max', 0), node.inputs[0]));
      return out;
    },
  },
];

const topK: readonly Upgrade[] = [{ before: 10, rewrite: (node, at) => withInput(without(node, 'k'), 1, at.ints([intOf(node, 'k', 1)])) }];

const reductions = ['ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd'];

/** Attributes that became inputs. */
export const axes: Upgrades = {
  Squeeze: axesBefore(13),
  Unsqueeze: axesBefore(13),
  ReduceSum: axesBefore(13),
  ReduceSumSquare: axesBefore(18),
  ...Object.fromEntries(reductions.map((op) => [op, axesBefore(18)])),
  Split: split,
  Slice: slice,
  Pad: pad,
  Clip: clip,
  TopK: topK,
};
