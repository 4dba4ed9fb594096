import { choose, expected, type Option, type Options, type OptionValue } from '../../base/option.ts';
import type { Choice, Host } from '../define.ts';
import { spoken, t } from '../l10n.ts';

/** A line of text that the option accepts. */
const line = (host: Host, name: string, option: Option, value: OptionValue): Promise<string | undefined> =>
  host.text(name, `${spoken(option.help)} ${t('Give {0}.', expected(option))}`, String(value), (typed) => {
    try {
      choose(name, { [name]: option }, { [name]: typed });
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  });

/** Where a file of the model is offered to be written: beside it, under a name of its own. */
const beside = (model: string | undefined, ending: string): string => `${model?.replace(/\.[^.\\/]*$/, '') ?? 'model'}-new.${ending}`;

const ask = async (
  host: Host,
  name: string,
  option: Option,
  value: OptionValue,
  model: string | undefined,
): Promise<OptionValue | undefined> => {
  switch (option.kind) {
    case 'flag':
      return host.pick<OptionValue>(name, spoken(option.help), [
        { label: t('true'), value: true },
        { label: t('false'), value: false },
      ]);
    case 'choice':
      return host.pick<OptionValue>(
        name,
        spoken(option.help),
        option.of.map((value) => ({ label: spoken(option.titles?.[value] ?? value), value })),
      );
    case 'text':
      if (option.writes !== undefined)
        return host.save(name, String(value) || beside(model, option.writes), { [option.writes.toUpperCase()]: [option.writes] });
      return line(host, name, option, value);
    case 'int':
    case 'real':
    case 'pick':
      return line(host, name, option, value);
  }
};
/** Lets the user change options one by one until they say run; undefined when dismissed. Only what differs from the defaults comes back. */
export const chooseOptions = async (
  host: Host,
  title: string,
  options: Options,
  model?: string,
): Promise<Readonly<Record<string, OptionValue>> | undefined> => {
  const given: Record<string, OptionValue> = {};
  for (;;) {
    const choices: Choice<string>[] = [
      { label: t('Run'), icon: 'play', value: '', detail: t('With the options below') },
      ...Object.entries(options).map(([name, option]) => ({
        label: name,
        value: name,
        description: String(given[name] ?? option.default),
        detail: spoken(option.help),
        icon: Object.hasOwn(given, name) ? 'edit' : 'blank',
        group: t('options'),
      })),
    ];
    const name = await host.pick(title, t('Run, or an option to change'), choices);
    if (name === undefined) return undefined;
    if (name === '') return given;
    const value = await ask(host, name, options[name], given[name] ?? options[name].default, model);
    if (value !== undefined) given[name] = choose(name, { [name]: options[name] }, { [name]: value })[name];
  }
};
