import { overlayScale } from '../../base/overlay-scale.ts';
import type { Attribution } from '../../report/tasks.ts';
import type { Cell } from './cells.ts';
import { stepOf } from './ramp.ts';

/** A stretch of the open text with its attribution. Offsets are UTF-16 ones of the whole text. */
export interface Mark {
  readonly from: number;
  readonly to: number;
  readonly score: number;
  /** Of the sum of all |score|. */
  readonly share: number;
  /** −8 to 8. */
  readonly step: number;
  /** Of a cell: its column and value, what the model was given, and what stood for its absence. */
  readonly cell?: { readonly column: string; readonly value: string; readonly input: number; readonly baseline?: number };
}

export interface Marks {
  readonly marks: readonly Mark[];
  /** Where the part that the model saw ends. */
  readonly seenTo: number;
  /** Tokens seen, and tokens in all; none for cells. */
  readonly tokens?: { readonly seen: number; readonly all: number };
}

type Scored = Pick<Mark, 'from' | 'to' | 'score' | 'cell'>;

const marked = (scored: readonly Scored[], { values, outliers }: Pick<Attribution, 'values' | 'outliers'>): readonly Mark[] => {
  const total = values.reduce((sum, v) => sum + Math.abs(v), 0);
  const scale = overlayScale(values, outliers);
  return scored.map((one) => ({ ...one, share: total > 0 ? Math.abs(one.score) / total : 0, step: stepOf(one.score, scale) }));
};

/** Tokens of one word part stand at one place: their scores add up. */
const merged = (scored: readonly Scored[]): readonly Scored[] => {
  const out: Scored[] = [];
  for (const one of scored) {
    const last = out.at(-1);
    if (last && last.from === one.from && last.to === one.to) out[out.length - 1] = { ...last, score: last.score + one.score };
    else out.push(one);
  }
  return out;
};

/** Tokens in a text; `at` brings an offset of the text that was given to one of the open text. */
const tokenMarks = (a: Attribution, at: (offset: number) => number, end: number): Marks | undefined => {
  const { placed, values } = a;
  if (placed?.kind !== 'text') return undefined;
  const scored = placed.ranges.flatMap((range, k) => {
    if (!range) return [];
    const from = at(range[0]);
    // The end is that of the last character, which may be followed by a quote.
    return [{ from, to: range[1] > range[0] ? at(range[1] - 1) + 1 : from, score: values[k] }];
  });
  const seen = placed.ranges.length;
  const last = scored.reduce((most, { to }) => Math.max(most, to), 0);
  return {
    marks: marked(merged(scored), a),
    seenTo: placed.tokens > seen ? last : end,
    tokens: { seen, all: placed.tokens },
  };
};

/** Tokens of a text whose first `length` characters were given. */
export const textMarks = (a: Attribution, length: number): Marks | undefined => tokenMarks(a, (offset) => offset, length);

/** Cells of a row: each shaded, or the tokens of the one that holds the text. */
export const cellMarks = (a: Attribution, cells: readonly Cell[], names: readonly string[]): Marks | undefined => {
  const { placed } = a;
  if (!placed) return undefined;
  if (placed.kind === 'text') {
    const cell = placed.field === undefined ? undefined : cells[placed.field];
    return cell && tokenMarks(a, (offset) => cell.at(offset), cell.to);
  }
  const { fields, values, inputs, baseline } = placed;
  const scored = fields.flatMap((field, k) => {
    const cell = cells[field];
    if (!cell) return [];
    const column = names[field] ?? `column ${field + 1}`;
    const facts = { column, value: cell.value, input: inputs[k], ...(baseline ? { baseline: baseline[k] } : {}) };
    return [{ from: cell.from, to: cell.to, score: values[k], cell: facts }];
  });
  return { marks: marked(scored, { ...a, values }), seenTo: cells.at(-1)?.to ?? 0 };
};
