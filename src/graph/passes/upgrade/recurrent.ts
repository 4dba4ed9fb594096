import { intOf } from '../../attribute.ts';
import type { Node } from '../../types.ts';
import { type Rewriter, type Upgrade, type Upgrades, withInput, without } from './rewriter.ts';

/** [B, T, …] with states [B, D, H] (layout 1), which ONNX Runtime has no kernels for, as [T, B, …] with states [D, B, H]. */
const timeFirst = (node: Node, at: Rewriter): Node | undefined => {
  const plain = without(node, 'layout');
  if (intOf(node, 'layout', 0) === 0) return plain;
  const swap = { perm: [1, 0, 2] };
  const states = [5, 6].filter((i) => node.inputs[i]);
  const inner = [0, ...states].reduce((n, i) => withInput(n, i, at.call('Transpose', [node.inputs[i]], swap)), plain);
  const made = node.outputs.map((o) => (o ? at.fresh(`${o}/layout`) : ''));
  at.push({ ...inner, outputs: made });
  node.outputs.forEach((o, i) => void (o && at.call('Transpose', [made[i]], i === 0 ? { perm: [2, 0, 1, 3] } : swap, o)));
  return undefined;
};
const layout: readonly Upgrade[] = [{ before: Number.POSITIVE_INFINITY, rewrite: timeFirst }];

/** Scan of version 8 ran over a batch of sequences, and has other inputs. */
const scan: readonly Upgrade[] = [
  {
    before: 9,
    rewrite: (_, at) => at.refuse('Scan of operator set 8 is a different operator: export the model with operator set 9 or later'),
  },
];

export const recurrent: Upgrades = { LSTM: layout, GRU: layout, RNN: layout, Scan: scan };
