import { format, formatInterval, intervalName } from '../src/report/format.ts';
import { type HeadlineNumber, leadingOf } from '../src/report/headline.ts';
import { toJson } from '../src/report/json.ts';
import { toMarkdown } from '../src/report/markdown.ts';
import type { Outcome, Report, SampleView, Selection } from '../src/report/report.ts';
import { subjectOf } from '../src/report/subject.ts';
import { twinsOf } from '../src/report/twin.ts';
import { formatsOf, headlineTable, reportSketch } from './card-export.ts';
import { frame } from './card-frame.ts';
import { button } from './controls.ts';
import { el } from './element.ts';
import { copy, type Host } from './host.ts';
import { menu } from './menu.ts';
import { deviceSentence, provenanceOf } from './provenance.ts';
import { selectionBar } from './selection-bar.ts';

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
    p.device.actual === 'none' ? '' : `device ${deviceOf(report)}`,
    format(p.seconds, 'seconds'),
  ]
    .filter((part) => part !== '')
    .join(' · ');
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

/** How a report stands on its page, and what is to be kept of it. */
export interface Standing {
  readonly tables: ReadonlySet<number>;
  readonly selected: { readonly card: number; readonly selection: Selection } | null;
  readonly tableShown: (card: number, shown: boolean) => void;
  readonly selectedNow: (selected: Standing['selected']) => void;
}

/** One report (`trained`: of a training, which saved a model): what was asked, what came out, how to read it, the cards, and where it was measured. */
export const reportView = (
  report: Report,
  index: number,
  host: Host,
  signal: AbortSignal,
  trained: boolean,
  standing: Standing,
): ReportView => {
  const samples = new Map<number, SampleView>(report.samples.map((sample) => [sample.row, sample]));
  let opener: Element | null = null;
  const reveal = (card: number): void => {
    const strip = frames[card].element.querySelector<HTMLElement>('.strip');
    strip?.focus({ preventScroll: true });
    strip?.scrollIntoView({ block: 'nearest' });
  };
  const select = (selected: Standing['selected']): void => {
    standing.selectedNow(selected);
    const rows = new Set(selected?.selection.rows ?? []);
    frames.forEach((one, card) => {
      const own = card === selected?.card;
      one.strip(own ? selected.selection : null);
      one.follow(selected === null ? null : { label: selected.selection.label, rows, own });
    });
    bar.show(selected?.selection ?? null);
    chosen = selected;
  };
  const clear = (): void => {
    select(null);
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
  };
  let chosen: Standing['selected'] = null;
  const bar = selectionBar({
    clear,
    reveal: () => chosen && reveal(chosen.card),
    ...(host.standalone ? {} : { open: (row: number) => host.post({ type: 'sample', report: index, row }) }),
  });
  const stage = { host, report, index, signal, sample: (row: number) => samples.get(row) };
  const frames = report.cards.map((card, place) =>
    frame(card, stage, {
      place,
      asTable: standing.tables.has(place),
      select(selection) {
        opener = document.activeElement;
        select({ card: place, selection });
        reveal(place);
      },
      clear,
      tableShown: (shown) => standing.tableShown(place, shown),
    }),
  );
  const formats = formatsOf(host, {
    name: report.title,
    sketch: () =>
      reportSketch(
        report,
        subject(report),
        frames.map((one) => one.sketch()),
      ),
    json: () => toJson(report),
    csv: [headlineTable(report), ...report.cards.flatMap((card) => twinsOf(card) ?? [])],
    page: () => host.savePage(report, { report: index }),
  });
  const actions = el(
    'div',
    { class: 'actions' },
    trained &&
      button('Open Model', () => host.post({ type: 'openModel' }), { look: 'primary', title: 'Open Model: the one that was saved' }),
    trained && button('Overlay…', () => host.post({ type: 'overlay' }), { title: 'Overlay another training run' }),
    !host.standalone && button('Run again', () => host.post({ type: 'rerun' }), { look: 'secondary' }),
    !host.standalone &&
      report.outcome === 'measured' &&
      button('Compare…', () => host.post({ type: 'compare' }), { look: 'secondary', title: 'Compare with another run' }),
    button('Copy as Markdown', () => copy(toMarkdown(report)), { look: 'secondary' }),
    menu(
      'Save report',
      'Save report',
      formats.map(({ label, save }) => ({ label, title: `Save report as ${label}`, press: save })),
      'secondary',
    ),
  );
  const measured = report.outcome === 'measured';
  const element = el(
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
        frames.length > 0 && el('p', { class: 'muted' }, 'What had been measured by then is shown below.'),
      ),
    ...headlineView(report),
    report.guide !== '' &&
      el('section', { class: 'guide', 'aria-label': 'How to read this' }, el('h2', {}, 'How to read this'), el('p', {}, report.guide)),
    bar.element,
    ...frames.map((one) => one.element),
    report.notes.length > 0 &&
      el(
        'section',
        { class: 'notes', 'aria-label': 'Notes' },
        el('h2', {}, 'Notes'),
        el('ul', {}, ...report.notes.map((note) => el('li', {}, note))),
      ),
    provenanceOf(report.provenance),
  );
  document.addEventListener(
    'keydown',
    (event) => {
      if (event.key !== 'Escape' || event.defaultPrevented || chosen === null || !element.isConnected) return;
      event.preventDefault();
      clear();
    },
    { signal },
  );
  if (standing.selected && frames[standing.selected.card]) select(standing.selected);
  return {
    element,
    focusCard(card) {
      const target = frames[card]?.element;
      target?.scrollIntoView({ block: 'start' });
      target?.focus({ preventScroll: true });
    },
  };
};
