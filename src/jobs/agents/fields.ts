import { Fault } from '../../base/fault.ts';
import { nearest } from '../../base/nearest.ts';
import type { JsonSchema } from '../../base/option-schema.ts';

interface TextField {
  readonly kind: 'text';
  readonly help: string;
  readonly required?: true;
  readonly of?: readonly string[];
}
interface TextsField {
  readonly kind: 'texts';
  readonly help: string;
}
interface WholeField {
  readonly kind: 'whole';
  readonly help: string;
  readonly min: number;
}
interface FlagField {
  readonly kind: 'flag';
  readonly help: string;
}
/** An object that is read by whoever is given it. */
interface RecordField {
  readonly kind: 'record';
  readonly help: string;
}
/** What an agent may give a tool. */
export type Field = TextField | TextsField | WholeField | FlagField | RecordField;
/** Fields by the kind of each. */
export type Kinds<K extends Readonly<Record<string, Field['kind'] | 'required'>>> = {
  readonly [N in keyof K]: K[N] extends 'required' ? TextField & { readonly required: true } : Extract<Field, { kind: K[N] }>;
};
export type Fields = Readonly<Record<string, Field>>;

type ValueOf<F extends Field> = F extends { kind: 'text' }
  ? string
  : F extends { kind: 'texts' }
    ? readonly string[]
    : F extends { kind: 'whole' }
      ? number
      : F extends { kind: 'flag' }
        ? boolean
        : Readonly<Record<string, unknown>>;
export type Given<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends { required: true } ? ValueOf<F[K]> : ValueOf<F[K]> | undefined;
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const expected = (field: Field): string => {
  switch (field.kind) {
    case 'text':
      return field.of ? `one of ${field.of.join(', ')}` : 'text';
    case 'texts':
      return 'a list of texts';
    case 'whole':
      return `a whole number from ${field.min}`;
    case 'flag':
      return 'true or false';
    case 'record':
      return 'an object';
  }
};

const holds = (field: Field, value: unknown): boolean => {
  switch (field.kind) {
    case 'text':
      return typeof value === 'string' && value !== '' && (!field.of || field.of.includes(value));
    case 'texts':
      return Array.isArray(value) && value.every((one) => typeof one === 'string');
    case 'whole':
      return Number.isInteger(value) && (value as number) >= field.min;
    case 'flag':
      return typeof value === 'boolean';
    case 'record':
      return isRecord(value);
  }
};

/** Reads what an agent gave. Throws `option/unknown`, `option/missing` or `option/value`. */
export const readFields = <F extends Fields>(tool: string, fields: F, given: unknown): Given<F> => {
  const known = Object.keys(fields);
  const values = given === undefined ? {} : given;
  if (!isRecord(values)) throw new Fault('option/value', { name: 'arguments', value: String(given), expected: 'an object' });
  for (const name of Object.keys(values))
    if (!Object.hasOwn(fields, name)) throw new Fault('option/unknown', { name, of: `'${tool}'`, nearest: nearest(name, known), known });
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => {
      const value = values[name];
      if (value === undefined || value === null) {
        if (field.kind === 'text' && field.required)
          throw new Fault('option/missing', { name: `'${name}'`, usage: `${tool} with ${known.join(', ')}` });
        return [name, undefined];
      }
      if (!holds(field, value))
        throw new Fault('option/value', {
          name,
          value: typeof value === 'string' ? value : JSON.stringify(value),
          expected: expected(field),
        });
      return [name, value];
    }),
  ) as Given<F>;
};

const schemaOf = (field: Field): JsonSchema => {
  const description = field.help;
  switch (field.kind) {
    case 'text':
      return { type: 'string', ...(field.of ? { enum: field.of } : {}), description };
    case 'texts':
      return { type: 'array', items: { type: 'string' }, description };
    case 'whole':
      return { type: 'integer', minimum: field.min, description };
    case 'flag':
      return { type: 'boolean', description };
    case 'record':
      return { type: 'object', description };
  }
};

export interface InputSchema extends JsonSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
}

export const fieldsSchema = (fields: Fields): InputSchema => ({
  type: 'object',
  properties: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, schemaOf(field)])),
  required: Object.entries(fields).flatMap(([name, field]) => (field.kind === 'text' && field.required ? [name] : [])),
  additionalProperties: false,
});
