import type { WeightFacts } from '../src/report/tasks.ts';
import { el, svg } from './element.ts';
import { format, given, t, type Words } from './l10n.ts';
import { tableOf } from './table.ts';

const [WIDTH, HEIGHT] = [420, 96];

const histogram = ({ histogram: counts, min = 0, max = 0, name }: WeightFacts): HTMLElement => {
  const most = Math.max(1, ...counts);
  const wide = WIDTH / counts.length;
  const step = (max - min) / counts.length;
  const bars = counts.map((count, i) => {
    // Square roots, so that tails stay visible beside the peak.
    const height = HEIGHT * Math.sqrt(count / most);
    return svg(
      'rect',
      { x: i * wide, y: HEIGHT - height, width: Math.max(0.5, wide - 1), height },
      svg('title', {}, t('{0} to {1}: {2}', format(min + i * step), format(min + (i + 1) * step), format(count, 'count'))),
    );
  });
  return el(
    'figure',
    { class: 'weight-histogram' },
    svg(
      'svg',
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        role: 'img',
        'aria-label': t('Histogram of {0}, from {1} to {2}', name, format(min), format(max)),
      },
      ...bars,
    ),
    el(
      'figcaption',
      { class: 'muted' },
      el('span', {}, format(min)),
      el('span', {}, t('height: square root of the count')),
      el('span', {}, format(max)),
    ),
  );
};

/** Moments, histogram and outliers of one stored tensor. */
export const weightView = (facts: WeightFacts): HTMLElement => {
  const { count, zeros, notFinite, min, max, mean, deviation, outliers, furthest } = facts;
  if (count === 0) return el('p', { class: 'muted' }, t('It holds no elements.'));
  const told: readonly (readonly [Words, Words])[] = [
    ...(mean === undefined || deviation === undefined
      ? []
      : [[t('Mean ± deviation'), given(`${format(mean)} ± ${format(deviation)}`)] as const]),
    ...(min === undefined || max === undefined ? [] : [[t('Range'), t('{0} to {1}', format(min), format(max))] as const]),
    [t('Zeros'), given(`${format(zeros, 'count')} (${format(zeros / count, 'fraction')})`)],
    [t('Not finite'), format(notFinite, 'count')],
    [t('Beyond 6 deviations'), format(outliers, 'count')],
  ];
  return el(
    'div',
    { class: 'weight-view' },
    facts.histogram.length > 0 && histogram(facts),
    el('dl', { class: 'pairs' }, ...told.flatMap(([label, text]) => [el('dt', {}, label), el('dd', {}, text)])),
    furthest.length > 0 &&
      tableOf(
        {
          kind: 'table',
          title: t('Furthest from the mean'),
          columns: [
            { name: 'index', label: t('Index'), type: 'text' },
            { name: 'value', label: t('Value'), type: 'number' },
          ],
          rows: furthest.map(({ at, value }) => [`[${at.join(', ')}]`, value]),
        },
        { caption: true },
      ),
  );
};
