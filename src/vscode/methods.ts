import type { Catalogue } from '../base/catalogue.ts';
import type { Option, Options } from '../base/option.ts';
import { spoken } from './l10n.ts';

export interface Method {
  readonly id: string;
  readonly title: string;
  readonly group: string;
  /** Names of the options that it reads beside those that all methods read. */
  readonly reads: readonly string[];
}

/** What the image tab offers: methods under their headings, the default first, and their options. */
export interface SaliencyForm {
  readonly methods: readonly Method[];
  /** Options that every method reads. */
  readonly always: readonly string[];
  readonly options: Options;
}

/** Taken from the saliency diagnostic; what is chosen by the sample shown, or drawn at once, has controls of its own. */
const elsewhere = new Set(['method', 'target', 'class', 'samples', 'checks', 'order', 'neuron', 'outliers', 'channels', 'oneHot']);

/** An option as its control names it. */
const shown = (option: Option): Option => {
  const help = spoken(option.help);
  if (option.kind !== 'choice' || !option.titles) return { ...option, help };
  return { ...option, help, titles: Object.fromEntries(Object.entries(option.titles).map(([value, title]) => [value, spoken(title)])) };
};

export const saliencyForm = ({ diagnostics }: Pick<Catalogue, 'diagnostics'>): SaliencyForm => {
  const all = diagnostics.find(({ id }) => id === 'saliency')?.options ?? {};
  const { method } = all;
  if (method?.kind !== 'choice') return { methods: [], always: [], options: {} };
  const options = Object.fromEntries(
    Object.entries(all).flatMap(([name, option]) => (elsewhere.has(name) ? [] : [[name, shown(option)] as const])),
  );
  const { reads = {}, groups = {}, titles = {} } = method;
  const named = new Set(Object.values(reads).flat());
  const methods = method.of.map((id) => ({ id, title: spoken(titles[id] ?? id), group: spoken(groups[id] ?? ''), reads: reads[id] ?? [] }));
  const headings = [...new Set(methods.map(({ group }) => group))];
  return {
    methods: headings.flatMap((heading) => methods.filter(({ group }) => group === heading)),
    always: Object.keys(options).filter((name) => !named.has(name)),
    options,
  };
};
