import { format, formatInterval, intervalName } from '../src/report/format.ts';
import { headlineOf } from '../src/report/headline.ts';
import { toJson } from '../src/report/json.ts';
import { toMarkdown } from '../src/report/markdown.ts';
import type { Outcome, Report, SampleView, Selection } from '../src/report/report.ts';
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

const subject = ({ provenance: p }: Report): string =>
  [
    p.modelPath === undefined ? fileOf(p.dataPath) : `${fileOf(p.modelPath)} on ${fileOf(p.dataPath)}`,
    `${format(p.rows, 'count')} rows${p.split === undefined ? '' : ` of ${p.split}`}`,
    `device ${deviceSentence(p)}`,
    format(p.seconds, 'seconds'),
  ].join(' · ');

const headlineView = (report: Report): HTMLElement | false => {
  const numbers = headlineOf(report);
  return (
    numbers.length > 0 &&
    el(
      'dl',
      { class: 'headline' },
      ...numbers.map(({ name, label, value, unit, interval }) =>
        el(
          'div',
          { title: label },
          el('dt', {}, name),
          el('dd', {}, format(value, unit)),
          interval && el('dd', { class: 'note', title: intervalName(interval) }, formatInterval(interval, unit)),
        ),
      ),
    )
  );
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
    button('Copy as Markdown', () => void copy(toMarkdown(report)), { look: 'secondary' }),
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
      headlineView(report),
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
