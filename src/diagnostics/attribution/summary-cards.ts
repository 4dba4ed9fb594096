import type { Chosen } from '../../base/option.ts';
import { overlayScale } from '../../base/overlay-scale.ts';
import type { Subject } from '../../evidence/evidence.ts';
import { pictureOf } from '../../report/picture.ts';
import type { Card, ImagesCard } from '../../report/report.ts';
import type { Summary } from './attribution-summary.ts';
import type { AttributionOptions } from './options.ts';
import { mapOf, shrink } from './overlay.ts';
import { factLine, inputName, nameOf, sharedFacts } from './saliency-result.ts';
import { strongestWords } from './token-cards.ts';

type Choice = Chosen<AttributionOptions>;

/** Features drawn as bars and as dependence plots; points in a plot; side of mean maps. */
const BARS = 40;
const PLOTS = 4;
const POINTS = 1000;
const SIDE = 64;

const short = (v: number): number => Number(v.toPrecision(7));

/** What the values of a one-hot feature stand for. */
const levelsOf = ({ rows }: Summary, input: number): string => {
  const levels = rows.features?.levels.get(input);
  return levels ? ` Values: ${levels.map((level, i) => `${i} ${level}`).join(', ')}.` : '';
};

const featureCards = (s: Summary, subject: Pick<Subject, 'classes' | 'modelName' | 'ran'>): Card[] => {
  if (s.features.length === 0) return [];
  const shown = s.features.slice(0, BARS);
  const n = s.rows.rows.length;
  const d = s.features.length;
  const units = s.rows.found.grid?.kind === 'units';
  const made = factLine(
    s.rows,
    s.rows.rows.map((_, b) => b),
    subject,
  );
  const bars: Card = {
    kind: 'bars',
    title: units ? 'Units by mean attribution' : 'Features by mean attribution',
    caption: `Bars: mean size over ${n} rows with 95 % bootstrap intervals; points: mean with its sign.${shown.length < d ? ` The ${shown.length} strongest of ${d}.` : ''} ${made}`,
    x: { label: units ? 'Unit' : 'Feature', unit: 'none' },
    y: { label: 'Attribution', unit: 'none' },
    categories: shown.map((f) => inputName(s.rows, f.input)),
    series: [
      {
        name: 'Mean |attribution|',
        values: shown.map((f) => f.size),
        intervals: shown.map((f) => (f.interval ? [f.interval.low, f.interval.high] : null)),
      },
    ],
    marks: [{ name: 'Mean attribution', values: shown.map((f) => f.mean) }],
  };
  if (units) return [bars];
  const targets = [...new Set(s.rows.targets)].sort((a, b) => a - b);
  const plots = shown.slice(0, PLOTS).map(
    (f): Card => ({
      kind: 'scatter',
      title: `How ${inputName(s.rows, f.input)} matters`,
      caption: `Each point is a row: the feature’s value and what it contributes to the class attributed. A line is an additive effect; spread at one value comes from other features.${levelsOf(s, f.input)} ${made}`,
      x: { label: inputName(s.rows, f.input), unit: 'none' },
      y: { label: 'Attribution', unit: 'none' },
      groups: targets.map((t) => {
        const at = s.rows.rows.flatMap((_, b) => (s.rows.targets[b] === t && b < POINTS ? [b] : []));
        return {
          name: subject.classes.length > 1 ? nameOf(t, subject) : 'rows',
          points: at.map((b) => [s.x[b * d + f.input], s.rows.found.values[b * d + f.input]] as const),
          rows: at.map((b) => s.rows.rows[b]),
        };
      }),
    }),
  );
  return [bars, ...plots];
};

/** Mean map of some rows over their mean picture. */
const meanImage = (
  s: Summary,
  at: readonly number[],
  row: number,
  title: string,
  chosen: Choice,
  subject: Pick<Subject, 'classes' | 'modelName' | 'ran'>,
): ImagesCard['images'][number] | undefined => {
  const { pictures, found, reduction } = s.rows;
  if (!pictures || at.length === 0) return undefined;
  const n = s.rows.rows.length;
  const { axes, range } = pictures;
  const d = s.x.length / n;
  const mean = new Float64Array(d);
  for (const b of at) for (let k = 0; k < d; k++) mean[k] += s.x[b * d + k] / at.length;
  const first = mapOf(found, at[0], n, axes, reduction);
  const sum = new Float64Array(first.values.length);
  for (const b of at) {
    const { values } = mapOf(found, b, n, axes, reduction);
    for (let k = 0; k < sum.length; k++) sum[k] += values[k] / at.length;
  }
  const map = shrink(sum, first, SIDE);
  return {
    row,
    title,
    picture: pictureOf(mean, axes, range, 128),
    overlays: [
      {
        name: 'Mean attribution',
        width: map.width,
        height: map.height,
        values: Array.from(map.values, short),
        scale: overlayScale(map.values, chosen.outliers),
        outliers: chosen.outliers,
      },
    ],
    facts: [{ label: 'Rows', value: at.length, unit: 'count' }, ...sharedFacts(s.rows, at, subject)],
  };
};

const classMaps = (s: Summary, chosen: Choice, subject: Pick<Subject, 'classes' | 'modelName' | 'ran'>): Card[] => {
  if (!s.rows.pictures || s.rows.found.grid?.kind === 'units') return [];
  const targets = [...new Set(s.rows.targets)].sort((a, b) => a - b);
  const images = targets.flatMap((t) => {
    const at = s.rows.rows.flatMap((_, b) => (s.rows.targets[b] === t ? [b] : []));
    const one = meanImage(
      s,
      at,
      s.rows.rows[at[0]],
      subject.classes.length > 1 ? `class ${nameOf(t, subject)}` : 'all rows',
      chosen,
      subject,
    );
    return one ? [one] : [];
  });
  return [
    {
      kind: 'images',
      title: 'Mean map of each class',
      caption:
        'Mean signed attribution over the rows attributed to a class, over their mean picture: what the class rests on where objects lie alike.',
      images,
    },
  ];
};

const clusterCards = (s: Summary, chosen: Choice, subject: Pick<Subject, 'classes' | 'modelName' | 'ran'>): Card[] => {
  const { clusters } = s;
  if (!clusters) return [];
  const { of } = clusters.clusters;
  const classed = subject.classes.length > 1;
  const members = Array.from({ length: clusters.count }, (_, c) => s.rows.rows.flatMap((_r, b) => (of[b] === c ? [b] : [])));
  const accuracy = (at: readonly number[]): number | null => {
    const { labels, predicted } = s.rows;
    return labels && at.length > 0 ? at.filter((b) => labels[b] === predicted[b]).length / at.length : null;
  };
  const common = (at: readonly number[]): string => {
    const counts = new Map<number, number>();
    for (const b of at) counts.set(s.rows.targets[b], (counts.get(s.rows.targets[b]) ?? 0) + 1);
    const top = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 3);
    return top.map(([t, count]) => `${nameOf(t, subject)} (${count})`).join(', ');
  };
  const images = members.flatMap((at, c) => {
    const typical = clusters.typical[c];
    const one = typical >= 0 ? meanImage(s, at, s.rows.rows[typical], `kind ${c + 1}`, chosen, subject) : undefined;
    return one ? [one] : [];
  });
  return [
    {
      kind: 'table',
      title: 'Kinds of map',
      caption:
        'Maps grouped by where their attribution lies (k-means on |attribution| as a share of its total). A kind held by one class, with its attribution beside the object, is what a shortcut looks like.',
      columns: [
        { name: 'kind', label: 'Kind', type: 'text' },
        { name: 'rows', label: 'Rows', type: 'number', unit: 'count' },
        ...(classed ? ([{ name: 'classes', label: 'Classes attributed', type: 'text' }] as const) : []),
        ...(s.rows.labels ? ([{ name: 'accuracy', label: 'Accuracy', type: 'number', unit: 'fraction' }] as const) : []),
        { name: 'typical', label: 'Typical row', type: 'row' },
      ],
      rows: members.flatMap((at, c) =>
        at.length === 0
          ? []
          : [
              [
                `kind ${c + 1}`,
                at.length,
                ...(classed ? [common(at)] : []),
                ...(s.rows.labels ? [accuracy(at)] : []),
                s.rows.rows[clusters.typical[c]],
              ],
            ],
      ),
    },
    ...(images.length > 0 && s.rows.found.grid?.kind !== 'units'
      ? [{ kind: 'images' as const, title: 'Mean map of each kind', caption: 'Over the mean picture of the kind.', images }]
      : []),
    {
      kind: 'scatter',
      title: 'Maps on a plane',
      caption: 'First two principal components of where attribution lies; each point is a row.',
      x: { label: 'First component', unit: 'none' },
      y: { label: 'Second component', unit: 'none' },
      groups: members.flatMap((at, c) => {
        const shown = at.slice(0, POINTS);
        return shown.length === 0
          ? []
          : [
              {
                name: `kind ${c + 1}`,
                points: shown.map((b) => [clusters.plane[2 * b], clusters.plane[2 * b + 1]] as const),
                rows: shown.map((b) => s.rows.rows[b]),
              },
            ];
      }),
    },
  ];
};

export const summaryCards = (s: Summary, chosen: Choice, subject: Subject): Card[] => [
  ...featureCards(s, subject),
  ...classMaps(s, chosen, subject),
  ...(s.rows.tokens ? strongestWords(s.rows, s.rows.tokens, subject) : []),
  ...clusterCards(s, chosen, subject),
];
