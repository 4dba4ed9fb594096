import { fromJson } from '../src/report/json.ts';
import type { Verdict } from '../src/report/tasks.ts';
import type { ToPage } from '../src/vscode/protocol.ts';
import { button, registerControls, ring } from './controls.ts';
import { type DataPage, dataPage, keptLook } from './data/page.ts';
import { diffView } from './diff-view.ts';
import { el } from './element.ts';
import { connect, type Host } from './host.ts';
import { given, t } from './l10n.ts';
import { type LiveView, liveView } from './live.ts';
import { type ModelView, modelView } from './model.ts';
import { type ReportPage, reportPage } from './report-page.ts';
import { type SaliencyView, saliencyView } from './saliency.ts';
import { watchTheme } from './theme.ts';

/** The data block of a saved page; each report is read with the checks of the report file. */
const saved = (text: string): ToPage => {
  try {
    const { title, checks, reports }: { title: string; checks?: readonly Verdict[]; reports: readonly unknown[] } = JSON.parse(text);
    return {
      type: 'reports',
      title,
      reports: reports.map((report, i) => fromJson(JSON.stringify(report), `report ${i + 1}`)),
      ...(checks && { checks }),
    };
  } catch (error) {
    return { type: 'problem', sentence: error instanceof Error ? error.message : String(error) };
  }
};

const problem = ({ sentence, final }: Extract<ToPage, { type: 'problem' }>, host: Host): HTMLElement =>
  el(
    'div',
    { class: 'outcome failed', role: 'alert' },
    el('strong', {}, t('This did not work')),
    el('p', {}, given(sentence)),
    !host.standalone &&
      !final &&
      button(document.body.dataset.mode === 'data' ? t('Read again') : t('Run again'), () => host.post({ type: 'rerun' }), {
        look: 'primary',
      }),
  );

const start = (place: HTMLElement): void => {
  registerControls();
  const host = connect(saved);
  document.documentElement.classList.toggle('standalone', host.standalone);
  watchTheme(host.standalone);
  host.keep(host.kept() ?? document.body.dataset.state);
  if (!host.standalone)
    place.replaceChildren(
      el('div', { class: 'waiting' }, ring(t('Waiting')), el('span', { class: 'muted' }, t('Waiting for the first numbers…'))),
    );
  let shown = new AbortController();
  let live: LiveView | null = null;
  let saliency: SaliencyView | null = null;
  let model: ModelView | null = null;
  let page: ReportPage | null = null;
  let table: DataPage | null = null;
  /** Puts another page in place; what belonged to the last one ends. */
  const turn = (make: (signal: AbortSignal) => HTMLElement): void => {
    shown.abort();
    shown = new AbortController();
    live = null;
    saliency = null;
    model = null;
    page = null;
    table = null;
    place.replaceChildren(make(shown.signal));
  };
  const running = (): LiveView => {
    if (live) return live;
    let made: LiveView | null = null;
    turn((signal) => {
      made = liveView(host, signal);
      return made.element;
    });
    live = made;
    return live ?? running();
  };
  host.listen((message) => {
    switch (message.type) {
      case 'reports':
        document.title = message.title;
        {
          let made: ReportPage | null = null;
          turn((signal) => {
            made = reportPage(message, host, signal);
            return made.element;
          });
          page = made;
        }
        break;
      case 'focus':
        page?.focus(message.focus);
        break;
      case 'progress':
        if (saliency) saliency.progress(message.fraction, message.text);
        else running().progress(message.title, message.fraction, message.text);
        break;
      case 'live':
        running().live(message.live);
        break;
      case 'overlay':
        if (page) page.overlay(message);
        else {
          const view = running();
          for (const one of view.empty() ? (message.own ?? []) : []) view.live(one);
          view.overlay(message.title, message.live);
        }
        break;
      case 'problem':
        place.querySelector('.problem')?.remove();
        live?.end();
        if (live ?? saliency) place.prepend(el('div', { class: 'problem' }, problem(message, host)));
        else turn(() => problem(message, host));
        break;
      case 'saliency':
        place.querySelector('.problem')?.remove();
        if (saliency === null) {
          let made: SaliencyView | null = null;
          turn((signal) => {
            made = saliencyView(host, signal);
            return made.element;
          });
          saliency = made;
        }
        saliency?.show(message);
        break;
      case 'model':
        place.querySelector('.problem')?.remove();
        if (model === null) {
          let made: ModelView | null = null;
          turn((signal) => {
            made = modelView(host, signal);
            return made.element;
          });
          model = made;
        }
        model?.show(message);
        break;
      case 'weights':
        model?.weights(message);
        break;
      case 'profile':
        model?.profile(message);
        break;
      case 'diff':
        document.title = message.title;
        turn(() => diffView(message, host));
        break;
      case 'data':
        place.querySelector('.problem')?.remove();
        if (table === null) {
          let made: DataPage | null = null;
          turn((signal) => {
            made = dataPage(host, signal);
            return made.element;
          });
          table = made;
        }
        table?.tell(message.tell);
        break;
    }
  });
  if (document.body.dataset.mode === 'data') host.post({ type: 'data', ask: { kind: 'open', look: keptLook(host) } });
};

const place = document.getElementById('assay') ?? document.body.appendChild(el('main', { id: 'assay' }));
start(place);
