import { isHeader, numeric, separatorOf } from '../base/cell.ts';
import { Fault } from '../base/fault.ts';
import { blockDataset, blockOfRows } from './blocks.ts';
import { besides, inputNames, labelNames } from './columns.ts';
import type { Column, Dataset, Source } from './define.ts';
import { emptyRows } from './rows.ts';

const [quote, newline, carriage] = [34, 10, 13];

/**
 * RFC 4180 rows of a block of bytes: quotes count only at the start of a field, `""` is one quote, a line end is LF or
 * CRLF, blank lines are skipped. `each` gets the fields, the byte where the row starts and the line ends before it.
 * Returns where the first incomplete row starts; with `final` the last row needs no line end.
 */
const parseRows = (
  bytes: Uint8Array,
  delimiter: number,
  final: boolean,
  each: (fields: string[], at: number, linesBefore: number) => void,
): { readonly used: number; readonly lines: number; readonly open: boolean } => {
  // One character a byte, so positions in the text are positions in the bytes; UTF-8 is decoded where a field needs it.
  const text = new TextDecoder('latin1').decode(bytes);
  const utf8 = new TextDecoder();
  const plain = (from: number, to: number): string => {
    for (let i = from; i < to; i++) if (bytes[i] > 127) return utf8.decode(bytes.subarray(from, to));
    return text.slice(from, to);
  };
  let [at, used, lines, linesUsed] = [0, 0, 0, 0];
  let fields: string[] = [];
  const end = bytes.length;
  while (at < end) {
    let value: string;
    let closed = true;
    if (bytes[at] === quote) {
      const from = ++at;
      let doubled = false;
      closed = false;
      while (at < end) {
        if (bytes[at] === newline) lines++;
        if (bytes[at++] !== quote) continue;
        if (bytes[at] === quote) {
          doubled = true;
          at++;
        } else {
          closed = at < end || final;
          break;
        }
      }
      value = plain(from, closed ? at - 1 : at);
      if (doubled) value = value.replaceAll('""', '"');
      const rest = at;
      while (at < end && bytes[at] !== delimiter && bytes[at] !== newline) at++;
      if (closed && at > rest) value += plain(rest, at).replace(/\r$/, '');
    } else {
      const from = at;
      while (at < end && bytes[at] !== delimiter && bytes[at] !== newline) at++;
      value = plain(from, at > from && bytes[at - 1] === carriage && (at === end || bytes[at] === newline) ? at - 1 : at);
    }
    if (!closed) return { used, lines: linesUsed, open: true };
    if (at === end && !final) break;
    fields.push(value);
    if (at < end && bytes[at] === delimiter) {
      at++;
      if (at < end || !final) continue;
      fields.push('');
    } else if (at < end) {
      at++;
      lines++;
    }
    if (fields.length > 1 || fields[0] !== '') each(fields, used, linesUsed);
    [fields, used, linesUsed] = [[], at, lines];
  }
  return { used, lines: linesUsed, open: false };
};

type Kind = 'float64' | 'bool' | 'string';
interface Layout {
  readonly names: readonly string[];
  readonly kinds: readonly Kind[];
  readonly words: readonly NonNullable<Column['words']>[];
  readonly length: number;
  /** Byte where each block of rows starts, and the end of the last row. */
  readonly starts: readonly number[];
  readonly notes: readonly string[];
}

const chunkBytes = 1 << 20;

/** Names that head columns in the tables read here: a first line with one of them is no row. */
const usualNames = new Set([...labelNames, ...inputNames, ...besides, 'text', 'score', 'pred', 'predictions']);

/**
 * Whether a first line of words is a row after all: at least half of its fields, none of them a usual name of a column, are values of
 * their own columns, in at least one of a hundred rows that differ from it; and no column below it holds numbers.
 */
const isRow = (names: readonly string[], words: readonly { readonly count: number }[], again: readonly number[], length: number): boolean =>
  !names.some((name) => usualNames.has(name.toLowerCase()) || /^(?:prob|logit)_/.test(name)) &&
  words.every(({ count }) => 2 * count > length) &&
  2 * again.filter((n) => n > 0 && 100 * n >= length).length >= names.length;

/** The separator of a file, by its first line. */
const separatorIn = (head: Uint8Array, name: string): number =>
  separatorOf(new TextDecoder('latin1').decode(head).split(/\r?\n/, 1)[0], name).charCodeAt(0);

/** One pass over the whole file: where rows start, how many there are, and of what type each column is. `headless` says that no line is names. */
const survey = async (
  source: Source,
  delimiter: number,
  blockRows: number,
  signal: AbortSignal | undefined,
  headless = false,
): Promise<Layout> => {
  const corrupt = (line: number, reason: string): never => {
    throw new Fault('data/corrupt', { path: source.path, where: `line ${line}`, reason });
  };
  const starts: number[] = [];
  const notes: string[] = [];
  let names: string[] | undefined;
  let first: { readonly fields: string[]; readonly at: number; readonly line: number } | undefined;
  let words: { count: number; line: number; first: string }[] = [];
  let bools: boolean[] = [];
  // The first line where it is taken for names, and how often each of its fields is a value of its column.
  let heading: readonly string[] | undefined;
  let again: number[] = [];
  let [length, linesDone, done] = [0, 0, 0];

  const row = (fields: readonly string[], at: number, line: number): void => {
    const due = names?.length ?? fields.length;
    if (fields.length !== due) throw new Fault('data/ragged', { path: source.path, line, expected: due, found: fields.length });
    if (length++ % blockRows === 0) starts.push(at);
    for (let c = 0; c < due; c++) {
      const t = fields[c];
      if (numeric(t) === undefined) {
        if (words[c].count++ === 0) [words[c].line, words[c].first] = [line, t];
        // A table of one column has no other field to tell rows apart by.
        if (heading && t === heading[c] && (due === 1 || fields.some((f, i) => f !== heading?.[i]))) again[c]++;
      }
      if (bools[c] && !/^(true|false)$/i.test(t)) bools[c] = false;
    }
  };
  const begin = (second: readonly string[]): void => {
    if (!first) return;
    const header = !headless && isHeader(first.fields, second);
    names = header
      ? first.fields.map((f, i) => f.trim() || (i === 0 ? 'id' : `column_${i + 1}`))
      : first.fields.map((_, i) => `column_${i + 1}`);
    for (const [i, name] of names.entries()) {
      const n = names.slice(0, i).filter((other) => other === name || other.startsWith(`${name}#`)).length;
      if (n > 0) names[i] = `${name}#${n + 1}`;
      if (n === 1) notes.push(`'${source.name}' has several columns '${name}'; the second is called '${name}#2', and so on.`);
    }
    words = names.map(() => ({ count: 0, line: 0, first: '' }));
    bools = names.map(() => true);
    again = names.map(() => 0);
    if (header) heading = first.fields;
    else {
      const called = names.length === 1 ? 'the column is called column_1' : `the columns are called column_1 to column_${names.length}`;
      notes.push(
        `The first line of '${source.name}' holds ${headless ? 'values of the rows below it' : 'numbers'}, so it was read as data; ${called}.`,
      );
      row(first.fields, first.at, first.line);
    }
    first = undefined;
  };

  let carry: Uint8Array = new Uint8Array(0);
  for (let at = 0; at < source.size; at += chunkBytes) {
    let bytes = await source.read(at, Math.min(source.size, at + chunkBytes), signal);
    if (bytes.includes(0)) corrupt(linesDone + 1, 'it holds zero bytes; this is no text file');
    if (at === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
      bytes = bytes.subarray(3);
      done = 3;
    }
    if (carry.length > 0) {
      const whole = new Uint8Array(carry.length + bytes.length);
      whole.set(carry);
      whole.set(bytes, carry.length);
      bytes = whole;
    }
    const final = at + chunkBytes >= source.size;
    const { used, lines, open } = parseRows(bytes, delimiter, final, (fields, from, linesBefore) => {
      const line = linesDone + linesBefore + 1;
      if (names) row(fields, done + from, line);
      else if (!first) first = { fields, at: done + from, line };
      else {
        begin(fields);
        row(fields, done + from, line);
      }
    });
    if (final && open) corrupt(linesDone + lines + 1, 'a quoted field that starts in this row is never closed');
    carry = bytes.slice(used);
    done += used;
    linesDone += lines;
  }
  begin([]);
  if (!names || length === 0) throw new Fault('data/no-rows', { path: source.path });
  if (heading && isRow(heading, words, again, length)) return survey(source, delimiter, blockRows, signal, true);
  const kinds = names.map((_, c): Kind => (bools[c] ? 'bool' : words[c].count > 0 ? 'string' : 'float64'));
  return { names, kinds, words, length, starts: [...starts, done], notes };
};

/** A text table as a dataset. Numbers are float64 with NaN where missing; `true`/`false` columns are bool; the rest is text. */
export const openDelimited = async (format: string, source: Source, signal?: AbortSignal): Promise<Dataset> => {
  const head = await source.read(0, Math.min(source.size, 65536), signal);
  const separator = separatorIn(head, source.name);
  const blockRows = blockOfRows(head);
  const { names, kinds, words, length, starts, notes } = await survey(source, separator, blockRows, signal);
  const columns = names.map(
    (name, c): Column => ({ name, dtype: kinds[c], dims: [], ...(kinds[c] === 'string' ? { words: words[c] } : {}) }),
  );
  return blockDataset(source, {
    format,
    length,
    columns,
    notes,
    blockRows,
    starts,
    parse(bytes, count) {
      const tensors = columns.map((column) => emptyRows(column, count));
      let r = 0;
      parseRows(bytes, separator, true, (fields) => {
        for (const [c, kind] of kinds.entries())
          tensors[c].data[r] =
            kind === 'string'
              ? fields[c]
              : kind === 'bool'
                ? Number(fields[c].toLowerCase() === 'true')
                : (numeric(fields[c]) ?? Number.NaN);
        r++;
      });
      return tensors;
    },
  });
};
