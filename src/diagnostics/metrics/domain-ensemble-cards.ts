import { wilson } from '../../base/maths/proportion.ts';
import type { Card, Interval } from '../../report/report.ts';
import { keepFirst, selection } from '../selection.ts';
import type { Ensembled, System } from './domain-ensemble-run.ts';
import { gateTitles } from './domain-gate.ts';

const systemTitles: Readonly<Record<System['name'], string>> = {
  global: 'One model for all domains',
  mean: 'Mean of all domains',
  gated: 'Weighted by the gate',
  oracle: 'Model of the true domain',
};

const first = (rows: readonly number[]): number[] => {
  const kept: number[] = [];
  for (const row of rows) keepFirst(kept, row);
  return kept;
};

const systems = ({ systems: all, gates, gate, shown }: Ensembled, level: number): Card[] => {
  const interval = ([low, high]: readonly [number, number], method: string): Interval => ({ low, high, level, method });
  return [
    {
      kind: 'number',
      title: 'Accuracy',
      caption: `Of ${shown} rows that nothing was counted or fitted on. The model of the true domain is what perfect routing would give.`,
      values: [
        ...all.map(({ name, right, range }) => ({
          name: `accuracy_${name}`,
          label: systemTitles[name],
          value: right / shown,
          unit: 'fraction' as const,
          interval: interval(range, 'Wilson'),
        })),
        ...gates
          .filter((g) => g.kind === gate)
          .map(({ routed }) => ({
            name: 'accuracy_domain',
            label: 'Rows sent to their domain',
            value: routed / shown,
            unit: 'fraction' as const,
            interval: interval(wilson(routed, shown, level) ?? [0, 1], 'Wilson'),
          })),
      ],
    },
    {
      kind: 'table',
      title: 'Against the gated ensemble',
      caption:
        'Accuracy less that of the ensemble behind its gate, over the same rows: an interval below 0 says that the gate is better beyond noise.',
      columns: [
        { name: 'system', label: 'Answered by', type: 'text' },
        { name: 'difference', label: 'Difference', type: 'number', unit: 'fraction' },
        { name: 'interval', label: 'Interval', type: 'interval', unit: 'fraction' },
      ],
      rows: all.flatMap(({ name, less }) => (less ? [[systemTitles[name], less.value, less.range]] : [])),
    },
    {
      kind: 'bars',
      title: 'Rows answered wrong',
      caption: 'Choose a bar to see its rows.',
      x: { label: 'Answered by', unit: 'none' },
      y: { label: 'Rows', unit: 'count', min: 0 },
      categories: all.map(({ name }) => systemTitles[name]),
      series: [
        {
          name: 'Wrong',
          values: all.map(({ wrong }) => wrong.length),
          selections: all.map(({ name, wrong }) => selection(`Wrong: ${systemTitles[name]}`, wrong.length, first(wrong))),
        },
      ],
    },
  ];
};

const grids = ({ domains, crossed, sizes, routes, gate }: Ensembled, level: number): Card[] => {
  const d = domains.length;
  return [
    {
      kind: 'heatmap',
      title: 'Who knows which domain',
      caption:
        'Accuracy of the model of one domain (row) on rows of another (column): where a row is as high as the diagonal, one model would do for both.',
      rows: { label: 'Model of', names: domains },
      columns: { label: 'Rows of', names: domains },
      layers: [
        {
          name: 'Accuracy',
          unit: 'fraction',
          values: crossed.map((n, at) => (sizes[at % d] === 0 ? null : n / sizes[at % d])),
          domain: [0, 1],
        },
        ...(['Lower', 'Upper'] as const).map((end, e) => ({
          name: `${end} end of its interval`,
          unit: 'fraction' as const,
          values: crossed.map((n, at) => wilson(n, sizes[at % d], level)?.[e] ?? null),
          domain: [0, 1] as const,
        })),
      ],
      diagonal: true,
    },
    {
      kind: 'heatmap',
      title: 'Where the gate sends rows',
      caption: `Rows by their domain and the one of greatest weight (${gateTitles[gate]}).`,
      rows: { label: 'Domain', names: domains },
      columns: { label: 'Sent to', names: domains },
      layers: [
        { name: 'Rows', unit: 'count', values: routes.map((r) => r.length) },
        {
          name: 'Share of the domain',
          unit: 'fraction',
          values: routes.map((r, at) => (sizes[Math.floor(at / d)] === 0 ? null : r.length / sizes[Math.floor(at / d)])),
        },
      ],
      diagonal: true,
      selections: Object.fromEntries(
        routes.flatMap((rows, at) => {
          const own = selection(`${domains[Math.floor(at / d)]} sent to ${domains[at % d]}`, rows.length, first(rows));
          return own ? [[String(at), own]] : [];
        }),
      ),
    },
  ];
};

const gateTable = ({ gates: all, shown, gate }: Ensembled, level: number): Card => ({
  kind: 'table',
  title: 'Gates',
  caption: 'Each kind of gate on the same rows and models: rows sent to their domain, and accuracy behind it.',
  columns: [
    { name: 'gate', label: 'Gate', type: 'text' },
    { name: 'domain_accuracy', label: 'Sent to their domain', type: 'number', unit: 'fraction' },
    { name: 'domain_interval', label: 'Interval', type: 'interval', unit: 'fraction' },
    { name: 'accuracy', label: 'Accuracy', type: 'number', unit: 'fraction' },
    { name: 'accuracy_interval', label: 'Interval', type: 'interval', unit: 'fraction' },
  ],
  rows: all.map(({ kind, routed, right }) => [
    kind === gate ? `${gateTitles[kind]} (used)` : gateTitles[kind],
    routed / shown,
    wilson(routed, shown, level),
    right / shown,
    wilson(right, shown, level),
  ]),
});

const tokens = ({ defining, domains, tokens: known, column }: Ensembled): Card => ({
  kind: 'table',
  title: 'Tokens that define a domain',
  caption: `Of ${known} tokens of '${column}', those whose belonging to one domain is furthest above that to any other; the share is of its belonging to all. Names of products or places here are what the gate goes by.`,
  columns: [
    { name: 'domain', label: 'Domain', type: 'text' },
    { name: 'token', label: 'Token', type: 'text' },
    { name: 'weight', label: 'Belonging', type: 'number' },
    { name: 'share', label: 'Share', type: 'number', unit: 'fraction' },
  ],
  rows: defining.flatMap((list, d) => list.map(({ token, weight, share }) => [domains[d], token, weight, share])),
});

/** Domains with a column of their own in the table of rows. */
const COLUMNS = 12;

const rows = ({ explained, domains, classes }: Ensembled): Card => ({
  kind: 'table',
  title: 'Rows explained',
  caption: `Weight of each domain and the class that it votes for; rows sent elsewhere and answered wrong come first.${domains.length > COLUMNS ? ` The first ${COLUMNS} of ${domains.length} domains.` : ''}`,
  columns: [
    { name: 'row', label: 'Row', type: 'row' },
    { name: 'domain', label: 'Domain', type: 'text' },
    { name: 'label', label: 'Label', type: 'text' },
    { name: 'predicted', label: 'Predicted', type: 'text' },
    ...domains.slice(0, COLUMNS).flatMap((name, d) => [
      { name: `gate_${d}`, label: `Weight of ${name}`, type: 'number' as const, unit: 'fraction' as const },
      { name: `vote_${d}`, label: `Vote of ${name}`, type: 'text' as const },
    ]),
  ],
  rows: explained.map((e) => [
    e.row,
    domains[e.domain],
    classes[e.label] ?? String(e.label),
    classes[e.predicted] ?? String(e.predicted),
    ...domains.slice(0, COLUMNS).flatMap((_, d) => [e.gate[d], classes[e.votes[d]] ?? String(e.votes[d])]),
  ]),
});

/** Weights of the first row explained, and what each domain votes. */
const example = ({ explained: [e], domains, classes }: Ensembled): Card[] =>
  e === undefined
    ? []
    : [
        {
          kind: 'bars',
          title: `Row ${e.row}: weights of the gate`,
          caption: `Of domain '${domains[e.domain]}', label ${classes[e.label]}, answered ${classes[e.predicted]}. Votes: ${domains.map((name, d) => `${name} ${classes[e.votes[d]]}`).join(', ')}.`,
          x: { label: 'Domain', unit: 'none' },
          y: { label: 'Weight', unit: 'fraction', min: 0, max: 1 },
          categories: domains,
          series: [
            {
              name: 'Weight',
              values: e.gate,
              selections: domains.map((_, d) => (d === e.domain ? selection(`Row ${e.row}`, 1, [e.row]) : null)),
            },
          ],
        },
      ];

export const ensembleCards = (r: Ensembled, level: number): Card[] => [
  ...systems(r, level),
  ...grids(r, level),
  gateTable(r, level),
  tokens(r),
  ...example(r),
  rows(r),
];
