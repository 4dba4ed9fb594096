import type { RunRecord } from '../../jobs/store.ts';
import type { Steer } from '../../report/tasks.ts';
import { type Command, defineCommand, type Host, type Target } from '../define.ts';
import { t } from '../l10n.ts';

/** The trainings meant: those of the target, the one whose panel has the focus, the only one there is, or one that is picked. */
const meant = async (host: Host, target: Target, title: string, standing: readonly string[]): Promise<readonly string[]> => {
  const fits = (id: string): boolean => standing.includes(host.trainingOf(id) ?? '');
  if (target.runs) return target.runs.filter(fits);
  const shown = host.shownRun();
  if (shown !== undefined && fits(shown)) return [shown];
  const runs = (await host.runs()).filter(({ id }) => fits(id));
  if (runs.length === 1) return [runs[0].id];
  const chosen = await host.pick(
    title,
    runs.length > 0 ? t('Training') : t('There is no such training'),
    runs.map(({ id, title: label, subject }) => ({ label, description: subject, icon: 'mortar-board', value: id })),
  );
  return chosen === undefined ? [] : [chosen];
};

const shownTraining = "activeWebviewPanelId == 'assay.report'";

export const pauseTraining: Command = defineCommand({
  id: 'assay.pauseTraining',
  title: 'Pause or Resume Training',
  icon: '$(debug-pause)',
  menus: { 'view/item/context': { when: 'viewItem == run-training', group: 'inline@0', also: '2_run@2' } },
  key: { key: 'ctrl+alt+p', mac: 'cmd+alt+p', when: shownTraining },
  async run(host, target) {
    for (const id of await meant(host, target, t('Pause Training'), ['going', 'paused']))
      host.steerRun(id, host.trainingOf(id) === 'paused' ? 'run' : 'pause');
  },
});

export const resumeTraining: Command = defineCommand({
  id: 'assay.resumeTraining',
  title: 'Resume Training',
  icon: '$(debug-continue)',
  menus: { 'view/item/context': { when: 'viewItem == run-paused', group: 'inline@0', also: '2_run@2' } },
  async run(host, target) {
    for (const id of await meant(host, target, t('Resume Training'), ['paused'])) host.steerRun(id, 'run' satisfies Steer);
  },
});

export const stopTraining: Command = defineCommand({
  id: 'assay.stopTraining',
  title: 'Stop Training and Keep',
  icon: '$(save)',
  menus: { 'view/item/context': { when: 'viewItem =~ /^run-(training|paused)$/', group: '2_run@3' } },
  key: { key: 'ctrl+alt+k', mac: 'cmd+alt+k', when: shownTraining },
  async run(host, target) {
    for (const id of await meant(host, target, t('Stop Training and Keep'), ['going', 'paused'])) host.steerRun(id, 'stop');
  },
});

/** Two trainings in one panel: the second is drawn behind the first. */
export const overlayTraining: Command = defineCommand({
  id: 'assay.overlayTraining',
  title: 'Overlay Training Run…',
  icon: '$(layers)',
  menus: { 'view/item/context': { when: 'viewItem == run', group: '2_run@4' } },
  async run(host, target) {
    const trainings = (await host.runs()).filter(({ kind }) => kind === 'train');
    const choose = async (runs: readonly RunRecord[], placeholder: string): Promise<string | undefined> =>
      host.pick(
        t('Overlay Training Run'),
        runs.length > 0 ? placeholder : t('There is no other training run'),
        runs.map(({ id, title, subject, startedAt }) => ({
          label: title,
          description: subject,
          detail: new Date(startedAt).toLocaleString(),
          icon: 'mortar-board',
          value: id,
        })),
      );
    const shown = host.shownRun();
    const named = target.runs?.find((id) => trainings.some((run) => run.id === id)) ?? trainings.find(({ id }) => id === shown)?.id;
    const first = named ?? (await choose(trainings, t('Training run')));
    if (first === undefined) return;
    const others = trainings.filter(({ id, status }) => id !== first && status !== 'running');
    const other = target.runs?.[1] ?? (await choose(others, t('Drawn behind it')));
    if (other !== undefined) await host.overlayRun(first, other);
  },
});
