import { type Attack, emitAttack } from '../autodiff/attack.ts';
import { type Random, random } from '../base/random.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import type { Emit } from '../graph/emit.ts';
import { plainNode } from '../graph/node.ts';
import { restrict } from '../graph/passes/prune.ts';
import type { Graph, Node, TensorType } from '../graph/types.ts';
import { emitForward } from './forward.ts';
import type { Precision } from './layout.ts';
import { emitObjective } from './objective.ts';
import { type Plan, scalar, tensorType } from './plan.ts';

/** Training on the worst inputs that an attack finds near each row, in place of the rows (Madry et al. 2018). */
export interface Adversarial extends Pick<Attack, 'norm' | 'steps' | 'randomStart'> {
  /** Radius of the ball, and length of one step, in units of the model's input. */
  readonly epsilon: number;
  readonly step: number;
  /** Least and greatest value of an input. */
  readonly range?: readonly [number, number];
}

/** Graph inputs of the attack: numbers that may change between calls, and the points of the unit ball that it starts from. */
export interface AdversarialInputs {
  readonly names: Readonly<Record<'epsilon' | 'step' | 'low' | 'high', string>>;
  readonly values: Readonly<Record<string, Tensor>>;
}

export const adversarialInputs = (emit: Emit, { epsilon, step, range = [0, 0] }: Adversarial, precision: Precision): AdversarialInputs => {
  const numbers = { epsilon, step, low: range[0], high: range[1] };
  const values: Record<string, Tensor> = {};
  const named = (key: keyof typeof numbers): string => {
    const name = emit.typed(emit.fresh(`adversarial/${key}`), tensorType(precision, []));
    values[name] = scalar(precision, numbers[key]);
    return name;
  };
  return { names: { epsilon: named('epsilon'), step: named('step'), low: named('low'), high: named('high') }, values };
};

/** Where a batch starts: rows of `start` are points of the unit ball. */
export const startType = (row: TensorType): TensorType => ({ ...row, dims: ['K', 'B', ...(row.dims?.slice(1) ?? [])] });

/**
 * Records `plan.input` as the adversarial rows near `clean`. The attack climbs the loss that is trained, through normalisations as
 * they are in the step, and moves neither parameters nor statistics.
 */
export const emitAdversarial = (
  emit: Emit,
  { input, output, loss, classes, adversarial }: Pick<Plan, 'input' | 'output' | 'loss' | 'classes' | 'adversarial'>,
  graph: Graph,
  batch: { readonly clean: string; readonly labels: string; readonly start: string },
  norms: ReadonlySet<Node>,
  stored: ReadonlyMap<string, string>,
  hyper: Readonly<Record<string, string>>,
  names: AdversarialInputs['names'],
): void => {
  if (!adversarial) return;
  const { norm, steps, randomStart, range } = adversarial;
  const forward = restrict(graph, [{ name: output }]);
  const attack: Attack = { norm, steps, randomStart, clip: range !== undefined };
  const values = { ...names, ...(randomStart ? { start: batch.start } : {}) };
  const found = emitAttack(emit, forward, input, batch.clean, attack, values, (inner, copy) => {
    const own = new Set(copy.graph.nodes.filter((_, i) => norms.has(forward.nodes[i])));
    emitForward(inner, copy.graph, [copy.to(output)], own, stored);
    return emitObjective(inner, loss, hyper, copy.to(output), batch.labels, classes).total;
  });
  emit.node(plainNode('Identity', [found], input));
};

/** The start points of `count` steps from number `first` on, each drawn from a stream of its own: a resumed run draws the same. */
export const startsOf = (
  { norm }: Adversarial,
  precision: Precision,
  seed: number,
  [first, count]: readonly [number, number],
  batch: number,
  row: readonly number[],
): Tensor => {
  const size = batch * sizeOf(row);
  const data = precision === 'float32' ? new Float32Array(count * size) : new Float64Array(count * size);
  for (let i = 0; i < count; i++) data.set(unitBall(norm, batch, row, random(seed, `attack/${first + i}`)), i * size);
  return { dtype: precision, dims: [count, batch, ...row], data };
};

/** Points drawn evenly in the unit ball of the norm, one for each of `rows`. */
export const unitBall = (norm: Attack['norm'], rows: number, dims: readonly number[], chance: Random): Float32Array => {
  const d = sizeOf(dims);
  const out = new Float32Array(rows * d);
  if (norm === 'linf') return out.map(() => 2 * chance.next() - 1);
  for (let i = 0; i < rows; i++) {
    const row = out.subarray(i * d, (i + 1) * d);
    let squares = 0;
    for (let k = 0; k < d; k++) {
      row[k] = chance.normal();
      squares += row[k] * row[k];
    }
    const scale = chance.next() ** (1 / d) / Math.sqrt(Math.max(squares, Number.MIN_VALUE));
    for (let k = 0; k < d; k++) row[k] *= scale;
  }
  return out;
};
