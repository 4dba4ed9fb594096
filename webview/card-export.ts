import { toCsvs } from '../src/report/csv.ts';
import { headlineOf } from '../src/report/headline.ts';
import { slugOf } from '../src/report/place.ts';
import type { Card, Report, TableCard } from '../src/report/report.ts';
import { twinsOf } from '../src/report/twin.ts';
import type { Host } from './host.ts';
import { given, t, type Words } from './l10n.ts';
import { pngFile, type Sketch, stacked, svgFile, written } from './sketch.ts';
import type { View } from './stage.ts';
import { tableSketch } from './table-sketch.ts';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** What a card or a report can be saved as. */
export interface Exports {
  readonly name: string;
  readonly sketch: () => Sketch;
  readonly json: () => string;
  readonly csv: readonly TableCard[];
  readonly page: () => void;
}

/** Each format with what writes it, in the order of the menu. */
export const formatsOf = (
  host: Host,
  { name, sketch, json, csv, page }: Exports,
): readonly { readonly label: Words; readonly save: () => unknown }[] => {
  const file = slugOf(name);
  return [
    { label: t('PNG'), save: async () => host.save(`${file}.png`, await pngFile(sketch()), 'image/png') },
    { label: t('SVG'), save: () => host.save(`${file}.svg`, text(svgFile(sketch())), 'image/svg+xml') },
    ...(csv.length > 0 ? [{ label: t('CSV'), save: () => host.save(`${file}.csv`, text(toCsvs(csv)), 'text/csv') }] : []),
    { label: t('JSON'), save: () => host.save(`${file}.json`, text(json()), 'application/json') },
    { label: t('HTML'), save: page },
  ];
};

/** A card under its title and caption, so that it can stand in a document; its tables where it has no drawing. */
export const cardSketch = (card: Card, view: View): Sketch => {
  const tables = twinsOf(card) ?? [];
  const body =
    view.sketch?.() ??
    stacked(
      tables.map((table) => tableSketch(table, tables.length > 1)),
      16,
    );
  const width = Math.max(320, body.width);
  return stacked([
    written(given(String(card.title)), width, { bold: true, size: 15 }),
    ...(card.caption === undefined ? [] : [written(given(card.caption), width, { muted: true })]),
    body,
  ]);
};

/** The headline as a table of its own. */
export const headlineTable = (report: Report): TableCard => ({
  kind: 'table',
  title: 'Headline',
  columns: [
    { name: 'name', label: 'Number', type: 'text' },
    { name: 'value', label: 'Value', type: 'number' },
    { name: 'interval', label: 'Interval', type: 'interval' },
  ],
  rows: headlineOf(report).map(({ name, value, interval }) => [name, value, interval ? [interval.low, interval.high] : null]),
});

/** A whole report, card under card. */
export const reportSketch = (report: Report, subject: Words, cards: readonly Sketch[]): Sketch => {
  const width = Math.max(640, ...cards.map((card) => card.width));
  return stacked(
    [
      stacked([
        written(given(report.title), width, { bold: true, size: 20 }),
        written(given(report.question), width),
        written(subject, width, { muted: true }),
      ]),
      ...(Object.keys(report.headline).length > 0 ? [tableSketch(headlineTable(report), false)] : []),
      ...(report.guide === '' ? [] : [written(given(report.guide), width)]),
      ...cards,
    ],
    28,
  );
};
