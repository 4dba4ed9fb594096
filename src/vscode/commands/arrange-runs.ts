import { type Choice, type Command, defineCommand } from '../define.ts';
import { t } from '../l10n.ts';
import { allRuns, modelNames, type RunsShown } from '../order-runs.ts';

export const arrangeRuns: Command = defineCommand({
  id: 'assay.arrangeRuns',
  title: 'Filter and Sort Runs…',
  icon: '$(filter)',
  menus: { 'view/title': { when: 'view == assay.runs', group: 'navigation@2' } },
  async run(host) {
    const now = host.runsShown();
    const runs = await host.runs();
    const models = [...new Set(runs.map(modelNames(runs)))].sort();
    const mark = (on: boolean): Pick<Choice<never>, 'description'> => (on ? { description: t('chosen') } : {});
    const choices: Choice<RunsShown>[] = [
      {
        label: t('Newest first'),
        icon: 'sort-precedence',
        group: t('order'),
        value: { ...now, by: 'newest' },
        ...mark(now.by === 'newest'),
      },
      { label: t('Oldest first'), icon: 'history', group: t('order'), value: { ...now, by: 'oldest' }, ...mark(now.by === 'oldest') },
      { label: t('By model'), icon: 'circuit-board', group: t('order'), value: { ...now, by: 'model' }, ...mark(now.by === 'model') },
      { label: t('All runs'), icon: 'clear-all', group: t('which'), value: { by: now.by } },
      { label: t('Last 24 hours'), icon: 'calendar', group: t('which'), value: { ...now, days: 1 }, ...mark(now.days === 1) },
      { label: t('Last 7 days'), icon: 'calendar', group: t('which'), value: { ...now, days: 7 }, ...mark(now.days === 7) },
      {
        label: t('Runs that did not end well'),
        icon: 'warning',
        group: t('which'),
        value: { ...now, standings: ['checks-failed', 'failed', 'stopped', 'unavailable'] },
        ...mark(now.standings !== undefined),
      },
      ...models.map(
        (model): Choice<RunsShown> => ({
          label: model,
          icon: 'circuit-board',
          group: t('only about'),
          value: { ...now, model },
          ...mark(now.model === model),
        }),
      ),
    ];
    const chosen = await host.pick(t('Filter and Sort Runs'), t('Order, time or model'), choices);
    if (chosen) host.showRuns(chosen);
  },
});

export const showAllRuns: Command = defineCommand({
  id: 'assay.showAllRuns',
  title: 'Show All Runs',
  icon: '$(clear-all)',
  palette: 'assay.runsFiltered',
  menus: { 'view/title': { when: 'view == assay.runs && assay.runsFiltered', group: 'navigation@3' } },
  async run(host) {
    host.showRuns({ ...allRuns, by: host.runsShown().by });
  },
});
