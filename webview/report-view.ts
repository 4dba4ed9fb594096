import { type HeadlineNumber, leadingOf } from '../src/report/headline.ts';
import { toJson } from '../src/report/json.ts';
import { toMarkdown } from '../src/report/markdown.ts';
import type { Outcome, Report, SampleView, Selection } from '../src/report/report.ts';
import { subjectOf } from '../src/report/subject.ts';
import { twinsOf } from '../src/report/twin.ts';
import { formatsOf, headlineTable, reportSketch } from './card-export.ts';
import { frame } from './card-frame.ts';
import { button } from './controls.ts';
import { cutControl } from './cut-control.ts';
import { el } from './element.ts';
import { copy, type Host } from './host.ts';
import { format, formatInterval, given, intervalName, t, type Words } from './l10n.ts';
import { menu } from './menu.ts';
import { deviceSentence, provenanceOf } from './provenance.ts';
import { selectionBar } from './selection-bar.ts';

const OUTCOME: Readonly<Record<Outcome, Words>> = {
  measured: t('Measured'),
  unavailable: t('Not available for this model and data'),
  failed: t('Failed'),
  stopped: t('Stopped before the end'),
};

const fileOf = (path: string): string => path.split(/[\\/]/).pop() ?? path;

/** A device that was asked for by name and not used is said with its reason at once. */
const deviceOf = ({ provenance }: Report): Words => {
  const { requested, actual } = provenance.device;
  if (requested === actual) return given(actual);
  return requested === 'auto' ? t('{0} (chosen by auto)', actual) : deviceSentence(provenance);
};

/** How many rows, and of which part of the data. */
const rowsOf = ({ rows, split }: Report['provenance']): Words => {
  const n = format(rows, 'count');
  if (split === undefined) return rows === 1 ? t('{0} row', n) : t('{0} rows', n);
  return rows === 1 ? t('{0} row of {1}', n, split) : t('{0} rows of {1}', n, split);
};

const subject = (report: Report): Words => {
  const { provenance: p } = report;
  const parts = [
    subjectOf(p, fileOf),
    rowsOf(p),
    p.device.actual === 'none' ? '' : t('device {0}', deviceOf(report)),
    format(p.seconds, 'seconds'),
  ];
  return given(parts.filter((part) => part !== '').join(' · '));
};

const MOST_NUMBERS = 6;

const tiles = (numbers: readonly HeadlineNumber[]): HTMLElement =>
  el(
    'dl',
    { class: 'headline' },
    ...numbers.map(({ name, label, value, unit, interval }) =>
      el(
        'div',
        { title: given(label === name ? name : `${label} (${name})`) },
        el('dt', {}, given(name.replaceAll('_', ' '))),
        el('dd', {}, format(value, unit)),
        interval && el('dd', { class: 'note', title: intervalName(interval) }, formatInterval(interval, unit)),
      ),
    ),
  );

const headlineView = (report: Report): readonly HTMLElement[] => {
  const { leading, others } = leadingOf(report, MOST_NUMBERS);
  if (leading.length === 0) return [];
  const rest =
    others.length > 0 && el('details', { class: 'more-numbers' }, el('summary', {}, t('{0} more numbers', others.length)), tiles(others));
  return [el('section', { class: 'numbers-first', 'aria-label': t('Headline numbers') }, tiles(leading), rest)];
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
  if (trained && !host.standalone)
    for (const [place, card] of report.cards.entries())
      if (card.kind === 'curve' && card.cut !== undefined)
        frames[place].element.append(cutControl(card, card.cut, (units) => host.post({ type: 'cut', units })));
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
      button(t('Open Model'), () => host.post({ type: 'openModel' }), { look: 'primary', title: t('Open Model: the one that was saved') }),
    trained && button(t('Overlay…'), () => host.post({ type: 'overlay' }), { title: t('Overlay another training run') }),
    !host.standalone && button(t('Run again'), () => host.post({ type: 'rerun' }), { look: 'secondary' }),
    !host.standalone &&
      report.outcome === 'measured' &&
      button(t('Compare…'), () => host.post({ type: 'compare' }), { look: 'secondary', title: t('Compare with another run') }),
    button(t('Copy as Markdown'), () => copy(toMarkdown(report)), { look: 'secondary' }),
    menu(
      t('Save report'),
      t('Save report'),
      formats.map(({ label, save }) => ({ label, title: t('Save report as {0}', label), press: save })),
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
      el('div', { class: 'report-title' }, el('h1', {}, given(report.title)), actions),
      el('p', { class: 'question' }, given(report.question)),
      el('p', { class: 'muted subject' }, subject(report)),
    ),
    !measured &&
      el(
        'div',
        { class: `outcome ${report.outcome}`, role: report.outcome === 'failed' ? 'alert' : 'status' },
        el('strong', {}, OUTCOME[report.outcome]),
        el('p', {}, report.reason ? given(report.reason.sentence) : t('No reason was given.')),
        frames.length > 0 && el('p', { class: 'muted' }, t('What had been measured by then is shown below.')),
      ),
    ...headlineView(report),
    report.guide !== '' &&
      el(
        'section',
        { class: 'guide', 'aria-label': t('How to read this') },
        el('h2', {}, t('How to read this')),
        el('p', {}, given(report.guide)),
      ),
    bar.element,
    ...frames.map((one) => one.element),
    report.notes.length > 0 &&
      el(
        'section',
        { class: 'notes', 'aria-label': t('Notes') },
        el('h2', {}, t('Notes')),
        el('ul', {}, ...report.notes.map((note) => el('li', {}, given(note)))),
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
