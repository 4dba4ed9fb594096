import { numbersOf } from '../../graph/constant.ts';
import { type Emit, emitter } from '../../graph/emit.ts';
import type { Graph, Node, TensorType } from '../../graph/types.ts';
import { zeroOf } from '../sequences.ts';
import { type Body, graphOfNodes, type Plan, port } from './control-body.ts';
import { multiply, type Product } from './control-products.ts';
import type { Slice, Stack } from './control-turns.ts';

/** The derivative of a Loop or Scan, ready to run through the turns from the last to the first. */
export interface Back {
  readonly emit: Emit;
  readonly node: Node;
  readonly body: Body;
  readonly name: string;
  readonly work: Plan;
  /** What is carried from turn to turn: its first value outside, its name inside. */
  readonly carried: readonly { readonly from: string; readonly input: string }[];
  /** What is read turn by turn: kept values, slices and cotangents of stacks. */
  readonly along: readonly Slice[];
  /** What becomes of the carried values, then what is laid out over the turns as `given`. */
  readonly ends: readonly { readonly value: string; readonly type: TensorType | undefined }[];
  readonly given: readonly Pick<Stack, 'axis' | 'back'>[];
  /** How many of the given are results; the others are for the products, whose other factors are `over` all turns elsewhere. */
  readonly slices: number;
  readonly products: readonly Product[];
  readonly over: ReadonlyMap<string, string>;
}

/** Whether a Loop's body runs at least once whatever is fed. A Scan of nothing is refused by ONNX Runtime itself. */
const runs = (emit: Emit, node: Node): boolean => {
  if (node.op === 'Scan') return true;
  const held = node.inputs.slice(0, 2).map((v) => (v ? emit.constantOf(v) : undefined));
  const [turns, go] = held.map((c) => c && numbersOf(c)[0]);
  const given = node.inputs.slice(0, 2).map(Boolean);
  return (turns === undefined ? !given[0] : turns > 0) && (go === undefined ? !given[1] : go === 1);
};

/** Reads and lays out in the turns' own order while running against it. */
const against = (s: { readonly back: boolean }): number => (s.back ? 0 : 1);

/** As one Scan. The carried values, the slices, the products. */
export const scanBack = (d: Back): string[] => {
  const { emit, node, body, work, carried, along, ends, given, products } = d;
  const ports = [...carried, ...along].map(({ input }) => port(input, body.emit.type(input)));
  const back = graphOfNodes(body.emit, d.name, work.nodes, ports, ends, work.moved);
  const scan = (at: Emit): string[] => {
    const made = at.calls(
      'Scan',
      [...carried, ...along].map((v) => v.from),
      ends.length,
      {
        body: back,
        num_scan_inputs: along.length,
        scan_input_axes: along.map((s) => s.axis),
        scan_input_directions: along.map(against),
        scan_output_axes: given.map((s) => s.axis),
        scan_output_directions: given.map(against),
      },
    );
    const results = carried.length + d.slices;
    const over = (v: string): string => d.over.get(v) ?? made[ends.findIndex((e, i) => i >= results && e.value === v)];
    return [...made.slice(0, results), ...products.map((p) => multiply(at, body.emit, p, over))];
  };
  return runs(emit, node)
    ? scan(emit)
    : unlessNone(emit, along[0]?.from ?? '', [...carried.map((v) => v.from), ...products.map((p) => zeroOf(emit, p.name))], scan);
};

const branch = (emit: Emit, name: string, make: (at: Emit) => readonly string[]): Graph => {
  const at = emitter({ within: emit });
  const values = make(at).map((value) => ({ value, type: at.type(value) }));
  return graphOfNodes(at, name, at.nodes, [], values);
};
/** A Loop may end before its first turn, and ONNX Runtime refuses a Scan of nothing: the cotangents then stay as they are. */
const unlessNone = (emit: Emit, stack: string, starts: readonly string[], scan: (at: Emit) => string[]): string[] =>
  emit.calls('If', [emit.Greater(countOf(emit, stack), emit.scalar(0, 'int64'))], starts.length, {
    then_branch: branch(emit, 'turns', scan),
    else_branch: branch(emit, 'no turn', () => starts),
  });
const countOf = (emit: Emit, stack: string): string => emit.Squeeze(emit.call('Shape', [stack], { start: 0, end: 1 }), emit.ints([0]));

const made = (op: string, inputs: readonly string[], output: string, axis?: number): Node => ({
  op,
  domain: '',
  name: output,
  inputs,
  outputs: [output],
  attributes: axis === undefined ? {} : { axis: { type: 'int', value: axis } },
});

/**
 * As one Loop, whose carried values may change their size from turn to turn. `turn` is the number of the turn; `before` are
 * nodes that make the states as they were at its start, where they cannot be kept.
 */
export const loopBack = (d: Back, turn: string, before: readonly Node[]): string[] => {
  const { emit, body, work, carried, along, ends } = d;
  const { emit: inner } = body;
  const count = countOf(emit, along[0]?.from ?? '');
  const last = emit.Sub(count, emit.scalar(1, 'int64'));
  const [number, go] = [inner.fresh('number'), inner.fresh('go')];
  const reads = [
    made('Sub', [last, number], turn),
    ...before,
    ...along.flatMap((s) => (work.moved.has(s.input) ? [] : [made('Gather', [s.from, turn], s.input, s.axis)])),
  ];
  const ports = [
    port(number, { kind: 'tensor', dtype: 'int64', dims: [] }),
    port(go, { kind: 'tensor', dtype: 'bool', dims: [] }),
    ...carried.map(({ input }) => port(input, inner.type(input))),
  ];
  const results = [{ value: go, type: { kind: 'tensor' as const, dtype: 'bool' as const, dims: [] } }, ...ends];
  const back = graphOfNodes(inner, d.name, [...reads, ...work.nodes], ports, results, work.moved);
  return emit.calls('Loop', [count, '', ...carried.map((v) => v.from)], ends.length, { body: back });
};
