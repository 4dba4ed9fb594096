import type { Chosen, Options, OptionValue } from '../base/option.ts';
import type { Random } from '../base/random.ts';
import type { Emit } from '../graph/emit.ts';

/** Real options reach a compiled part as scalar graph inputs, so a sweep over them never recompiles. */
export type Hyper<O extends Options> = { readonly [K in keyof O as O[K] extends { kind: 'real' } ? K : never]: string };

/** What a part is compared with by `--compare baseline`, in its own place of the recipe: null leaves the key out. Options of the same name stay as written. */
export type Baseline = null | string | Readonly<Record<string, unknown>>;

export interface Part<O extends Options = Options> {
  /** Kebab-case, the file's name and the `kind` of a recipe. */
  readonly id: string;
  /** Paper or reference implementation, and the convention followed. */
  readonly source: string;
  readonly options: O;
  /** For its page: what it is for, in a sentence or two. */
  readonly about?: string;
  /** For its page: what is computed, one formula a line. */
  readonly formula?: readonly string[];
  readonly baseline?: Baseline;
}

/** Numbers of a part that change over the run. They reach the step as scalars under their names, beside its real options. */
type Scheduled<O extends Options> = Readonly<Record<string, (moment: Omit<Moment, 'validation'>, chosen: Chosen<O>) => number>>;

/** Numbers drawn on the host for every step, from a stream of their own; `rows` is the length of the batch. */
export interface Draw {
  readonly of: 'normal' | 'uniform' | 'rademacher';
  readonly dims: readonly (number | 'rows')[];
}
/** What a part may read of a batch besides predictions and targets. */
export type Reading = 'features' | 'domains' | 'indices';
/** Sizes that shapes follow from: of a row of features, of a row of the output, and the number of classes. */
export interface Sizes {
  readonly features: number;
  readonly outputs: number;
  readonly classes: number;
}
/** What a part says of the sizes that it is to work with. */
export interface SizedPart<O extends Options> extends Part<O> {
  /** Why it cannot work with them, as a clause after its name; undefined where it can. */
  readonly refuses?: (sizes: Sizes, chosen: Chosen<O>) => string | undefined;
  /** What to know about it with these sizes, in sentences. */
  readonly remarks?: (sizes: Sizes, chosen: Chosen<O>) => readonly string[];
}
/** A part that adds something to the objective. */
interface ObjectivePart<O extends Options> extends SizedPart<O> {
  readonly reads?: readonly Reading[];
  readonly scheduled?: Scheduled<O>;
  readonly draws?: (sizes: Sizes, chosen: Chosen<O>) => Readonly<Record<string, Draw>>;
  /** Values of its own that are trained beside the model and are no part of it when saved. */
  readonly parameters?: (sizes: Sizes, chosen: Chosen<O>) => Readonly<Record<string, Fresh>>;
}
/** A new parameter; `first` draws its values one after the other, in place of the recipe's `init`. */
export interface Fresh {
  readonly dims: readonly number[];
  first?(random: Random): number;
}

export interface Update<S extends string = string> {
  /** The tensor's name, and its role (parameters.ts); '' where all are updated as one vector. */
  readonly name: string;
  readonly role: string;
  /** Axis of the output channels of a weight. */
  readonly channels: number;
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
  /** Monitors that watch it where the recipe has no `monitor`. */
  readonly monitors?: readonly (string | { readonly id: string; readonly [option: string]: OptionValue })[];
  /** What to know about it with the parameters that are trained, in sentences. */
  readonly remarks?: (parameters: readonly { readonly dims: readonly number[] }[], chosen: Chosen<O>) => readonly string[];
}
/** Updates one tensor at a time. `t` counts updates from 1 and is a scalar. */
interface StepOptimizer<O extends Options, S extends string> extends OptimizerPart<O, S> {
  /** True where every element is updated alone: all parameters are then updated as one long vector. */
  readonly elementwise: boolean;
  /** A scalar that is descended in the place of the mean loss, by the labels of classes or marks. */
  surrogate?(emit: Emit, input: Pick<LossInput, 'logits' | 'target' | 'classes'>): string;
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

/** What a host optimizer asks of the rows of its step: means over them, parameters as one vector. */
export interface Problem {
  readonly size: number;
  readonly rows: number;
  readonly theta: Float64Array;
  /** Passes through the rows made so far. */
  readonly passes: number;
  loss(theta: Float64Array): Promise<number>;
  gradient(theta: Float64Array): Promise<{ readonly loss: number; readonly gradient: Float64Array }>;
  /** Times the Hessian of the mean loss, its Gauss–Newton matrix, or (1/N) Σ gᵢgᵢᵀ. */
  product(kind: 'hessian' | 'gauss-newton' | 'fisher', theta: Float64Array, v: Float64Array): Promise<Float64Array>;
}
/** Moves the parameters from the host, with as many passes as it likes: line searches, Newton steps. One call is one step. */
interface HostOptimizer<O extends Options> extends Part<O> {
  /** What it carries from step to step, saved in checkpoints. */
  start(size: number, chosen: Chosen<O>): Readonly<Record<string, Float64Array>>;
  /** The next parameters; `lines` are shown as monitors; `done` ends the run. `lr` is the scheduled rate. */
  iterate(
    problem: Problem,
    kept: Readonly<Record<string, Float64Array>>,
    lr: number,
    chosen: Chosen<O>,
  ): Promise<{
    readonly theta: Float64Array;
    readonly kept: Readonly<Record<string, Float64Array>>;
    /** Loss and gradient norm at the parameters that it began from. */
    readonly loss: number;
    readonly gradientNorm: number;
    readonly lines?: Readonly<Record<string, number>>;
    readonly done?: boolean;
    /** Told to whoever watches. */
    readonly note?: string;
  }>;
  /** Names of the lines. */
  readonly lines?: readonly string[];
  /** Every step has to see the same rows: the batch must be "full". */
  readonly whole?: true;
}

/** What the registry holds: types erased at the door, by the casts of this file alone. `options.lr` is the scheduled rate. */
export type Optimizer = StepOptimizer<Options, string> | StepAllOptimizer<Options, string, string> | HostOptimizer<Options>;

type WithRate = Options & { readonly lr: Options[string] & { kind: 'real' } };
export const defineOptimizer = <const O extends WithRate, const S extends string = never, const Z extends string = never>(
  optimizer: StepOptimizer<O, S> | StepAllOptimizer<O, S, Z> | HostOptimizer<O>,
): Optimizer => optimizer as unknown as Optimizer;

/** What a part reads of a batch, as values of the step. */
export interface BatchView {
  /** [N, D]: what the last layer with weights reads. With `reads: ['features']` alone. */
  readonly features?: string;
  /** int64 [N], from `data.domainKey`; absent where rows are only measured. */
  readonly domains?: string;
  /** int64 [N], places of the rows in the training data, or `data.indexKey`; absent where rows are only measured. */
  readonly indices?: string;
  /** The part's draws and parameters, by the names it gave them. Draws are absent where rows are only measured. */
  readonly own: Readonly<Record<string, string>>;
  /** What the head gives besides logits, by the names it gave them. */
  readonly given: Readonly<Record<string, string>>;
}
export interface LossInput extends BatchView {
  /** [N, C], or the prediction of a regression. */
  readonly logits: string;
  /** Rows of shares [N, C] that take the place of labels, from `targets`. Only for losses that are `soft`. */
  readonly soft?: string;
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
export interface Loss<O extends Options = Options> extends ObjectivePart<O> {
  readonly target: TargetKind;
  /** With target `scores`: what a row of them holds. */
  readonly scores?: string;
  /** It accepts shares of classes in the place of labels. */
  readonly soft?: true;
  /** What the model gives is an embedding: its width is not the number of classes, which the data tell. */
  readonly embeds?: true;
  /** So many columns of a row of scores, the first, are labels of 0 and 1. */
  marks?(chosen: Chosen<O>): number;
  /** It gives a `term`. */
  readonly twofold?: true;
  /** The size of scores does not matter to it: their softmax is no probability. */
  readonly sizeless?: true;
  /** It is no negative logarithm of a probability. */
  readonly unitless?: true;
  /**
   * `term` is [N], a second loss that is added to the first in training, by the same weights; a loss scaling leaves it as it is.
   * `perExample` is [N], already multiplied by `weights` ([N]) where there are any. The loss of a batch is
   * Σ perExample / Σ weights, or the plain mean, so that sums over shards add up. `right` is [N], how right each row is, from
   * 0 to 1, where that is not whether its largest score is the label's.
   */
  build(
    emit: Emit,
    input: LossInput,
    hyper: Hyper<O>,
    chosen: Chosen<O>,
  ): { readonly perExample: string; readonly weights?: string; readonly right?: string; readonly term?: string };
}
export const defineLoss = <const O extends Options>(loss: Loss<O>): Loss => loss as unknown as Loss;

/** The last dense layer of a model: logits = features·Wᵀ + b, W [C, D]. */
export interface LastLayer {
  readonly features: string;
  readonly weight: string;
  /** '' where it has none. */
  readonly bias: string;
  /** Whether the weight is stored [D, C]. */
  readonly transposed: boolean;
}
/** One trained tensor as a step sees it. */
export interface Trained {
  readonly name: string;
  readonly dims: readonly number[];
  readonly role: string;
  /** Axis of the output channels of a weight. */
  readonly channels: number;
  readonly value: string;
}
export interface RegularizerInput extends LossInput {
  /** The rows as the model reads them. */
  readonly x: string;
  /** The loss of the batch, and of each row ([N]). */
  readonly mean: string;
  readonly perExample: string;
  readonly parameters: readonly Trained[];
  /** Undefined where the model does not end in a dense layer. */
  readonly layer: LastLayer | undefined;
}
/** A term that puts something in the place of the loss: what both are together, part by part. */
export interface Parted {
  readonly term: string;
  readonly parts: Readonly<Record<string, string>>;
}
/** A term added to the loss of a batch. Derivatives of values (autodiff/reverse.ts) may be part of it. */
export interface Regularizer<O extends Options = Options> extends ObjectivePart<O> {
  /** It reads scores of classes and labels: only with a loss of classes or marks. */
  readonly labels?: true;
  term(emit: Emit, input: RegularizerInput, hyper: Readonly<Record<string, string>>, chosen: Chosen<O>): string | Parted;
}
export const defineRegularizer = <const O extends Options>(regularizer: Regularizer<O>): Regularizer =>
  regularizer as unknown as Regularizer;

/** A step after its update, for numbers to watch. */
export interface StepView extends RegularizerInput {
  /** By parameter, in the order of `parameters`: the gradient before clipping, and the value after the update. */
  readonly gradients: readonly string[];
  readonly after: readonly string[];
  /** The same, all parameters as one vector. */
  readonly flat: {
    readonly before: string;
    readonly gradient: string;
    readonly after: string;
    /** The gradient as the optimizer has it: mean of several batches, clipped. */
    readonly used: string;
  };
  /** What the optimizer chose, its real options as values, and the vectors that it carries. */
  readonly optimizer: {
    readonly chosen: Chosen<Options>;
    readonly hyper: Readonly<Record<string, string>>;
    readonly before: Readonly<Record<string, string>>;
    readonly after: Readonly<Record<string, string>>;
  };
  /** A vector laid out as those of `flat`, by parameter. */
  split(vector: string): readonly string[];
  /** ‖gᵢ‖² and ⟨gᵢ, ḡ⟩ of each row's own gradient, [N], and ‖ḡ‖², ḡ the gradient of the mean loss. Throws where rows mix or a layer has no rule for it. */
  examples(): { readonly squares: string; readonly along: string; readonly squaredNorm: string };
  /**
   * Where an update gathers micro-batches: the mean ‖gᵢ‖² of rows or micro-batches, ‖ḡ‖², the factor from their difference to a
   * variance, and all rows; the means of (⟨gᵢ, ḡ⟩ − ‖ḡ‖²)² and of the square across ḡ, where `known`.
   */
  readonly gathered?: Readonly<Record<'meanSquare' | 'squaredNorm' | 'spread' | 'rows', string>> & {
    readonly parts?: Readonly<Record<'along' | 'across' | 'known', string>>;
  };
}
/** Numbers of every step, shown while it trains. */
export interface Monitor<O extends Options = Options> extends Part<O> {
  readonly title: string;
  readonly unit: 'none' | 'fraction' | 'count';
  readonly scale?: 'log';
  readonly reads?: readonly Reading[];
  /** Optimizers that it reads, where it does not fit every one. */
  readonly of?: readonly string[];
  /** Scalars by the names of their lines. */
  build(emit: Emit, view: StepView, chosen: Chosen<O>): Readonly<Record<string, string>>;
  /** What the lines of a run say, in words: they stand under its curve. */
  says?(lines: Readonly<Record<string, readonly number[]>>): string | undefined;
}
export const defineMonitor = <const O extends Options>(monitor: Monitor<O>): Monitor => monitor as unknown as Monitor;

/** Brings the loss to the size of the other terms (regularizers, a term of the head), or leaves it. */
export interface LossScaling<O extends Options = Options> extends Part<O> {
  /** Absent for a loss that stays as it is. */
  readonly guide?: {
    /** Numbers carried from step to step with their first values. */
    readonly scalars: Readonly<Record<string, number>>;
    /** The factor counts as constant: no gradient flows through it. */
    scale(
      emit: Emit,
      terms: { readonly loss: string; readonly other: string },
      scalars: Readonly<Record<string, string>>,
      chosen: Chosen<O>,
    ): { readonly factor: string; readonly scalars: Readonly<Record<string, string>> };
    /** What the factor and the sum of the other terms in all steps say, in sentences. */
    remarks?(steps: { readonly factor: readonly number[]; readonly other: readonly number[] }): readonly string[];
  };
}
export const defineLossScaling = <const O extends Options>(scaling: LossScaling<O>): LossScaling => scaling as unknown as LossScaling;

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
