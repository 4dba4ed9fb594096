import { format, formatInterval, formatRange, intervalName, visible } from './format.ts';
import { headlineOf } from './headline.ts';
import { type Card, type CardOf, draw, type Renderer, type Report, type TableCard } from './report.ts';
import { largestCells, twins, twinsOf, unknownCard } from './twin.ts';

const MOST_ROWS = 40;
const MOST_COLUMNS = 20;

const literal = (text: string): string => visible(text).replace(/[\\`*_[\]<>|#~&]/g, '\\$&');

const cell = (value: TableCard['rows'][number][number], { type, unit }: TableCard['columns'][number]): string => {
  if (typeof value === 'string') return literal(value);
  if (type === 'row' && typeof value === 'number') return String(value);
  return Array.isArray(value) ? formatRange(value[0], value[1], unit) : format(value as number | null, unit);
};

const lines = (head: readonly string[], right: readonly boolean[], rows: readonly (readonly string[])[]): readonly string[] => [
  `| ${head.join(' | ')} |`,
  `|${right.map((yes) => (yes ? '--:' : '---')).join('|')}|`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
];

/** A Markdown table of at most MOST_ROWS rows. */
const tableMarkdown = ({ columns, rows }: TableCard): string => {
  const table = lines(
    columns.map((column) => literal(column.label)),
    columns.map((column) => column.type !== 'text'),
    rows.slice(0, MOST_ROWS).map((row) => row.map((value, i) => cell(value, columns[i]))),
  );
  const more = rows.length - MOST_ROWS;
  return [...table, ...(more > 0 ? ['', `${format(more, 'count')} more rows are in the report file.`] : [])].join('\n');
};

const numbersMarkdown = ({ values }: CardOf<'number'>): string =>
  lines(
    ['Measure', 'Value', 'Interval', 'Reference'],
    [false, true, true, true],
    values.map((v) => [
      literal(v.label) + (v.note ? ` (${literal(v.note)})` : ''),
      format(v.value, v.unit),
      v.interval ? `${formatInterval(v.interval, v.unit)} (${intervalName(v.interval)})` : '',
      v.reference === undefined ? '' : format(v.reference, v.unit),
    ]),
  ).join('\n');

const heatmapMarkdown = (card: CardOf<'heatmap'>): string => {
  const { rows, columns, layers } = card;
  if (layers.length === 0) return 'no values';
  const others = layers.slice(1).map((layer) => layer.name);
  const also = others.length > 0 ? `\n\nShown: ${literal(layers[0].name)}. Also in the report: ${literal(others.join(', '))}.` : '';
  if (columns.names.length <= MOST_COLUMNS) return tableMarkdown(twins.heatmap(card)[0]) + also;
  const cells = largestCells(card, 0, MOST_COLUMNS).map(({ row, column, value }) => [
    literal(rows.names[row]),
    literal(columns.names[column]),
    format(value, layers[0].unit),
  ]);
  const what = `${rows.names.length} × ${columns.names.length} cells; the largest${card.diagonal ? ' off the diagonal' : ''}:`;
  return (
    [what, '', ...lines([literal(rows.label), literal(columns.label), literal(layers[0].name)], [false, false, true], cells)].join('\n') +
    also
  );
};

const scatterMarkdown = ({ x, y, groups }: CardOf<'scatter'>): string =>
  lines(
    ['Group', 'Points', `Mean ${literal(x.label)}`, `Mean ${literal(y.label)}`],
    [false, true, true, true],
    groups.map(({ name, points }) => [
      literal(name),
      format(points.length, 'count'),
      format(points.reduce((sum, [px]) => sum + px, 0) / points.length, x.unit),
      format(points.reduce((sum, [, py]) => sum + py, 0) / points.length, y.unit),
    ]),
  ).join('\n');

const tables = (card: Card): string =>
  (twinsOf(card) ?? [])
    .map((t, _, all) => (all.length > 1 ? `**${literal(t.title)}**\n\n${tableMarkdown(t)}` : tableMarkdown(t)))
    .join('\n\n');

const bodies: Renderer<string> = {
  number: numbersMarkdown,
  heatmap: heatmapMarkdown,
  scatter: scatterMarkdown,
  text: (card) => [...(card.paragraphs ?? []).map(literal), tables(card)].filter(Boolean).join('\n\n'),
  curve: tables,
  bars: tables,
  table: tables,
  images: tables,
  graph: tables,
};

/** One card, for "Copy as Markdown". */
export const cardMarkdown = (card: Card): string =>
  [
    `### ${literal(String(card.title))}`,
    ...(card.caption ? [literal(card.caption)] : []),
    draw(bodies, card, (kind) => `*${literal(unknownCard(kind))}*`),
  ].join('\n\n');

/** The whole report, for pull requests and notes. */
export const toMarkdown = (report: Report): string => {
  const { provenance: p } = report;
  const headline = headlineOf(report);
  return [
    `## ${literal(report.title)}`,
    literal(report.question),
    ...(report.reason ? [`**${report.outcome}**: ${literal(report.reason.sentence)}`] : []),
    ...(headline.length > 0
      ? [
          lines(
            ['Number', 'Value', 'Interval'],
            [false, true, true],
            headline.map(({ label, value, unit, interval }) => [
              literal(label),
              format(value, unit),
              interval ? `${formatInterval(interval, unit)} (${intervalName(interval)})` : '',
            ]),
          ).join('\n'),
        ]
      : []),
    ...(report.guide ? [`> ${literal(report.guide)}`] : []),
    ...report.cards.map(cardMarkdown),
    ...(report.notes.length > 0 ? [report.notes.map((note) => `- ${literal(note)}`).join('\n')] : []),
    `*${[
      ...(p.modelPath ? [`model ${literal(p.modelPath)} (${p.modelSha256?.slice(0, 12) ?? 'no hash'})`] : []),
      ...(p.against
        ? [
            `against ${literal(p.against.modelPath ?? p.against.dataPath ?? '')} (${(p.against.modelPath ? p.against.modelSha256 : p.against.dataSha256)?.slice(0, 12) ?? 'no hash'})`,
          ]
        : []),
      `data ${literal(p.dataPath)} (${p.dataSha256.slice(0, 12)})`,
      `${format(p.rows, 'count')} ${p.rows === 1 ? 'row' : 'rows'}${p.split ? ` of split ${literal(p.split)}` : ''}`,
      `seed ${p.seed}`,
      `device ${literal(p.device.actual)} (asked for ${literal(p.device.requested)}: ${literal(p.device.reason)})`,
      format(p.seconds, 'seconds'),
    ].join(' · ')}*`,
  ]
    .join('\n\n')
    .concat('\n');
};
