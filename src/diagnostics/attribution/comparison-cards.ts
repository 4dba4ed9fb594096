import { overlayScale } from '../../base/overlay-scale.ts';
import type { Subject } from '../../evidence/evidence.ts';
import type { Card, HeatmapCard, ImagesCard, Interval, Selection } from '../../report/report.ts';
import { number, percent } from '../wording.ts';
import type { Compared, Comparison, ComparisonOptions, Likeness } from './comparison-run.ts';
import { meanWithin } from './mean-over-samples.ts';
import { methodTitles } from './method-names.ts';
import { mapOf, shrink } from './overlay.ts';
import { factLine, factsOf, inputName, nameOf, type Saliency, strongest, titleOf } from './saliency-result.ts';
import { shadedTokens } from './token-cards.ts';

/** Samples shown, longest side of a map, and columns of a table. */
const SHOWN = 8;
const SIDE = 64;
const COLUMNS = 40;

const known = (values: readonly number[]): number[] => values.filter(Number.isFinite);
const meanOf = (values: readonly number[]): number => meanWithin(known(values)).value;
const titled = ({ method }: Compared): string => methodTitles[method];
const short = (v: number): number => Number(v.toPrecision(7));

/** Mean over pairs of |a|'s rank correlation, for each sample. */
const perSample = ({ pairs }: Comparison): number[] => {
  const [first] = pairs;
  return known(first.likeness.size.map((_, i) => meanOf(pairs.map(({ likeness }) => likeness.size[i]))));
};

const least = ({ pairs }: Comparison): Comparison['pairs'][number] =>
  pairs.reduce((a, b) => (meanOf(b.likeness.size) < meanOf(a.likeness.size) || Number.isNaN(meanOf(a.likeness.size)) ? b : a));
const most = ({ pairs }: Comparison): Comparison['pairs'][number] =>
  pairs.reduce((a, b) => (meanOf(b.likeness.size) > meanOf(a.likeness.size) || Number.isNaN(meanOf(a.likeness.size)) ? b : a));

export const comparisonHeadline = (c: Comparison): Record<string, number> => ({
  rows: c.compared[0].rows.rows.length,
  methods: c.compared.length,
  rank_correlation_mean: meanOf(perSample(c)),
  rank_correlation_min: meanOf(least(c).likeness.size),
  top_tenth_shared_mean: meanOf(c.pairs.flatMap(({ likeness }) => likeness.top)),
});

export const comparisonIntervals = (c: Comparison): Record<string, Interval> => {
  const [all, worst] = [meanWithin(perSample(c)).interval, meanWithin(known(least(c).likeness.size)).interval];
  return { ...(all ? { rank_correlation_mean: all } : {}), ...(worst ? { rank_correlation_min: worst } : {}) };
};

/** Rows from those on which two methods agree least. */
const apart = (rows: readonly number[], values: readonly number[], label: string): Selection => {
  const order = rows.map((_, i) => i).sort((a, b) => (values[a] || 0) - (values[b] || 0));
  return { label, total: rows.length, rows: order.map((i) => rows[i]) };
};

const correlationCard = ({ compared, pairs }: Comparison): HeatmapCard => {
  const names = compared.map(titled);
  const size = names.length;
  const layer = (name: string, low: number, of: (likeness: Likeness) => readonly number[] | undefined): HeatmapCard['layers'][number] => {
    const values = new Array<number | null>(size * size).fill(null);
    for (let i = 0; i < size; i++) values[i * size + i] = 1;
    for (const { of: at, likeness } of pairs) {
      const found = of(likeness);
      const value = found ? meanOf(found) : Number.NaN;
      const [i, j] = at;
      values[i * size + j] = values[j * size + i] = Number.isFinite(value) ? value : null;
    }
    return { name, unit: 'none', values, domain: [low, 1] };
  };
  const [{ rows }] = compared;
  return {
    kind: 'heatmap',
    title: 'Rank correlation between methods',
    caption:
      'Spearman’s correlation of |attribution| over the places of a map, mean over samples. Maps that are zero where the input is zero agree there whatever the model: the second layer leaves those places out. With sign: only between methods that have one.',
    rows: { label: 'Method', names },
    columns: { label: 'Method', names },
    layers: [
      layer('Of |attribution|', -1, (l) => l.size),
      layer('Where the input is not 0', -1, (l) => l.nonzero),
      layer('With sign', -1, (l) => l.signed),
      layer('Top tenth in common', 0, (l) => l.top),
    ],
    selections: Object.fromEntries(
      pairs.flatMap(({ of: [i, j], likeness }) => {
        const selection = apart(rows.rows, likeness.size, `${names[i]} and ${names[j]}, least alike first`);
        return [
          [String(i * size + j), selection],
          [String(j * size + i), selection],
        ];
      }),
    ),
  };
};

const pairTable = ({ compared, pairs }: Comparison): Card => ({
  kind: 'table',
  title: 'Pairs of methods',
  caption: 'Means over samples; the interval is of the rank correlation of |attribution|.',
  columns: [
    { name: 'first', label: 'Method', type: 'text' },
    { name: 'second', label: 'and', type: 'text' },
    { name: 'size', label: 'Rank correlation', type: 'number' },
    { name: 'interval', label: '95 %', type: 'interval' },
    { name: 'nonzero', label: 'Where the input is not 0', type: 'number' },
    { name: 'signed', label: 'With sign', type: 'number' },
    { name: 'top', label: 'Top tenth in common', type: 'number', unit: 'fraction' },
  ],
  rows: pairs.map(({ of: [i, j], likeness }) => {
    const { value, interval } = meanWithin(known(likeness.size));
    return [
      titled(compared[i]),
      titled(compared[j]),
      value,
      interval ? [interval.low, interval.high] : null,
      meanOf(likeness.nonzero),
      likeness.signed ? meanOf(likeness.signed) : null,
      meanOf(likeness.top),
    ];
  }),
});

const mapsOf = ({ rows: s }: Compared, b: number) => {
  const { pictures, found, rows, reduction } = s;
  if (!pictures) return undefined;
  const map = mapOf(found, b, rows.length, pictures.axes, reduction);
  return shrink(map.values, map, SIDE);
};

/** One line of tiles for each sample: the picture, then its map by every method. */
const pictureGrid = ({ compared }: Comparison, { outliers, sameScale }: ComparisonOptions, subject: Subject): ImagesCard[] => {
  const [{ rows: s }] = compared;
  if (!s.pictures) return [];
  const { pictures } = s.pictures;
  return [
    {
      kind: 'images',
      title: 'Maps side by side',
      caption: `A line for each sample, a column for each method. 0 is transparent; ${sameScale ? 'all maps of a line are on one colour scale' : 'every map is on its own colour scale, so colours tell where, not how much'}: full strength is reached where the values hold all but ${number(outliers)} % of the total.`,
      columns: 1 + compared.length,
      images: s.rows.slice(0, SHOWN).flatMap((row, b) => {
        const maps = compared.map((one) => mapsOf(one, b));
        const together = overlayScale(Float64Array.from(maps.flatMap((map) => Array.from(map?.values ?? []))), outliers);
        return [
          { row, title: titleOf(s, b, subject), picture: pictures[b], overlays: [], facts: [] },
          ...compared.map((one, m) => {
            const map = maps[m];
            return {
              row,
              title: titled(one),
              picture: pictures[b],
              overlays: map
                ? [
                    {
                      name: 'Attribution',
                      width: map.width,
                      height: map.height,
                      values: Array.from(map.values, short),
                      ...(sameScale ? { scale: together } : { scale: overlayScale(map.values, outliers), outliers }),
                    },
                  ]
                : [],
              facts: factsOf(one.rows, b, subject),
            };
          }),
        ];
      }),
    },
  ];
};

/** The same text once for each method. */
const textGrid = ({ compared }: Comparison, chosen: ComparisonOptions, subject: Subject): Card[] => {
  const [{ rows: s }] = compared;
  return s.rows
    .slice(0, SHOWN)
    .flatMap((_, b) =>
      compared.flatMap((one): Card[] =>
        one.rows.tokens ? [shadedTokens(one.rows, one.rows.tokens, b, chosen.outliers, subject, titled(one))] : [],
      ),
    );
};

/** The class of sample `b`, and where the rest is told. */
const attributedTo = (s: Saliency, b: number, subject: Subject): string =>
  `${subject.classes.length > 1 ? ` Class attributed: ${nameOf(s.targets[b], subject)}.` : ''} How each map was made is told in the table of methods.`;

/** Curves of one signal: a line for each method, each as a share of its own largest size. */
const signalGrid = ({ compared }: Comparison, subject: Subject): Card[] => {
  const [{ rows: s }] = compared;
  const { signals } = s;
  if (!signals) return [];
  return s.rows.slice(0, SHOWN).map((row, b): Card => {
    const scaled = (values: Float64Array): (readonly [number, number])[] => {
      const size = Math.max(...values.map(Math.abs), 1e-300);
      return Array.from(values, (v, k) => [k, v / size] as const);
    };
    return {
      kind: 'curve',
      title: `row ${row}: ${titleOf(s, b, subject)}`,
      caption: `Channels summed; each map as a share of its own largest size.${attributedTo(s, b, subject)}`,
      x: { label: 'Place', unit: 'count', min: 0, max: signals.places - 1 },
      y: { label: 'Share of the largest', unit: 'none', min: -1, max: 1 },
      lines: compared.map((one) => ({ name: titled(one), points: scaled(one.profiles[b]), shape: 'step' as const })),
    };
  });
};

/** Columns of a table: methods by features, each method's mean size as a share of its total. */
const tableGrid = ({ compared }: Comparison, subject: Subject): Card[] => {
  const [{ rows: s }] = compared;
  if (s.tokens || s.pictures || s.signals) return [];
  const shares = compared.map(({ rows }) => {
    const all = strongest(rows);
    const total = all.reduce((sum, f) => sum + f.size, 0);
    return new Map(all.map((f) => [f.input, { size: total > 0 ? f.size / total : 0, mean: f.mean }] as const));
  });
  const mean = (input: number): number => shares.reduce((sum, of) => sum + (of.get(input)?.size ?? 0), 0) / shares.length;
  const inputs = [...shares[0].keys()].sort((a, b) => mean(b) - mean(a) || a - b).slice(0, COLUMNS);
  const d = shares[0].size;
  const names = inputs.map((input) => inputName(s, input));
  const shown = inputs.length < d ? ` The ${inputs.length} strongest of ${d}.` : '';
  return [
    {
      kind: 'heatmap',
      title: 'Features by method',
      caption: `Mean |attribution| of a feature as a share of the method’s total, over ${s.rows.length} samples.${shown}`,
      rows: { label: 'Method', names: compared.map(titled) },
      columns: { label: 'Feature', names },
      layers: [
        {
          name: 'Share of all attribution',
          unit: 'fraction',
          values: shares.flatMap((of) => inputs.map((input) => of.get(input)?.size ?? 0)),
          domain: [0, Math.max(...inputs.map((input) => Math.max(...shares.map((of) => of.get(input)?.size ?? 0))))],
        },
      ],
    },
    ...s.rows.slice(0, SHOWN).map((row, b): Card => {
      const largest = compared.map(({ profiles }) => Math.max(...profiles[b].map(Math.abs), 1e-300));
      return {
        kind: 'heatmap',
        title: `row ${row}: ${titleOf(s, b, subject)}`,
        caption: `One line for each method, each as a share of its own largest size; positive values speak for the class.${shown}${attributedTo(s, b, subject)}`,
        rows: { label: 'Method', names: compared.map(titled) },
        columns: { label: 'Feature', names },
        layers: [
          {
            name: 'Share of the largest',
            unit: 'none',
            values: compared.flatMap(({ profiles }, m) => inputs.map((input) => short(profiles[b][input] / largest[m]))),
            domain: [-1, 1],
          },
        ],
      };
    }),
  ];
};

/** What each method was asked, and what it missed. */
const methodTable = ({ compared }: Comparison, subject: Subject): Card => ({
  kind: 'table',
  title: 'Methods',
  columns: [
    { name: 'method', label: 'Method', type: 'text' },
    { name: 'made', label: 'How', type: 'text' },
  ],
  rows: compared.map((one) => [
    titled(one),
    factLine(
      one.rows,
      one.rows.rows.map((_, b) => b),
      subject,
    ),
  ]),
});

export const comparisonCards = (c: Comparison, chosen: ComparisonOptions, subject: Subject): Card[] => [
  correlationCard(c),
  ...pictureGrid(c, chosen, subject),
  ...textGrid(c, chosen, subject),
  ...signalGrid(c, subject),
  ...tableGrid(c, subject),
  pairTable(c),
  methodTable(c, subject),
];

/** Below this rank correlation two maps do not tell the same story; above the other they nearly are one. */
const APART = 0.3;
const ALIKE = 0.8;

export const comparisonGuide = (c: Comparison): string => {
  const [far, near] = [least(c), most(c)];
  const names = ({ of: [i, j] }: Comparison['pairs'][number]): string => `${titled(c.compared[i])} and ${titled(c.compared[j])}`;
  const [low, high] = [meanOf(far.likeness.size), meanOf(near.likeness.size)];
  if (Number.isNaN(high)) return 'The maps are constant, so their ranks cannot be compared: the output does not react to these inputs.';
  const nonzero = meanOf(near.likeness.nonzero);
  const copied =
    high - nonzero > 0.2
      ? ` Most of that is where the input is 0: elsewhere it is ${number(nonzero)}, so they agree on the input’s outline rather than on the model.`
      : '';
  const verdict =
    low > ALIKE
      ? 'The methods tell one story, so what they show does not hang on the choice of one'
      : low < APART
        ? 'The methods do not tell one story: a conclusion that rests on one of them needs a reason why that one is right here'
        : 'The methods agree in part: what all of them mark can be relied on more than what one of them marks';
  const top = meanOf(c.pairs.flatMap(({ likeness }) => likeness.top));
  return `${verdict}. ${names(near)} are most alike (rank correlation ${number(high)}), ${names(far)} least (${number(low)}); on average ${percent(top)} of the strongest tenth of places are shared.${copied} Agreement is no proof: methods that copy the input agree, too. Which method follows the model is told by the checks of saliency, deletion and the maps after weights are redrawn. Slopes and contributions answer different questions and may differ without either being wrong.`;
};
