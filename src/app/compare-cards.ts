import { differenceSpan } from '../base/maths/difference.ts';
import type { BarsCard, Card, CardOf, CurveCard, HeatmapCard, NumberCard, Report, ScatterCard, TableCard } from '../report/report.ts';
import { differenceInterval, differenceTable } from './compare-difference.ts';

interface Two {
  readonly names: readonly [string, string];
  /** Both are of the same rows of the same data. */
  readonly sameRows: boolean;
  /** Intervals of both are of one level. */
  readonly sameLevel: boolean;
  /** Name of a number → correlation of its two estimates, where they are of pairs of rows. */
  readonly correlations: Readonly<Record<string, number>>;
}
type Pair = readonly [number, number];
/** The cards that show two of one kind together; none where they cannot be laid on each other. */
type Pairing<K extends Card['kind']> = (a: CardOf<K>, b: CardOf<K>, two: Two) => readonly Card[];

const same = (a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);
const less = (a: number | null | undefined, b: number | null | undefined): number | null =>
  typeof a === 'number' && typeof b === 'number' ? a - b : null;

const numbers: Pairing<'number'> = (a: NumberCard, b: NumberCard, { names, correlations }) => {
  const other = new Map(b.values.map((v) => [v.name, v]));
  const rows = a.values.flatMap((v) => {
    const w = other.get(v.name);
    if (!w) return [];
    const known = typeof v.value === 'number' && typeof w.value === 'number';
    const interval = known ? differenceInterval(v.value, v.interval, w.value, w.interval, correlations[v.name]) : undefined;
    return [[v.label, v.value, w.value, less(v.value, w.value), interval ? ([interval.low, interval.high] as const) : null]];
  });
  if (rows.length === 0) return [];
  return [differenceTable(a.title, names, rows)];
};

const isPair = (cell: TableCard['rows'][number][number] | undefined): cell is Pair => Array.isArray(cell);

/** What tells the rows of both apart: words, and row numbers of the same rows; else the first column, where it counts up in both alike. */
const keyColumns = (a: TableCard, b: TableCard, sameRows: boolean): readonly number[] => {
  const keys = a.columns.flatMap(({ type }, c) => (type === 'text' || (type === 'row' && sameRows) ? [c] : []));
  const counted = (t: TableCard): readonly unknown[] => t.rows.map(([first]) => first);
  return keys.length === 0 && a.columns[0]?.type === 'number' && same(counted(a), counted(b)) ? [0] : keys;
};

/**
 * Rows of one key stand beside each other: the text columns, and row numbers where both runs are of the same rows. Every column of
 * numbers gives the difference; with an interval where the next column is that of the number.
 */
const tables: Pairing<'table'> = (a: TableCard, b: TableCard, { names, sameRows }) => {
  const head = (t: TableCard): string => JSON.stringify(t.columns.map(({ name, type }) => [name, type]));
  if (head(a) !== head(b)) return [];
  const keys = keyColumns(a, b, sameRows);
  const values = a.columns.flatMap(({ type }, c) => (type === 'number' && !keys.includes(c) ? [c] : []));
  if (keys.length === 0 || values.length === 0) return [];
  const spanned = (c: number): boolean => a.columns[c + 1]?.type === 'interval' && a.columns[c + 1].label === b.columns[c + 1].label;
  const keyOf = (row: TableCard['rows'][number]): string => JSON.stringify(keys.map((c) => row[c] ?? null));
  const other = new Map(b.rows.map((row) => [keyOf(row), row]));
  if (other.size !== b.rows.length || new Set(a.rows.map(keyOf)).size !== a.rows.length) return [];
  const rows = a.rows.flatMap((row) => {
    const twin = other.get(keyOf(row));
    if (!twin) return [];
    const of = (c: number, from: TableCard['rows'][number]): number | null => (typeof from[c] === 'number' ? from[c] : null);
    const span = (c: number): Pair | null => {
      const [x, y, ix, iy] = [of(c, row), of(c, twin), row[c + 1], twin[c + 1]];
      return x !== null && y !== null && isPair(ix) && isPair(iy) ? differenceSpan(x, ix, y, iy) : null;
    };
    return [
      [
        ...keys.map((c) => row[c] ?? null),
        ...values.flatMap((c) => [of(c, row), of(c, twin), less(of(c, row), of(c, twin)), ...(spanned(c) ? [span(c)] : [])]),
      ],
    ];
  });
  if (rows.length === 0) return [];
  const unit = (c: number) => (a.columns[c].unit === undefined ? {} : { unit: a.columns[c].unit });
  return [
    {
      kind: 'table',
      title: a.title,
      caption: `Every number: of ${names[0]}, of ${names[1]}, and the first less the other.${rows.length < Math.max(a.rows.length, b.rows.length) ? ' Rows that only one of them has are left out.' : ''}`,
      columns: [
        ...keys.map((c) => a.columns[c]),
        ...values.flatMap((c) => [
          { ...a.columns[c], label: `${a.columns[c].label}, first` },
          { name: `against_${a.columns[c].name}`, label: 'other', type: 'number' as const, ...unit(c) },
          { name: `${a.columns[c].name}_difference`, label: 'difference', type: 'number' as const, ...unit(c) },
          ...(spanned(c)
            ? [{ name: `${a.columns[c].name}_interval`, label: a.columns[c + 1].label, type: 'interval' as const, ...unit(c) }]
            : []),
        ]),
      ],
      rows,
    },
  ];
};

const heatmaps: Pairing<'heatmap'> = (a: HeatmapCard, b: HeatmapCard, { names }) => {
  if (!same(a.rows.names, b.rows.names) || !same(a.columns.names, b.columns.names)) return [];
  const layers = a.layers.flatMap((layer) => {
    const twin = b.layers.find(({ name }) => name === layer.name);
    return twin ? [{ name: layer.name, unit: layer.unit, values: layer.values.map((v, i) => less(v, twin.values[i])) }] : [];
  });
  if (layers.length === 0) return [];
  return [
    {
      kind: 'heatmap',
      title: `${a.title}: difference`,
      caption: `Cell by cell, ${names[0]} less ${names[1]}.`,
      rows: a.rows,
      columns: a.columns,
      layers,
    },
  ];
};

const spans = (
  a: readonly (number | null)[],
  ia: readonly (Pair | null)[] | undefined,
  b: readonly (number | null)[],
  ib: readonly (Pair | null)[] | undefined,
): readonly (Pair | null)[] | undefined => {
  if (!ia || !ib) return undefined;
  return a.map((x, i) => {
    const [y, low, high] = [b[i], ia[i], ib[i]];
    return x !== null && typeof y === 'number' && low && high ? differenceSpan(x, low, y, high) : null;
  });
};

/** How much one line is above the other, where both have the same places along x. */
const curveDifference = (a: CurveCard, b: CurveCard, { names, sameLevel }: Two): readonly CurveCard[] => {
  const lines = a.lines.flatMap((line) => {
    const twin = b.lines.find(({ name }) => name === line.name) ?? (a.lines.length === 1 && b.lines.length === 1 ? b.lines[0] : undefined);
    const xs = (of: typeof line): readonly number[] => of.points.map(([x]) => x);
    if (!twin || !same(xs(line), xs(twin))) return [];
    const ys = (of: typeof line): readonly number[] => of.points.map(([, y]) => y);
    const intervals = sameLevel ? spans(ys(line), line.intervals, ys(twin), twin.intervals) : undefined;
    return [
      {
        name: line.name,
        points: line.points.map(([x, y], i): Pair => [x, y - twin.points[i][1]]),
        ...(line.shape ? { shape: line.shape } : {}),
        ...(intervals ? { intervals } : {}),
      },
    ];
  });
  if (lines.length === 0) return [];
  return [
    {
      kind: 'curve',
      title: `${a.title}: difference`,
      caption: `${names[0]} less ${names[1]}, point by point.`,
      x: a.x,
      y: { label: `difference of ${a.y.label}`, unit: a.y.unit },
      lines,
    },
  ];
};

const curves: Pairing<'curve'> = (a, b, two) => [curvesTogether(a, b, two.names), ...curveDifference(a, b, two)];
const curvesTogether = (a: CurveCard, b: CurveCard, names: Two['names']): CurveCard => ({
  kind: 'curve',
  title: a.title,
  ...(a.caption === undefined ? {} : { caption: a.caption }),
  x: a.x,
  y: a.y,
  lines: [a, b].flatMap(({ lines }, s) =>
    lines.map(({ name, points, shape, intervals }) => ({
      name: lines.length === 1 ? names[s] : `${names[s]}: ${name}`,
      points,
      ...(shape ? { shape } : {}),
      ...(intervals ? { intervals } : {}),
    })),
  ),
  ...(a.diagonal ? { diagonal: true } : {}),
});

/** How much higher one bar is than the other. */
const barDifference = (a: BarsCard, b: BarsCard, { names, sameLevel }: Two): readonly BarsCard[] => {
  const series = a.series.flatMap((one) => {
    const twin = b.series.find(({ name }) => name === one.name);
    if (!twin) return [];
    const intervals = sameLevel ? spans(one.values, one.intervals, twin.values, twin.intervals) : undefined;
    return [{ name: one.name, values: one.values.map((v, i) => less(v, twin.values[i])), ...(intervals ? { intervals } : {}) }];
  });
  if (series.length === 0) return [];
  return [
    {
      kind: 'bars',
      title: `${a.title}: difference`,
      caption: `${names[0]} less ${names[1]}, bar by bar.`,
      x: a.x,
      y: { label: `difference of ${a.y.label}`, unit: a.y.unit },
      ...(a.edges ? { edges: a.edges } : {}),
      ...(a.categories ? { categories: a.categories } : {}),
      series,
    },
  ];
};

const bars: Pairing<'bars'> = (a: BarsCard, b: BarsCard, two) => {
  const { names } = two;
  if (!same(a.edges, b.edges) || !same(a.categories, b.categories)) return [];
  const together: BarsCard = {
    kind: 'bars',
    title: a.title,
    ...(a.caption === undefined ? {} : { caption: a.caption }),
    x: a.x,
    y: a.y,
    ...(a.edges ? { edges: a.edges } : {}),
    ...(a.categories ? { categories: a.categories } : {}),
    series: [a, b].flatMap(({ series }, s) =>
      series.map(({ name, values, intervals }) => ({
        name: series.length === 1 ? names[s] : `${names[s]}: ${name}`,
        values,
        ...(intervals ? { intervals } : {}),
      })),
    ),
  };
  return [together, ...barDifference(a, b, two)];
};

/** The points of both, in groups of their own. */
const scatters: Pairing<'scatter'> = (a: ScatterCard, b: ScatterCard, { names }) => {
  if (a.x.label !== b.x.label || a.y.label !== b.y.label) return [];
  const groups = [a, b].flatMap((card, s) =>
    card.groups.map(({ name, points, rows }) => ({
      name: card.groups.length === 1 ? names[s] : `${names[s]}: ${name}`,
      points,
      ...(rows ? { rows } : {}),
    })),
  );
  const { min: _, max: __, ...x } = a.x;
  const { min: ___, max: ____, ...y } = a.y;
  return [
    {
      kind: 'scatter',
      title: a.title,
      ...(a.caption === undefined ? {} : { caption: a.caption }),
      x,
      y,
      groups,
      ...(a.diagonal ? { diagonal: true } : {}),
    },
  ];
};

const pairings: { readonly [K in 'number' | 'table' | 'heatmap' | 'curve' | 'bars' | 'scatter']: Pairing<K> } = {
  number: numbers,
  table: tables,
  heatmap: heatmaps,
  curve: curves,
  bars,
  scatter: scatters,
};
const paired = (kind: string): kind is keyof typeof pairings => Object.hasOwn(pairings, kind);

/** Cards of one kind and title in both reports, laid on each other; `left` says which could not be. */
export const cardDifferences = (
  a: Pick<Report, 'cards'>,
  b: Pick<Report, 'cards'>,
  two: Two,
): { readonly cards: readonly Card[]; readonly left: readonly string[] } => {
  const cards: Card[] = [];
  const without: string[] = [];
  for (const card of a.cards) {
    const twin = b.cards.find(({ kind, title }) => kind === card.kind && title === card.title);
    const made = twin && paired(card.kind) ? (pairings[card.kind] as Pairing<Card['kind']>)(card, twin, two) : [];
    if (made.length > 0) cards.push(...made);
    else without.push(card.title);
  }
  for (const { kind, title } of b.cards) if (!a.cards.some((card) => card.kind === kind && card.title === title)) without.push(title);
  const left = [...new Set(without)];
  return { cards, left: left.length === 0 ? [] : [`Cards that could not be laid on each other: ${left.join(', ')}.`] };
};
