import { Fault } from '../base/fault.ts';
import { int64, type Tensor } from '../base/tensor.ts';
import type { Column, Dataset } from './define.ts';
import type { Target } from './preprocess.ts';
import { type Token, tokensIn } from './text-words.ts';
import type { TextRange } from './token-ranges.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Names that columns of text are known by. */
const usual = ['text', 'sentence', 'message', 'content', 'review', 'question', 'code', 'document', 'x'];
/** Rows looked at to find the column of text and, where nothing else says it, how long rows are. */
const LOOKED_AT = 256;
/** Longest row where neither model nor tokenizer says it. */
const LONGEST = 512;

export interface FittedText {
  readonly dataset: Dataset;
  /** Name of the column of tokens. */
  readonly x: string;
  readonly note: string;
  /** The words behind rows of tokens, by dataset rows. */
  words(rows: readonly number[], signal: AbortSignal): Promise<readonly (readonly Token[])[]>;
  readonly padding: number;
  /** Number of tokens that there are. */
  readonly size: number;
  /** The token that hides a word, if there is one. */
  readonly mask?: number;
  /** A text that is in no row: its tokens, and where those stand in it that the model takes. */
  given(text: string): GivenText;
}

export interface GivenText {
  /** [1, length] */
  readonly tokens: Tensor;
  readonly words: readonly Token[];
  readonly ranges: readonly (TextRange | undefined)[];
  /** How many tokens the whole text has. */
  readonly count: number;
}

const isWords = (c: Column): boolean => c.dtype === 'string' && c.dims.length === 0;

/** The column of text: as named, a usual name, else the one with the longest fields. */
const textColumn = async (
  dataset: Dataset,
  given: string | undefined,
  label: string | undefined,
  signal: AbortSignal,
): Promise<Column | undefined> => {
  const all = dataset.columns.filter(isWords);
  if (given !== undefined) return all.find((c) => c.name === given);
  const columns = all.filter((c) => c.name !== label);
  const known = usual.map((name) => columns.find((c) => c.name.toLowerCase() === name)).find((c) => c !== undefined);
  if (known || columns.length <= 1) return known ?? columns[0];
  const looked = await dataset.slice(
    columns.map((c) => c.name),
    0,
    Math.min(LOOKED_AT, dataset.length),
    signal,
  );
  const lengths = looked.map(({ data }) => (data as readonly string[]).reduce((sum, text) => sum + text.length, 0));
  return columns[lengths.indexOf(Math.max(...lengths))];
};

/** A column of text as rows of tokens, cut or filled up to the length that the model fixes. Undefined where no column holds text. */
export const fitText = async (
  dataset: Dataset,
  x: string | undefined,
  label: string | undefined,
  tokenizer: Tokenizer,
  target: Target,
  signal: AbortSignal,
): Promise<FittedText | undefined> => {
  const column = await textColumn(dataset, x, label, signal);
  if (!column) return undefined;
  const [looked] = await dataset.slice([column.name], 0, Math.min(LOOKED_AT, dataset.length), signal);
  const first = (looked.data as readonly string[]).map((text) => tokenizer.encode(text).ids);
  const strange = tokenizer.unknown;
  const known = first.some((ids) => ids.some((id) => id !== strange && id !== tokenizer.padding));
  if (!known && (looked.data as readonly string[]).some((text) => text.trim() !== ''))
    throw new Fault('data/tokenizer-unknown', { tokenizer: tokenizer.name, column: column.name, path: dataset.path, rows: first.length });
  const fixed = target.dims?.[0];
  if (target.dims && target.dims.length !== 1)
    throw new Fault('data/token-input', { input: target.name, dims: `[N${target.dims.map((d) => `,${d ?? '?'}`).join('')}]` });
  let length = typeof fixed === 'number' ? fixed : tokenizer.length;
  const cap = length === undefined || length > LONGEST;
  if (typeof fixed !== 'number' && cap) {
    length = Math.min(LONGEST, Math.max(1, ...first.map((ids) => ids.length)));
  }
  const size = length ?? LONGEST;
  const encoded = ({ data }: Tensor): Tensor => {
    const texts = data as readonly string[];
    const out = new Array<number>(texts.length * size).fill(tokenizer.padding);
    texts.forEach((text, i) => {
      tokenizer
        .encode(text)
        .ids.slice(0, size)
        .forEach((id, k) => {
          out[i * size + k] = id;
        });
    });
    return int64([texts.length, size], out);
  };
  const name = column.name;
  const wordsOf = (text: string): readonly Token[] => tokensIn(text, tokenizer, size);
  const replaced = (names: readonly string[], tensors: readonly Tensor[]): readonly Tensor[] =>
    tensors.map((t, i) => (names[i] === name ? encoded(t) : t));
  const fitted: Dataset = {
    ...dataset,
    columns: dataset.columns.map((c) => (c === column ? { name, dtype: 'int64', dims: [size] } : c)),
    slice: async (names, from, to, s) => replaced(names, await dataset.slice(names, from, to, s)),
    take: async (names, rows, s) => replaced(names, await dataset.take(names, rows, s)),
    extra: (extra, s) => dataset.extra(extra, s),
    close: () => dataset.close(),
  };
  return {
    dataset: fitted,
    x: name,
    padding: tokenizer.padding,
    size: tokenizer.size,
    ...(tokenizer.mask === undefined ? {} : { mask: tokenizer.mask }),
    note: `Column '${name}' was read as tokens by '${tokenizer.name}', ${size} a row: longer texts are cut, shorter ones filled up with token ${tokenizer.padding}.`,
    async words(rows, s) {
      const [tensor] = await dataset.take([name], rows, s);
      return (tensor.data as readonly string[]).map(wordsOf);
    },
    given: (text) => ({
      tokens: encoded({ dtype: 'string', dims: [1], data: [text] }),
      words: wordsOf(text),
      ranges: tokenizer.ranges(text, size),
      count: tokenizer.encode(text).ids.length,
    }),
  };
};
