import type { BarsCard, Card, CardOf, CurveCard, HeatmapCard, NumberCard, Report, TableCard } from '../report/report.ts';

type Names = readonly [string, string];
/** A card that shows two of one kind together; undefined where they cannot be laid on each other. */
type Pairing<K extends Card['kind']> = (a: CardOf<K>, b: CardOf<K>, names: Names) => Card | undefined;

const same = (a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);
const less = (a: number | null | undefined, b: number | null | undefined): number | null =>
  typeof a === 'number' && typeof b === 'number' ? a - b : null;

const numbers = (a: NumberCard, b: NumberCard, names: Names): TableCard | undefined => {
  const other = new Map(b.values.map((v) => [v.name, v]));
  const rows = a.values.flatMap((v) => {
    const w = other.get(v.name);
    return w ? [[v.label, v.value, w.value, less(v.value, w.value)]] : [];
  });
  if (rows.length === 0) return undefined;
  return {
    kind: 'table',
    title: a.title,
    columns: [
      { name: 'name', label: 'Number', type: 'text' },
      { name: 'first', label: names[0], type: 'number' },
      { name: 'other', label: names[1], type: 'number' },
      { name: 'difference', label: 'Difference', type: 'number' },
    ],
    rows,
  };
};

/** Rows of one key (the text columns) stand beside each other; every column of numbers gives the difference. */
const tables = (a: TableCard, b: TableCard, names: Names): TableCard | undefined => {
  const head = (t: TableCard): string => JSON.stringify(t.columns.map(({ name, type }) => [name, type]));
  if (head(a) !== head(b)) return undefined;
  const keys = a.columns.flatMap(({ type }, c) => (type === 'text' ? [c] : []));
  const values = a.columns.flatMap(({ type }, c) => (type === 'number' ? [c] : []));
  if (keys.length === 0 || values.length === 0) return undefined;
  const keyOf = (row: TableCard['rows'][number]): string => JSON.stringify(keys.map((c) => row[c] ?? null));
  const other = new Map(b.rows.map((row) => [keyOf(row), row]));
  if (other.size !== b.rows.length || new Set(a.rows.map(keyOf)).size !== a.rows.length) return undefined;
  const rows = a.rows.flatMap((row) => {
    const twin = other.get(keyOf(row));
    if (!twin) return [];
    const of = (c: number, from: TableCard['rows'][number]): number | null => (typeof from[c] === 'number' ? from[c] : null);
    return [[...keys.map((c) => row[c] ?? null), ...values.flatMap((c) => [of(c, row), of(c, twin), less(of(c, row), of(c, twin))])]];
  });
  if (rows.length === 0) return undefined;
  const unit = (c: number) => (a.columns[c].unit === undefined ? {} : { unit: a.columns[c].unit });
  return {
    kind: 'table',
    title: a.title,
    caption: `Every number: of ${names[0]}, of ${names[1]}, and the first less the other.${rows.length < Math.max(a.rows.length, b.rows.length) ? ' Rows that only one of them has are left out.' : ''}`,
    columns: [
      ...keys.map((c) => a.columns[c]),
      ...values.flatMap((c) => [
        { ...a.columns[c], label: `${a.columns[c].label}, first` },
        { name: `against_${a.columns[c].name}`, label: 'other', type: 'number' as const, ...unit(c) },
        { name: `${a.columns[c].name}_difference`, label: 'difference', type: 'number' as const, ...unit(c) },
      ]),
    ],
    rows,
  };
};

const heatmaps = (a: HeatmapCard, b: HeatmapCard, names: Names): HeatmapCard | undefined => {
  if (!same(a.rows.names, b.rows.names) || !same(a.columns.names, b.columns.names)) return undefined;
  const layers = a.layers.flatMap((layer) => {
    const twin = b.layers.find(({ name }) => name === layer.name);
    return twin ? [{ name: layer.name, unit: layer.unit, values: layer.values.map((v, i) => less(v, twin.values[i])) }] : [];
  });
  if (layers.length === 0) return undefined;
  return {
    kind: 'heatmap',
    title: `${a.title}: difference`,
    caption: `Cell by cell, ${names[0]} less ${names[1]}.`,
    rows: a.rows,
    columns: a.columns,
    layers,
  };
};

const curves = (a: CurveCard, b: CurveCard, names: Names): CurveCard => ({
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

const bars = (a: BarsCard, b: BarsCard, names: Names): BarsCard | undefined => {
  if (!same(a.edges, b.edges) || !same(a.categories, b.categories)) return undefined;
  return {
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
};

const pairings: { readonly [K in 'number' | 'table' | 'heatmap' | 'curve' | 'bars']: Pairing<K> } = {
  number: numbers,
  table: tables,
  heatmap: heatmaps,
  curve: curves,
  bars,
};
const paired = (kind: string): kind is keyof typeof pairings => Object.hasOwn(pairings, kind);

/** Cards of one kind and title in both reports, laid on each other; `left` says which could not be. */
export const cardDifferences = (
  a: Pick<Report, 'cards'>,
  b: Pick<Report, 'cards'>,
  names: Names,
): { readonly cards: readonly Card[]; readonly left: readonly string[] } => {
  const cards: Card[] = [];
  const without: string[] = [];
  for (const card of a.cards) {
    const twin = b.cards.find(({ kind, title }) => kind === card.kind && title === card.title);
    const made = twin && paired(card.kind) ? (pairings[card.kind] as Pairing<Card['kind']>)(card, twin, names) : undefined;
    if (made) cards.push(made);
    else without.push(card.title);
  }
  for (const { kind, title } of b.cards) if (!a.cards.some((card) => card.kind === kind && card.title === title)) without.push(title);
  const left = [...new Set(without)];
  return { cards, left: left.length === 0 ? [] : [`Cards that could not be laid on each other: ${left.join(', ')}.`] };
};
