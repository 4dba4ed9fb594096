import { format, formatInterval, intervalName } from '../src/report/format.ts';
import { type HeadlineNumber, leadingOf } from '../src/report/headline.ts';
import { toJson } from '../src/report/json.ts';
import { toMarkdown } from '../src/report/markdown.ts';
import type { Outcome, Report, SampleView, Selection } from '../src/report/report.ts';
import { subjectOf } from '../src/report/subject.ts';
import { frame } from './card-frame.ts';
import { button } from './controls.ts';
import { el } from './element.ts';
import { copy, type Host } from './host.ts';
import { deviceSentence, provenanceOf } from './provenance.ts';

const OUTCOME: Readonly<Record<Outcome, string>> = {
  measured: 'Measured',
  unavailable: 'Not available for this model and data',
  failed: 'Failed',
  stopped: 'Stopped before the end',
};

const fileOf = (path: string): string => path.split(/[\\/]/).pop() ?? path;

/** A device that was asked for by name and not used is said with its reason at once. */
const deviceOf = ({ provenance }: Report): string => {
  const { requested, actual } = provenance.device;
  if (requested === actual) return actual;
  return requested === 'auto' ? `${actual} (chosen by auto)` : deviceSentence(provenance);
};

const subject = (report: Report): string => {
  const { provenance: p } = report;
  return [
    subjectOf(p, fileOf),
    `${format(p.rows, 'count')} ${p.rows === 1 ? 'row' : 'rows'}${p.split === undefined ? '' : ` of ${p.split}`}`,
    `device ${deviceOf(report)}`,
    format(p.seconds, 'seconds'),
  ].join(' · ');
};

const MOST_NUMBERS = 6;

const tiles = (numbers: readonly HeadlineNumber[]): HTMLElement =>
  el(
    'dl',
    { class: 'headline' },
    ...numbers.map(({ name, label, value, unit, interval }) =>
      el(
        'div',
        { title: label === name ? name : `${label} (${name})` },
        el('dt', {}, name.replaceAll('_', ' ')),
        el('dd', {}, format(value, unit)),
        interval && el('dd', { class: 'note', title: intervalName(interval) }, formatInterval(interval, unit)),
      ),
    ),
  );

const headlineView = (report: Report): readonly HTMLElement[] => {
  const { leading, others } = leadingOf(report, MOST_NUMBERS);
  if (leading.length === 0) return [];
  const rest =
    others.length > 0 && el('details', { class: 'more-numbers' }, el('summary', {}, `${others.length} more numbers`), tiles(others));
  return [el('section', { class: 'numbers-first', 'aria-label': 'Headline numbers' }, tiles(leading), rest)];
};

export interface ReportView {
  readonly element: HTMLElement;
  readonly focusCard: (card: number) => void;
}

/** One report: what was asked, what came out, how to read it, the cards, and where it was measured. */
export const reportView = (report: Report, index: number, host: Host, signal: AbortSignal): ReportView => {
  const samples = new Map<number, SampleView>(report.samples.map((sample) => [sample.row, sample]));
  const listeners: ((rows: ReadonlySet<number>) => void)[] = [];
  let open: HTMLElement | null = null;
  const select = (selection: Selection | null, strip: HTMLElement): void => {
    if (open !== null && open !== strip) open.replaceChildren();
    open = selection === null ? null : strip;
    const rows = new Set(selection?.rows ?? []);
    for (const listener of listeners) listener(rows);
  };
  const stage = {
    host,
    report,
    index,
    signal,
    onSelection: (listener: (rows: ReadonlySet<number>) => void) => void listeners.push(listener),
    sample: (row: number) => samples.get(row),
  };
  const cards = report.cards.map((card) => frame(card, stage, select));
  const actions = el(
    'div',
    { class: 'actions' },
    !host.standalone && button('Run again', () => host.post({ type: 'rerun' }), { look: 'secondary' }),
    button('Copy as Markdown', () => copy(toMarkdown(report)), { look: 'secondary' }),
    button('Save JSON', () => host.save(`${report.id}.json`, new TextEncoder().encode(toJson(report)), 'application/json'), {
      look: 'secondary',
    }),
  );
  const measured = report.outcome === 'measured';
  return {
    element: el(
      'article',
      { class: 'report' },
      el(
        'header',
        { class: 'report-header' },
        el('div', { class: 'report-title' }, el('h1', {}, report.title), actions),
        el('p', { class: 'question' }, report.question),
        el('p', { class: 'muted subject' }, subject(report)),
      ),
      !measured &&
        el(
          'div',
          { class: `outcome ${report.outcome}`, role: report.outcome === 'failed' ? 'alert' : 'status' },
          el('strong', {}, OUTCOME[report.outcome]),
          el('p', {}, report.reason?.sentence ?? 'No reason was given.'),
          cards.length > 0 && el('p', { class: 'muted' }, 'What had been measured by then is shown below.'),
        ),
      ...headlineView(report),
      report.guide !== '' && el('p', { class: 'guide' }, report.guide),
      ...cards,
      report.notes.length > 0 &&
        el(
          'section',
          { class: 'notes', 'aria-label': 'Notes' },
          el('h2', {}, 'Notes'),
          el('ul', {}, ...report.notes.map((note) => el('li', {}, note))),
        ),
      provenanceOf(report.provenance),
    ),
    focusCard(card) {
      cards[card]?.scrollIntoView({ block: 'start' });
      cards[card]?.focus({ preventScroll: true });
    },
  };
};
