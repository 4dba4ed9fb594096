/** What a value read from a file must look like. `read` returns it with its keys in the declared order, or throws a Misshape. */
export interface Shape<T> {
  read(value: unknown, where: string): T;
}

export class Misshape extends Error {
  readonly where: string;
  readonly wanted: string;

  constructor(where: string, wanted: string) {
    super(`${where || 'the file'} must be ${wanted}`);
    this.where = where;
    this.wanted = wanted;
  }
}

const primitive = <T>(wanted: string, holds: (value: unknown) => value is T): Shape<T> => ({
  read(value, where) {
    if (holds(value)) return value;
    throw new Misshape(where, wanted);
  },
});

export const number: Shape<number> = primitive('a finite number', (v): v is number => typeof v === 'number' && Number.isFinite(v));
export const string: Shape<string> = primitive('text', (v): v is string => typeof v === 'string');
export const anything: Shape<unknown> = primitive('a value', (v): v is unknown => v !== undefined);
export const oneOf = <const T extends string | number | boolean>(...of: readonly T[]): Shape<T> =>
  primitive(`one of ${of.join(', ')}`, (v): v is T => (of as readonly unknown[]).includes(v));

export const nullable = <T>(shape: Shape<T>): Shape<T | null> => ({
  read: (value, where) => (value === null ? null : shape.read(value, where)),
});
export const either = <A, B>(first: Shape<A>, second: Shape<B>): Shape<A | B> => ({
  read(value, where) {
    try {
      return first.read(value, where);
    } catch (error) {
      if (!(error instanceof Misshape)) throw error;
      return second.read(value, where);
    }
  },
});

export const array = <T>(shape: Shape<T>): Shape<readonly T[]> => ({
  read(value, where) {
    if (!Array.isArray(value)) throw new Misshape(where, 'a list');
    return value.map((item, i) => shape.read(item, `${where}[${i}]`));
  },
});

export const tuple = <T extends readonly unknown[]>(...shapes: { readonly [I in keyof T]: Shape<T[I]> }): Shape<T> => ({
  read(value, where) {
    if (!Array.isArray(value) || value.length !== shapes.length) throw new Misshape(where, `a list of ${shapes.length}`);
    return shapes.map((shape, i) => shape.read(value[i], `${where}[${i}]`)) as unknown as T;
  },
});

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

export const record = <T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> => ({
  read(value, where) {
    if (!isRecord(value)) throw new Misshape(where, 'an object');
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shape.read(item, `${where}.${key}`)]));
  },
});

/** Keys this version does not know are kept, after those it does. */
export const object = <T extends object>(
  fields: { readonly [K in keyof T]-?: Shape<Exclude<T[K], undefined>> },
  optional: readonly (keyof T & string)[] = [],
): Shape<T> => ({
  read(value, where) {
    if (!isRecord(value)) throw new Misshape(where, 'an object');
    const left = { ...value };
    const read: Record<string, unknown> = {};
    for (const key of Object.keys(fields) as (keyof T & string)[]) {
      const path = where ? `${where}.${key}` : key;
      const present = Object.hasOwn(left, key) && left[key] !== undefined;
      if (present) read[key] = fields[key].read(left[key], path);
      else if (!optional.includes(key)) throw new Misshape(path, 'present');
      delete left[key];
    }
    return { ...read, ...left } as T;
  },
});
