import { type Emit, emitter } from '../graph/emit.ts';
import type { Dim, Graph, TensorType } from '../graph/types.ts';
import { zerosLike } from './shapes.ts';

/** The cotangent of a sequence is a sequence of as many tensors. Where emit knows a value as a sequence, it is treated so. */
const scalar = (dtype: TensorType['dtype']): TensorType => ({ kind: 'tensor', dtype, dims: [] as readonly Dim[] });

/** `start` with element k replaced by `element(k)`, for every k. */
const mapped = (emit: Emit, start: string, element: (at: Emit, k: string) => string): string => {
  const [k, go, list] = [emit.fresh('k'), emit.fresh('go'), emit.fresh('list')];
  const types = new Map([
    [k, scalar('int64')],
    [go, scalar('bool')],
  ]);
  const at = emitter({ within: emit, types, sequences: [list] });
  const on = at.Identity(go);
  const next = at.call('SequenceInsert', [at.call('SequenceErase', [list, k]), element(at, k), k]);
  const body: Graph = {
    name: emit.fresh('elements'),
    inputs: [{ name: k, type: scalar('int64') }, { name: go, type: scalar('bool') }, { name: list }],
    outputs: [{ name: on, type: scalar('bool') }, { name: next }],
    nodes: at.nodes,
    initializers: new Map(),
    values: new Map(),
  };
  return emit.calls('Loop', [emit.call('SequenceLength', [start]), '', start], 1, { body })[0];
};

/** Zeros in the shape and of the type of a tensor of which nothing is known: an element. */
export const blank = (emit: Emit, one: string): string => emit.call('CastLike', [emit.call('ConstantOfShape', [emit.Shape(one)]), one]);

/** Zeros in the shapes of a value: a tensor, or a sequence of them. */
export const zeroOf = (emit: Emit, value: string): string =>
  emit.isSequence(value) ? mapped(emit, value, (at, k) => blank(at, at.call('SequenceAt', [value, k]))) : zerosLike(emit, value);

/** a + b, cotangents of `value`. */
export const plus = (emit: Emit, value: string, a: string, b: string): string =>
  emit.isSequence(value)
    ? mapped(emit, a, (at, k) => at.Add(at.call('SequenceAt', [a, k]), at.call('SequenceAt', [b, k])))
    : emit.Add(a, b);
