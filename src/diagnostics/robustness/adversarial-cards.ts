import { imageAxes } from '../../base/image.ts';
import { normalQuantile } from '../../base/maths/normal.ts';
import { wilson } from '../../base/maths/proportion.ts';
import { median } from '../../base/maths/quantile.ts';
import type { Subject } from '../../evidence/evidence.ts';
import { pictureOf } from '../../report/picture.ts';
import type { Card, Interval } from '../../report/report.ts';
import { headlineLines } from '../headline-line.ts';
import { selection } from '../selection.ts';
import { number, percent } from '../wording.ts';
import { accuracies, beatsSigns, type Check, worstAccuracies } from './adversarial-checks.ts';
import { type AttackAsk, type Attacked, type Example, type NearestRow, type SignAttack, signAttacks } from './adversarial-run.ts';

const attackNames: Readonly<Record<SignAttack, string>> = {
  fgsm: 'FGSM',
  margin: 'FGSM on the margin of the logits',
  cooled: 'FGSM on cooled logits',
  pgd: 'PGD',
  transfer: 'FGSM made on another model',
};
const SHOWN = 50;
const SIDE = 96;
const BINS = 20;

/** Those of the search that were found, nearest first. */
export const reachedRows = ({ nearest }: Attacked): readonly NearestRow[] =>
  nearest.filter((d) => d.distance < Infinity).toSorted((a, b) => a.distance - b.distance || a.row - b.row);

/** Interval of a median from its order statistics. */
const medianInterval = (sorted: readonly number[], level: number): Interval | undefined => {
  const n = sorted.length;
  const half = (normalQuantile((1 + level) / 2) * Math.sqrt(n)) / 2;
  const [low, high] = [Math.floor(n / 2 - half), Math.ceil(n / 2 + half)];
  return low < 0 || high >= n ? undefined : { low: sorted[low], high: sorted[high], level, method: 'order statistics' };
};

export const headlineOf = (
  r: Attacked,
  checks: readonly Check[],
  { confidenceLevel: level }: AttackAsk,
): { headline: Record<string, number>; intervals: Record<string, Interval> } => {
  const n = r.rows.length;
  const headline: Record<string, number> = {};
  const intervals: Record<string, Interval> = {};
  const share = (name: string, hits: number, of: number): void => {
    headline[name] = hits / of;
    const found = wilson(hits, of, level);
    if (found) intervals[name] = { low: found[0], high: found[1], level, method: 'Wilson' };
  };
  const clean = r.clean.reduce((a, b) => a + b, 0);
  headline.rows = n;
  share('accuracy', clean, n);
  const worst = worstAccuracies(r);
  headline.broken_at = r.epsilons[worst.findIndex((a) => a < clean / n / 2)] ?? Number.NaN;
  const reached = reachedRows(r).map((d) => d.distance);
  headline.searched = r.nearest.length;
  headline.left_out = r.left;
  share('nearest_success', reached.length, r.nearest.length);
  headline.nearest_median = median(reached);
  const interval = medianInterval(reached, level);
  if (interval) intervals.nearest_median = interval;
  headline.nearest_mean = reached.reduce((a, b) => a + b, 0) / reached.length;
  headline.nearest_beats_signs = beatsSigns(r);
  share('silent_share', r.silent, n);
  headline.failed_checks = checks.filter((c) => c.passes === false).length;
  headline.masked = Number(headline.failed_checks > 0);
  for (const [e, epsilon] of r.epsilons.entries()) {
    for (const kind of signAttacks) {
      const found = accuracies(r, kind);
      if (found) share(`${kind}_accuracy_${number(epsilon)}`, Math.round(found[e] * n), n);
    }
    share(`worst_accuracy_${number(epsilon)}`, Math.round(worst[e] * n), n);
  }
  return { headline, intervals };
};

const classOf = ({ classes }: Subject, c: number): string => classes[c] ?? String(c);

const curveOf = (r: Attacked, level: number): Card => {
  const n = r.rows.length;
  const from = (accuracy: readonly number[], clean: number): (readonly [number, number])[] => [
    ...(r.epsilons[0] > 0 ? [[0, 1 - clean] as const] : []),
    ...accuracy.map((a, e) => [r.epsilons[e], 1 - a] as const),
  ];
  const clean = r.clean.reduce((a, b) => a + b, 0) / n;
  const intervals = (points: readonly (readonly [number, number])[]) => points.map(([, error]) => wilson(Math.round(error * n), n, level));
  const line = (name: string, accuracy: readonly number[], base: number, wrong?: (i: number, e: number) => boolean) => {
    const points = from(accuracy, base);
    const offset = points.length - accuracy.length;
    return {
      name,
      points,
      intervals: intervals(points),
      ...(wrong
        ? {
            selections: points.map((_, at) => {
              const own = r.rows.filter((_row, i) => r.clean[i] === 1 && at >= offset && wrong(i, at - offset)).toSorted((a, b) => a - b);
              return selection(`${name} at ${number(points[at][0])}`, own.length, own.slice(0, 24));
            }),
          }
        : {}),
    };
  };
  const five = r.struck.fgsm?.among;
  return {
    kind: 'curve',
    title: 'Error against the radius of the attack',
    caption: `Share of the ${n} rows whose largest score is not their class. A radius is how far every number may move, as a share of its range (${r.range.words}). Marks link to rows that were right without the attack.`,
    x: { label: 'Radius', unit: 'none', min: 0 },
    y: { label: 'Error', unit: 'fraction', min: 0, max: 1 },
    lines: [
      ...signAttacks.flatMap((kind) => {
        const found = accuracies(r, kind);
        return found ? [line(attackNames[kind], found, clean, (i, e) => r.struck[kind]?.right[i][e] === 0)] : [];
      }),
      ...(r.classes > 5 && five
        ? [
            line(
              'FGSM, class not among the first five',
              r.epsilons.map((_, e) => five.reduce((s, row) => s + row[e], 0) / n),
              r.cleanAmong.reduce((a, b) => a + b, 0) / n,
            ),
          ]
        : []),
    ],
  };
};

const reachedCard = (r: Attacked, { targeted }: AttackAsk): Card[] =>
  targeted === 'none'
    ? []
    : [
        {
          kind: 'curve',
          title: 'Target reached',
          caption: 'Share of the rows that get the class that the attack is toward.',
          x: { label: 'Radius', unit: 'none', min: 0 },
          y: { label: 'Rows', unit: 'fraction', min: 0, max: 1 },
          lines: signAttacks.flatMap((kind) => {
            const reached = r.struck[kind]?.reached;
            return reached
              ? [
                  {
                    name: attackNames[kind],
                    points: r.epsilons.map((x, e) => [x, reached.reduce((s, row) => s + row[e], 0) / r.rows.length] as const),
                  },
                ]
              : [];
          }),
        },
      ];

const distanceCards = (r: Attacked, subject: Subject): Card[] => {
  const found = reachedRows(r);
  if (found.length === 0) return [];
  const most = found[found.length - 1].distance || 1;
  const edges = Array.from({ length: BINS + 1 }, (_, k) => (most * k) / BINS);
  const inBin = edges.slice(1).map((_, k) => found.filter((d) => Math.min(BINS - 1, Math.floor((d.distance / most) * BINS)) === k));
  return [
    {
      kind: 'bars',
      title: 'Distance to the nearest adversarial row',
      caption: `L2 over all numbers of a row, each as a share of its range, of the ${found.length} rows where Carlini and Wagner's search found one. It bounds the true distance from above.`,
      x: { label: 'Distance (L2)', unit: 'none' },
      y: { label: 'Rows', unit: 'count', min: 0 },
      edges,
      series: [
        {
          name: 'rows',
          values: inBin.map((list) => list.length),
          selections: inBin.map((list, k) =>
            selection(
              `distance ${number(edges[k])} to ${number(edges[k + 1])}`,
              list.length,
              list.slice(0, 24).map((d) => d.row),
            ),
          ),
        },
      ],
    },
    {
      kind: 'table',
      title: 'Most fragile rows',
      caption: `The nearest first${found.length > SHOWN ? `, ${SHOWN} of ${found.length}` : ''}.`,
      columns: [
        { name: 'row', label: 'Row', type: 'row' },
        { name: 'class', label: 'Class', type: 'text' },
        { name: 'becomes', label: 'Becomes', type: 'text' },
        { name: 'before', label: 'Probability of the class', type: 'number', unit: 'fraction' },
        { name: 'after', label: 'Probability of the new one', type: 'number', unit: 'fraction' },
        { name: 'distance', label: 'Distance (L2)', type: 'number' },
        { name: 'furthest', label: 'Largest change', type: 'number' },
      ],
      rows: found
        .slice(0, SHOWN)
        .map((d) => [d.row, classOf(subject, d.label), classOf(subject, d.becomes), d.before, d.after, d.distance, d.furthest]),
    },
  ];
};

/** Original, what is added, and both together. */
const triple = (e: Example, axes: NonNullable<ReturnType<typeof imageAxes>>, subject: Subject) => {
  const added = e.moved.map((v, k) => v - e.u[k]);
  const most = added.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
  const factor = most > 0 ? 0.5 / most : 1;
  const picture = (values: Float32Array) => pictureOf(values, axes, [0, 1], SIDE);
  const tile = (title: string, values: Float32Array, facts: readonly { readonly label: string; readonly value: string }[]) => ({
    row: e.row,
    title,
    picture: picture(values),
    overlays: [],
    facts,
  });
  return [
    tile(classOf(subject, e.label), e.u, [{ label: 'Probability', value: percent(e.before) }]),
    tile(
      `change × ${number(factor)}`,
      added.map((v) => 0.5 + factor * v),
      [{ label: 'Largest', value: number(most) }],
    ),
    tile(classOf(subject, e.becomes), e.moved, [{ label: 'Probability', value: percent(e.after) }]),
  ];
};

export const cardsOf = (
  r: Attacked,
  checks: readonly Check[],
  { headline, intervals }: ReturnType<typeof headlineOf>,
  ask: AttackAsk,
  subject: Subject,
  dims: readonly number[],
): Card[] => {
  const line = headlineLines(headline, intervals);
  const axes = imageAxes(dims);
  const failed = checks.filter((c) => c.passes === false);
  const last = number(r.epsilons[r.epsilons.length - 1]);
  return [
    ...(failed.length > 0
      ? [
          {
            kind: 'text' as const,
            title: 'Gradients are masked',
            paragraphs: [
              `Gradients are masked: the FGSM result is not evidence. ${failed.map((c) => `${c.name}: ${c.found}, wanted ${c.wanted}`).join('; ')}.`,
            ],
          },
        ]
      : []),
    {
      kind: 'number',
      title: 'Robustness',
      caption: `On ${r.rows.length} rows drawn by the seed; inputs move within ${r.range.words}.`,
      values: [
        line('accuracy', 'Accuracy without an attack', 'fraction'),
        line('broken_at', 'Least radius listed that takes half of it', 'none'),
        line(`worst_accuracy_${last}`, `Rows that keep their class under every attack of radius ${last}`, 'fraction'),
        line('nearest_success', 'Rows for which a nearest adversarial one was found', 'fraction'),
        line('nearest_median', 'Median distance to it (L2)', 'none'),
        line('nearest_mean', 'Mean distance to it (L2)', 'none'),
        line('nearest_beats_signs', 'Rows where that is no farther than what FGSM and PGD find', 'fraction'),
        line('left_out', 'Rows left out of that search, as they are wrong already', 'count'),
        line('silent_share', 'Rows whose loss has no gradient', 'fraction'),
        line('failed_checks', 'Failed checks for masked gradients', 'count'),
      ],
    },
    curveOf(r, ask.confidenceLevel),
    ...reachedCard(r, ask),
    ...distanceCards(r, subject),
    ...(axes && r.examples.length > 0
      ? [
          {
            kind: 'images' as const,
            title: 'Nearest adversarial rows',
            caption: 'The row, what is added to it (grey is nothing), and the sum, which the model takes for another class.',
            columns: 3,
            images: r.examples.flatMap((e) => triple(e, axes, subject)),
          },
        ]
      : []),
    {
      kind: 'table',
      title: 'Is the gradient masked?',
      caption:
        'A model that hides its gradient stops attacks that follow it, not others. One failed check is enough to distrust FGSM and PGD.',
      columns: [
        { name: 'check', label: 'Check', type: 'text' },
        { name: 'found', label: 'Found', type: 'text' },
        { name: 'wanted', label: 'Wanted', type: 'text' },
        { name: 'passes', label: 'Passes', type: 'text' },
      ],
      rows: checks.map((c) => [c.name, c.found, c.wanted, c.passes === undefined ? 'not told' : c.passes ? 'yes' : 'no']),
    },
  ];
};
