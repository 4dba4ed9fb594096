import { numeric } from '../base/cell.ts';
import { Fault } from '../base/fault.ts';
import type { GivenRow } from '../base/request.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Column, Dataset } from '../data/define.ts';
import type { Fitted, Target } from '../data/preprocess.ts';
import type { FittedText } from '../data/text-fit.ts';
import type { Bound, GivenBatch } from '../evidence/bound.ts';
import type { SamplesTool } from '../evidence/evidence.ts';
import type { Scorer } from '../evidence/scorer.ts';

/** What rows of the data become the input by. */
interface Binding {
  readonly dataset: Dataset;
  readonly columns: readonly Column[];
  readonly fitted: Fitted;
  readonly tokens: FittedText | undefined;
  readonly target: Pick<Target, 'name'>;
}

const numberIn = ({ name, dtype }: Column, field: string): Tensor => {
  const truth = dtype === 'bool' ? ['false', 'true'].indexOf(field.trim().toLowerCase()) : -1;
  const value = truth >= 0 ? truth : numeric(field);
  if (value === undefined || Number.isNaN(value)) throw new Fault('data/given-field', { column: name, value: field });
  return { dtype: 'float64', dims: [1], data: Float64Array.of(value) };
};

/** Turns a row that is in no file into the input, as `bind` does with those of the data. */
export const rowGiven =
  ({ dataset, columns, fitted, tokens, target }: Binding): NonNullable<Bound['given']> =>
  (row) => {
    const { path } = dataset;
    if (row.kind === 'fields' && row.fields.length !== dataset.columns.length)
      throw new Fault('data/given-width', { path, expected: dataset.columns.length, found: row.fields.length });
    const places = columns.map((column) => dataset.columns.findIndex(({ name }) => name === column.name));
    if (tokens) {
      const [field] = places;
      const text = tokens.given(row.kind === 'text' ? row.text : row.fields[field]);
      return { x: fitted.apply([text.tokens], [0]), text: { ...text, ...(row.kind === 'fields' ? { field } : {}) } };
    }
    if (row.kind === 'text') throw new Fault('data/given-text', { input: target.name, path });
    const wide = columns.find(({ dims }) => dims.length > 0);
    if (wide) throw new Fault('data/given-width', { path, expected: dataset.columns.length, found: row.fields.length });
    const values = columns.map((column, k) => numberIn(column, row.fields[places[k]]));
    return { x: fitted.apply(values, [0]), fields: places };
  };

/** The position, and the row, of what was given. */
export const GIVEN = -1;

export interface GivenSamples {
  readonly tool: SamplesTool;
  /** From now on this is the row at position −1. */
  put(row: GivenRow): GivenBatch;
}

/** Samples of the data with one more at position −1: the row that was given last. */
export const withGiven = (tool: SamplesTool, bound: Pick<Bound, 'given'>, score: Scorer): GivenSamples => {
  let held: GivenBatch | undefined;
  const isGiven = (rows: readonly number[]): boolean => rows.length === 1 && rows[0] === GIVEN;
  const { words, plain } = tool;
  return {
    put(row) {
      if (!bound.given) throw new RangeError('a row was given to a table of predictions');
      held = bound.given(row);
      return held;
    },
    tool: {
      ...tool,
      async take(positions, signal) {
        if (!held || !isGiven(positions)) return tool.take(positions, signal);
        return { x: held.x, rows: [GIVEN], outputs: await score(held.x) };
      },
      ...(words ? { words: async (rows, signal) => (held?.text && isGiven(rows) ? [held.text.words] : words(rows, signal)) } : {}),
      ...(plain ? { plain: async (rows, signal) => (isGiven(rows) ? undefined : plain(rows, signal)) } : {}),
    },
  };
};
