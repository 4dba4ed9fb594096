import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import { type Chosen, choose, expected, type Option, type Options } from '../base/option.ts';
import { type JsonSchema, optionSchema } from '../base/option-schema.ts';

interface PartLike {
  readonly id: string;
  readonly source: string;
  readonly options: Options;
  readonly about?: string;
  readonly formula?: readonly string[];
}

/** What may stand at one place of a recipe: read, and written as JSON Schema, from the same table. */
export type Shape =
  /** Absent in an object: its default. */
  | { readonly kind: 'option'; readonly option: Option }
  | { readonly kind: 'list'; readonly help: string; readonly of: Shape }
  /** `optional` keys stay absent, `required` ones must be there. */
  | {
      readonly kind: 'object';
      readonly help: string;
      readonly keys: Readonly<Record<string, Shape>>;
      readonly optional?: readonly string[];
      readonly required?: readonly string[];
    }
  /** `"kind"` or `{ "kind": …, options }`; `more` are keys beside the options, all optional. */
  | { readonly kind: 'part'; readonly help: string; readonly of: readonly PartLike[]; readonly more?: Readonly<Record<string, Shape>> }
  /** One of several, told apart by their JSON types. */
  | { readonly kind: 'either'; readonly help: string; readonly of: readonly Shape[] };

/** A part as read. */
export interface ReadPart {
  readonly part: PartLike;
  readonly chosen: Chosen<Options>;
  readonly more: Readonly<Record<string, unknown>>;
}

type Json = 'string' | 'number' | 'boolean' | 'object' | 'array' | 'null';
const jsonOf = (value: unknown): Json => (value === null ? 'null' : Array.isArray(value) ? 'array' : (typeof value as Json));

const accepts = (shape: Shape): readonly Json[] => {
  switch (shape.kind) {
    case 'option':
      return { int: ['number'], real: ['number'], flag: ['boolean'], text: ['string'], choice: ['string'], pick: ['string'] }[
        shape.option.kind
      ] as readonly Json[];
    case 'list':
      return ['array'];
    case 'object':
      return ['object'];
    case 'part':
      return ['string', 'object'];
    case 'either':
      return shape.of.flatMap(accepts);
  }
};

const wanted = (shape: Shape): string => {
  switch (shape.kind) {
    case 'option':
      return expected(shape.option);
    case 'list':
      return `a list, each entry ${wanted(shape.of)}`;
    case 'object':
      return `an object with ${Object.keys(shape.keys).join(', ')}`;
    case 'part':
      return `one of ${shape.of.map((p) => p.id).join(', ')}, or an object with "kind" and its options`;
    case 'either':
      return shape.of.map(wanted).join(', or ');
  }
};

const under = (where: string, key: string): string => (where ? `${where}.${key}` : key);

/** Reads JSON by its shape. Faults name the file and the path of the key. */
export const readShape = (shape: Shape, value: unknown, where: string, path: string): unknown => {
  const refuse = (reason: string): never => {
    throw new Fault('training/recipe', { path, where: where || 'the file', reason });
  };
  const keysOf = (given: Readonly<Record<string, unknown>>, known: readonly string[]): void => {
    for (const key of Object.keys(given))
      if (!known.includes(key)) throw new Fault('training/key', { path, where: under(where, key), nearest: nearest(key, known), known });
  };
  const option = (name: string, o: Option, given: unknown, at: string): unknown => {
    try {
      return choose('a recipe', { [name]: o }, { [name]: given })[name];
    } catch (error) {
      if (!Fault.is(error, 'option/value')) throw error;
      throw new Fault('training/recipe', {
        path,
        where: at,
        reason: `it is ${JSON.stringify(given)} but must be ${error.detail.expected}`,
      });
    }
  };
  if (!accepts(shape).includes(jsonOf(value))) return refuse(`it is ${JSON.stringify(value)} but must be ${wanted(shape)}`);
  switch (shape.kind) {
    case 'option':
      return option('value', shape.option, value, where);
    case 'list':
      return (value as unknown[]).map((entry, i) => readShape(shape.of, entry, `${where}[${i}]`, path));
    case 'either': {
      const fitting = shape.of.find((s) => accepts(s).includes(jsonOf(value)));
      return fitting && readShape(fitting, value, where, path);
    }
    case 'object': {
      const given = value as Readonly<Record<string, unknown>>;
      keysOf(given, Object.keys(shape.keys));
      const out: Record<string, unknown> = {};
      for (const [key, inner] of Object.entries(shape.keys)) {
        if (given[key] !== undefined) out[key] = readShape(inner, given[key], under(where, key), path);
        else if (shape.required?.includes(key)) refuse(`key '${key}' is missing`);
        else if (inner.kind === 'option' && !shape.optional?.includes(key)) out[key] = inner.option.default;
      }
      return out;
    }
    case 'part': {
      const { kind, ...given } = (typeof value === 'string' ? { kind: value } : value) as Readonly<Record<string, unknown>>;
      const ids = shape.of.map((p) => p.id);
      const part = shape.of.find((p) => p.id === kind);
      if (!part) {
        const near = typeof kind === 'string' ? nearest(kind, ids) : '';
        const hint = near ? `; did you mean '${near}'?` : '';
        return refuse(
          `${kind === undefined ? "key 'kind' is missing" : `kind ${JSON.stringify(kind)} is not known${hint}`} Kinds: ${ids.join(', ')}`,
        );
      }
      const more = shape.more ?? {};
      keysOf(given, [...Object.keys(part.options), ...Object.keys(more)]);
      const chosen: Record<string, unknown> = {};
      for (const [name, o] of Object.entries(part.options)) {
        const v = o.kind === 'text' && Array.isArray(given[name]) ? (given[name] as unknown[]).join(',') : given[name];
        chosen[name] = v === undefined ? o.default : option(name, o, v, under(where, name));
      }
      const beside = Object.entries(more).filter(([key]) => given[key] !== undefined);
      return {
        part,
        chosen: chosen as Chosen<Options>,
        more: Object.fromEntries(beside.map(([key, s]) => [key, readShape(s, given[key], under(where, key), path)])),
      } satisfies ReadPart;
    }
  }
};

const objectSchema = (properties: Readonly<Record<string, JsonSchema>>, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  properties,
  ...(required.length > 0 ? { required } : {}),
});

/** A text option may be written as a list of numbers as well. */
const chosenSchema = (o: Option): JsonSchema => {
  const schema = optionSchema(o);
  return o.kind === 'text' ? { ...schema, type: ['string', 'array'], items: { type: 'number' } } : schema;
};

export const schemaOf = (shape: Shape): JsonSchema => {
  switch (shape.kind) {
    case 'option':
      return optionSchema(shape.option);
    case 'list':
      return { type: 'array', items: schemaOf(shape.of), description: shape.help };
    case 'object': {
      const keys = Object.entries(shape.keys).map(([key, inner]): [string, JsonSchema] => {
        const { default: _, ...rest } = schemaOf(inner);
        return [key, shape.optional?.includes(key) ? rest : schemaOf(inner)];
      });
      return { ...objectSchema(Object.fromEntries(keys), shape.required), description: shape.help };
    }
    case 'either':
      return { anyOf: shape.of.map(schemaOf), description: shape.help };
    case 'part': {
      const more = Object.fromEntries(Object.entries(shape.more ?? {}).map(([key, s]) => [key, schemaOf(s)]));
      const objects = shape.of.map((p) => {
        const options = Object.fromEntries(Object.entries(p.options).map(([name, o]) => [name, chosenSchema(o)]));
        return { ...objectSchema({ kind: { const: p.id }, ...options, ...more }, ['kind']), title: p.id, description: p.source };
      });
      return { anyOf: [{ enum: shape.of.map((p) => p.id) }, ...objects], description: shape.help };
    }
  }
};
