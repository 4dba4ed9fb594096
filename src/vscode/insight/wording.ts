import { format } from '../../report/format.ts';
import type { Attribution } from '../../report/tasks.ts';
import { t } from '../l10n.ts';
import type { Mark, Marks } from './marks.ts';

/** Text inside Markdown. */
export const escaped = (text: string): string => text.replace(/[\\`*_{}[\]()#+\-.!<>|&$~]/g, '\\$&').replace(/\s+/g, ' ');

/** A class that has only a number is called so. */
const nameOf = ({ classes }: Attribution, k: number): string => {
  const name = classes[k] ?? String(k);
  return /^\d+$/.test(name) ? t('class {0}', name) : name;
};
/** The class attributed; nothing for a regression. */
export const classOf = (a: Attribution): string | undefined => (a.classes.length > 1 ? nameOf(a, a.target) : undefined);

/** Classes to choose from at most, the most probable ones. */
const CLASSES = 100;
/** Classes, the most probable first, with their probabilities. */
export const classesOf = ({ classes, probs }: Attribution): readonly { readonly name: string; readonly probability: string }[] =>
  Array.from(classes.keys())
    .sort((a, b) => (probs[b] ?? 0) - (probs[a] ?? 0) || a - b)
    .slice(0, CLASSES)
    .map((k) => ({ name: classes[k], probability: probs.length > 0 ? format(probs[k], 'fraction') : '' }));

const signed = (value: number): string => `${value > 0 ? '+' : ''}${format(value)}`;

/** What a number says, in words: colour is not needed to read it. */
const direction = (score: number, a: Attribution): string => {
  const name = classOf(a);
  const absolute = a.values.every((v) => v >= 0);
  if (absolute) return name === undefined ? t('strength') : t('strength for {0}', `**${escaped(name)}**`);
  if (name === undefined) return score < 0 ? t('lowers the output') : t('raises the output');
  const strong = `**${escaped(name)}**`;
  return score < 0 ? t('against {0}', strong) : t('for {0}', strong);
};

/** Markdown of the hover over a token or a cell. */
export const markHover = (mark: Mark, text: string, a: Attribution, model: string, method: string): string => {
  const { score, share, cell } = mark;
  const head = `**${signed(score)}** ${direction(score, a)} · ${t('{0} of all attribution', format(share, 'fraction'))}`;
  const what = cell
    ? [
        // The model is given 32-bit floats.
        `${escaped(cell.column)} = **${escaped(cell.value)}**${Math.fround(Number(cell.value)) === cell.input ? '' : ` ${t('(the model is given {0})', escaped(format(cell.input)))}`}`,
        ...(cell.baseline === undefined ? [] : [t('baseline {0}', escaped(format(cell.baseline)))]),
      ].join(' · ')
    : t('token {0}', `**${escaped(text)}**`);
  const from = `${escaped(model)} · ${escaped(method)} · [${t('Choose…')}](command:assay.textSaliencyOptions) · [${t('Turn off')}](command:assay.toggleTextSaliency)`;
  return `${head}\n\n${what}\n\n${from}`;
};

/** What a sample says of itself where there is no picture: its strongest parts. */
export const strongestOf = (a: Attribution, most = 5): readonly string[] => {
  const names =
    a.shown.kind === 'bars' ? a.shown.names : a.shown.kind === 'tokens' ? a.shown.words : Array.from(a.values, (_, k) => t('place {0}', k));
  const inputs = a.shown.kind === 'bars' ? a.shown.inputs : undefined;
  return Array.from(a.values.keys())
    .sort((i, k) => Math.abs(a.values[k]) - Math.abs(a.values[i]) || i - k)
    .slice(0, most)
    .map((k) => `${escaped(names[k])}${inputs ? ` = ${escaped(format(inputs[k]))}` : ''}: **${signed(a.values[k])}**`);
};

/** Prediction and label in one line. */
export const answerOf = (a: Attribution): string => {
  if (a.classes.length < 2) return '';
  const probability = a.probs[a.prediction];
  const name = `**${escaped(nameOf(a, a.prediction))}**`;
  const said =
    probability === undefined ? t('predicted {0}', name) : t('predicted {0} at {1}', name, escaped(format(probability, 'fraction')));
  if (a.label === undefined) return said;
  const label = escaped(nameOf(a, a.label));
  return `${said}, ${a.label === a.prediction ? t('label {0}', label) : t('label {0} (wrong)', label)}`;
};

const seenOf = ({ tokens }: Pick<Marks, 'tokens'>, cut: boolean): string => {
  if (!tokens || (tokens.all <= tokens.seen && !cut)) return '';
  const [seen, all] = [format(tokens.seen, 'count'), format(tokens.all, 'count')];
  return cut ? t('first {0} of more than {1} tokens', seen, all) : t('first {0} of {1} tokens', seen, all);
};

/** The status bar: model, class with its probability, and what was left out. `cut`: the text is longer than what is read of it. */
export const statusOf = (model: string, a: Attribution, marks: Pick<Marks, 'tokens'>, cut: boolean, place: string): string => {
  const name = classOf(a);
  const probability = a.probs[a.target];
  const said = name === undefined ? t('output') : `${name}${probability === undefined ? '' : ` ${format(probability, 'fraction')}`}`;
  return [`$(eye) ${model}: ${said}`, place, seenOf(marks, cut)].filter((part) => part !== '').join(' · ');
};

/** Markdown of the status bar's tooltip. */
export const statusTooltip = (model: string, method: string, a: Attribution, marks: Pick<Marks, 'tokens'>, cut: boolean): string => {
  const name = classOf(a);
  const seen = seenOf(marks, cut);
  const value = (label: string): string | undefined => {
    const found = a.facts.find((fact) => fact.label === label);
    return found && escaped(typeof found.value === 'number' ? format(found.value, found.unit) : found.value);
  };
  return [
    `**${t('Saliency in text')}**: ${escaped(model)}`,
    answerOf(a),
    name === undefined ? '' : t('Shaded: what speaks for {0} (solid line) and against it (dotted line)', escaped(name)),
    `${escaped(method)}; ${t('baseline {0}', value('Baseline') ?? t('none'))}; ${value('Device') ?? ''}`,
    seen === '' ? '' : t('The model takes the {0}; the rest is faded.', escaped(seen)),
    t('Click to choose model, class or method.'),
  ]
    .filter((line) => line !== '')
    .join('\n\n');
};
