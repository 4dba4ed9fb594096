import { parseArgs } from 'node:util';
import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import type { CliCommand, Flag, Typed } from './define.ts';

export const kebab = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
const camel = (name: string): string => name.replace(/-([a-z0-9])/g, (_, c: string) => c.toUpperCase());

/** Reads argv against a table of flags. Both `--null-draws` and `--nullDraws` are taken. Throws faults of the family `option`. */
export const readArguments = (
  argv: readonly string[],
  { name: command, usage, words: most }: Pick<CliCommand, 'name' | 'usage' | 'words'>,
  flags: Readonly<Record<string, Flag>>,
): Typed => {
  const of = `'assay ${command}'`;
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const option = {
      type: flag.value === undefined ? ('boolean' as const) : ('string' as const),
      ...(flag.short ? { short: flag.short } : {}),
    };
    options[kebab(name)] = option;
    if (kebab(name) !== name) options[name] = { type: option.type };
  }
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const words: string[] = [];
  const given: Record<string, string> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (words.length === most)
        throw new Fault('option/word', { word: token.value, after: `'${['assay', command, ...words].join(' ')}'`, usage });
      words.push(token.value);
    }
    if (token.kind !== 'option') continue;
    const name = camel(token.name);
    const known = Object.keys(flags);
    if (!Object.hasOwn(flags, name)) {
      throw new Fault('option/unknown', {
        name: token.rawName,
        of,
        nearest: nearest(name, known) && `--${kebab(nearest(name, known))}`,
        known: known.map((k) => `--${kebab(k)}`),
      });
    }
    const { value: wanted, empty } = flags[name];
    const next = token.inlineValue === false && token.value?.startsWith('--');
    if (wanted !== undefined && (token.value === undefined || next || (token.value === '' && !empty)))
      throw new Fault('option/missing', { name: `value of ${token.rawName}`, usage });
    if (wanted === undefined && token.value !== undefined)
      throw new Fault('option/word', { word: token.value, after: `'${token.rawName}', which takes no value`, usage });
    if (Object.hasOwn(given, name)) throw new Fault('option/twice', { name: token.rawName });
    given[name] = token.value ?? 'true';
  }
  return { words, flags: given };
};

/** The words a command asks for, or `option/missing`. */
export const word = (typed: Typed, at: number, name: string, usage: string): string => {
  const found = typed.words[at];
  if (found === undefined) throw new Fault('option/missing', { name, usage });
  return found;
};
