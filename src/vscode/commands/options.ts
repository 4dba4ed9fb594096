import { choose, expected, type Option, type Options, type OptionValue } from '../../base/option.ts';
import type { Choice, Host } from '../define.ts';

const ask = async (host: Host, name: string, option: Option, value: OptionValue): Promise<OptionValue | undefined> => {
  switch (option.kind) {
    case 'flag':
      return host.pick<OptionValue>(name, option.help, [
        { label: 'true', value: true },
        { label: 'false', value: false },
      ]);
    case 'choice':
      return host.pick<OptionValue>(
        name,
        option.help,
        option.of.map((value) => ({ label: option.titles?.[value] ?? value, value })),
      );
    case 'int':
    case 'real':
    case 'text':
    case 'pick':
      return host.text(name, `${option.help} Give ${expected(option)}.`, String(value), (typed) => {
        try {
          choose(name, { [name]: option }, { [name]: typed });
          return undefined;
        } catch (error) {
          return error instanceof Error ? error.message : String(error);
        }
      });
  }
};

/** Lets the user change options one by one until they say run; undefined when dismissed. Only what differs from the defaults comes back. */
export const chooseOptions = async (
  host: Host,
  title: string,
  options: Options,
): Promise<Readonly<Record<string, OptionValue>> | undefined> => {
  const given: Record<string, OptionValue> = {};
  for (;;) {
    const choices: Choice<string>[] = [
      { label: 'Run', icon: 'play', value: '', detail: 'With the options below' },
      ...Object.entries(options).map(([name, option]) => ({
        label: name,
        value: name,
        description: String(given[name] ?? option.default),
        detail: option.help,
        icon: Object.hasOwn(given, name) ? 'edit' : 'blank',
        group: 'options',
      })),
    ];
    const name = await host.pick(title, 'Run, or an option to change', choices);
    if (name === undefined) return undefined;
    if (name === '') return given;
    const value = await ask(host, name, options[name], given[name] ?? options[name].default);
    if (value !== undefined) given[name] = choose(name, { [name]: options[name] }, { [name]: value })[name];
  }
};
