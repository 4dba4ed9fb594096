import type { Attribution } from '../src/report/tasks.ts';
import { el } from './element.ts';
import { format, given, t, type Words } from './l10n.ts';

/** Classes with their probabilities, the highest ones. */
const CLASSES = 5;

export const nameOf = ({ classes }: Attribution, k: number): Words => given(classes[k] ?? String(k));

/** Label, prediction and its probability, as far as the model and the data tell them. */
export const answerOf = (a: Attribution): Words | '' => {
  if (a.classes.length < 2) return '';
  const [said, probability] = [nameOf(a, a.prediction), a.probs[a.prediction]];
  const sure = probability === undefined ? undefined : format(probability, 'fraction');
  if (a.label === undefined) return sure === undefined ? t('predicted {0}', said) : t('predicted {0} at {1}', said, sure);
  const label = nameOf(a, a.label);
  return sure === undefined ? t('label {0}, predicted {1}', label, said) : t('label {0}, predicted {1} at {2}', label, said, sure);
};
export const isWrong = ({ label, prediction }: Attribution): boolean => label !== undefined && label !== prediction;

/** What stands beside a map: probabilities, how it was made, and what was done to the data. */
export const factsView = (a: Attribution, heading: string | undefined): HTMLElement => {
  const top = a.probs
    .map((p, i) => ({ p, i }))
    .sort((x, y) => y.p - x.p)
    .slice(0, CLASSES);
  // What was done to a file that was opened by itself is said at once.
  const alone = a.count === 1;
  const notes =
    a.notes.length > 0 &&
    el(
      'details',
      { class: 'muted', open: alone },
      el('summary', {}, t('Notes')),
      el('ul', {}, ...a.notes.map((note) => el('li', {}, given(note)))),
    );
  return el(
    'section',
    { class: 'saliency-facts', 'aria-label': heading === undefined ? t('Facts') : given(heading) },
    heading !== undefined && el('h2', {}, given(heading)),
    heading !== undefined && el('p', { class: isWrong(a) ? 'muted wrong' : 'muted' }, answerOf(a)),
    top.length > 0 &&
      el(
        'ol',
        { class: 'probabilities', 'aria-label': t('Probabilities') },
        ...top.map(({ p, i }) =>
          el(
            'li',
            { class: i === a.target ? 'target' : undefined },
            el('span', { class: 'class-name' }, nameOf(a, i)),
            el('meter', { min: 0, max: 1, value: p, 'aria-hidden': 'true' }),
            el('span', { class: 'numeric' }, format(p, 'fraction')),
          ),
        ),
      ),
    alone && notes,
    el(
      'dl',
      { class: 'facts' },
      ...a.facts.flatMap(({ label, value, unit }) => [
        el('dt', {}, given(label)),
        el('dd', {}, typeof value === 'number' ? format(value, unit) : given(value)),
      ]),
    ),
    !alone && notes,
  );
};
