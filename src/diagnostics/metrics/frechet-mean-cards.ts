import type { Card, GraphCard, HeatmapCard, Interval, NumberCard, TableCard } from '../../report/report.ts';
import { keepFirst, selection } from '../selection.ts';
import { number } from '../wording.ts';
import type { Frechet } from './frechet-mean-run.ts';
import type { FrechetScores, Quality, Score } from './frechet-mean-scores.ts';

const measures = {
  accuracy: ['Accuracy', 'fraction', 'Wilson'],
  accuracy_observed: ['Accuracy on labels that are classes', 'fraction', 'Wilson'],
  accuracy_unobserved: ['Accuracy on other labels', 'fraction', 'Wilson'],
  mean_distance: ['Mean distance to the true label', 'none', 'normal'],
  mean_squared_distance: ['Mean squared distance to the true label', 'none', 'normal'],
} as const;
type Measure = keyof typeof measures;
const order = Object.keys(measures) as Measure[];

const of = (q: Quality): Readonly<Record<Measure, Score>> => ({
  accuracy: q.accuracy,
  accuracy_observed: q.observed,
  accuracy_unobserved: q.unobserved,
  mean_distance: q.distance,
  mean_squared_distance: q.squared,
});

interface Named {
  readonly name: string;
  readonly score: Score;
  readonly method: string;
}
const scored = (s: FrechetScores): Named[] => [
  ...order.map((name) => ({ name, score: of(s.mean)[name], method: measures[name][2] })),
  ...order.map((name) => ({ name: `${name}_argmax`, score: of(s.plain)[name], method: measures[name][2] })),
  { name: 'distance_saved', score: s.distanceSaved, method: 'delta method, paired' },
  { name: 'squared_distance_saved', score: s.squaredSaved, method: 'delta method, paired' },
];

export const frechetHeadline = (f: Frechet, s: FrechetScores): Record<string, number> => ({
  ...Object.fromEntries(scored(s).map(({ name, score }) => [name, score.value])),
  rows: s.rows,
  changed: s.changed,
  labels: f.metric.size,
  classes: f.observed.length,
  reachable: s.reachable,
  temperature: f.temperature,
});

export const frechetIntervals = (s: FrechetScores, level: number): Record<string, Interval> =>
  Object.fromEntries(
    scored(s).flatMap(({ name, score: { interval }, method }) =>
      interval ? [[name, { low: interval[0], high: interval[1], level, method }] as const] : [],
    ),
  );

const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);

const numbers = (f: Frechet, s: FrechetScores, level: number, power: number): NumberCard => {
  const intervals = frechetIntervals(s, level);
  const value = (
    name: string,
    label: string,
    { value: v }: Score,
    unit: 'fraction' | 'none',
    reference?: number,
  ): NumberCard['values'][number] => ({
    name,
    label,
    value: finite(v),
    unit,
    ...(intervals[name] ? { interval: intervals[name] } : {}),
    ...(reference === undefined || !Number.isFinite(reference) ? {} : { reference }),
    ...(Number.isFinite(v) ? {} : { note: 'no rows to judge it on' }),
  });
  return {
    kind: 'number',
    title: 'Scores',
    caption: `Answers of least expected ${power === 1 ? 'distance (the Fréchet median)' : 'squared distance (the Fréchet mean)'}. The reference is the most probable class.`,
    values: [
      ...(s.labelled > 0
        ? [
            ...order.map((name) => value(name, measures[name][0], of(s.mean)[name], measures[name][1], of(s.plain)[name].value)),
            value('distance_saved', 'Mean distance saved over the most probable class', s.distanceSaved, 'fraction', 0),
            value('squared_distance_saved', 'Mean squared distance saved', s.squaredSaved, 'fraction', 0),
          ]
        : []),
      { name: 'changed', label: 'Rows answered differently', value: s.changed, unit: 'count' },
      { name: 'rows', label: 'Rows', value: s.rows, unit: 'count' },
      { name: 'labels', label: 'Labels', value: f.metric.size, unit: 'count' },
      { name: 'classes', label: 'Labels that are classes', value: f.observed.length, unit: 'count' },
      {
        name: 'reachable',
        label: 'Labels that can ever be answered',
        value: s.reachable,
        unit: 'count',
        ...(f.locus.how === 'sampled' ? { note: 'at least: met in draws of probabilities' } : {}),
      },
    ],
  };
};

/** Labels so that near ones stand together: depth first through the tree of shortest links, from the label farthest from the first. */
export const seriation = ({ metric: { size, from } }: Pick<Frechet, 'metric'>): number[] => {
  const far = from(0).reduce((best, d, v, all) => (d > all[best] ? v : best), 0);
  const nearest = from(far).slice();
  const parent = new Int32Array(size).fill(far);
  const children = Array.from({ length: size }, (): number[] => []);
  const done = new Uint8Array(size);
  done[far] = 1;
  for (let step = 1; step < size; step++) {
    let next = -1;
    for (let v = 0; v < size; v++) if (!done[v] && (next < 0 || nearest[v] < nearest[next])) next = v;
    done[next] = 1;
    children[parent[next]].push(next);
    for (const [v, d] of from(next).entries()) if (!done[v] && d < nearest[v]) [nearest[v], parent[v]] = [d, next];
  }
  const out: number[] = [];
  for (const stack = [far]; stack.length > 0; ) {
    const v = stack.pop() ?? far;
    out.push(v);
    stack.push(...children[v].reverse());
  }
  return out;
};

const GRID = 40;
/** Above so many labels they are not put in order, which costs the square of their number. */
const ORDERED = 4000;

const confusion = (f: Frechet): HeatmapCard[] => {
  const { truth, answers, metric, names, outputs } = f;
  if (!truth || metric.size > ORDERED) return [];
  const weight = new Float64Array(metric.size);
  for (const [i, t] of truth.entries()) {
    if (t < 0) continue;
    weight[t]++;
    weight[answers.mean[i]]++;
  }
  const used = seriation(f).filter((v) => weight[v] > 0);
  const least = [...used].sort((a, b) => weight[b] - weight[a])[GRID - 1];
  const shown = used.length <= GRID ? used : used.filter((v) => weight[v] >= weight[least]).slice(0, GRID);
  const place = new Map(shown.map((v, i) => [v, i]));
  const counts = new Array<number>(shown.length ** 2).fill(0);
  const rows = new Map<number, number[]>();
  for (const [i, t] of truth.entries()) {
    const [a, p] = [place.get(t), place.get(answers.mean[i])];
    if (a === undefined || p === undefined) continue;
    const cell = a * shown.length + p;
    counts[cell]++;
    const kept = rows.get(cell) ?? [];
    rows.set(cell, kept);
    keepFirst(kept, outputs.rows[i]);
  }
  return [
    {
      kind: 'heatmap',
      diagonal: true,
      title: 'Confusion matrix, near labels together',
      caption: `Rows are the true label, columns the answer; mistakes close to the diagonal are small ones.${shown.length < used.length ? ` The ${shown.length} labels with most rows are drawn.` : ''} Choose a cell to see its samples.`,
      rows: { label: 'True', names: shown.map((v) => names[v]) },
      columns: { label: 'Answer', names: shown.map((v) => names[v]) },
      layers: [{ name: 'Count', unit: 'count', values: counts }],
      selections: Object.fromEntries(
        [...rows].flatMap(([cell, kept]) => {
          const [a, p] = [Math.floor(cell / shown.length), cell % shown.length];
          const found = selection(`${names[shown[a]]} answered as ${names[shown[p]]}`, counts[cell], kept);
          return found ? [[String(cell), found] as const] : [];
        }),
      ),
    },
  ];
};

const LISTED = 50;

const reach = (f: Frechet): TableCard[] => {
  const out = Array.from(f.locus.reachable, (r, v) => (r ? -1 : v)).filter((v) => v >= 0);
  return out.length === 0
    ? []
    : [
        {
          kind: 'table',
          title: 'Labels out of reach',
          caption: `No probabilities of the classes make any of these ${out.length} labels the answer${f.locus.how === 'sampled' ? ', as far as draws show' : ''}.${out.length > LISTED ? ` The first ${LISTED} are listed.` : ''}`,
          columns: [{ name: 'label', label: 'Label', type: 'text' }],
          rows: out.slice(0, LISTED).map((v) => [f.names[v]]),
        },
      ];
};

const next = (f: Frechet): TableCard[] =>
  f.suggestions.length === 0
    ? []
    : [
        {
          kind: 'table',
          title: 'What to label next',
          caption: 'Each is the label farthest from all that can be answered so far, those above it taken as labelled, too.',
          columns: [
            { name: 'label', label: 'Label', type: 'text' },
            { name: 'distance', label: 'Distance to the nearest label in reach', type: 'number' },
            { name: 'reachable', label: 'Labels in reach then', type: 'number', unit: 'count' },
          ],
          rows: f.suggestions.map((s) => [f.names[s.label], s.distance, s.reachable]),
        },
      ];

const ROWS = 20;

/** Rows answered differently, those first where it matters most; where no label is known, those answered with least confidence. */
const changes = ({ answers, truth, distance, names, outputs }: Frechet): TableCard[] => {
  const matter = (i: number): number =>
    Number.isNaN(distance.plain[i]) ? 1 - answers.confidence[i] : Math.abs(distance.plain[i] - distance.mean[i]);
  const changed = Array.from(answers.plain, (v, i) => (v === answers.mean[i] ? -1 : i))
    .filter((i) => i >= 0)
    .sort((a, b) => matter(b) - matter(a) || a - b)
    .slice(0, ROWS);
  return changed.length === 0
    ? []
    : [
        {
          kind: 'table',
          title: 'Rows answered differently',
          caption: 'Those first for which the distance to the true label changes most.',
          columns: [
            { name: 'row', label: 'Sample', type: 'row' },
            { name: 'true', label: 'True', type: 'text' },
            { name: 'argmax', label: 'Most probable class', type: 'text' },
            { name: 'confidence', label: 'Its probability', type: 'number', unit: 'fraction' },
            { name: 'answer', label: 'Answer', type: 'text' },
            { name: 'cost', label: 'Expected cost', type: 'number' },
            { name: 'before', label: 'Distance of the most probable class', type: 'number' },
            { name: 'after', label: 'Distance of the answer', type: 'number' },
          ],
          rows: changed.map((i) => [
            outputs.rows[i],
            names[truth?.[i] ?? -1] ?? '',
            names[answers.plain[i]],
            answers.confidence[i],
            names[answers.mean[i]],
            answers.least[i],
            finite(distance.plain[i]),
            finite(distance.mean[i]),
          ]),
        },
      ];
};

const DRAWN = 100;
const tree = ({ metric, names, observed, locus }: Frechet): GraphCard[] => {
  const { edges, size } = metric;
  if (!edges || size > DRAWN) return [];
  const known = new Set(observed);
  return [
    {
      kind: 'graph',
      title: 'Labels',
      caption: 'Which labels are classes, which can be answered all the same, and which cannot.',
      nodes: names.map((label, v) => ({
        id: String(v),
        label,
        group: known.has(v) ? 'Class' : locus.reachable[v] ? 'In reach' : 'Out of reach',
      })),
      edges: edges.flatMap((out, a) => out.filter(({ to }) => a < to).map(({ to }) => ({ from: String(a), to: String(to) }))),
    },
  ];
};

export const frechetCards = (f: Frechet, s: FrechetScores, level: number, power: number): Card[] => [
  numbers(f, s, level, power),
  ...confusion(f),
  ...tree(f),
  ...reach(f),
  ...next(f),
  ...changes(f),
];

export const frechetNotes = (f: Frechet): string[] => {
  const { triple, names, truth } = f;
  const missing = truth?.reduce((n, t) => n + Number(t < 0), 0) ?? 0;
  return [
    ...(triple
      ? [
          `Distances break the triangle inequality${triple.all ? '' : ' (found in a million draws)'}: from '${names[triple.from]}' to '${names[triple.to]}' is ${number(triple.excess)} farther than over '${names[triple.over]}'. The answers stand, but what is between what is not well defined.`,
        ]
      : []),
    ...(missing > 0
      ? [`${missing} ${missing === 1 ? 'row has' : 'rows have'} no label and ${missing === 1 ? 'was' : 'were'} not judged.`]
      : []),
    ...(f.temperature === 1 ? [] : [`Probabilities were taken at temperature ${number(f.temperature)}.`]),
    ...(f.saved.length > 0
      ? [`The model was saved with the answer in its new outputs ${f.saved.map((o) => `'${o}'`).join(' and ')}.`]
      : []),
  ];
};
