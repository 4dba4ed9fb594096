import type { Option, OptionValue } from '../src/base/option.ts';
import type { Attribution } from '../src/report/tasks.ts';
import type { Asked, ToPage } from '../src/vscode/protocol.ts';
import { type Choice, dropdown, numberField } from './controls.ts';
import { dress } from './element.ts';
import { format, given, t, type Words } from './l10n.ts';

type Form = Extract<ToPage, { type: 'saliency' }>['form'];

/** Names of options as they stand beside their controls, where those are not the options' own. */
const titles: Readonly<Record<string, Words>> = { againstClass: t('Less class') };
const titleOf = (name: string): Words =>
  titles[name] ?? given(name.charAt(0).toUpperCase() + name.slice(1).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));

const NONE = '(none)';
/** Most classes in a list, the most probable ones first. */
const CLASSES = 100;
const classesOf = ({ classes, probs }: Attribution, wanted: readonly (number | undefined)[]): readonly Choice[] => {
  const order = Array.from(classes.keys()).sort((a, b) => (probs[b] ?? 0) - (probs[a] ?? 0) || a - b);
  return order
    .filter((k, place) => place < CLASSES || wanted.includes(k))
    .map((k) => ({ value: String(k), label: given(probs.length > 0 ? `${classes[k]} · ${format(probs[k], 'fraction')}` : classes[k]) }));
};

/** Of what was chosen, that which the method reads and which is not its default. */
export const optionsOf = (
  { methods, always, options }: Form,
  method: string,
  chosen: Readonly<Record<string, OptionValue>>,
): Readonly<Record<string, OptionValue>> => {
  const reads = [...always, ...(methods.find(({ id }) => id === method)?.reads ?? [])];
  return Object.fromEntries(
    reads.filter((name) => name in chosen && chosen[name] !== options[name]?.default).map((name) => [name, chosen[name]]),
  );
};

const controlOf = (
  name: string,
  option: Option,
  value: OptionValue,
  seen: Attribution | undefined,
  change: (value: OptionValue) => void,
): HTMLElement | undefined => {
  const title = titleOf(name);
  switch (option.kind) {
    case 'choice':
      return dropdown(
        title,
        option.of.map((one) => ({ value: one, label: given((option.titles?.[one] ?? one).replaceAll('_', ' ')) })),
        String(value),
        change,
      );
    case 'int':
    case 'real':
      return numberField(title, Number(value), { min: option.min, max: option.max, step: option.kind === 'int' ? 1 : 0.01 }, change);
    case 'pick': {
      if (option.from === 'class' && (seen?.classes.length ?? 0) < 2) return undefined;
      const known =
        option.from === 'class'
          ? seen && classesOf(seen, [Number(value)])
          : seen?.layers.map((layer) => ({ value: layer.name, label: given(`${layer.name} (${layer.shape})`) }));
      const none = option.from === 'class' ? t('none') : t('last feature map');
      // The toolkit's list knows no empty value.
      return dropdown(title, [{ value: NONE, label: none }, ...(known ?? [])], value === '' ? NONE : String(value), (chosen) =>
        change(chosen === NONE ? '' : chosen),
      );
    }
    case 'flag':
    case 'text':
      return undefined;
  }
};

/** Method and class, and the options that the method reads. `seen` is the newest attribution, which knows classes and layers. */
export const askControls = (
  form: Form,
  asked: Asked,
  seen: Attribution | undefined,
  change: (part: Partial<Omit<Asked, 'target'>> & { readonly target?: number | undefined }) => void,
): readonly HTMLElement[] => {
  const method = form.methods.find(({ id }) => id === asked.method);
  const predicted = seen && (seen.classes[seen.prediction] ?? String(seen.prediction));
  const rows = [...form.always, ...(method?.reads ?? [])].flatMap((name) => {
    const option = form.options[name];
    if (!option) return [];
    const control = controlOf(name, option, asked.options[name] ?? option.default, seen, (value) => change({ options: { [name]: value } }));
    if (control) dress(control, { title: given(option.help) });
    return control ? [control] : [];
  });
  return [
    dropdown(
      t('Method'),
      form.methods.map(({ id, title, group }) => ({ value: id, label: given(title), group: given(group) })),
      asked.method,
      (id) => change({ method: id }),
    ),
    ...(seen && seen.classes.length < 2
      ? []
      : [
          dropdown(
            t('Class'),
            [
              { value: 'predicted', label: predicted === undefined ? t('predicted') : t('predicted ({0})', predicted) },
              ...(seen ? classesOf(seen, [asked.target]) : []),
            ],
            asked.target === undefined ? 'predicted' : String(asked.target),
            (value) => change({ target: value === 'predicted' ? undefined : Number(value) }),
          ),
        ]),
    ...rows,
  ];
};
