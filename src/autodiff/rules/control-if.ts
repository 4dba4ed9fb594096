import { Fault } from '../../base/fault.ts';
import { graphOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import { type Emit, emitter } from '../../graph/emit.ts';
import type { Graph, Node, TensorType } from '../../graph/types.ts';
import { called, captured } from '../../graph/walk.ts';
import type { Flow } from '../rule.ts';
import { zeroOf } from '../sequences.ts';
import { type Body, graphOfNodes, look, open, type Plan, plan, sources } from './control-body.ts';

const sides = ['then_branch', 'else_branch'] as const;
const branchOf = (node: Node, side: (typeof sides)[number]): Graph => {
  const branch = graphOf(node, side);
  if (!branch) throw new Fault('graph/unsupported', { node: called(node), reason: `it has no ${side}` });
  return branch;
};

const passes: Flow['passes'] = (emit, node, within) => {
  const all = sides.flatMap((side) => {
    const graph = branchOf(node, side);
    const body = look(emit, node, graph);
    const from = sources(body, within);
    const reached = new Set(body.outputs.flatMap((o) => [...(from.get(o) ?? [])]));
    return [...captured(graph)].filter((name) => reached.has(name));
  });
  return [...new Set(all)];
};

const bodies: Flow['bodies'] = (emit, node, made) => sides.map((side) => ({ emit: look(emit, node, branchOf(node, side)).emit, made }));

/** Nothing, of the type of a value that only the other branch has. */
const nothing = (emit: Emit, type: TensorType | undefined): string => {
  const { dtype, dims } = type ?? { dtype: 'float32' as const, dims: [] };
  return emit.call('ConstantOfShape', [emit.ints((dims ?? []).map(() => 0))], {
    value: { type: 'tensor', value: constantOf(dtype, [1], [0]) },
  });
};

/** Cotangents of what the branches read: an If on the same condition, of the derivatives of the branches. */
const flow: Flow['flow'] = (emit, site, wanted, within) => {
  const { node, g } = site;
  const opened = sides.map((side) => {
    const graph = branchOf(node, side);
    const body = open(emit, node, graph);
    const from = sources(body, within);
    const seeds = new Map(
      body.outputs.flatMap((output, i) => (g[i] && (from.get(output)?.size ?? 0) > 0 ? [[output, g[i]] as const] : [])),
    );
    const found = within.pull(body.emit, seeds, new Set(wanted));
    return { graph, body, found };
  });
  const reached = wanted.filter((name) => opened.some(({ found }) => found.has(name)));
  const branches = opened.map(({ graph, body, found }) => {
    const results = reached.map((name) => found.get(name) ?? zeroOf(body.emit, name));
    return { graph, body, results, work: plan(body, results, { keep: new Set() }) };
  });
  const kept = keep(emit, node, branches);
  const [then, other] = branches.map(({ graph, body, results, work }) =>
    graphOfNodes(
      body.emit,
      `${graph.name} back`,
      work.nodes,
      [],
      results.map((value, i) => ({ value, type: emit.type(reached[i]) })),
      kept,
    ),
  );
  const done = emit.calls('If', [site.x[0]], reached.length, { then_branch: then, else_branch: other });
  return reached.map((name, i) => [name, done[i]] as const);
};

interface Branch {
  readonly graph: Graph;
  readonly body: Body;
  readonly work: Plan;
}
/** Gives the node the values that the derivative needs as further outputs; the other branch has nothing to give for them. */
const keep = (emit: Emit, node: Node, branches: readonly Branch[]): ReadonlyMap<string, string> => {
  const kept = branches.flatMap(({ body, work }, side) => work.saved.map((value) => ({ side, value, type: body.emit.type(value) })));
  if (kept.length === 0) return new Map();
  const [then, other] = branches.map(({ graph, body }, side): Graph => {
    const { emit: inner, forward } = body;
    const extra = emitter({ within: inner });
    const values = kept.map((k) => ({ value: k.side === side ? k.value : nothing(extra, k.type), type: k.type }));
    const outputs = graph.outputs.map((o, k) => ({ value: body.outputs[k], type: inner.type(body.outputs[k]) ?? o.type }));
    return graphOfNodes(inner, graph.name, [...inner.nodes.slice(0, forward), ...extra.nodes], [], [...outputs, ...values]);
  });
  const names = new Map(
    kept.map(({ value, type }) => {
      const name = emit.fresh(`${value}/kept`);
      // Of no size where the other branch is taken.
      return [value, type ? emit.typed(name, { ...type, dims: (type.dims ?? []).map(() => undefined) }) : name];
    }),
  );
  emit.replace(node, {
    ...node,
    outputs: [...node.outputs, ...names.values()],
    attributes: { ...node.attributes, then_branch: { type: 'graph', value: then }, else_branch: { type: 'graph', value: other } },
  });
  return names;
};

export const branching: Flow = { flow, passes, bodies };
