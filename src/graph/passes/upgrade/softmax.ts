import { intOf } from '../../attribute.ts';
import type { Node } from '../../types.ts';
import type { Rewriter, Upgrade, Upgrades } from './rewriter.ts';

/** Before version 13 the input was seen as a matrix split at `axis` (default 1), and each row normalised. */
const rows: readonly Upgrade[] = [
  {
    before: 13,
    rewrite: (node: Node, at: Rewriter): Node | undefined => {
      const axis = intOf(node, 'axis', 1);
      const [x] = node.inputs;
      const rank = at.type(x)?.dims?.length;
      if (axis === -1 || (rank !== undefined && axis === rank - 1))
        return { ...node, attributes: { ...node.attributes, axis: { type: 'int', value: -1 } } };
      const flat = at.call('Flatten', [x], { axis });
      const y = at.call(node.op, [flat], { axis: -1 });
      at.call('Reshape', [y, at.call('Shape', [x])], {}, node.outputs[0]);
      return undefined;
    },
  },
];

export const softmax: Upgrades = { Softmax: rows, LogSoftmax: rows, Hardmax: rows };
