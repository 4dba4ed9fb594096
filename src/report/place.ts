import type { Report } from './report.ts';

/** A name as it may stand in a link or a file name: small letters, digits, hyphens. */
export const slugOf = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '') || 'card';

/** One card among the reports of a run, zero-based; without a card, the report. */
export interface Place {
  readonly report: number;
  readonly card?: number;
}

type Placed = Pick<Report, 'id' | 'cards'>;
const titleOf = (report: Placed, card: number): string => slugOf(String(report.cards[card].title));

/** `REPORT:CARD` of a card: the report by its place, the card by its title; by its place where another card has the same. */
export const focusOf = (reports: readonly Placed[], { report, card }: Place): string => {
  if (card === undefined) return String(report);
  const slug = titleOf(reports[report], card);
  const first = reports[report].cards.findIndex((_, i) => titleOf(reports[report], i) === slug);
  return `${report}:${first === card && !/^\d+$/.test(slug) ? slug : card}`;
};

/** Reads `REPORT:CARD`: the report by its place or the id of its diagnostic, the card by its place or title; undefined where there is no such report. */
export const placeOf = (reports: readonly Placed[], focus: string): Place | undefined => {
  const [first = '', second = ''] = focus.split(':');
  const report = /^\d+$/.test(first) ? Number(first) : reports.findIndex(({ id }) => id === first);
  const found = reports[report];
  if (found === undefined) return undefined;
  const card = /^\d+$/.test(second) ? Number(second) : found.cards.findIndex((_, i) => titleOf(found, i) === second);
  return found.cards[card] === undefined ? { report } : { report, card };
};

/** The card that tells a headline number; the first where no card of numbers names it. */
export const cardOfNumber = ({ cards }: Pick<Report, 'cards'>, name: string | undefined): number =>
  Math.max(
    0,
    cards.findIndex((card) => card.kind === 'number' && card.values.some((value) => value.name === name)),
  );

/** One card of a report as a report of its own, under the card's title. */
export const cardAlone = (report: Report, card: number): Report => ({
  ...report,
  title: String(report.cards[card].title),
  headline: {},
  intervals: {},
  guide: '',
  cards: [report.cards[card]],
});
