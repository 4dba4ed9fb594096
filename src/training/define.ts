import type { Chosen, Options } from '../base/option.ts';
import type { Emit } from '../graph/emit.ts';
import type { Attributes, Constant } from '../graph/types.ts';

/** Real options reach a compiled part as scalar graph inputs, so a sweep over them never recompiles. */
export type Hyper<O extends Options> = { readonly [K in keyof O as O[K] extends { kind: 'real' } ? K : never]: string };

interface Part<O extends Options> {
  /** Kebab-case, the file's name and the `kind` of a recipe. */
  readonly id: string;
  /** Paper or reference implementation, and the convention followed. */
  readonly source: string;
  readonly options: O;
}

export interface Update<S extends string = string> {
  readonly param: string;
  readonly grad: string;
  readonly slots: Readonly<Record<S, string>>;
}
export interface Updated<S extends string = string> {
  readonly param: string;
  readonly slots: Readonly<Record<S, string>>;
}

interface OptimizerPart<O extends Options, S extends string> extends Part<O> {
  /** State carried between steps, shaped as the parameters, zero at first. A choice may leave some out. */
  readonly slots: readonly S[] | ((chosen: Chosen<O>) => readonly S[]);
}
/** Updates one tensor at a time. `t` counts updates from 1 and is a scalar. */
interface StepOptimizer<O extends Options, S extends string> extends OptimizerPart<O, S> {
  /** True where every element is updated alone: all parameters are then updated as one long vector. */
  readonly elementwise: boolean;
  step(emit: Emit, update: Update<S>, hyper: Hyper<O>, chosen: Chosen<O>, t: string): Updated<S>;
}
/** Sees all parameters at once, and may carry scalars of its own with their first values. */
interface StepAllOptimizer<O extends Options, S extends string, Z extends string> extends OptimizerPart<O, S> {
  readonly scalars: Readonly<Record<Z, (chosen: Chosen<O>) => number>>;
  stepAll(
    emit: Emit,
    updates: readonly Update<S>[],
    scalars: Readonly<Record<Z, string>>,
    hyper: Hyper<O>,
    chosen: Chosen<O>,
    t: string,
  ): { readonly updated: readonly Updated<S>[]; readonly scalars: Readonly<Record<Z, string>> };
}

/** What the registry holds: types erased at the door, by the casts of this file alone. `options.lr` is the scheduled rate. */
export type Optimizer = StepOptimizer<Options, string> | StepAllOptimizer<Options, string, string>;

type WithRate = Options & { readonly lr: Options[string] & { kind: 'real' } };
export const defineOptimizer = <const O extends WithRate, const S extends string = never, const Z extends string = never>(
  optimizer: StepOptimizer<O, S> | StepAllOptimizer<O, S, Z>,
): Optimizer => optimizer as unknown as Optimizer;

export interface LossInput {
  /** [N, C], or the prediction of a regression. */
  readonly logits: string;
  /** `class`: int64 [N]; all others: floats shaped as the prediction. */
  readonly target: string;
  /** Number of classes; 0 for all targets but those of kind `class`. */
  readonly classes: number;
}
/**
 * What a row is trained towards: a class number, one value, one or several labels of 0 and 1, or a row of scores of another
 * model, stored in the data.
 */
export type TargetKind = 'class' | 'value' | 'marks' | 'scores';
export interface Loss<O extends Options = Options> extends Part<O> {
  readonly target: TargetKind;
  /**
   * `perExample` is [N], already multiplied by `weights` ([N]) where there are any. The loss of a batch is
   * Σ perExample / Σ weights, or the plain mean, so that sums over shards add up. `right` is [N], how right each row is, from
   * 0 to 1, where that is not whether its largest score is the label's.
   */
  build(
    emit: Emit,
    input: LossInput,
    hyper: Hyper<O>,
    chosen: Chosen<O>,
  ): { readonly perExample: string; readonly weights?: string; readonly right?: string };
}
export const defineLoss = <const O extends Options>(loss: Loss<O>): Loss => loss as unknown as Loss;

/** `t` counts from 0 in the chosen unit; `total` is the length of the run in that unit. */
export interface Moment {
  readonly t: number;
  readonly total: number;
  readonly lr: number;
  /** Validation losses so far, in order. */
  readonly validation: readonly number[];
}
export interface Schedule<O extends Options = Options> extends Part<O> {
  /** The unit in which `t` counts unless the recipe says otherwise. */
  readonly unit: ScheduleUnit;
  /** The rate follows from the validation losses, so rows must be held out. */
  readonly watches?: true;
  rate(moment: Moment, chosen: Chosen<O>): number;
}
export type ScheduleUnit = 'step' | 'epoch' | 'sample';
export const defineSchedule = <const O extends Options>(schedule: Schedule<O>): Schedule => schedule as unknown as Schedule;

/** What an architecture records its layers with: nodes and values carry the layer's name. */
export interface Net {
  /** Declares a float parameter, filled later by the recipe's `init`. */
  parameter(name: string, dims: readonly number[]): string;
  /** Declares a value that is stored but not trained (a shape, running statistics). */
  buffer(name: string, constant: Constant): string;
  /** Records a node whose output has the rows `row` ([N, ...row]). */
  layer(op: string, name: string, inputs: readonly string[], attributes: Attributes, row: readonly number[]): string;
}
export interface Architecture<O extends Options = Options> extends Part<O> {
  /** Records the layers from `x` ([N, ...row]) and returns the logits ([N, classes]). */
  build(net: Net, x: string, row: readonly number[], classes: number, chosen: Chosen<O>): string;
}
export const defineArchitecture = <const O extends Options>(architecture: Architecture<O>): Architecture =>
  architecture as unknown as Architecture;
