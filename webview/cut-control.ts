import type { CardOf } from '../src/report/report.ts';
import { button, slider } from './controls.ts';
import { el } from './element.ts';
import { format, t, type Words } from './l10n.ts';

/** Where the trained model may be cut: a slider over the points of the curve, and what it scores there. */
export const cutControl = (card: CardOf<'curve'>, what: string, keep: (count: number) => void): HTMLElement => {
  const counts = [...new Set(card.lines.flatMap(({ points }) => points.map(([x]) => x)))].toSorted((a, b) => a - b);
  const last = counts.length - 1;
  let chosen = last;
  const told = (at: number): Words => {
    const scores = card.lines.flatMap(({ name, points }) => {
      const found = points.find(([x]) => x === counts[at]);
      return found ? [`${name} ${format(found[1], card.y.unit)}`] : [];
    });
    return t('{0} of {1}: {2}', counts[at], counts[last], scores.join(', '));
  };
  return el(
    'div',
    { class: 'cut' },
    slider(
      t('Keep the first {0}', what),
      last,
      (at) => {
        chosen = at;
      },
      { min: 0, max: last, step: 1 },
      told,
    ),
    button(t('Save Model…'), () => keep(counts[chosen]), { title: t('Save a model with the first {0} alone', what), look: 'secondary' }),
  );
};
