import type { Outcome } from '../src/report/report.ts';
import type { ToPage } from '../src/vscode/protocol.ts';
import { el, freshId } from './element.ts';
import type { Host } from './host.ts';
import { type ReportView, reportView } from './report-view.ts';

type Message = Extract<ToPage, { type: 'reports' }>;
type Check = NonNullable<Message['checks']>[number];

const MARK: Readonly<Record<Outcome, string>> = { measured: '', unavailable: 'not available', failed: 'failed', stopped: 'stopped' };
const SIGN: Readonly<Record<Check['status'], string>> = { passed: '✓', failed: '✗', skipped: '–', error: '!' };

/** The checks of a suite with their verdicts; each leads to its report. */
const checksView = (title: string, checks: readonly Check[], show: (report: number) => void): HTMLElement => {
  const failed = checks.filter(({ status }) => status === 'failed' || status === 'error').length;
  const skipped = checks.filter(({ status }) => status === 'skipped').length;
  return el(
    'section',
    { class: 'checks', 'aria-label': 'Checks' },
    el('h1', {}, title),
    el(
      'p',
      { class: 'muted' },
      `${failed === 0 ? 'No check fails' : `${failed} of ${checks.length} checks fail`}${skipped > 0 ? `; ${skipped} skipped` : ''}.`,
    ),
    el(
      'ul',
      {},
      ...checks.map(({ name, status, sentence, report }) =>
        el(
          'li',
          { class: `check ${status}` },
          el('span', { class: 'sign', 'aria-hidden': 'true' }, SIGN[status]),
          el('span', { class: 'visually-hidden' }, status),
          report === undefined
            ? el('strong', {}, name)
            : el('button', { class: 'link', type: 'button', on: { click: () => show(report) } }, name),
          el('span', { class: 'muted' }, sentence),
        ),
      ),
    ),
  );
};

/** One report, or several behind tabs, after the checks that asked for them. */
export const reportPage = ({ title, reports, checks, focus }: Message, host: Host, signal: AbortSignal): HTMLElement => {
  const [wanted, card] = (focus ?? '0').split(':').map(Number);
  const first = reports[wanted] ? wanted : 0;
  const views = new Map<number, ReportView>();
  const view = (i: number): ReportView => {
    const known = views.get(i);
    if (known) return known;
    const made = reportView(reports[i], i, host, signal);
    views.set(i, made);
    return made;
  };
  const scroll = (): void => {
    if (card !== undefined && !Number.isNaN(card)) requestAnimationFrame(() => view(first).focusCard(card));
  };
  if (reports.length === 0) return checks ? checksView(title, checks, () => {}) : el('p', { class: 'muted' }, 'There is no report here.');
  if (reports.length === 1 && checks === undefined) {
    scroll();
    return view(0).element;
  }
  const id = freshId('report');
  const panel = el('div', { role: 'tabpanel', id: `${id}-panel`, tabindex: -1 });
  const tabs = reports.map((report, i) =>
    el(
      'button',
      { role: 'tab', type: 'button', id: `${id}-${i}`, class: 'tab', 'aria-controls': `${id}-panel`, on: { click: () => show(i) } },
      report.title,
      MARK[report.outcome] !== '' && el('span', { class: 'tab-mark' }, MARK[report.outcome]),
    ),
  );
  const show = (i: number): void => {
    tabs.forEach((tab, t) => {
      tab.setAttribute('aria-selected', String(t === i));
      tab.tabIndex = t === i ? 0 : -1;
    });
    panel.setAttribute('aria-labelledby', `${id}-${i}`);
    panel.replaceChildren(view(i).element);
  };
  const list = el('div', { role: 'tablist', class: 'tabs', 'aria-label': 'Reports' }, ...tabs);
  list.addEventListener('keydown', (event) => {
    const at = tabs.indexOf(event.target as (typeof tabs)[number]);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = (to + tabs.length) % tabs.length;
    show(next);
    tabs[next].focus();
  });
  show(first);
  scroll();
  const reach = (i: number): void => {
    show(i);
    tabs[i]?.focus();
  };
  return el('div', {}, checks && checksView(title, checks, reach), list, panel);
};
