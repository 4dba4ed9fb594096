import { formatBin } from './format.ts';
import { type Axis, type BarsCard, type Card, type CardOf, draw, type Renderer, type TableCard } from './report.ts';

/** Wider matrices are listed cell by cell. */
const WIDEST_MATRIX = 50;

type Column = TableCard['columns'][number];
type Row = TableCard['rows'][number];
const table = (title: string, columns: readonly Column[], rows: readonly Row[]): TableCard => ({ kind: 'table', title, columns, rows });
const words = (name: string, label: string): Column => ({ name, label, type: 'text' });
const numbers = (name: string, label: string, unit: Axis['unit']): Column => ({ name, label, type: 'number', unit });
const ranges = (name: string, label: string, unit: Axis['unit']): Column => ({ name, label, type: 'interval', unit });

/** Names of the bars: the categories, or the range of each bin. */
export const barNames = ({ x, edges, categories }: BarsCard): readonly string[] =>
  categories ?? (edges ? edges.slice(1).map((high, i) => formatBin(edges[i], high, x.unit)) : []);

const number = (card: CardOf<'number'>): readonly TableCard[] => {
  const { values } = card;
  const some = (has: (value: (typeof values)[number]) => unknown): boolean => values.some((value) => has(value) !== undefined);
  const units = new Set(values.map((value) => value.unit));
  const unit = units.size === 1 ? [...units][0] : 'none';
  return [
    table(
      card.title,
      [
        words('label', 'Measure'),
        words('name', 'Name'),
        numbers('value', 'Value', unit),
        ...(units.size > 1 ? [words('unit', 'Unit')] : []),
        ...(some((v) => v.interval) ? [ranges('interval', 'Interval', unit), words('method', 'Interval by')] : []),
        ...(some((v) => v.reference) ? [numbers('reference', 'Reference', unit)] : []),
        ...(some((v) => v.note) ? [words('note', 'Note')] : []),
      ],
      values.map((v) => [
        v.label,
        v.name,
        v.value,
        ...(units.size > 1 ? [v.unit] : []),
        ...(some((w) => w.interval)
          ? [
              v.interval ? ([v.interval.low, v.interval.high] as const) : null,
              v.interval ? `${v.interval.level} ${v.interval.method}` : null,
            ]
          : []),
        ...(some((w) => w.reference) ? [v.reference ?? null] : []),
        ...(some((w) => w.note) ? [v.note ?? null] : []),
      ]),
    ),
  ];
};

const curve = ({ title, x, y, lines, bands }: CardOf<'curve'>): readonly TableCard[] => [
  ...lines.map((line) =>
    table(
      lines.length > 1 ? line.name : title,
      [
        numbers('x', x.label, x.unit),
        numbers('y', lines.length > 1 ? y.label : line.name, y.unit),
        ...(line.intervals ? [ranges('interval', 'Interval', y.unit)] : []),
        ...(line.selections ? [numbers('rows', 'Rows', 'count')] : []),
      ],
      line.points.map(([px, py], i) => [
        px,
        py,
        ...(line.intervals ? [line.intervals[i] ?? null] : []),
        ...(line.selections ? [line.selections[i]?.total ?? null] : []),
      ]),
    ),
  ),
  ...(bands ?? []).map((band) =>
    table(
      band.name,
      [numbers('x', x.label, x.unit), ranges('band', band.name, y.unit)],
      band.points.map(([px, low, high]) => [px, [low, high]]),
    ),
  ),
];

const bars = (card: CardOf<'bars'>): readonly TableCard[] => {
  const { title, x, y, series, bands, marks } = card;
  const selections = series.find((one) => one.selections)?.selections;
  return [
    table(
      title,
      [
        words('bar', x.label),
        ...series.flatMap((one, i) => [
          numbers(`value${i}`, one.name, y.unit),
          ...(one.intervals ? [ranges(`interval${i}`, `${one.name}, interval`, y.unit)] : []),
        ]),
        ...(marks ?? []).map((mark, i) => numbers(`mark${i}`, mark.name, y.unit)),
        ...(bands ?? []).map((band, i) => ranges(`band${i}`, band.name, y.unit)),
        ...(selections ? [numbers('rows', 'Rows', 'count')] : []),
      ],
      barNames(card).map((name, i) => [
        name,
        ...series.flatMap((one) => [one.values[i] ?? null, ...(one.intervals ? [one.intervals[i] ?? null] : [])]),
        ...(marks ?? []).map((mark) => mark.values[i] ?? null),
        ...(bands ?? []).map((band) => pair(band.low[i], band.high[i])),
        ...(selections ? [selections[i]?.total ?? 0] : []),
      ]),
    ),
  ];
};
const pair = (low: number | null | undefined, high: number | null | undefined): readonly [number, number] | null =>
  typeof low === 'number' && typeof high === 'number' ? [low, high] : null;

/** The largest cells of a layer, those off the diagonal where rows and columns are the same classes. */
export const largestCells = (
  card: CardOf<'heatmap'>,
  layer: number,
  most: number,
): readonly { row: number; column: number; value: number }[] => {
  const width = card.columns.names.length;
  const square = card.diagonal === true;
  return card.layers[layer].values
    .flatMap((value, i) => (value ? [{ row: Math.floor(i / width), column: i % width, value }] : []))
    .filter(({ row, column }) => !(square && row === column))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value) || a.row - b.row || a.column - b.column)
    .slice(0, most);
};

const heatmap = (card: CardOf<'heatmap'>): readonly TableCard[] => {
  const { rows, columns, layers } = card;
  const width = columns.names.length;
  return layers.map((layer) =>
    width <= WIDEST_MATRIX
      ? table(
          layer.name,
          [words('row', `${rows.label} \\ ${columns.label}`), ...columns.names.map((name, c) => numbers(`c${c}`, name, layer.unit))],
          rows.names.map((name, r) => [name, ...layer.values.slice(r * width, (r + 1) * width)]),
        )
      : table(
          layer.name,
          [words('row', rows.label), words('column', columns.label), numbers('value', layer.name, layer.unit)],
          layer.values.flatMap((value, i) => (value ? [[rows.names[Math.floor(i / width)], columns.names[i % width], value]] : [])),
        ),
  );
};

const images = ({ title, images: all }: CardOf<'images'>): readonly TableCard[] => {
  const labels = [...new Set(all.flatMap((image) => image.facts.map((fact) => fact.label)))];
  const unitOf = (label: string): Axis['unit'] => all.flatMap((i) => i.facts).find((fact) => fact.label === label)?.unit ?? 'none';
  const numeric = (label: string): boolean =>
    all.every((image) => image.facts.every((fact) => fact.label !== label || typeof fact.value === 'number'));
  return [
    table(
      title,
      [
        { name: 'row', label: 'Row', type: 'row' },
        words('title', 'Sample'),
        ...labels.map((label, i) => (numeric(label) ? numbers(`fact${i}`, label, unitOf(label)) : words(`fact${i}`, label))),
      ],
      all.map((image) => [
        image.row,
        image.title,
        ...labels.map((label) => {
          const value = image.facts.find((fact) => fact.label === label)?.value ?? null;
          return numeric(label) || value === null ? value : String(value);
        }),
      ]),
    ),
  ];
};

const scatter = ({ title, x, y, groups }: CardOf<'scatter'>): readonly TableCard[] => {
  const withRows = groups.some((group) => group.rows);
  return [
    table(
      title,
      [
        words('group', 'Group'),
        numbers('x', x.label, x.unit),
        numbers('y', y.label, y.unit),
        ...(withRows ? [{ name: 'row', label: 'Row', type: 'row' } as const] : []),
      ],
      groups.flatMap((group) => group.points.map(([px, py], i) => [group.name, px, py, ...(withRows ? [group.rows?.[i] ?? null] : [])])),
    ),
  ];
};

const text = ({ title, tokens }: CardOf<'text'>): readonly TableCard[] => {
  const [pieces, special] = [tokens?.some((token) => token.word), tokens?.some((token) => token.special)];
  return tokens
    ? [
        table(
          title,
          [
            numbers('position', 'Position', 'count'),
            words('token', 'Token'),
            numbers('score', 'Score', 'none'),
            ...(pieces ? [words('word', 'Word'), numbers('wordScore', 'Score of the word', 'none')] : []),
            ...(special ? [words('special', 'Special')] : []),
          ],
          tokens.map((token, i) => [
            i,
            token.text,
            token.score,
            ...(pieces ? (token.continues ? [null, null] : [token.word?.text ?? token.text, token.word?.score ?? token.score]) : []),
            ...(special ? [token.special ? 'not of the text' : null] : []),
          ]),
        ),
      ]
    : [];
};

const graph = ({ title, nodes, edges }: CardOf<'graph'>): readonly TableCard[] => {
  const labels = new Map(nodes.map((node) => [node.id, node.label]));
  const to = new Map<string, string[]>();
  for (const edge of edges) to.set(edge.from, [...(to.get(edge.from) ?? []), labels.get(edge.to) ?? edge.to]);
  return [
    table(
      title,
      [words('node', 'Node'), words('group', 'Group'), numbers('value', 'Value', 'none'), words('to', 'Leads to')],
      nodes.map((node) => [node.label, node.group ?? null, node.value ?? null, (to.get(node.id) ?? []).join(', ')]),
    ),
  ];
};

/** The table twin of every card: the same numbers, unrounded, for readers, screen readers and CSV. */
export const twins: Renderer<readonly TableCard[]> = {
  number,
  curve,
  bars,
  heatmap,
  table: (card) => [card],
  images,
  scatter,
  text,
  graph,
};

/** The twins of a card, or null where this version does not know its kind. */
export const twinsOf = (card: Card): readonly TableCard[] | null => draw<readonly TableCard[] | null>(twins, card, () => null);

/** What stands in place of a card of a newer version. */
export const unknownCard = (kind: string): string =>
  `This card is of the kind '${kind}', which this version of Assay does not know. Its data is kept in the report file.`;

type Fact = CardOf<'images'>['images'][number]['facts'][number];

/** Facts that every image with facts shares are told once. */
export const factsOf = ({ images }: CardOf<'images'>): { readonly shared: readonly Fact[]; readonly own: readonly (readonly Fact[])[] } => {
  const same = (a: Fact, b: Fact): boolean => a.label === b.label && a.value === b.value && a.unit === b.unit;
  const told = images.filter((image) => image.facts.length > 0);
  const shared = told.length > 1 ? told[0].facts.filter((fact) => told.every((image) => image.facts.some((one) => same(one, fact)))) : [];
  return { shared, own: images.map((image) => image.facts.filter((fact) => !shared.some((one) => same(one, fact)))) };
};
