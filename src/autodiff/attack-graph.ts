import { restrict } from '../graph/passes/prune.ts';
import type { Dim, Model, TensorType, ValueInfo } from '../graph/types.ts';
import { freeInputs } from '../graph/walk.ts';
import { type Attack, emitAttack } from './attack.ts';
import { finished, type Known, recording } from './differentiate.ts';
import { crossEntropy } from './loss.ts';
import { dtypeOf } from './shapes.ts';

export interface AttackOptions extends Attack {
  /** Float graph input. */
  readonly input: string;
  /** Class scores, logits or behind a final Softmax, LogSoftmax or Sigmoid. */
  readonly output: string;
}

/** Adversarial inputs of a model, row by row: its parameters stay as they are. */
export interface AttackGraph {
  readonly model: Model;
  readonly inputs: {
    /** [N, …row] */
    readonly x: string;
    /** int64 [N]: the class whose cross-entropy is climbed (with a negative step: descended). */
    readonly label: string;
    /** Scalars; `low` and `high` with `clip`. A radius or step may also be an array that broadcasts to a row. */
    readonly epsilon: string;
    readonly step: string;
    readonly low?: string;
    readonly high?: string;
    /** With `randomStart`: points of the unit ball, [N, …row]. */
    readonly start?: string;
  };
  /** [N, …row] */
  readonly adversarial: string;
}

export const attackGraph = (model: Model, known: Known, { input, output, ...attack }: AttackOptions): AttackGraph => {
  const { graph } = model;
  const emit = recording(graph, known);
  const type = emit.type(input) ?? { kind: 'tensor', dtype: 'float32' };
  const own: ValueInfo[] = [];
  const added = (stem: string, dtype: TensorType['dtype'], dims?: readonly Dim[]): string => {
    const info = { name: emit.fresh(stem), type: { kind: 'tensor', dtype, ...(dims ? { dims } : {}) } } as const;
    own.push(info);
    return emit.typed(info.name, info.type);
  };
  const dtype = dtypeOf(emit, input);
  const label = added('label', 'int64', ['N']);
  const values = {
    epsilon: added('epsilon', dtype),
    step: added('step', dtype),
    ...(attack.clip ? { low: added('low', dtype, []), high: added('high', dtype, []) } : {}),
    ...(attack.randomStart ? { start: added('start', dtype, type.dims) } : {}),
  };
  const forward = restrict(graph, [{ name: output }]);
  const found = emitAttack(emit, forward, input, input, attack, values, (inner, copy) => {
    for (const node of copy.graph.nodes) inner.node(node);
    return inner.ReduceSum(crossEntropy(inner, copy.to(output), label).perExample, { keepdims: 0 });
  });
  const adversarial = emit.rename(found, emit.fresh('adversarial'));
  const others = freeInputs(graph).filter((i) => i.name !== input);
  const made = finished(model, emit, [{ name: input, type }, ...others, ...own], [{ name: adversarial, type }]);
  return { model: made, inputs: { x: input, label, ...values }, adversarial };
};
