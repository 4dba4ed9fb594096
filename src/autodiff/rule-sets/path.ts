import { Fault } from '../../base/fault.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import { readsOf } from '../../graph/walk.ts';
import { type Back, keyOf, type Rule } from '../rule.ts';
import { noGradientReason, ruleOf } from '../rules/index.ts';

/** What lies between two values. */
export interface Path {
  readonly input: string;
  readonly output: string;
  /** Nodes that carry something of the input to the output, in order; shapes and comparisons carry nothing. */
  readonly nodes: readonly Node[];
  /** Values made of the input, itself among them. */
  readonly made: ReadonlySet<string>;
  /** The nodes of the path that read a value. */
  readers(value: string): readonly Node[];
}

export const pathBetween = (emit: Emit, input: string, output: string): Path => {
  const made = new Set([input]);
  const all = emit.nodes.filter((node) => {
    const through = noGradientReason(node.op, node.domain) === undefined && readsOf(node).some((x) => made.has(x));
    if (through) for (const y of node.outputs) if (y) made.add(y);
    return through;
  });
  const wanted = new Set([output]);
  const nodes = all.toReversed().filter((node) => {
    const through = node.outputs.some((y) => wanted.has(y));
    if (through) for (const x of readsOf(node)) wanted.add(x);
    return through;
  });
  return { input, output, nodes: nodes.toReversed(), made, readers: (value) => nodes.filter((n) => readsOf(n).includes(value)) };
};

export const describe = (node: Node): string => `'${node.name || node.outputs[0]}' (${keyOf(node)})`;

/** Refuses a path that holds an operator for which `set` has no rule. */
export const mustKnow = (set: string, { nodes }: Path, known: (node: Node) => boolean): void => {
  const unknown = nodes.filter((n) => !known(n));
  if (unknown.length > 0) throw new Fault('graph/rule-set', { set, nodes: unknown.slice(0, 5).map(describe), count: unknown.length });
};

/** The derivative to one input of a node, by the table's own rule. */
export const plain = (emit: Emit, node: Node, input: number): Back | null => {
  const rule: Rule | undefined = ruleOf(node, emit);
  if (!rule || !('back' in rule)) return null;
  return (typeof rule.back === 'function' ? rule.back(input, node) : rule.back[input]) ?? null;
};

/** Operators that only move values, or are linear in all they read. */
export const moving: ReadonlySet<string> = new Set([
  'Identity',
  'Reshape',
  'Flatten',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'Concat',
  'Split',
  'Slice',
  'Gather',
  'GatherElements',
  'GatherND',
  'Expand',
  'Tile',
  'Cast',
  'Dropout',
  'Pad',
  'DepthToSpace',
  'SpaceToDepth',
  'Neg',
]);

/** Linear in its first input while the others come from parameters. */
export const oneSided = ({ made }: Path, node: Node): boolean => node.inputs.filter((x) => made.has(x)).length === 1;
