import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import type { ColumnsTool } from '../../evidence/evidence.ts';
import { heldOutThird } from '../held-out.ts';
import { wordsOf } from './domain-gate.ts';

export interface RowsAsk {
  readonly domain: string;
  readonly tokens: string;
  readonly ignore: string;
  readonly fitOn: string;
}

/** Rows to count and fit on and rows to be judged on, their domains and tokens by dataset row. */
export interface DomainRows {
  readonly domains: readonly string[];
  readonly fit: readonly number[];
  readonly shown: readonly number[];
  /** Place of a row's domain. */
  domainOf(row: number): number;
  tokensOf(row: number): readonly string[];
  /** Label in words. */
  labelOf(row: number): string;
  /** Name of the column of tokens, and whether it holds ids. */
  readonly column: string;
  readonly ids: boolean;
  readonly notes: readonly string[];
}

const MOST_DOMAINS = 100;
const usual = ['text', 'tokens', 'input_ids', 'ids', 'sentence', 'review', 'x'];

const columnOf = ({ list }: ColumnsTool, given: string): string => {
  if (given !== '') return given;
  const found = usual.find((name) => list.some((c) => c.name === name));
  if (found === undefined) throw new Fault('diagnostic/tokens', { known: list.map((c) => c.name) });
  return found;
};

/** Tokens of a row: words of a text, or ids [rows, positions] in words. */
const tokenReader = async (
  columns: ColumnsTool,
  name: string,
  ignored: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<{ readonly ids: boolean; of(row: number): readonly string[] }> => {
  const facts = columns.list.find((c) => c.name === name);
  const kept = (words: readonly string[]): readonly string[] => (ignored.size === 0 ? words : words.filter((w) => !ignored.has(w)));
  if (facts?.dtype === 'string') {
    const texts = await columns.words(name, signal);
    const width = texts.length / facts.dims[0];
    return { ids: false, of: (row) => kept(wordsOf(texts.slice(row * width, (row + 1) * width).join(' '))) };
  }
  const { dims, data } = await columns.read(name, signal);
  const width = data.length / dims[0];
  const wrong = data.findIndex((v) => !Number.isInteger(v) || v < 0);
  if (wrong >= 0) throw new Fault('diagnostic/token-id', { column: name, row: Math.floor(wrong / width), value: data[wrong] });
  return { ids: true, of: (row) => kept(Array.from(data.subarray(row * width, (row + 1) * width), String)) };
};

/** Columns are kept whole: the text, or 8 bytes an id. */
export const domainRows = async (columns: ColumnsTool, { domain, tokens, ignore, fitOn }: RowsAsk, job: Job): Promise<DomainRows> => {
  const { rows, label } = columns;
  const named = await columns.words(domain, job.signal);
  const labels = label === undefined ? undefined : await columns.words(label, job.signal);
  const labelOf = (row: number): string => labels?.[row] ?? '';
  const notes: string[] = [];
  let fit: readonly number[];
  let shown: readonly number[] = Array.from(rows);
  if (fitOn === '') {
    const parts = heldOutThird(
      Array.from(rows, (row) => `${named[row]}\n${labelOf(row)}`),
      job.random('halves'),
    );
    [fit, shown] = [parts.fit, parts.shown].map((places) => places.map((p) => rows[p]));
    notes.push(
      `No split to fit on was named (fitOn), so of ${rows.length} rows every third of each domain and class was held out to be judged on, and the others were counted and fitted on.`,
    );
  } else {
    const own = new Set(shown);
    const asked = Array.from(await columns.split(fitOn, job.signal));
    fit = asked.filter((row) => !own.has(row));
    if (fit.length === 0) throw new Fault('diagnostic/calibration-empty', { split: fitOn });
    if (fit.length < asked.length)
      notes.push(`${asked.length - fit.length} rows of split '${fitOn}' are among those shown and were left out of the fit.`);
  }
  if (fit.length === 0 || shown.length === 0) throw new Fault('diagnostic/probe-rows', { fit: fit.length, shown: shown.length });
  const domains = [...new Set(fit.map((row) => named[row]))].sort();
  if (domains.length < 2) throw new Fault('diagnostic/domains', { column: domain, found: domains });
  if (domains.length > MOST_DOMAINS)
    throw new Fault('diagnostic/many-domains', { column: domain, found: domains.length, most: MOST_DOMAINS });
  const place = new Map(domains.map((name, d) => [name, d]));
  const unseen = shown.filter((row) => !place.has(named[row]));
  if (unseen.length > 0) {
    notes.push(
      `${unseen.length} ${unseen.length === 1 ? 'row is' : 'rows are'} of domains without rows to count (first: '${named[unseen[0]]}') and left out.`,
    );
    shown = shown.filter((row) => place.has(named[row]));
    if (shown.length === 0) throw new Fault('diagnostic/probe-rows', { fit: fit.length, shown: 0 });
  }
  const column = columnOf(columns, tokens);
  const ignored = new Set(
    ignore
      .split(',')
      .map((w) => w.trim())
      .filter((w) => w !== ''),
  );
  const reader = await tokenReader(columns, column, ignored, job.signal);
  return {
    domains,
    fit,
    shown,
    domainOf: (row) => place.get(named[row]) ?? 0,
    tokensOf: reader.of,
    labelOf,
    column,
    ids: reader.ids,
    notes,
  };
};
