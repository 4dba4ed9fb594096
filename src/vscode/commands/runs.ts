import type { RunRecord } from '../../jobs/store.ts';
import { type Command, defineCommand, type Host, type Target } from '../define.ts';
import { type Standing, standingOf } from '../history.ts';
import { t } from '../l10n.ts';

const icons: Readonly<Record<Standing, string>> = {
  running: 'sync',
  done: 'pass',
  'checks-failed': 'warning',
  unavailable: 'question',
  failed: 'error',
  stopped: 'circle-slash',
};

/** The runs meant by the target, else one picked from those that `keep`. */
const meantRuns = async (host: Host, target: Target, title: string, keep: (run: RunRecord) => boolean): Promise<readonly string[]> => {
  if (target.runs) return target.runs;
  const runs = (await host.runs()).filter(keep);
  const chosen = await host.pick(
    title,
    runs.length > 0 ? t('Run') : t('There are no such runs'),
    runs.map((run) => ({
      label: run.title,
      description: run.subject,
      detail: new Date(run.startedAt).toLocaleString(),
      icon: icons[standingOf(run)],
      value: run.id,
    })),
  );
  return chosen === undefined ? [] : [chosen];
};

export const openRun: Command = defineCommand({
  id: 'assay.openRun',
  title: 'Open Run…',
  icon: '$(go-to-file)',
  menus: { 'view/item/context': { when: 'viewItem =~ /^run/', group: '1_open@1' } },
  async run(host, target) {
    for (const id of await meantRuns(host, target, t('Open Run'), () => true)) await host.showRun(id, target.focus);
  },
});

/** The one command that leads to a card: `{ runs: [ID], focus: 'REPORT:CARD' }` from a lens, a link or a failed check; else both are picked. */
export const openCard: Command = defineCommand({
  id: 'assay.openCard',
  title: 'Open Card…',
  menus: {
    'testing/message/content': { when: 'testMessage =~ /^assay-card/' },
    'testing/message/context': { when: 'testMessage =~ /^assay-card/' },
  },
  async run(host, target) {
    const [id] = await meantRuns(host, target, t('Open Card'), ({ status }) => status === 'done');
    if (id === undefined) return;
    if (target.focus !== undefined) return host.showRun(id, target.focus);
    const cards = await host.cardsOf(id);
    const focus = await host.pick(
      t('Open Card'),
      t('Card'),
      cards.map(({ report, title, focus }) => ({ label: title, value: focus, group: report })),
    );
    if (focus !== undefined) await host.showRun(id, focus);
  },
});

/** Two runs selected in the view, or picked one after the other. */
export const compareRuns: Command = defineCommand({
  id: 'assay.compareRuns',
  title: 'Compare Runs…',
  icon: '$(diff)',
  needsTrust: true,
  menus: { 'view/item/context': { when: 'viewItem == run', group: '2_run@2' } },
  async run(host, target) {
    // A comparison has two subjects already.
    const done = ({ status, kind, reports }: RunRecord): boolean =>
      status === 'done' && (kind === 'run' || kind === 'train') && reports.length === 1 && reports[0].id !== 'compare-models';
    const first = target.runs?.[0] ?? (await meantRuns(host, {}, t('Compare Runs'), done))[0];
    if (first === undefined) return;
    const runs = await host.runs();
    const id = (of: string): string | undefined => runs.find((run) => run.id === of)?.reports[0]?.id;
    const other =
      target.runs?.[1] ??
      (await meantRuns(host, {}, t('Compare Runs'), (run) => done(run) && run.id !== first && run.reports[0].id === id(first)))[0];
    if (other === undefined) return;
    const name = (of: string): string => runs.find((run) => run.id === of)?.subject ?? of;
    await host.launch({
      task: 'compare',
      title: 'Compare Runs',
      subject: `${name(first)} against ${name(other)}`,
      ask: { runs: [host.runFile(first), host.runFile(other)] },
    });
  },
});

export const repeatRun: Command = defineCommand({
  id: 'assay.repeatRun',
  title: 'Run Again',
  icon: '$(debug-rerun)',
  needsTrust: true,
  palette: 'false',
  menus: { 'view/item/context': { when: 'viewItem =~ /^run(-ended)?$/', group: '2_run@1' } },
  async run(host, target) {
    for (const id of await meantRuns(host, target, t('Run Again'), ({ status }) => status !== 'running')) await host.repeatRun(id);
  },
});

export const cancelRun: Command = defineCommand({
  id: 'assay.cancelRun',
  title: 'Cancel Run…',
  icon: '$(debug-stop)',
  menus: { 'view/item/context': { when: 'viewItem =~ /^run-(running|training|paused)$/', group: 'inline@1', also: '2_run@1' } },
  async run(host, target) {
    for (const id of await meantRuns(host, target, t('Cancel Run'), ({ status }) => status === 'running')) host.cancelRun(id);
  },
});

export const deleteRun: Command = defineCommand({
  id: 'assay.deleteRun',
  title: 'Delete Run…',
  icon: '$(trash)',
  menus: { 'view/item/context': { when: 'viewItem =~ /^run(-ended)?$/', group: 'inline@2', also: '8_delete@1' } },
  async run(host, target) {
    const ids = await meantRuns(host, target, t('Delete Run'), ({ status }) => status !== 'running');
    if (ids.length > 1 && !(await host.confirm(t('Delete {0} runs and their reports?', ids.length), t('Delete')))) return;
    for (const id of ids) await host.deleteRun(id);
  },
});

export const saveReport: Command = defineCommand({
  id: 'assay.saveReport',
  title: 'Save Report as HTML…',
  icon: '$(save-as)',
  menus: {
    'view/item/context': { when: 'viewItem == run', group: '3_save@1' },
    'editor/title': { when: 'activeWebviewPanelId == assay.report', group: 'navigation@1' },
  },
  async run(host, target) {
    const shown = host.shownRun();
    const meant = target.runs || shown === undefined ? target : { runs: [shown] };
    const [id] = await meantRuns(host, meant, t('Save Report'), ({ status }) => status === 'done');
    if (id !== undefined) await host.saveHtml(id);
  },
});

export const showLog: Command = defineCommand({
  id: 'assay.showLog',
  title: 'Show Log',
  async run(host) {
    host.showLog();
  },
});
