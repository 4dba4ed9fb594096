import { Fault } from '../../base/fault.ts';
import { intsOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Attribute, Node } from '../../graph/types.ts';
import { called } from '../../graph/walk.ts';
import { graphOfNodes, type Plan } from './control-body.ts';
import { bodyOf, type Cycle } from './control-turns.ts';

/** The value behind Identity nodes. */
const behindIdentity = (emit: Emit, value: string): string => {
  let at = value;
  for (let node = emit.producer(at); node?.op === 'Identity'; node = emit.producer(at)) at = node.inputs[0];
  return at;
};

export interface Kept {
  /** Values of the body and what holds them for all turns, first turn first. */
  readonly stacks: ReadonlyMap<string, string>;
  /** The last value of each state. */
  readonly ends: readonly string[];
}

/** Makes the node give `values` of all its turns, where it does not yet. */
export const keep = (emit: Emit, node: Node, cycle: Cycle, values: readonly string[], extra: Plan['extra']): Kept => {
  const { body, stacks, turns, states } = cycle;
  const out = new Map<string, string>();
  const added: string[] = [];
  const outputs = [...states, ...stacks].map(({ output, to }) => to || emit.fresh(output));
  for (const v of values) {
    const source = behindIdentity(body.emit, v);
    const at = stacks.findIndex((s) => s.axis === 0 && !s.back && behindIdentity(body.emit, s.output) === source);
    const type = body.emit.type(v);
    if (!type?.dims) {
      const reason = `the rank of '${v}' in its body is not known, so that it cannot be kept for the derivative`;
      throw new Fault('graph/unsupported', { node: called(node), reason });
    }
    const name = at >= 0 ? outputs[states.length + at] : emit.fresh(`${v}/kept`);
    if (at < 0) added.push(v);
    out.set(v, emit.typed(name, { ...type, dims: [turns, ...type.dims] }));
  }
  const graph = bodyOf(node);
  const widened = graphOfNodes(
    body.emit,
    graph.name,
    [...body.emit.nodes.slice(0, body.forward), ...extra],
    graph.inputs.map((i, k) => ({ ...i, name: body.inputs[k] })),
    [
      ...graph.outputs.map((o, k) => ({ value: body.outputs[k], type: body.emit.type(body.outputs[k]) ?? o.type })),
      ...added.map((value) => ({ value, type: body.emit.type(value) })),
    ],
  );
  const extended = (name: string): Record<string, Attribute> => {
    const list = intsOf(node, name);
    return list ? { [name]: { type: 'ints', value: [...list, ...added.map(() => 0)] } } : {};
  };
  emit.replace(node, {
    ...node,
    outputs: [...outputs, ...added.map((v) => out.get(v) ?? '')],
    attributes: {
      ...node.attributes,
      ...extended('scan_output_axes'),
      ...extended('scan_output_directions'),
      body: { type: 'graph', value: widened },
    },
  });
  return { stacks: out, ends: outputs.slice(0, states.length) };
};
