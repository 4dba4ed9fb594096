import type { Card, CardOf } from '../../report/report.ts';
import { selection } from '../selection.ts';
import { number, percent } from '../wording.ts';
import type { Compared, GenerationConfidence } from './generation-confidence.ts';
import type { GenerationOptions } from './generation-options.ts';
import type { Judged } from './generation-scores.ts';

type Columns = CardOf<'table'>['columns'];
type TableRow = CardOf<'table'>['rows'][number];

const scoreColumns: Columns = [
  { name: 'measure', label: 'Confidence', type: 'text' },
  { name: 'ece', label: 'ECE', type: 'number' },
  { name: 'ece_floor', label: 'ECE if calibrated', type: 'number' },
  { name: 'brier', label: 'Brier score', type: 'number' },
  { name: 'skill_score', label: 'Skill score', type: 'number' },
  { name: 'skill_interval', label: 'Interval', type: 'interval' },
  { name: 'auroc', label: 'AUROC', type: 'number' },
  { name: 'auroc_interval', label: 'Interval', type: 'interval' },
];
const scoreRow = (title: string, { ece, floor, brier, skill, auroc, aurocRange }: Judged): TableRow => [
  title,
  ece,
  floor,
  brier.value,
  skill.value,
  skill.range,
  auroc,
  aurocRange,
];

const scores = ({ measures }: GenerationConfidence, { folds }: GenerationOptions): Card[] => {
  const after = measures.flatMap(({ title, after: judged }) => (judged ? [scoreRow(title, judged)] : []));
  return [
    {
      kind: 'table',
      title: 'Confidences as they are',
      caption: 'Skill score: 1 is perfect, 0 no better than always saying the base rate, below 0 worse than that.',
      columns: scoreColumns,
      rows: measures.map(({ title, raw }) => scoreRow(title, raw)),
    },
    ...(after.length > 0
      ? [
          {
            kind: 'table' as const,
            title: 'Confidences rescaled',
            caption: `Platt scaling: each unit under the fit on the other ${folds - 1} of ${folds} folds.`,
            columns: scoreColumns,
            rows: after,
          },
        ]
      : []),
  ];
};

const diagrams = ({ measures, best, what }: GenerationConfidence, { confidenceLevel }: GenerationOptions): Card[] => {
  const named = ({ bins }: Judged, name: string): Card => ({
    kind: 'bars',
    title: `Reliability diagram, ${name}`,
    caption: `Bars: share of correct ${what} with Wilson’s ${percent(confidenceLevel)} interval, points: mean confidence. A calibrated confidence stays in the shaded band; bars below the diagonal mean overconfidence.`,
    x: { label: 'Confidence', unit: 'fraction', min: 0, max: 1 },
    y: { label: 'Correct', unit: 'fraction', min: 0, max: 1 },
    edges: [...bins.map((b) => b.low), 1],
    series: [
      {
        name: 'Correct',
        values: bins.map((b) => b.accuracy),
        intervals: bins.map((b) => b.wilson),
        selections: bins.map((b) => selection(`Confidence ${number(b.low)} to ${number(b.high)}`, b.n, b.rows)),
      },
    ],
    bands: [{ name: 'Consistency band', low: bins.map((b) => b.band?.[0] ?? null), high: bins.map((b) => b.band?.[1] ?? null) }],
    marks: [{ name: 'Mean confidence', values: bins.map((b) => b.confidence) }],
    diagonal: true,
  });
  const order = [measures[best], ...measures.filter((_, k) => k !== best)];
  return order.flatMap(({ title, raw, after }) => {
    const name = title.charAt(0).toLowerCase() + title.slice(1);
    return [named(raw, `${name} as it is`), ...(after ? [named(after, `${name} rescaled`)] : [])];
  });
};

const review = ({ measures }: GenerationConfidence, { failRate }: GenerationOptions): Card => ({
  kind: 'curve',
  title: 'Review policy',
  caption: `Share of wrong ones among the accepted, by the share accepted, most confident first. At most ${percent(failRate)} wrong were asked for (failRate).`,
  x: { label: 'Accepted', unit: 'fraction', min: 0, max: 1 },
  y: { label: 'Wrong among the accepted', unit: 'fraction', min: 0 },
  lines: [
    ...measures.map(({ title, raw, after }) => ({
      name: title,
      points: (after ?? raw).review,
    })),
    {
      name: 'Asked for',
      points: [
        [0, failRate],
        [1, failRate],
      ] as const,
    },
  ],
});

const fits = (measures: readonly Compared[], { rescale }: GenerationOptions): Card[] => {
  const rows = measures.flatMap(({ title, platt }): TableRow[] => (platt ? [[title, platt.slope, platt.offset]] : []));
  return rows.length === 0
    ? []
    : [
        {
          kind: 'table',
          title: 'Rescaling to keep',
          caption: `Fitted on all units: new confidence = σ(slope · x + offset) with x = ${rescale === 'logit' ? 'ln(c/(1 − c)), c kept within 10⁻⁶ of 0 and 1' : 'c'}.`,
          columns: [
            { name: 'measure', label: 'Confidence', type: 'text' },
            { name: 'slope', label: 'Slope', type: 'number' },
            { name: 'offset', label: 'Offset', type: 'number' },
          ],
          rows,
        },
      ];
};

const tasks = ({ tasks: list, taskColumn, measures, best }: GenerationConfidence): Card[] =>
  list.length === 0
    ? []
    : [
        {
          kind: 'table',
          title: `By ${taskColumn}`,
          caption: `${measures[best].title} in each value of '${taskColumn}'; skill against the base rate there.`,
          columns: [
            { name: 'task', label: taskColumn, type: 'text' },
            { name: 'units', label: 'Units', type: 'number', unit: 'count' },
            { name: 'base_rate', label: 'Share correct', type: 'number', unit: 'fraction' },
            { name: 'base_interval', label: 'Interval', type: 'interval', unit: 'fraction' },
            { name: 'brier', label: 'Brier score', type: 'number' },
            { name: 'skill_score', label: 'Skill score', type: 'number' },
            { name: 'skill_interval', label: 'Interval', type: 'interval' },
            { name: 'skill_rescaled', label: 'Rescaled', type: 'number' },
            { name: 'rescaled_interval', label: 'Interval', type: 'interval' },
          ],
          rows: list.map(({ name, units, base, raw, after }) => [
            name,
            units,
            base.value,
            base.range,
            raw?.brier.value ?? null,
            raw?.skill.value ?? null,
            raw?.skill.range ?? null,
            after?.skill.value ?? null,
            after?.skill.range ?? null,
          ]),
        },
      ];

const grid = ({ transfer, taskColumn, measures, best }: GenerationConfidence): Card[] =>
  !transfer || transfer.names.length < 2
    ? []
    : [
        {
          kind: 'heatmap',
          title: 'Does a rescaling carry over?',
          caption: `Skill score of ${measures[best].title.toLowerCase()} on the column’s ${taskColumn}, rescaled by a fit on the row’s; on the diagonal units are scored out of fold by the fit on all.`,
          rows: { label: 'Fitted on', names: transfer.names },
          columns: { label: 'Scored on', names: transfer.names },
          layers: [{ name: 'Skill score', unit: 'none', values: Array.from(transfer.skill, (v) => (Number.isFinite(v) ? v : null)) }],
        },
      ];

export const generationCards = (r: GenerationConfidence, options: GenerationOptions): Card[] => [
  ...scores(r, options),
  review(r, options),
  ...diagrams(r, options),
  ...tasks(r),
  ...grid(r),
  ...fits(r.measures, options),
];
