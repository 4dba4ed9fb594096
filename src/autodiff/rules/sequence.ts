import { Fault } from '../../base/fault.ts';
import { graphOf, intOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import { type Emit, emitter } from '../../graph/emit.ts';
import type { Node, TensorType } from '../../graph/types.ts';
import { called } from '../../graph/walk.ts';
import type { Back, Rule, Rules, Site } from '../rule.ts';
import { blank, zeroOf } from '../sequences.ts';
import { dtypeCode } from '../shapes.ts';
import { graphOfNodes, open } from './control-body.ts';

/** Operators on sequences. The cotangent of a sequence is a sequence. */
const number: TensorType = { kind: 'tensor', dtype: 'int64', dims: [] };
const flag: TensorType = { kind: 'tensor', dtype: 'bool', dims: [] };
const at = (emit: Emit, list: string, position: string): string => emit.call('SequenceAt', [list, position]);
/** A position counted from the front; negative ones count from the end of a sequence as long as `list`. */
const absolute = (emit: Emit, position: string, list: string): string => {
  const zero = emit.scalar(0, 'int64');
  const p = emit.Cast(position, { to: 7 });
  return emit.Where(emit.Less(p, zero), emit.Add(p, emit.call('SequenceLength', [list])), p);
};

/** Sizes of the tensors of a sequence along an axis, [n]. */
const sizes = (emit: Emit, list: string, axis: number): string => {
  const [k, go] = [emit.fresh('k'), emit.fresh('go')];
  const inner = emitter({
    within: emit,
    types: new Map([
      [k, number],
      [go, flag],
    ]),
  });
  const on = inner.Identity(go);
  const shape = inner.Shape(at(inner, list, k));
  const size = inner.Gather(shape, inner.scalar(axis, 'int64'), { axis: 0 });
  const body = {
    name: emit.fresh('sizes'),
    inputs: [
      { name: k, type: number },
      { name: go, type: flag },
    ],
    outputs: [
      { name: on, type: flag },
      { name: size, type: number },
    ],
    nodes: inner.nodes,
    initializers: new Map(),
    values: new Map(),
  };
  return emit.calls('Loop', [emit.call('SequenceLength', [list]), emit.constant(constantOf('bool', [], [1]))], 1, { body })[0];
};

/** Elements that were put into a sequence come back from their places. */
const insertedList: Back = (emit, g, { x: [list, , position] }) =>
  emit.call('SequenceErase', position ? [g, absolute(emit, position, list)] : [g]);
const inserted: Back = (emit, g, { x: [list, , position] }) =>
  at(emit, g, position ? absolute(emit, position, list) : emit.scalar(-1, 'int64'));

/** The element taken out had no part in what followed. */
const erased: Back = (emit, g, { x: [list, position] }) => {
  const place = position ? absolute(emit, position, list) : '';
  const gone = at(emit, list, place || emit.scalar(-1, 'int64'));
  return emit.call('SequenceInsert', [g, blank(emit, gone), place]);
};

/** Of the elements only one was read. */
const read: Back = (emit, g, { x: [list, position] }) => {
  const place = absolute(emit, position, list);
  return emit.call('SequenceInsert', [emit.call('SequenceErase', [zeroOf(emit, list), place]), g, place]);
};

const joined: Back = (emit, g, { x: [list], node }) => {
  const axis = intOf(node, 'axis', 0);
  if (intOf(node, 'new_axis', 0) === 1) return emit.call('SplitToSequence', [g], { axis, keepdims: 0 });
  return emit.call('SplitToSequence', [g, sizes(emit, list, axis)], { axis });
};
const split: Back = (emit, g, { x: [, parts], node }) =>
  emit.call('ConcatFromSequence', [g], { axis: intOf(node, 'axis', 0), new_axis: parts || intOf(node, 'keepdims', 1) === 1 ? 0 : 1 });

/** The body on every element, written as a Loop. Inputs that are tensors are the same in every turn. */
const mapped = (emit: Emit, { node, x }: Site): readonly string[] => {
  const graph = graphOf(node, 'body');
  if (!graph) throw new Fault('graph/unsupported', { node: called(node), reason: 'it has no body' });
  const body = open(emit, node, graph);
  const inner = body.emit;
  const [k, go] = [inner.fresh('k'), inner.fresh('go')];
  const lists = graph.outputs.map(() => inner.fresh('list'));
  const inputs = x.map((value, i): Node => {
    const list = emit.isSequence(value);
    const name = body.inputs[i];
    return { op: list ? 'SequenceAt' : 'Identity', domain: '', name, inputs: list ? [value, k] : [value], outputs: [name], attributes: {} };
  });
  const longer = body.outputs.map((y, i) => inner.call('SequenceInsert', [lists[i], y]));
  const ends = [{ value: go, type: flag }, ...longer.map((value) => ({ value, type: undefined }))];
  const ports = [{ name: k, type: number }, { name: go, type: flag }, ...lists.map((name) => ({ name }))];
  const loop = graphOfNodes(inner, emit.fresh('elements'), [...inputs, ...inner.nodes], ports, ends);
  const empty = graph.outputs.map(({ type }) =>
    emit.call('SequenceEmpty', [], { dtype: dtypeCode(type?.kind === 'tensor' ? type.dtype : 'float32') }),
  );
  return emit.calls('Loop', [emit.call('SequenceLength', [x[0]]), '', ...empty], lists.length, { body: loop });
};

/** The content of an optional value is differentiated as if it stood there itself. */
const content: Rule = { back: [(_, g) => g] };

export const sequence: Rules = {
  SequenceConstruct: { back: (i) => (emit, g) => at(emit, g, emit.scalar(i, 'int64')) },
  SequenceInsert: { back: [insertedList, inserted, null] },
  SequenceErase: { back: [erased, null] },
  SequenceAt: { back: [read, null] },
  ConcatFromSequence: { back: [joined] },
  SplitToSequence: { back: [split, null] },
  SequenceMap: { as: mapped },
  Optional: content,
  OptionalGetElement: content,
};
