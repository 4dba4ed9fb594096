import { Fault } from '../../base/fault.ts';
import { sizeOf, type Tensor } from '../../base/tensor.ts';
import { blockDataset, blockOfRows } from '../blocks.ts';
import { type Column, defineReader, type Reader, type Source } from '../define.ts';
import { emptyRows } from '../rows.ts';

const newline = 10;
const chunkBytes = 1 << 20;

type Fields = ReadonlyMap<string, unknown>;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Objects inside the row's object become columns `outer.inner`. */
const flattened = (value: Readonly<Record<string, unknown>>, prefix = '', into = new Map<string, unknown>()): Fields => {
  for (const [key, inner] of Object.entries(value))
    if (isObject(inner) && Object.keys(inner).length > 0) flattened(inner, `${prefix}${key}.`, into);
    else into.set(prefix + key, inner);
  return into;
};

/** Shape of a rectangular list of numbers; undefined for any other list. */
const shapeOf = (list: readonly unknown[]): readonly number[] | undefined => {
  if (list.length === 0) return undefined;
  if (list.every((v) => typeof v === 'number')) return [list.length];
  const inner = list.map((v) => (Array.isArray(v) ? shapeOf(v) : undefined));
  const first = inner[0];
  return first && inner.every((d) => d?.join() === first.join()) ? [list.length, ...first] : undefined;
};

/** What was seen of a column: how often each kind of value, and the shape of its lists where all have one. */
interface Seen {
  numbers: number;
  flags: number;
  texts: number;
  lists: number;
  readonly first: { line: number; value: string };
  /** `ragged` once two lists differ. */
  shape: readonly number[] | 'ragged' | undefined;
}

const look = (seen: Seen, value: unknown, line: number): void => {
  if (value === null) return;
  if (typeof value === 'number') seen.numbers++;
  else if (typeof value === 'boolean') seen.flags++;
  else {
    if (seen.texts + seen.lists === 0) [seen.first.line, seen.first.value] = [line, inWords(value)];
    if (!Array.isArray(value)) seen.texts++;
    else {
      seen.lists++;
      const shape = shapeOf(value);
      if (shape === undefined || (seen.shape !== undefined && seen.shape.toString() !== shape.toString())) seen.shape = 'ragged';
      else seen.shape ??= shape;
    }
  }
};

/** Objects with more names than this are dictionaries, not rows. */
const mostColumns = 10_000;

const inWords = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const columnOf = (name: string, { numbers, flags, texts, lists, first, shape }: Seen, rows: number): Column => {
  if (lists === rows && Array.isArray(shape)) return { name, dtype: 'float64', dims: shape };
  if (texts + lists > 0) return { name, dtype: 'string', dims: [], words: { count: texts + lists, line: first.line, first: first.value } };
  return { name, dtype: flags === rows && numbers === 0 ? 'bool' : 'float64', dims: [] };
};

const put = (tensor: Tensor, row: number, value: unknown): void => {
  const { dtype, dims } = tensor;
  const data = tensor.data as { [i: number]: unknown };
  const width = sizeOf(dims.slice(1));
  if (dims.length > 1) for (const [i, v] of (value as unknown[]).flat(dims.length).entries()) data[row * width + i] = v;
  else if (dtype === 'string') data[row] = value === undefined || value === null ? '' : inWords(value);
  else data[row] = value === undefined || value === null ? Number.NaN : Number(value);
};

/** JSON, and the NaN and Infinity that Python writes into it: NaN is null. */
const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    const plain = text.replace(/"(?:[^"\\]|\\.)*"|\bNaN\b|\bInfinity\b/g, (m) => ({ NaN: 'null', Infinity: '1e999' })[m] ?? m);
    if (plain === text) throw error;
    return JSON.parse(plain);
  }
};

/** The objects of whole lines of these bytes, blank lines left out; returns how many bytes they take. With `final` the last needs no end. */
const parseLines = (
  bytes: Uint8Array,
  final: boolean,
  each: (fields: Fields, at: number, line: number) => void,
  wrong: (line: number, reason: string) => never,
): { readonly used: number; readonly lines: number } => {
  const utf8 = new TextDecoder();
  let [at, line] = [0, 0];
  while (at < bytes.length) {
    let end = bytes.indexOf(newline, at);
    if (end < 0 && !final) break;
    if (end < 0) end = bytes.length;
    const text = utf8.decode(bytes.subarray(at, end)).trim();
    if (text !== '') {
      let value: unknown;
      try {
        value = parseJson(text);
      } catch (error) {
        wrong(line, `it is no JSON (${(error as Error).message})`);
      }
      if (!isObject(value)) return wrong(line, 'it holds no JSON object, and every line is to be one row');
      try {
        each(flattened(value), at, line);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        wrong(line, 'its lists or objects are nested too deeply');
      }
    }
    at = Math.min(bytes.length, end + 1);
    line++;
  }
  return { used: at, lines: line };
};

/** One pass over the file: where blocks of rows start and what the columns hold. Bytes in memory: a chunk and the longest line. */
const survey = async (source: Source, blockRows: number, signal?: AbortSignal) => {
  const starts: number[] = [];
  const columns = new Map<string, Seen>();
  let [length, lines, done] = [0, 0, 0];
  const wrong = (line: number, reason: string): never => {
    throw new Fault('data/corrupt', { path: source.path, where: `line ${lines + line + 1}`, reason });
  };
  let carry: Uint8Array = new Uint8Array(0);
  for (let at = 0; at < source.size; at += chunkBytes) {
    const read = await source.read(at, Math.min(source.size, at + chunkBytes), signal);
    if (read.includes(0)) wrong(0, 'it holds zero bytes; this is no text file');
    const bytes = new Uint8Array(carry.length + read.length);
    bytes.set(carry);
    bytes.set(read, carry.length);
    const { used, lines: passed } = parseLines(
      bytes,
      at + chunkBytes >= source.size,
      (fields, from, line) => {
        if (length++ % blockRows === 0) starts.push(done + from);
        for (const [name, value] of fields) {
          const seen = columns.get(name) ?? { numbers: 0, flags: 0, texts: 0, lists: 0, first: { line: 0, value: '' }, shape: undefined };
          columns.set(name, seen);
          if (columns.size > mostColumns) wrong(line, `its rows have more than ${mostColumns} different names`);
          look(seen, value, lines + line + 1);
        }
      },
      wrong,
    );
    carry = bytes.slice(used);
    done += used;
    lines += passed;
  }
  if (length === 0) throw new Fault('data/no-rows', { path: source.path });
  return { length, starts: [...starts, done], columns: Array.from(columns, ([name, seen]) => columnOf(name, seen, length)) };
};

/**
 * One JSON object a line (jsonlines.org). Numbers are float64 with NaN where missing or null; lists of numbers of one shape are arrays;
 * all other lists stay text, as JSON.
 */
export const jsonl: Reader = defineReader({
  id: 'jsonl',
  title: 'JSON lines',
  endings: ['.jsonl', '.ndjson', '.jsonl.gz', '.ndjson.gz'],
  knows: (_, name) => /\.(jsonl|ndjson)$/i.test(name),
  async open(source, signal) {
    const blockRows = blockOfRows(await source.read(0, Math.min(source.size, 65536), signal));
    const { length, starts, columns } = await survey(source, blockRows, signal);
    const ragged = columns.filter((c) => c.words?.first.startsWith('['));
    return blockDataset(source, {
      format: 'jsonl',
      length,
      columns,
      notes:
        ragged.length === 0
          ? []
          : [
              `Lists in ${ragged.map(({ name }) => `'${name}'`).join(', ')} differ in length or hold more than numbers: they make no array, and are read as lists only where a list is asked for.`,
            ],
      blockRows,
      starts,
      parse(bytes, count, first) {
        const tensors = columns.map((column) => emptyRows(column, count));
        let row = 0;
        const wrong = (line: number, reason: string): never => {
          throw new Fault('data/corrupt', { path: source.path, where: `row ${first + line}`, reason });
        };
        parseLines(
          bytes,
          true,
          (fields) => {
            for (const [c, { name }] of columns.entries()) put(tensors[c], row, fields.get(name));
            row++;
          },
          wrong,
        );
        return tensors;
      },
    });
  },
});
