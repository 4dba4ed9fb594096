import type { Chosen, Options } from '../base/option.ts';
import type { Random } from '../base/random.ts';
import type { DType } from '../base/tensor.ts';
import type { Emit } from '../graph/emit.ts';
import type { Attributes, Constant } from '../graph/types.ts';
import type { Hyper, LossInput, Part, SizedPart } from './define.ts';

/** What an architecture records its layers with: nodes and values carry the layer's name. */
export interface Net {
  /** Declares a float parameter, filled later by the recipe's `init` unless its first values are given. */
  parameter(name: string, dims: readonly number[], first?: ArrayLike<number>): string;
  /** Declares a value that is stored but not trained (a shape, running statistics). */
  buffer(name: string, constant: Constant): string;
  /** Records a node whose output has the rows `row` ([N, ...row]), floats unless said otherwise. */
  layer(op: string, name: string, inputs: readonly string[], attributes: Attributes, row: readonly number[], dtype?: DType): string;
  /** The rows `row` of a value, through which no gradient flows in training. */
  held(name: string, value: string, row: readonly number[]): string;
  /** The rows `row` of a value, of which training sets a share to 0, drawn anew in every step, and divides the rest by what stays. */
  dropped(name: string, value: string, share: number, row: readonly number[]): string;
  /** The k largest numbers of the last axis, falling; the last axis of `row` is k. */
  largest(name: string, value: string, k: number, row: readonly number[]): string;
  /** Records a node that is computed from parameters alone, with its whole shape. */
  tensor(op: string, name: string, inputs: readonly string[], attributes: Attributes, dims: readonly number[]): string;
}
/** Tokens below `size`; `padding` fills rows up. */
export interface Vocabulary {
  readonly size: number;
  readonly padding: number;
}
export interface Architecture<O extends Options = Options> extends Part<O> {
  /** Rows are token ids (int64), from a column of text or whole numbers. */
  readonly tokens?: true;
  /**
   * Records the layers from `x` ([N, ...row]) and returns the logits ([N, classes]). `random` is a stream of the recipe's seed, for
   * first values that no rule of initialisation draws; `vocabulary` is there with `tokens`.
   */
  build(
    net: Net,
    x: string,
    row: readonly number[],
    classes: number,
    chosen: Chosen<O>,
    given: { readonly random: Random; readonly vocabulary: Vocabulary },
  ): string;
}
export const defineArchitecture = <const O extends Options>(architecture: Architecture<O>): Architecture =>
  architecture as unknown as Architecture;

/** A file that an option of a head names, read: numbers of the one array [N, width] of an .npy or .npz, or text. */
export interface HeadArray {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}
export interface HeadFiles {
  readonly arrays: Readonly<Record<string, HeadArray>>;
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * A parameter [.., classes, width] that begins at class means: of `value` ([N, .., width], `width` numbers a row), over the training
 * rows, by the first parameters of the model in inference form. Classes without rows keep the first values that `build` gave them.
 */
export interface ClassMeans {
  readonly parameter: string;
  readonly value: string;
}

/** What a head has recorded. */
export interface BuiltHead {
  readonly logits: string;
  readonly given?: Readonly<Record<string, string>>;
  readonly notes?: readonly string[];
  readonly classMeans?: ClassMeans;
}

/** The last layers of a model, in place of its own. What it gives besides logits, losses read as `given`. */
export interface Head<O extends Options = Options> extends SizedPart<O> {
  /**
   * Records the layers from `features` ([N, width]) and returns the logits ([N, outputs]). `random` is a stream of the recipe's seed;
   * buffers hold what is fixed.
   */
  build(
    net: Net,
    features: string,
    sizes: { readonly width: number; readonly classes: number; readonly files?: HeadFiles },
    chosen: Chosen<O>,
    random: Random,
  ): BuiltHead;
  /** Options that name files, relative to the recipe, and what is read of them; '' for none. */
  readonly files?: Readonly<Partial<Record<keyof O, 'array' | 'text'>>>;
  /** Monitors that watch it where the recipe has no `monitor`. */
  readonly monitors?: readonly string[];
  /** How many classes of a row it scores; the others have UNSELECTED (selected.ts) in the place of a score. */
  selects?(classes: number, chosen: Chosen<O>): number;
  /** Width of the output where it is not the number of classes. */
  outputs?(classes: number, chosen: Chosen<O>): number;
  /** A term of its own, [N] or a scalar, added to the loss. */
  term?(emit: Emit, input: LossInput, hyper: Hyper<O>, chosen: Chosen<O>): string;
}
export const defineHead = <const O extends Options>(head: Head<O>): Head => head as unknown as Head;
