import { wilson } from '../../base/maths/proportion.ts';
import { quantile } from '../../base/maths/quantile.ts';
import type { Card, Interval, Selection } from '../../report/report.ts';
import { selection } from '../selection.ts';
import { number, percent } from '../wording.ts';
import type { Aupimo, AupimoChoice } from './aupimo-run.ts';
import { chanceLevel } from './aupimo-scores.ts';

/** A score below this counts as a missed image. */
const missed = 0.1;
/** Rows of the table of images. */
const mostRows = 300;

export const aupimoHeadline = (r: Aupimo, { fprLower, fprUpper }: AupimoChoice): Record<string, number> => {
  const scores = Float64Array.from(r.images, (i) => i.score).sort();
  return {
    aupimo: scores.reduce((a, b) => a + b, 0) / scores.length,
    median: quantile(scores, 0.5),
    p33: quantile(scores, 0.33),
    share_below_0_1: scores.filter((s) => s < missed).length / scores.length,
    auroc: r.context.auroc,
    aupro: r.context.aupro,
    chance: chanceLevel(fprLower, fprUpper),
    normal_images: r.normal,
    anomalous_images: scores.length,
    ...(r.other
      ? {
          aupimo_other: r.other.images.reduce((a, i) => a + i.score, 0) / scores.length,
          auroc_other: r.other.context.auroc,
          aupro_other: r.other.context.aupro,
          wins: r.other.wins,
          ties: r.other.ties,
          losses: r.other.losses,
          p_value: r.other.test.p,
        }
      : {}),
  };
};

export const aupimoIntervals = (r: Aupimo, { bootstrap, confidenceLevel: level }: AupimoChoice): Record<string, Interval> => {
  const method = `bootstrap of the anomalous images, ${bootstrap} resamples, percentiles`;
  const below = r.images.filter((i) => i.score < missed).length;
  const share = wilson(below, r.images.length, level);
  const of = ([low, high]: readonly [number, number]): Interval => ({ low, high, level, method });
  return {
    aupimo: of(r.spread.mean),
    median: of(r.spread.median),
    p33: of(r.spread.p33),
    ...(share ? { share_below_0_1: { low: share[0], high: share[1], level, method: 'Wilson' } } : {}),
  };
};

const numbers = (r: Aupimo, chosen: AupimoChoice): Card => {
  const headline = aupimoHeadline(r, chosen);
  const intervals = aupimoIntervals(r, chosen);
  const value = (name: string, label: string, reference?: number, note?: string) => ({
    name,
    label,
    value: headline[name],
    unit: 'fraction' as const,
    ...(intervals[name] ? { interval: intervals[name] } : {}),
    ...(reference === undefined ? {} : { reference }),
    ...(note === undefined ? {} : { note }),
  });
  return {
    kind: 'number',
    title: 'Scores',
    caption: `AUPIMO of an image: mean recall of its defect pixels, over the logarithm of the shared false-positive rate from ${chosen.fprLower} to ${chosen.fprUpper}; only normal images set that rate. AUROC and AUPRO pool all images and forgive far more false alarms.`,
    values: [
      value('aupimo', 'Mean AUPIMO', 1),
      value('median', 'Median AUPIMO', 1),
      value('p33', 'AUPIMO that a third of the images stay below', 1),
      value('share_below_0_1', 'Share of anomalous images below 0.1', 0),
      value('auroc', 'Pixel AUROC', 1, 'all pixels, at every false-positive rate'),
      value('aupro', `AUPRO up to FPR ${chosen.proLimit}`, 1, 'mean recall of connected defects'),
      value('chance', 'AUPIMO of a map that tells nothing', undefined, 'recall equal to the false-positive rate'),
    ],
  };
};

const histogram = (r: Aupimo): Card => {
  const edges = Array.from({ length: 11 }, (_, i) => i / 10);
  const rows: number[][] = Array.from({ length: 10 }, () => []);
  for (const { score, row } of r.images) rows[Math.min(9, Math.floor(score * 10))].push(row);
  const selections = rows.map((list, i): Selection | null =>
    selection(`AUPIMO ${edges[i]} to ${edges[i + 1]}`, list.length, list.toSorted((a, b) => a - b).slice(0, 24)),
  );
  return {
    kind: 'bars',
    title: 'Images by AUPIMO',
    caption: 'Anomalous images in each tenth; choose a bar to see them.',
    x: { label: 'AUPIMO', unit: 'none', min: 0, max: 1 },
    y: { label: 'Images', unit: 'count', min: 0 },
    edges,
    series: [{ name: 'Images', values: rows.map((l) => l.length), selections }],
  };
};

const box = (r: Aupimo): Card => ({
  kind: 'table',
  title: 'Box plot',
  caption: 'Quartiles and whiskers (farthest image within 1.5 interquartile ranges), each with the image nearest to it.',
  columns: [
    { name: 'statistic', label: 'Statistic', type: 'text' },
    { name: 'value', label: 'AUPIMO', type: 'number', unit: 'none' },
    { name: 'row', label: 'Nearest image', type: 'row' },
    { name: 'score', label: 'Its AUPIMO', type: 'number', unit: 'none' },
  ],
  rows: r.statistics.map((s) => [s.name, s.value, r.images[s.image].row, r.images[s.image].score]),
});

const samples = (r: Aupimo, { fprLower, fprUpper }: AupimoChoice): Card => ({
  kind: 'images',
  title: 'Images nearest to the box plot',
  caption: `Outlined: the mask, and where the map is above the threshold that lets through a share of ${fprUpper}, or ${fprLower}, of the pixels of normal images. An outline of the map inside the mask is a defect found; one outside is a false alarm.`,
  images: r.shown.map((s) => ({
    row: s.row,
    title: `${s.statistic}: ${number(s.score)}`,
    picture: s.picture,
    overlays: s.layers.map(({ name, values }) => ({ name, width: s.width, height: s.height, values, scale: 1 })),
    facts: [{ label: 'AUPIMO', value: s.score }],
  })),
});

const curves = (r: Aupimo, { fprLower, fprUpper }: AupimoChoice): Card => {
  const columns = r.grid.map((_, g) => Float64Array.from(r.images, (i) => i.curve[g]).sort());
  const at = (q: number): (readonly [number, number])[] => r.grid.map((f, g) => [f, quantile(columns[g], q)]);
  return {
    kind: 'curve',
    title: 'Recall against shared false-positive rate (PIMO)',
    caption: `Recall of defect pixels by image; the integral runs from ${fprLower} to ${fprUpper}. The band holds the middle half of the images.`,
    x: { label: 'Shared false-positive rate (normal images)', unit: 'none', min: r.grid[0], max: r.grid[r.grid.length - 1], scale: 'log' },
    y: { label: 'Recall of an image', unit: 'fraction', min: 0, max: 1 },
    lines: [
      { name: 'Median image', points: at(0.5), shape: 'step' },
      ...r.shown.slice(0, 4).map((s) => {
        const image = r.images.find((i) => i.row === s.row);
        return {
          name: `${s.statistic} (row ${s.row})`,
          shape: 'step' as const,
          points: r.grid.map((f, g): readonly [number, number] => [f, image?.curve[g] ?? 0]),
        };
      }),
    ],
    bands: [{ name: 'Middle half', points: at(0.25).map(([f, low], g) => [f, low, quantile(columns[g], 0.75)] as const) }],
  };
};

const table = (r: Aupimo): Card => ({
  kind: 'table',
  title: 'Images, worst first',
  ...(r.images.length > mostRows ? { caption: `The ${mostRows} lowest of ${r.images.length}.` } : {}),
  columns: [
    { name: 'row', label: 'Row', type: 'row' },
    { name: 'score', label: 'AUPIMO', type: 'number', unit: 'none' },
    { name: 'area', label: 'Defect pixels', type: 'number', unit: 'fraction' },
    { name: 'regions', label: 'Defects', type: 'number', unit: 'count' },
    ...(r.other ? [{ name: 'other', label: 'AUPIMO of the other', type: 'number' as const, unit: 'none' as const }] : []),
  ],
  rows: r.images
    .map((image, i) => [image.row, image.score, image.area, image.regions, ...(r.other ? [r.other.images[i].score] : [])])
    .sort((a, b) => a[1] - b[1] || a[0] - b[0])
    .slice(0, mostRows),
});

const comparison = (r: Aupimo, { tolerance }: AupimoChoice): Card[] =>
  r.other
    ? [
        {
          kind: 'scatter',
          title: `${r.name} against ${r.other.name}`,
          caption: `AUPIMO of each image. ${r.name} is better on ${r.other.wins}, worse on ${r.other.losses}, within ${tolerance} on ${r.other.ties}; Wilcoxon signed-rank, two-sided, p = ${number(r.other.test.p)} (${r.other.test.exact ? 'exact' : 'normal approximation'}, ${r.other.test.n} differences).`,
          x: { label: r.other.name, unit: 'none', min: 0, max: 1 },
          y: { label: r.name, unit: 'none', min: 0, max: 1 },
          groups: [
            {
              name: 'Images',
              points: r.images.map((image, i) => [r.other?.images[i].score ?? 0, image.score] as const),
              rows: r.images.map((image) => image.row),
            },
          ],
          diagonal: true,
        },
      ]
    : [];

export const aupimoCards = (r: Aupimo, chosen: AupimoChoice): Card[] => [
  numbers(r, chosen),
  ...comparison(r, chosen),
  samples(r, chosen),
  histogram(r),
  box(r),
  curves(r, chosen),
  table(r),
];

export const aupimoGuide = (r: Aupimo, chosen: AupimoChoice): string => {
  const h = aupimoHeadline(r, chosen);
  const { test, name, wins, losses } = r.other ?? {};
  return [
    `At most one normal pixel in ${number(1 / chosen.fprUpper)} may raise an alarm here. Under that rule an average of ${percent(h.aupimo)} of the defect pixels of an image is found, and ${percent(h.share_below_0_1)} of the anomalous images are practically missed (below 0.1).`,
    h.auroc > 0.9 && h.aupimo < 0.7
      ? `Pixel AUROC is ${number(h.auroc)} all the same: it counts false alarms that no inspection would bear, so do not choose a model by it.`
      : `Pixel AUROC is ${number(h.auroc)} and AUPRO ${number(h.aupro)}; both pool all images.`,
    ...(test && name !== undefined
      ? [
          test.p < 0.05
            ? `The paired test says that the difference from ${name} (better on ${wins}, worse on ${losses}) is more than chance.`
            : `The paired test does not tell it from ${name} (better on ${wins}, worse on ${losses}).`,
        ]
      : []),
    `Look at the images in the lowest bars: if the defects missed there matter, the model is not ready; if they are harmless, it may be. Intervals are over anomalous images, with the thresholds of these ${r.normal} normal images held fixed: other normal images would move all scores together, and more of them are the first remedy where the smallest rate that can be told (${number(r.grain)}) is near ${chosen.fprLower}.`,
  ].join(' ');
};
