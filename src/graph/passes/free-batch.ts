import { sizeOf } from '../../base/tensor.ts';
import { intOf } from '../attribute.ts';
import { constantOf, numbersOf } from '../constant.ts';
import type { Attribute, Constant, Model, Node, TensorType, ValueInfo, ValueType } from '../types.ts';
import { freshNames, namesWithin, producers, withoutDims } from '../walk.ts';

/** What freeing the batch axis needs to know of the model at its fixed size. */
interface FixedBatch {
  readonly types: ReadonlyMap<string, TensorType>;
  readonly batchSize: number;
  readonly batchAxes: ReadonlyMap<string, number>;
}

const withDims = (type: ValueType | undefined, f: (axis: number, dim: number | string | undefined) => number | string | undefined) =>
  type?.kind === 'tensor' && type.dims ? { ...type, dims: type.dims.map((d, axis) => f(axis, d)) } : type;
const retyped = (info: ValueInfo, type: ValueType | undefined): ValueInfo => (type ? { ...info, type } : info);

/**
 * A model exported at one batch size, rewritten to take any: the inputs' batch axes become `N`; constant targets of Reshape,
 * Expand and Resize whose first entry was the batch follow it; a constant of one row that is concatenated with fed values
 * is repeated; zero initial states of recurrent layers are left out. No law of its own: the caller compares its outputs
 * with those of the fixed model on rows, and drops it where they differ.
 */
export const freeBatch = (model: Model, { types, batchSize, batchAxes }: FixedBatch): Model => {
  const { graph } = model;
  /** Values with the rows that are fed. */
  const follows = new Set(graph.inputs.map((i) => i.name));
  const initializers = new Map(graph.initializers);
  const made = producers(graph);
  const fresh = freshNames(namesWithin(graph));
  const constant = (c: Constant): string => {
    const name = fresh('const/batch');
    initializers.set(name, c);
    return name;
  };
  const ints = (values: readonly number[]): string => constant(constantOf('int64', [values.length], values));
  const nodes: Node[] = [];
  const call = (op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string => {
    const name = fresh(`batch/${op}`);
    nodes.push({ op, domain: '', name, inputs, outputs: [name], attributes });
    return name;
  };
  const whole = (value: number): Attribute => ({ type: 'int', value });
  const [[carrier, carrierAxis]] = batchAxes;
  /** [N], the rows fed. */
  const rows = (): string => call('Shape', [carrier], { start: whole(carrierAxis), end: whole(carrierAxis + 1) });
  const followedBy = (first: string, rest: readonly number[]): string =>
    rest.length > 0 ? call('Concat', [first, ints(rest)], { axis: whole(0) }) : first;
  const known = (name: string | undefined): readonly number[] | undefined => {
    const c = name ? initializers.get(name) : undefined;
    return c?.bytes ? numbersOf(c) : undefined;
  };
  const dimsOf = (name: string): readonly (number | string | undefined)[] => types.get(name)?.dims ?? [];
  const input = (node: Node, index: number, value: string): Node => ({
    ...node,
    inputs: node.inputs.map((old, i) => (i === index ? value : old)),
  });

  const freed = (node: Node): Node => {
    const [x] = node.inputs;
    const target = known(node.inputs[1]);
    if (node.op === 'Reshape' && target && follows.has(x)) {
      const dims = dimsOf(node.outputs[0]).map(Number);
      // Another axis is free: the target says what is what, if anything does.
      if (dims.some(Number.isNaN)) return target[0] === batchSize ? input(node, 1, followedBy(rows(), target.slice(1))) : node;
      return dims.length > 0 && dims[0] % batchSize === 0 && !dims.includes(0) ? input(node, 1, ints([-1, ...dims.slice(1)])) : node;
    }
    if (node.op === 'Expand' && target && target[0] === batchSize && target.length > 1) {
      follows.add(node.outputs[0]);
      return input(node, 1, followedBy(rows(), target.slice(1)));
    }
    const sizes = node.op === 'Resize' ? known(node.inputs[3]) : undefined;
    if (sizes && sizes[0] === batchSize && !node.attributes.axes) return input(node, 3, followedBy(rows(), sizes.slice(1)));
    if (node.op === 'Concat' && intOf(node, 'axis', 0) !== 0 && node.inputs.some((i) => follows.has(i))) {
      const inputs = node.inputs.map((i) => {
        const dims = dimsOf(i);
        if (follows.has(i) || dims[0] !== batchSize) return i;
        const repeats = batchSize === 1 ? rows() : call('Div', [rows(), ints([batchSize])]);
        return call('Tile', [
          i,
          followedBy(
            repeats,
            dims.slice(1).map(() => 1),
          ),
        ]);
      });
      return { ...node, inputs };
    }
    if (node.op === 'LSTM' || node.op === 'GRU' || node.op === 'RNN') {
      const zero = (name: string): boolean => {
        const c = initializers.get(name);
        const by = made.get(name);
        if (by?.op === 'Expand' || by?.op === 'Tile') return zero(by.inputs[0]);
        return c?.bytes !== undefined && sizeOf(c.dims) > 0 && c.bytes.every((b) => b === 0);
      };
      return { ...node, inputs: node.inputs.map((name, i) => ((i === 5 || i === 6) && zero(name) ? '' : name)) };
    }
    return node;
  };
  for (const node of graph.nodes) {
    const out = freed(node);
    nodes.push(out);
    if (out.inputs.some((i) => follows.has(i))) for (const o of out.outputs) follows.add(o);
  }
  const inputs = graph.inputs.map((i) => {
    const axis = batchAxes.get(i.name);
    return axis === undefined
      ? i
      : retyped(
          i,
          withDims(i.type, (a, d) => (a === axis ? 'N' : d)),
        );
  });
  const outputs = graph.outputs.map((o) => {
    if (o.type?.kind !== 'tensor') return o;
    return retyped(
      o,
      withDims(o.type, () => undefined),
    );
  });
  return { ...model, graph: { ...graph, inputs, outputs, nodes, initializers, values: withoutDims(graph.values) } };
};
