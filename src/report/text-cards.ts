import { extent } from './extent.ts';
import { format, formatInterval, formatRange, intervalName, visible } from './format.ts';
import { bar, columns, cut, pad, sparkline, widthOf, wrap } from './grid.ts';
import { type Card, type CardOf, draw, type Renderer, type TableCard } from './report.ts';
import { barNames, factsOf, largestCells, unknownCard } from './twin.ts';

/** How the terminal looks: columns to write into, and the paint (nothing where colour is off). */
export interface Terminal {
  readonly width: number;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
}

const MOST_ROWS = 20;
const MOST_BARS = 30;
const MOST_IMAGES = 6;
const more = (count: number, what: string): readonly string[] =>
  count > 0 ? [`… ${format(count, 'count')} more ${what} in the JSON and HTML reports`] : [];

const number = ({ width, dim }: Terminal, { values }: CardOf<'number'>): readonly string[] => {
  const facts = values.map((v) => [
    format(v.value, v.unit),
    v.interval ? formatInterval(v.interval, v.unit) : '',
    v.reference === undefined ? '' : `reference ${format(v.reference, v.unit)}`,
    v.interval ? intervalName(v.interval) : '',
  ]);
  /** Where the line has no room for all of it, how the interval was made goes first, then the ideal. */
  const right = [4, 3, 2]
    .map((most) => {
      const used = Array.from({ length: most }, (_, c) => c).filter((c) => facts.some((row) => row[c] !== ''));
      const sides = used.map((c) => (c === 3 ? 'left' : 'right'));
      return columns(
        facts.map((row) => used.map((c) => row[c])),
        sides,
        width,
      );
    })
    .reduce((best, next) => (Math.max(0, ...best.map(widthOf)) + 18 > width ? next : best));
  const room = Math.max(0, ...right.map(widthOf));
  const names = Math.max(16, Math.min(width - room - 2, Math.max(0, ...values.map((v) => widthOf(v.label)))));
  return values.flatMap(({ label, note }, i) => {
    const [first, ...rest] = wrap(visible(label), names, '  ').split('\n');
    return [`${pad(first, names)}  ${right[i]}`, ...rest, ...(note ? [dim(wrap(visible(note), width, '  ', '  '))] : [])];
  });
};

const curve = ({ width }: Terminal, { x, y, lines }: CardOf<'curve'>): readonly string[] => {
  const names = Math.min(28, Math.max(...lines.map((line) => widthOf(line.name)), 4));
  return lines.flatMap((line) => {
    if (line.points.length === 0) return [`${pad(cut(visible(line.name), names), names)}  no points`];
    const ys = line.points.map(([, py]) => py);
    const ends = `${format(ys[0], y.unit)} → ${format(ys[ys.length - 1], y.unit)}`;
    const [low, high] = extent(ys) ?? [0, 0];
    const range = formatRange(low, high, y.unit);
    const over = `${visible(x.label)} ${format(line.points[0][0], x.unit)} … ${format(line.points[ys.length - 1][0], x.unit)}`;
    const room = Math.max(8, Math.min(48, width - names - widthOf(ends) - 4));
    return [
      `${pad(cut(visible(line.name), names), names)}  ${pad(sparkline(ys, room), Math.min(room, ys.length))}  ${ends}`,
      `${' '.repeat(names)}  ${cut(`${visible(y.label)} within ${range} over ${over}`, width - names - 2)}`,
    ];
  });
};

const bars = ({ width, dim }: Terminal, card: CardOf<'bars'>): readonly string[] => {
  const { x, y, series, marks, bands } = card;
  const names = barNames(card).map(visible);
  const top = y.max ?? Math.max(0, extent(series.flatMap((one) => one.values))?.[1] ?? 0);
  return series.flatMap((one) => {
    const shown = names
      .map((_, i) => i)
      .filter((i) => one.values[i] !== null && one.values[i] !== undefined && !(y.unit === 'count' && one.values[i] === 0));
    const label = Math.min(24, Math.max(...names.map(widthOf), widthOf(x.label), 4));
    const facts = shown.map((i) => {
      const interval = one.intervals?.[i];
      const selection = one.selections?.[i];
      const band = bands?.[0];
      const low = band?.low[i] ?? null;
      const high = band?.high[i] ?? null;
      const value = one.values[i] ?? 0;
      const outside = low !== null && high !== null && (value < low || value > high);
      return [
        format(value, y.unit),
        interval ? formatRange(interval[0], interval[1], y.unit) : '',
        ...(marks ?? []).map((mark) => format(mark.values[i], y.unit)),
        selection ? `n ${format(selection.total, 'count')}` : '',
        outside ? '!' : '',
      ];
    });
    const heads = [one.name, one.intervals ? 'interval' : '', ...(marks ?? []).map((mark) => mark.name), '', ''].map((h) =>
      cut(visible(h), 16),
    );
    const used = heads.map((_, c) => c).filter((c) => facts.some((row) => row[c] !== ''));
    const aligned = (wanted: readonly number[]): readonly string[] =>
      columns(
        [wanted.map((c) => heads[c]), ...facts.map((row) => wanted.map((c) => row[c]))],
        wanted.map(() => 'right'),
        width,
      );
    /** Where the line has no room for all of it, the marks go first, then the intervals. */
    const right = [used, used.filter((c) => c < 2 || c >= heads.length - 2), used.filter((c) => c < 1 || c >= heads.length - 2)]
      .map(aligned)
      .reduce((best, next) => (Math.max(0, ...best.map(widthOf)) + label + 10 > width ? next : best));
    const room = Math.max(6, Math.min(40, width - label - 4 - Math.max(0, ...right.map(widthOf))));
    const outsideNote = facts.some((row) => row[row.length - 1] === '!')
      ? [dim(`! outside the ${visible(bands?.[0]?.name ?? 'band')}`)]
      : [];
    return [
      dim(`${pad(cut(visible(x.label), label), label)}  ${' '.repeat(room)}  ${right[0]}`.trimEnd()),
      ...shown.slice(0, MOST_BARS).map((i, at) => {
        const drawn = bar(top > 0 ? (one.values[i] ?? 0) / top : 0, room);
        return `${pad(cut(names[i], label), label)}  ${pad(drawn, room)}  ${right[at + 1]}`.trimEnd();
      }),
      ...more(shown.length - MOST_BARS, 'bars'),
      ...outsideNote,
    ];
  });
};

const heatmap = (terminal: Terminal, card: CardOf<'heatmap'>): readonly string[] => {
  const { width, dim, bold } = terminal;
  const { rows, columns: cols, layers } = card;
  const [layer] = layers;
  if (layer === undefined) return ['no values'];
  const n = cols.names.length;
  const small = rows.names.length <= 32 && 2 * n <= width;
  const texts = small
    ? layer.values.map((v) =>
        v === 0 ? '·' : v !== null && layer.unit === 'none' ? String(Number(v.toPrecision(2))) : format(v, layer.unit),
      )
    : [];
  const widest = (names: readonly string[]): number => extent(names.map((name) => widthOf(visible(name))))?.[1] ?? 0;
  const label = Math.min(16, Math.max(widest(rows.names), 3));
  const wide = Math.max(widest(texts), Math.min(8, widest(cols.names)));
  const fits = small && label + n * (wide + 1) <= width;
  if (!fits) {
    const cells = largestCells(card, 0, 12);
    const listed = columns(
      cells.map(({ row, column, value }) => [visible(rows.names[row]), '→', visible(cols.names[column]), format(value, layer.unit)]),
      ['left', 'left', 'left', 'right'],
      width,
    );
    const what = card.diagonal ? 'largest off the diagonal' : 'largest';
    return [dim(`${rows.names.length} × ${n} cells of ${layer.name}, the ${what} (${rows.label} → ${cols.label})`), ...listed];
  }
  const square = card.diagonal === true;
  return [
    dim(cut(`${layer.name}; rows: ${visible(rows.label)}, columns: ${visible(cols.label)}`, width)),
    dim(`${' '.repeat(label)} ${cols.names.map((name) => pad(cut(visible(name), wide), wide, 'right')).join(' ')}`),
    ...rows.names.map((name, r) => {
      const line = cols.names.map((_, c) => {
        const text = pad(texts[r * n + c] ?? '–', wide, 'right');
        return square && r === c ? bold(text) : text;
      });
      return `${pad(cut(visible(name), label), label)} ${line.join(' ')}`;
    }),
  ];
};

const cell = (value: TableCard['rows'][number][number], { type, unit }: TableCard['columns'][number]): string => {
  if (typeof value === 'string') return visible(value);
  if (type === 'row' && typeof value === 'number') return String(value);
  return Array.isArray(value) ? formatRange(value[0], value[1], unit) : format(value as number | null, unit);
};
/** Heads broken at spaces, so that a column is only as wide as its cells and the longest word over it. */
const table = ({ width, dim }: Terminal, card: CardOf<'table'>): readonly string[] => {
  const shown = card.rows.slice(0, MOST_ROWS).map((row) => row.map((value, i) => cell(value, card.columns[i])));
  const heads = card.columns.map(({ label }, c) => {
    const words = visible(label).split(/\s+/);
    const room = Math.max(...words.map(widthOf), ...shown.map((row) => Math.min(24, widthOf(row[c] ?? ''))));
    return wrap(visible(label), room).split('\n');
  });
  const tall = Math.max(0, ...heads.map((lines) => lines.length));
  const above = Array.from({ length: tall }, (_, l) => heads.map((lines) => lines[l - tall + lines.length] ?? ''));
  const sides = card.columns.map((column) => (column.type === 'text' ? 'left' : 'right'));
  const fits = (count: number): readonly string[] =>
    columns(
      [...above, ...shown].map((row) => row.slice(0, count)),
      sides.slice(0, count),
      width,
    );
  let count = sides.length;
  let lines = fits(count);
  while (count > 1 && lines.some((line) => widthOf(line) > width)) lines = fits(--count);
  return [
    ...lines.slice(0, tall).map(dim),
    ...lines.slice(tall),
    ...more(card.rows.length - MOST_ROWS, 'rows'),
    ...more(card.columns.length - count, card.columns.length - count === 1 ? 'column' : 'columns'),
  ];
};

const images = ({ width, dim }: Terminal, card: CardOf<'images'>): readonly string[] => {
  const { shared, own } = factsOf(card);
  const written = (facts: typeof shared): string =>
    visible(facts.map(({ label, value, unit }) => `${label} ${typeof value === 'number' ? format(value, unit) : value}`).join(' · '));
  return [
    ...(shared.length > 0 ? [wrap(written(shared), width)] : []),
    ...card.images.slice(0, MOST_IMAGES).flatMap((image, i) => {
      const title = cut(`row ${image.row}  ${visible(image.title)}`, width);
      return own[i].length > 0 ? [title, dim(wrap(written(own[i]), width, '  ', '  '))] : [title];
    }),
    ...more(card.images.length - MOST_IMAGES, 'samples'),
  ];
};

const scatter = ({ width }: Terminal, { x, y, groups }: CardOf<'scatter'>): readonly string[] =>
  columns(
    groups.map(({ name, points }) => {
      const mean = (axis: 0 | 1): number => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
      return [
        visible(name),
        `${format(points.length, 'count')} points`,
        `mean ${visible(x.label)} ${format(mean(0), x.unit)}`,
        `mean ${visible(y.label)} ${format(mean(1), y.unit)}`,
      ];
    }),
    ['left', 'right', 'left', 'left'],
    width,
  );

const text = ({ width }: Terminal, { paragraphs, tokens }: CardOf<'text'>): readonly string[] => {
  const whole = (tokens ?? []).flatMap((token) => (token.continues || token.special ? [] : [token.word ?? token]));
  const strongest = whole.sort((a, b) => Math.abs(b.score) - Math.abs(a.score)).slice(0, 10);
  return [
    ...(paragraphs ?? []).map((paragraph) => wrap(visible(paragraph), width)),
    ...(tokens ? [wrap(visible(tokens.map(({ text, continues }, i) => (i === 0 || continues ? text : ` ${text}`)).join('')), width)] : []),
    ...columns(
      strongest.map((token) => [visible(token.text), format(token.score)]),
      ['left', 'right'],
      width,
    ),
  ];
};

const graph = ({ width }: Terminal, { nodes, edges }: CardOf<'graph'>): readonly string[] => {
  const labels = new Map(nodes.map((node) => [node.id, visible(node.label)]));
  return [
    `${format(nodes.length, 'count')} nodes, ${format(edges.length, 'count')} edges`,
    ...edges.slice(0, MOST_ROWS).map(({ from, to }) => cut(`${labels.get(from) ?? from} → ${labels.get(to) ?? to}`, width)),
    ...more(edges.length - MOST_ROWS, 'edges'),
  ];
};

const renderer = (terminal: Terminal): Renderer<readonly string[]> => ({
  number: (card) => number(terminal, card),
  curve: (card) => curve(terminal, card),
  bars: (card) => bars(terminal, card),
  heatmap: (card) => heatmap(terminal, card),
  table: (card) => table(terminal, card),
  images: (card) => images(terminal, card),
  scatter: (card) => scatter(terminal, card),
  text: (card) => text(terminal, card),
  graph: (card) => graph(terminal, card),
});

/** The lines of one card, without its title. */
export const cardText = (terminal: Terminal, card: Card): readonly string[] =>
  draw(renderer(terminal), card, (kind) => [wrap(unknownCard(kind), terminal.width)]);
