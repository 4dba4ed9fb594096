import { sizeOf } from '../base/tensor.ts';
import { restrict } from '../graph/passes/prune.ts';
import type { Graph, Node, ValueInfo } from '../graph/types.ts';
import { readsOf } from '../graph/walk.ts';

/** Below this many elements a choice costs less than a branch. */
export const branchFrom: number = 2 ** 16;

/**
 * Large choices `Where(condition, next, before)` of one number as an `If`: what only they need is computed where the condition holds,
 * and nothing is compared and copied element by element. Law: the outputs are unchanged.
 */
export const branched = (graph: Graph, condition: string): Graph => {
  const body = restrict(graph, graph.outputs);
  const size = (value: string): number => {
    const type = body.values.get(value);
    const dims = type?.kind === 'tensor' ? type.dims : undefined;
    return dims?.every((d) => typeof d === 'number') ? sizeOf(dims.map(Number)) : 0;
  };
  const choices = body.nodes.filter(
    (n) => n.op === 'Where' && n.domain === '' && n.inputs[0] === condition && size(n.inputs[1]) >= branchFrom,
  );
  if (choices.length === 0) return graph;
  // From the last node to the first: a node goes into the branch if all that read it are there, or choose it.
  const outside = new Set(body.outputs.map((o) => o.name));
  const moved = new Set<Node>();
  for (const node of body.nodes.toReversed()) {
    if (choices.includes(node)) {
      for (const read of [condition, node.inputs[2]]) outside.add(read);
      continue;
    }
    if (node.outputs.some((o) => outside.has(o))) for (const read of readsOf(node)) outside.add(read);
    else moved.add(node);
  }
  const info = (name: string): ValueInfo => {
    const type = body.values.get(name);
    return type ? { name, type } : { name };
  };
  const nothing = { initializers: new Map(), values: new Map() };
  const next = choices.map((n) => (outside.has(n.inputs[1]) ? `${n.outputs[0]}/next` : n.inputs[1]));
  const same = (from: string, to: string): Node => ({
    op: 'Identity',
    domain: '',
    name: to,
    inputs: [from],
    outputs: [to],
    attributes: {},
  });
  const copies = choices.flatMap((n, i) => (next[i] === n.inputs[1] ? [] : [same(n.inputs[1], next[i])]));
  const before = choices.map((n) => `${n.outputs[0]}/before`);
  const holds: Graph = {
    ...nothing,
    name: 'next',
    inputs: [],
    outputs: choices.map((n, i) => ({ ...info(n.inputs[1]), name: next[i] })),
    nodes: [...body.nodes.filter((n) => moved.has(n)), ...copies],
  };
  const fails: Graph = {
    ...nothing,
    name: 'before',
    inputs: [],
    outputs: choices.map((n, i) => ({ ...info(n.inputs[2]), name: before[i] })),
    nodes: choices.map((n, i) => same(n.inputs[2], before[i])),
  };
  const choice: Node = {
    op: 'If',
    domain: '',
    name: 'keep',
    inputs: [condition],
    outputs: choices.map((n) => n.outputs[0]),
    attributes: { then_branch: { type: 'graph', value: holds }, else_branch: { type: 'graph', value: fails } },
  };
  const last = choices.at(-1);
  const chosen = new Set(choice.outputs);
  // The branch stands where the last choice stood: nothing before may read the others.
  const until = last ? body.nodes.indexOf(last) : 0;
  if (body.nodes.slice(0, until).some((n) => readsOf(n).some((v) => chosen.has(v)))) return graph;
  const nodes = body.nodes.flatMap((n) => (n === last ? [choice] : choices.includes(n) || moved.has(n) ? [] : [n]));
  return { ...body, nodes };
};
