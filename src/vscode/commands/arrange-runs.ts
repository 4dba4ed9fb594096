import { type Choice, type Command, defineCommand } from '../define.ts';
import { allRuns, modelOf, type RunsShown } from '../order-runs.ts';

export const arrangeRuns: Command = defineCommand({
  id: 'assay.arrangeRuns',
  title: 'Filter and Sort Runs…',
  icon: '$(filter)',
  menus: { 'view/title': { when: 'view == assay.runs', group: 'navigation@2' } },
  async run(host) {
    const now = host.runsShown();
    const models = [...new Set((await host.runs()).map(modelOf))].sort();
    const mark = (on: boolean): Pick<Choice<never>, 'description'> => (on ? { description: 'chosen' } : {});
    const choices: Choice<RunsShown>[] = [
      { label: 'Newest first', icon: 'sort-precedence', group: 'order', value: { ...now, by: 'newest' }, ...mark(now.by === 'newest') },
      { label: 'Oldest first', icon: 'history', group: 'order', value: { ...now, by: 'oldest' }, ...mark(now.by === 'oldest') },
      { label: 'By model', icon: 'circuit-board', group: 'order', value: { ...now, by: 'model' }, ...mark(now.by === 'model') },
      { label: 'All runs', icon: 'clear-all', group: 'which', value: { by: now.by } },
      { label: 'Last 24 hours', icon: 'calendar', group: 'which', value: { ...now, days: 1 }, ...mark(now.days === 1) },
      { label: 'Last 7 days', icon: 'calendar', group: 'which', value: { ...now, days: 7 }, ...mark(now.days === 7) },
      {
        label: 'Runs that did not end well',
        icon: 'warning',
        group: 'which',
        value: { ...now, standings: ['checks-failed', 'failed', 'stopped', 'unavailable'] },
        ...mark(now.standings !== undefined),
      },
      ...models.map(
        (model): Choice<RunsShown> => ({
          label: model,
          icon: 'circuit-board',
          group: 'only about',
          value: { ...now, model },
          ...mark(now.model === model),
        }),
      ),
    ];
    const chosen = await host.pick('Filter and Sort Runs', 'Order, time or model', choices);
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
