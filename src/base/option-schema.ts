import { expected, type Option } from './option.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** JSON Schema of one option. */
export const optionSchema = (o: Option): JsonSchema => {
  const description = `${o.help} (${expected(o)})`;
  switch (o.kind) {
    case 'int':
      return { type: 'integer', minimum: o.min, maximum: o.max, default: o.default, description };
    case 'real':
      return { type: 'number', minimum: o.min, maximum: o.max, default: o.default, description };
    case 'flag':
      return { type: 'boolean', default: o.default, description };
    case 'choice':
      return { enum: o.of, default: o.default, description };
    case 'text':
    case 'pick':
      return { type: 'string', default: o.default, description };
  }
};
