import type { Subject } from '../../evidence/evidence.ts';
import type { Card, CurveCard } from '../../report/report.ts';
import { selection } from '../selection.ts';
import { number } from '../wording.ts';
import type { Point } from './class-calibration.ts';
import type { ReportOptions } from './reliability-words.ts';
import type { Reliability } from './scores.ts';

/** Most groups drawn; the table holds all. */
const GROUP_LINES = 6;

export const partLine = (name: string, points: readonly Point[]): CurveCard['lines'][number] => ({
  name,
  points: points.map((p) => [p.probability, p.share]),
  intervals: points.map((p) => p.interval),
  selections: points.map((p) =>
    p.rows.length === 0 ? null : selection(`${name}, probability ${number(p.low)} to ${number(p.high)}`, p.n, p.rows),
  ),
});

/** Classes by their calibration error, the worst first. Of two classes the second says all. */
const classOrder = (r: Reliability): number[] =>
  r.classwise.length === 2 ? [1] : r.classwise.map((_, k) => k).sort((a, b) => r.classwise[b].ce - r.classwise[a].ce || a - b);

export const classCards = (
  r: Reliability,
  { classDiagrams: drawn }: Pick<ReportOptions, 'classDiagrams'>,
  { classes: names }: Pick<Subject, 'classes'>,
): Card[] => {
  const name = (k: number): string => names[k] ?? String(k);
  const order = classOrder(r);
  const shown = order.slice(0, drawn);
  return [
    ...(shown.length > 0
      ? [
          {
            kind: 'curve',
            title: r.classwise.length === 2 ? `Reliability of the probability of ‘${name(1)}’` : 'Reliability by class',
            caption: `How often each class occurs where it is given a probability, in bins of equal width${order.length > shown.length ? `; the ${shown.length} classes of largest error are drawn, worst first` : ''}. Points below the diagonal: too much probability.`,
            x: { label: 'Mean probability of the class', unit: 'fraction', min: 0, max: 1 },
            y: { label: 'Share of the class', unit: 'fraction', min: 0, max: 1 },
            lines: shown.map((k) => partLine(name(k), r.classwise[k].points)),
            diagonal: true,
          } satisfies Card,
        ]
      : []),
    {
      kind: 'table',
      title: 'Classes',
      caption: 'Each class against the rest: its share of the labels, its mean probability, and its calibration errors.',
      columns: [
        { name: 'class', label: 'Class', type: 'text' },
        { name: 'frequency', label: 'Share of labels', type: 'number', unit: 'fraction' },
        { name: 'probability', label: 'Mean probability', type: 'number', unit: 'fraction' },
        { name: 'ece', label: 'Calibration error (equal width)', type: 'number' },
        { name: 'ace', label: 'Adaptive error (ACE)', type: 'number' },
        { name: 'tace', label: 'From 0.001 on (TACE)', type: 'number' },
        { name: 'brier', label: 'Brier score', type: 'number' },
      ],
      rows: r.classwise.map((k, i) => [
        name(i),
        k.frequency,
        k.probability,
        k.ce,
        Number.isFinite(k.ace) ? k.ace : null,
        Number.isFinite(k.tace) ? k.tace : null,
        k.brier.score,
      ]),
    },
  ];
};

export const topCard = (r: Reliability): Card[] =>
  r.top.length === 0
    ? []
    : [
        {
          kind: 'table',
          title: 'The k most probable classes',
          caption:
            'How often the label is among the k most probable classes, and how probable they are together; the last column is what a calibrated model would score as error.',
          columns: [
            { name: 'k', label: 'k', type: 'number', unit: 'count' },
            { name: 'accuracy', label: 'Label among them', type: 'number', unit: 'fraction' },
            { name: 'interval', label: 'Wilson interval', type: 'interval', unit: 'fraction' },
            { name: 'confidence', label: 'Mean probability', type: 'number', unit: 'fraction' },
            { name: 'ece', label: 'Calibration error', type: 'number' },
            { name: 'floor', label: 'If calibrated', type: 'number' },
          ],
          rows: r.top.map((t) => [t.k, t.accuracy, t.interval, t.confidence, t.ece, t.floor]),
        },
      ];

export const groupCards = (r: Reliability, { group }: Pick<ReportOptions, 'group'>, share: string): Card[] => {
  if (!r.grouped || r.groups.length === 0) return [];
  const column = group || 'group';
  const largest = [...r.groups].sort((a, b) => b.rows - a.rows).slice(0, GROUP_LINES);
  return [
    {
      kind: 'curve',
      title: `Reliability by ‘${column}’`,
      caption:
        largest.length < r.groups.length
          ? `The ${largest.length} largest of ${r.groups.length} groups, in bins of equal width; the table holds all.`
          : 'Every group, in bins of equal width.',
      x: { label: 'Mean confidence', unit: 'fraction', min: 0, max: 1 },
      y: { label: share, unit: 'fraction', min: 0, max: 1 },
      lines: largest.map((g) => partLine(g.name, g.points)),
      diagonal: true,
    },
    {
      kind: 'table',
      title: `Groups of ‘${column}’`,
      caption: 'A gap above 0 means that the group is promised more than it gets. Error if calibrated: the noise floor of so many rows.',
      columns: [
        { name: 'group', label: 'Group', type: 'text' },
        { name: 'rows', label: 'Rows', type: 'number', unit: 'count' },
        { name: 'accuracy', label: share, type: 'number', unit: 'fraction' },
        { name: 'accuracy_interval', label: 'Wilson interval', type: 'interval', unit: 'fraction' },
        { name: 'gap', label: 'Confidence − share', type: 'number', unit: 'fraction' },
        { name: 'gap_interval', label: 'Interval of the gap', type: 'interval', unit: 'fraction' },
        { name: 'ece', label: 'Calibration error', type: 'number' },
        { name: 'floor', label: 'If calibrated', type: 'number' },
        { name: 'p', label: 'p-value', type: 'number' },
        { name: 'ece_interval', label: 'Interval of the error, debiased', type: 'interval' },
      ],
      rows: r.groups.map((g) => [
        g.name,
        g.rows,
        g.accuracy,
        g.accuracyInterval,
        g.gap,
        g.gapInterval,
        g.ece,
        g.floor.mean,
        g.p,
        g.eceInterval,
      ]),
    },
  ];
};
