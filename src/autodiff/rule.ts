import type { Emit } from '../graph/emit.ts';
import type { Node } from '../graph/types.ts';

/** Where a rule is applied: one node, its values, and the cotangents that have arrived. Names; '' is an omitted value or no cotangent. */
export interface Site {
  readonly node: Node;
  readonly x: readonly string[];
  readonly y: readonly string[];
  /** Cotangent of each output. */
  readonly g: readonly string[];
}

/** Emits the cotangent of one input from `g`, that of the first output; '' where it is zero by structure. */
export type Back = (emit: Emit, g: string, site: Site) => string;

/**
 * The derivative of one operator, in one of two forms. A rule emits only operators that have rules, or that are constant
 * almost everywhere, so derivatives of derivatives need nothing more.
 */
export type Rule =
  /** One function or null (no gradient by nature) per input, or one for every input of a variadic operator. */
  | {
      readonly back: readonly (Back | null)[] | ((input: number, node: Node) => Back | null);
      /** Called whenever any output has a cotangent, not only the first; the rule reads `site.g`. */
      readonly outputs?: 'all';
      readonly quantised?: true;
    }
  /**
   * The operator written in simpler ones, which are then differentiated: one name per output, '' for those without gradient;
   * or values that come before the outputs, with their cotangents.
   */
  | {
      readonly as: (emit: Emit, site: Site) => readonly string[] | ReadonlyMap<string, string>;
      /** Takes quantised values as the numbers they are; other operators are put on their numbers as floats. */
      readonly quantised?: true;
    }
  | Flow;

/** Cotangents of all that a node reads, made together: of recurrent cells, and of operators that hold graphs, which read values around them. */
export interface Flow {
  /** Values of `wanted` with a cotangent for each; those of a value that comes several times are added. */
  readonly flow: (emit: Emit, site: Site, wanted: readonly string[], within: Within) => Iterable<readonly [string, string]>;
  /** The values that a derivative passes through; all floats that are read, where absent. */
  readonly passes?: (emit: Emit, node: Node, within: Within) => readonly string[];
  /** The bodies, with the values in them that are made of `made`: for messages about what blocks a derivative. */
  readonly bodies?: (
    emit: Emit,
    node: Node,
    made: ReadonlySet<string>,
  ) => readonly { readonly emit: Emit; readonly made: ReadonlySet<string> }[];
}

/** Reverse mode for a rule whose node holds graphs. */
export interface Within {
  /** Cotangents of `leaves` from those of `seeds`, in a recorder of a body. */
  pull(emit: Emit, seeds: ReadonlyMap<string, string>, leaves: ReadonlySet<string>): ReadonlyMap<string, string>;
  /** The values that a node reads and passes a derivative through. */
  passing(emit: Emit, node: Node): readonly string[];
}

/** By operator, those of other domains keyed `domain.Operator`; a function where the form depends on attributes or known sizes. */
export type Rules = Readonly<Record<string, Rule | ((node: Node, emit: Emit) => Rule)>>;

export const keyOf = (node: Pick<Node, 'op' | 'domain'>): string => (node.domain ? `${node.domain}.${node.op}` : node.op);

/** Marks a value whose own cotangent is wanted, or is read by a rule of one's own: nothing of it may be left out. */
export const wanted = 'its cotangent is wanted';

/** y = f(x) elementwise: `slope` is dy/dx. */
export const diagonal = (slope: (emit: Emit, site: Site) => string): Rule => ({
  back: [(emit, g, site) => emit.Mul(g, slope(emit, site))],
});
