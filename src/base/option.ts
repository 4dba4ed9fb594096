import { Fault } from './fault.ts';
import { nearest } from './nearest.ts';

/** The six kinds of option. Every surface (flag, form, schema, docs row) is total over them. */
export interface IntOption {
  readonly kind: 'int';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly help: string;
}
export interface RealOption {
  readonly kind: 'real';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly help: string;
}
export interface FlagOption {
  readonly kind: 'flag';
  readonly default: boolean;
  readonly help: string;
}
export interface TextOption {
  readonly kind: 'text';
  readonly default: string;
  /** The text is the path of a file that is written, with this ending. */
  readonly writes?: string;
  /** The text is the path of a file that is read; with `contents` the diagnostic is given what stands in it, in place of the path. */
  readonly reads?: true;
  readonly contents?: true;
  readonly help: string;
}
export interface ChoiceOption<V extends string = string> {
  readonly kind: 'choice';
  readonly default: V;
  readonly of: readonly V[];
  /** The names that people know them by, where those are not the values. */
  readonly titles?: Readonly<Record<V, string>>;
  /** Long lists: the heading under which a value stands. */
  readonly groups?: Readonly<Record<V, string>>;
  /** Options beside this one that a value reads; those that no value names are read by all. */
  readonly reads?: Readonly<Record<V, readonly string[]>>;
  readonly help: string;
}
/** A name offered from the subject: a layer or output of the model, a class, a column of the data. '' means none. */
export interface PickOption {
  readonly kind: 'pick';
  readonly default: string;
  readonly from: 'layer' | 'class' | 'column' | 'output';
  readonly help: string;
}

export type Option = IntOption | RealOption | FlagOption | TextOption | ChoiceOption | PickOption;
export type Options = Readonly<Record<string, Option>>;
export type OptionValue = number | boolean | string;
export type Chosen<O extends Options> = {
  readonly [K in keyof O]: Option extends O[K]
    ? OptionValue
    : O[K] extends { kind: 'int' | 'real' }
      ? number
      : O[K] extends { kind: 'flag' }
        ? boolean
        : O[K] extends ChoiceOption<infer V>
          ? V
          : string;
};

export const int = (o: Omit<IntOption, 'kind'>): IntOption => ({ kind: 'int', ...o });
export const real = (o: Omit<RealOption, 'kind'>): RealOption => ({ kind: 'real', ...o });
export const flag = (o: Omit<FlagOption, 'kind'>): FlagOption => ({ kind: 'flag', ...o });
export const text = (o: Omit<TextOption, 'kind'>): TextOption => ({ kind: 'text', ...o });
export const choice = <const V extends string>(
  o: Omit<ChoiceOption<V>, 'kind' | 'default'> & { default: NoInfer<V> },
): ChoiceOption<V> => ({ kind: 'choice', ...o });
export const pick = (o: Omit<PickOption, 'kind'>): PickOption => ({ kind: 'pick', ...o });

/** What an option accepts, in words: used in errors, help and docs. */
export const expected = (o: Option): string => {
  switch (o.kind) {
    case 'int':
      return `a whole number from ${o.min} to ${o.max}`;
    case 'real':
      return `a number from ${o.min} to ${o.max}`;
    case 'flag':
      return 'true or false';
    case 'choice':
      return `one of ${o.of.join(', ')}`;
    case 'pick':
      return `the name of a ${o.from}`;
    case 'text':
      return o.writes !== undefined ? `the path of an .${o.writes} file to write` : o.reads ? 'the path of a file' : 'text';
  }
};

const read = (name: string, o: Option, value: unknown): OptionValue => {
  const bad = (): never => {
    throw new Fault('option/value', { name, value: String(value), expected: expected(o) });
  };
  switch (o.kind) {
    case 'int':
    case 'real': {
      const n = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      if (typeof n !== 'number' || !(n >= o.min && n <= o.max) || (o.kind === 'int' && !Number.isInteger(n))) return bad();
      return n;
    }
    case 'flag':
      return value === true || value === 'true' ? true : value === false || value === 'false' ? false : bad();
    case 'choice':
      return typeof value === 'string' && o.of.includes(value) ? value : bad();
    case 'text':
    case 'pick':
      return typeof value === 'string' || typeof value === 'number' ? String(value) : bad();
  }
};

/** Defaults overlaid with what was given (numbers may arrive as text). Throws `option/unknown` or `option/value`. */
export const choose = <O extends Options>(of: string, options: O, given: Readonly<Record<string, unknown>>): Chosen<O> => {
  const known = Object.keys(options);
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(options, name)) throw new Fault('option/unknown', { name, of, nearest: nearest(name, known), known });
  }
  return Object.fromEntries(
    known.map((name) => [name, given[name] === undefined ? options[name].default : read(name, options[name], given[name])]),
  ) as Chosen<O>;
};

export const defaults = <O extends Options>(options: O): Chosen<O> => choose('defaults', options, {});
