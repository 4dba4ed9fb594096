import type { Chosen, Options } from '../base/option.ts';
import type { Random } from '../base/random.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Constant, Graph, Model } from '../graph/types.ts';
import type { State } from './compile.ts';
import type { Part } from './define.ts';
import type { Micro, Plan } from './plan.ts';

/** Parts that the host runs between calls of the compiled steps. What they keep is arrays by name, saved in checkpoints. */
export type Kept = Record<string, Float64Array>;

/**
 * Numbers of every row of a step, for the host: its loss, shares of classes ([C] numbers), and ‖softmax(z) − onehot(y)‖, the length of
 * the gradient at the logits (‖σ(z) − y‖ of marks, |residual| of values).
 */
export type RowOutput = 'loss' | 'probs' | 'score';
export type Told = Readonly<Partial<Record<RowOutput, ArrayLike<number>>>>;

/** The training rows as the host knows them: places from 0 to `count`. */
export interface RowFacts {
  readonly count: number;
  readonly classes: number;
  /** By place; class numbers where `classes` is not 0. */
  readonly labels: ArrayLike<number>;
  /** By place, from `data.domainKey`; absent without it. */
  readonly domains?: ArrayLike<number>;
}
/** Epoch from 0. */
export interface EpochMoment {
  readonly epoch: number;
  readonly epochs: number;
  readonly batch: number;
}

/** Chooses the rows of every epoch. */
export interface Sampler<O extends Options = Options> extends Part<O> {
  /** Rows weigh by `weights` in the loss. */
  readonly weighs?: (chosen: Chosen<O>) => boolean;
  readonly needs?: readonly ('classes' | 'domains')[];
  readonly reads?: readonly RowOutput[];
  start?(rows: RowFacts, chosen: Chosen<O>): Kept;
  /** Places of rows in the order they are trained on, any number of them, repeated or left out; and their weights, alike. */
  epoch(
    rows: RowFacts,
    moment: EpochMoment,
    kept: Readonly<Kept>,
    random: Random,
    chosen: Chosen<O>,
  ): { readonly places: ArrayLike<number>; readonly weights?: ArrayLike<number> };
  /** After each call: what its steps gave of the rows at `places`, one after the other. Changes `kept`. */
  tell?(kept: Kept, places: ArrayLike<number>, told: Told, rows: RowFacts, chosen: Chosen<O>, moment: EpochMoment): void;
  /** Probability of every row in an epoch: rows drawn most and least are listed. */
  chances?(kept: Readonly<Kept>, moment: EpochMoment, chosen: Chosen<O>): Float64Array;
}
export const defineSampler = <const O extends Options>(sampler: Sampler<O>): Sampler => sampler as unknown as Sampler;

/** What rows are trained towards. */
export interface Targets<O extends Options = Options> extends Part<O> {
  /** Shares of classes in the place of labels, from a table with a row for each row; absent for the labels themselves. */
  readonly table?: {
    readonly reads?: readonly RowOutput[];
    /** A model whose logits on the training rows the table begins from. */
    teacher?(chosen: Chosen<O>): string;
    /** `logits` are the teacher's, [count · classes]. */
    start(rows: RowFacts, logits: Float64Array | undefined, chosen: Chosen<O>): Kept;
    /** Shares that the rows at `places` are trained towards, [places · classes]. */
    shares(kept: Readonly<Kept>, places: ArrayLike<number>, rows: RowFacts, moment: EpochMoment, chosen: Chosen<O>): Float64Array;
    /** Divides the logits in the loss of training steps. */
    temperature?(chosen: Chosen<O>): number;
    /** After each call: what its steps gave of the rows at `places`. Changes `kept`. */
    tell?(kept: Kept, places: ArrayLike<number>, told: Told, rows: RowFacts, chosen: Chosen<O>, moment: EpochMoment): void;
    /** Numbers that follow from the epoch, shown as curves. */
    lines?(moment: EpochMoment, chosen: Chosen<O>): Readonly<Record<string, number>>;
    /** Shares that the model itself gave the classes of each row, [count · classes]: rows whose label it doubts are listed. */
    said?(kept: Readonly<Kept>): Float64Array;
  };
}
export const defineTargets = <const O extends Options>(targets: Targets<O>): Targets => targets as unknown as Targets;

/** How the batch changes over the run. */
export interface BatchSchedule<O extends Options = Options> extends Part<O> {
  /** Decides from what monitors gave of the steps before; absent for a batch that stays. */
  readonly decide?: {
    /** Ids of monitors that it reads: they are computed whether the recipe names them or not. */
    monitors?(chosen: Chosen<O>): readonly string[];
    /** Rows of a micro-batch at most, where a step gathers the gradients of several, and what is told of them. */
    micro?(chosen: Chosen<O>): (Micro & { readonly rows: number }) | undefined;
    /** Rows that the batch never goes beyond: with so many nothing is left to decide. */
    most?(rows: number, chosen: Chosen<O>): number;
    /** Steps between decisions. */
    every(chosen: Chosen<O>): number;
    /** The batch to begin with, where not that of the recipe. */
    first?(size: number, rows: number, chosen: Chosen<O>): number;
    /** `monitors` are the numbers of the last step by `monitor` or `monitor/line`. */
    next(
      now: { readonly size: number; readonly rows: number; readonly monitors: Readonly<Record<string, number>> },
      chosen: Chosen<O>,
    ): number | { readonly size: number; readonly note: string };
  };
}
export const defineBatchSchedule = <const O extends Options>(schedule: BatchSchedule<O>): BatchSchedule =>
  schedule as unknown as BatchSchedule;

/** The classes or labels of the training rows: `counts` are rows of each. */
export interface BiasFacts {
  readonly counts: ArrayLike<number>;
  readonly rows: number;
  readonly loss: string;
  readonly marks: boolean;
}
/** First values of the last layer's biases, from the classes of the training rows; undefined keeps them. */
export interface BiasInit<O extends Options = Options> extends Part<O> {
  /** Why they cannot be had of these rows, as a clause after its name. */
  refuses?(facts: BiasFacts, chosen: Chosen<O>): string | undefined;
  /** What to know of them with these rows, in sentences. */
  remarks?(facts: BiasFacts, chosen: Chosen<O>): readonly string[];
  values(facts: BiasFacts, chosen: Chosen<O>): ArrayLike<number> | undefined;
  /** Standard deviation of normal draws in the place of the last layer's weights; 0 keeps them. */
  deviation?(chosen: Chosen<O>): number;
}
export const defineBiasInit = <const O extends Options>(init: BiasInit<O>): BiasInit => init as unknown as BiasInit;

/** A graph of the regime's own, opened. */
export interface OpenGraph {
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
}
export interface Measured {
  readonly loss: number;
  readonly accuracy?: number;
}
/** One compiled run of a regime: rows of the recipe's data, its batch, optimizer and schedule unless the plan says otherwise. */
export interface Stage {
  /** Named in the report; no two runs of a regime have the same. */
  readonly name: string;
  readonly plan: Plan;
  /** Shares of the whole programme that lie before it and up to its end, for its progress. */
  readonly span?: readonly [number, number];
  /** Absent for the graph's stored values. */
  readonly from?: State;
  readonly epochs: number;
  /** Epochs after which it waits: a later stage of its name goes on from there. Absent for all. */
  readonly until?: number;
  /** Values of parameters to begin or go on with, by name. */
  readonly values?: ReadonlyMap<string, Constant>;
  /** Multiplies the recipe's rate. */
  readonly rate?: number;
  /** Places of the training rows to use; absent for all. */
  readonly places?: ArrayLike<number>;
  /** In place of the labels: by place, as the plan's loss reads them. */
  readonly targets?: Float64Array;
  /** Shares of classes in place of the labels, by place, for a loss that is `soft`: its logits are divided by the temperature. */
  readonly soft?: { readonly shares: Float64Array; readonly temperature: number };
  /** false where the validation rows say nothing about the stage. */
  readonly measured?: false;
}
export interface StageEnd {
  readonly state: State;
  readonly history: readonly {
    readonly epoch: number;
    readonly trainLoss: number;
    readonly valLoss?: number;
    readonly valAccuracy?: number;
    /** Steps made until then. */
    readonly step: number;
  }[];
  /** Of every step so far; of a run that others followed, empty once it is resumed. */
  readonly gradientNorm: readonly number[];
  readonly monitors: Readonly<Record<string, readonly number[]>>;
}
/**
 * What a regime works with. Every method throws `job/stopped` when the run is cancelled. A resumed regime is run again from its start:
 * it has to ask for the same runs in the same order, and those that are done are given to it as they ended.
 */
export interface Programme {
  /** As the recipe says, for its one run. */
  readonly plan: Plan;
  /** The model as it will be saved, whose parameters `plan` trains. */
  readonly model: Model;
  readonly epochs: number;
  readonly rows: RowFacts;
  /** The rows held out, where there are any: labels by place. */
  readonly validation?: Pick<RowFacts, 'count' | 'labels'>;
  readonly random: (name: string) => Random;
  /** Contents of the files that its options name, by option. */
  readonly texts: Readonly<Record<string, string>>;
  /** Compiles a plan and trains it. */
  train(stage: Stage): Promise<StageEnd>;
  /** The plan's graph with the values of a state stored in it: what a later stage starts from. */
  stored(plan: Plan, state: State): Graph;
  /** Loss and accuracy of a state on the validation rows; undefined where there are none. */
  evaluate(plan: Plan, state: State): Promise<Measured | undefined>;
  /** A value of the plan's graph, such as its features, for all training rows or all validation rows: [count · width]. */
  values(
    plan: Plan,
    state: State,
    value: string,
    of: 'train' | 'validation',
  ): Promise<{ readonly data: Float64Array; readonly width: number }>;
  open(model: Model, name: string): Promise<OpenGraph>;
  /** What the regime makes itself and would take long to make again: kept in checkpoints by its name. */
  once(name: string, make: () => Promise<Kept>): Promise<Kept>;
  /** Whether it was asked to end and keep what it has reached: the run under way has ended early then. */
  ending(): boolean;
  /** A line of the table of stages: numbers by their names. */
  record(stage: string, numbers: Readonly<Record<string, number>>): void;
  /** A curve of the report, beside the table of stages. */
  curve(curve: StageCurve): void;
  grid(grid: StageGrid): void;
  progress(fraction: number, text: string): void;
  note(text: string): void;
}
/** What a regime measures along some count of its own. */
export interface StageCurve {
  readonly title: string;
  readonly caption?: string;
  readonly x: string;
  /** x is a share, not a count. */
  readonly share?: true;
  readonly y: string;
  readonly unit: 'fraction' | 'nats' | 'none';
  /** The saved model may be cut at a point of x: what is kept of it, in the plural. */
  readonly cut?: string;
  readonly lines: readonly { readonly name: string; readonly points: readonly (readonly [number, number])[]; readonly shape?: 'points' }[];
}
/** Numbers from −1 to 1 of each class with each, class by class. */
export interface StageGrid {
  readonly title: string;
  readonly caption: string;
  readonly classes: number;
  readonly values: readonly number[];
}
/** A programme of runs in the place of the one run. */
export interface Regime<O extends Options = Options> extends Part<O> {
  /** Options whose text names a file, relative to the recipe. */
  readonly files?: readonly (keyof O & string)[];
  /** The state that the recipe's model ends with, or another model with its own; absent for the one run. */
  run?(programme: Programme, chosen: Chosen<O>): Promise<{ readonly state: State; readonly plan?: Plan; readonly model?: Model }>;
}
export const defineRegime = <const O extends Options>(regime: Regime<O>): Regime => regime as unknown as Regime;
