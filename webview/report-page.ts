import { placeOf } from '../src/report/place.ts';
import type { Outcome } from '../src/report/report.ts';
import type { ToPage } from '../src/vscode/protocol.ts';
import { el, freshId } from './element.ts';
import type { Host } from './host.ts';
import { given, t, type Words } from './l10n.ts';
import { liveCurves } from './live-curves.ts';
import { pageKeeper } from './page-state.ts';
import { type ReportView, reportView } from './report-view.ts';

type Message = Extract<ToPage, { type: 'reports' }>;
type Overlay = Extract<ToPage, { type: 'overlay' }>;
type Check = NonNullable<Message['checks']>[number];

const MARK: Readonly<Record<Outcome, Words | ''>> = {
  measured: '',
  unavailable: t('not available'),
  failed: t('failed'),
  stopped: t('stopped'),
};
const SIGN: Readonly<Record<Check['status'], readonly [sign: Words, said: Words]>> = {
  passed: [given('✓'), t('passed')],
  failed: [given('✗'), t('failed')],
  skipped: [given('–'), t('skipped')],
  error: [given('!'), t('error')],
};

/** The checks of a suite with their verdicts; each leads to its report. */
const checksView = (title: string, checks: readonly Check[], show: (report: number) => void): HTMLElement => {
  const failed = checks.filter(({ status }) => status === 'failed' || status === 'error').length;
  const skipped = checks.filter(({ status }) => status === 'skipped').length;
  return el(
    'section',
    { class: 'checks', 'aria-label': t('Checks') },
    el('h1', {}, given(title)),
    el(
      'p',
      { class: 'muted' },
      skipped === 0
        ? failed === 0
          ? t('No check fails.')
          : failed === 1
            ? t('1 of {0} checks fails.', checks.length)
            : t('{0} of {1} checks fail.', failed, checks.length)
        : failed === 0
          ? t('No check fails; {0} skipped.', skipped)
          : failed === 1
            ? t('1 of {0} checks fails; {1} skipped.', checks.length, skipped)
            : t('{0} of {1} checks fail; {2} skipped.', failed, checks.length, skipped),
    ),
    el(
      'ul',
      {},
      ...checks.map(({ name, status, sentence, report }) =>
        el(
          'li',
          { class: `check ${status}` },
          el('span', { class: 'sign', 'aria-hidden': 'true' }, SIGN[status][0]),
          el('span', { class: 'visually-hidden' }, SIGN[status][1]),
          report === undefined
            ? el('strong', {}, given(name))
            : el('button', { class: 'link', type: 'button', on: { click: () => show(report) } }, given(name)),
          el('span', { class: 'muted' }, given(sentence)),
        ),
      ),
    ),
  );
};

export interface ReportPage {
  readonly element: HTMLElement;
  /** Brings a card into view: `REPORT:CARD`. */
  readonly focus: (focus: string) => void;
  /** Shows the curves of the training that is reported with those of another behind them. */
  readonly overlay: (message: Overlay) => void;
}

/** Scrolls as soon as the page is that long: charts and grids take their room a moment after they are placed. */
const scrollBack = (top: number, signal: AbortSignal): void => {
  let tries = 30;
  const step = (): void => {
    if (signal.aborted || top === 0) return;
    window.scrollTo({ top, behavior: 'instant' });
    if (Math.abs(window.scrollY - top) > 1 && tries-- > 0) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
};

/** One report, or several behind tabs, after the checks that asked for them. */
export const reportPage = ({ title, reports, checks, out }: Message, host: Host, signal: AbortSignal): ReportPage => {
  const keeper = pageKeeper(host);
  const first = reports[keeper.state.tab] ? keeper.state.tab : 0;
  const views = new Map<number, ReportView>();
  const view = (i: number): ReportView => {
    const known = views.get(i);
    if (known) return known;
    const { tables, selected } = keeper.state;
    const key = (card: number): string => `${i}:${card}`;
    const made = reportView(reports[i], i, host, signal, out !== undefined, {
      tables: new Set(reports[i].cards.flatMap((_, card) => (tables.includes(key(card)) ? [card] : []))),
      selected: selected?.report === i ? selected : null,
      tableShown: (card, shown) =>
        keeper.keep({ tables: [...keeper.state.tables.filter((one) => one !== key(card)), ...(shown ? [key(card)] : [])] }),
      selectedNow: (now) => keeper.keep({ selected: now && { report: i, ...now } }),
    });
    views.set(i, made);
    return made;
  };
  const back = new AbortController();
  signal.addEventListener('abort', () => back.abort());
  scrollBack(keeper.state.scroll, back.signal);
  let waiting: ReturnType<typeof setTimeout> | undefined;
  window.addEventListener(
    'scroll',
    () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => keeper.keep({ scroll: window.scrollY }), 150);
    },
    { signal, passive: true },
  );
  let beside: { readonly ends: AbortController; readonly element: HTMLElement } | undefined;
  const page = (element: HTMLElement, turnTo: (report: number) => void): ReportPage => ({
    element,
    overlay({ own = [], title: name, live }) {
      beside?.ends.abort();
      beside?.element.remove();
      const ends = new AbortController();
      signal.addEventListener('abort', () => ends.abort());
      const curves = liveCurves(ends.signal);
      for (const one of own) curves.add(one);
      curves.overlay(name, live);
      const section = el(
        'section',
        { class: 'beside', 'aria-label': t('Two runs'), tabindex: -1 },
        el('h1', {}, t('Beside another run')),
        curves.element,
      );
      beside = { ends, element: section };
      element.before(section);
      section.focus();
    },
    focus(focus) {
      const place = placeOf(reports, focus);
      if (place === undefined) return;
      back.abort();
      turnTo(place.report);
      const { card } = place;
      if (card !== undefined) requestAnimationFrame(() => view(place.report).focusCard(card));
    },
  });
  if (reports.length === 0)
    return page(checks ? checksView(title, checks, () => {}) : el('p', { class: 'muted' }, t('There is no report here.')), () => {});
  if (reports.length === 1 && checks === undefined) return page(view(0).element, () => {});
  const id = freshId('report');
  const panel = el('div', { role: 'tabpanel', id: `${id}-panel`, tabindex: -1 });
  /** Reports of one title are told apart by the checks that asked for them, or by number. */
  const tabName = (i: number): string => {
    const { title } = reports[i];
    const alike = reports.flatMap((report, r) => (report.title === title ? [r] : []));
    if (alike.length === 1) return title;
    return `${title}: ${checks?.find(({ report }) => report === i)?.name ?? alike.indexOf(i) + 1}`;
  };
  const tabs = reports.map((report, i) =>
    el(
      'button',
      { role: 'tab', type: 'button', id: `${id}-${i}`, class: 'tab', 'aria-controls': `${id}-panel`, on: { click: () => show(i) } },
      given(tabName(i)),
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
    keeper.keep({ tab: i });
  };
  const list = el('div', { role: 'tablist', class: 'tabs', 'aria-label': t('Reports') }, ...tabs);
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
  const reach = (i: number): void => {
    show(i);
    tabs[i]?.focus();
  };
  return page(el('div', {}, checks && checksView(title, checks, reach), list, panel), show);
};
