import { constantOf } from '../../constant.ts';
import type { Constant, Node } from '../../types.ts';
import { bytesOf } from '../../utf8.ts';
import type { Rewriter, Upgrades } from './rewriter.ts';

const stored = (node: Node): Constant | undefined => {
  const [[name, a] = []] = Object.entries(node.attributes);
  if (!a || name === 'sparse_value') return undefined;
  switch (a.type) {
    case 'tensor':
      return a.value;
    case 'float':
      return constantOf('float32', [], [a.value]);
    case 'int':
      return constantOf('int64', [], [a.value]);
    case 'floats':
      return constantOf('float32', [a.value.length], a.value);
    case 'ints':
      return constantOf('int64', [a.value.length], a.value);
    case 'string':
      return { dtype: 'string', dims: [], strings: [bytesOf(a.value)] };
    case 'strings':
      return { dtype: 'string', dims: [a.value.length], strings: a.value.map(bytesOf) };
    default:
      return undefined;
  }
};

/** A Constant node of any version becomes an initializer; a sparse one stays. */
export const constant: Upgrades = {
  Constant: [
    {
      before: Number.POSITIVE_INFINITY,
      rewrite: (node: Node, at: Rewriter): Node | undefined => {
        const value = stored(node);
        if (!value) return node;
        at.store(node.outputs[0], value);
        return undefined;
      },
    },
  ],
};
