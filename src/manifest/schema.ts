import type { Catalogue, CatalogueDiagnostic } from '../base/catalogue.ts';
import { optionSchema, type JsonSchema as Schema } from '../base/option-schema.ts';

const text = (description: string): Schema => ({ type: 'string', description });
const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: 'object',
  additionalProperties: false,
  properties,
  ...(required.length ? { required } : {}),
});
const numbers = (description: string): Schema => ({ type: 'array', items: { type: 'number' }, description });

const model = object(
  {
    path: text('The .onnx file, relative to this file.'),
    input: text('Graph input that receives the data; the only one where absent.'),
    output: text('Graph output that is diagnosed; the first one where absent.'),
    labels: { type: 'array', items: { type: 'string' }, description: 'Class names in index order.' },
  },
  ['path'],
);

const dataset = object(
  {
    path: text('The data file, or a folder of images by class, relative to this file.'),
    x: text('Array, column or file of the inputs.'),
    y: text('Array, column or file of the labels.'),
    labels: text('A separate label file (IDX).'),
    split: text('train, test, a fraction (0.2 or 0.2@SEED), COLUMN=VALUE, or @ARRAY of row indices stored in the file.'),
    columns: text('Columns of a predictions table: prob=REGEX,label=NAME.'),
    preprocess: object({
      scale: { type: 'number', description: 'Multiplies the inputs.' },
      mean: numbers('Subtracted per channel after scaling.'),
      std: numbers('Divides per channel.'),
      layout: { enum: ['nchw', 'nhwc', 'flat'], description: 'Layout of stored images.' },
      resize: { type: 'string', pattern: '^[0-9]+x[0-9]+$', description: 'HxW, bilinear.' },
      tokenizer: {
        type: 'string',
        description: 'A tokenizer.json or a vocabulary, for a column of text; else the tokenizer.json beside the model.',
      },
    }),
  },
  ['path'],
);

const expectation = object({
  min: { type: 'number', description: 'The number must be at least this.' },
  max: { type: 'number', description: 'The number must be at most this.' },
  bound: { enum: ['point', 'lower', 'upper'], default: 'point', description: 'Which side of its interval must satisfy the gate.' },
  level: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1, description: 'Level of the interval, e.g. 0.95.' },
});

const optionsOf = (d: CatalogueDiagnostic): Schema => ({
  if: { properties: { run: { const: d.id } } },
  // biome-ignore lint/suspicious/noThenProperty: `then` is a keyword of JSON Schema.
  then: { properties: { options: object(Object.fromEntries(Object.entries(d.options).map(([k, o]) => [k, optionSchema(o)]))) } },
});

/** JSON Schema of `assay.json`: completion, hover and validation in the editor. */
export const suiteSchema = ({ diagnostics }: Catalogue): Schema => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'assay.json: models, datasets and checks',
  ...object({
    $schema: { type: 'string' },
    models: { type: 'object', additionalProperties: model, description: 'Models by the name that checks use.' },
    datasets: { type: 'object', additionalProperties: dataset, description: 'Datasets by the name that checks use.' },
    checks: {
      type: 'array',
      description: 'Each check runs one diagnostic and holds where its expectations hold.',
      items: {
        ...object(
          {
            name: text('Unique name of the check.'),
            run: {
              enum: diagnostics.map((d) => d.id),
              enumDescriptions: diagnostics.map((d) => d.question),
              description: 'Id of the diagnostic.',
            },
            model: text('Name of a model above; absent for a table of predictions.'),
            data: text('Name of a dataset above.'),
            against: text('Name of a model, or of a dataset that is a table of predictions, to compare with.'),
            againstData: text('Dataset of the model compared with, where its rows are prepared otherwise.'),
            options: { type: 'object' },
            expect: {
              type: 'object',
              additionalProperties: expectation,
              description: 'Gates on headline numbers, e.g. "ece": { "max": 0.05 }.',
            },
          },
          ['name', 'run', 'data'],
        ),
        allOf: diagnostics.map(optionsOf),
      },
    },
  }),
});
