import * as numbers from '../src/report/format.ts';

declare const forPeople: unique symbol;
/** A text that people may be shown: ours through `t`, or what data, models, reports and the extension say through `given`. */
export type Words = string & { readonly [forPeople]: true };

/** Texts by their English, in the language of the window. The extension writes them into the page; there are none in English, and none in saved reports. */
const bundle: Readonly<Record<string, string>> = JSON.parse((typeof document === 'object' && document.body.dataset.words) || '{}');

/** A text of the page in the language of the window; `{0}` stands for the first of `words`. Messages are literals: the bundle is made from them. */
export const t = (message: string, ...words: readonly (string | number)[]): Words =>
  (bundle[message] ?? message).replace(/\{(\d+)\}/g, (_, i: string) => String(words[Number(i)])) as Words;

type Letter =
  | ('a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm')
  | ('n' | 'o' | 'p' | 'q' | 'r' | 's' | 't' | 'u' | 'v' | 'w' | 'x' | 'y' | 'z');
/** No text is written here: letters stand in none of its literal parts. */
type Unwritten<T extends string> = T extends `${string}${Letter | Uppercase<Letter>}${string}` ? never : T;
/** A text that is not ours to translate, signs between such texts included. Does not compile with words of our own. */
export const given = <const T extends string>(text: Unwritten<T>): Words => text as string as Words;

type Shown<F extends (...of: never) => string> = (...of: Parameters<F>) => Words;
export const format: Shown<typeof numbers.format> = numbers.format as Shown<typeof numbers.format>;
export const formatRange: Shown<typeof numbers.formatRange> = numbers.formatRange as Shown<typeof numbers.formatRange>;
export const formatInterval: Shown<typeof numbers.formatInterval> = numbers.formatInterval as Shown<typeof numbers.formatInterval>;
export const intervalName: Shown<typeof numbers.intervalName> = numbers.intervalName as Shown<typeof numbers.intervalName>;
