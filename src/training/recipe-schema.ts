import type { JsonSchema } from '../base/option-schema.ts';
import { recipeKeys } from './recipe-keys.ts';
import { schemaOf } from './recipe-shape.ts';

/** JSON Schema of `*.train.json`: a pure function of the registries. */
export const recipeSchema = (): JsonSchema => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: '*.train.json: a training recipe',
  ...schemaOf(recipeKeys),
});
