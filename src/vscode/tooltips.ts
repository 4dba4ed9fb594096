import type { RunRequest } from '../base/request.ts';
import type { RunRecord } from '../jobs/store.ts';
import { format } from '../report/format.ts';
import type { TrainRequest } from '../report/tasks.ts';
import { standingText } from './history.ts';
import { t } from './l10n.ts';
import type { Listed } from './listed.ts';

/** At most so many headline numbers stand in a tooltip. */
const most = 8;

/** Text that Markdown does not read as its own marks. */
export const plain = (text: string): string => text.replace(/[\\`*_{}[\]()#+\-.!|<>~$&]/g, '\\$&').replace(/\s+/g, ' ');

const numbers = (headline: Readonly<Record<string, number>>): readonly string[] => {
  const all = Object.entries(headline);
  if (all.length === 0) return [];
  const more = all.length > most ? [`| ${t('… {0} more', all.length - most)} | |`] : [];
  return ['', '| | |', '|:--|--:|', ...all.slice(0, most).map(([name, value]) => `| ${plain(name)} | ${plain(format(value))} |`), ...more];
};

const time = (at: string | number): string => plain(new Date(at).toLocaleString());

/** How a run was made: the files it read, its device, seed and options. */
const made = ({ kind, request }: RunRecord): readonly string[] => {
  const line = (label: string, text: string | undefined): readonly string[] => (text ? [`${label}: ${plain(text)}`] : []);
  switch (kind) {
    case 'run': {
      const { model, data, against, options, device, seed, limit } = request as RunRequest;
      const set = Object.entries(options).map(([name, value]) => `${name} ${String(value)}`);
      return [
        ...line(t('Model'), model?.path),
        ...line(t('Data'), `${data.path}${data.split === undefined ? '' : ` (${data.split})`}`),
        ...line(t('Against'), against?.model?.path ?? against?.data?.path),
        ...line(t('Options'), set.join(', ')),
        ...line(
          t('Device'),
          limit === undefined
            ? t('{0}, seed {1}', device, seed)
            : limit === 1
              ? t('{0}, seed {1}, first row', device, seed)
              : t('{0}, seed {1}, first {2} rows', device, seed, limit),
        ),
      ];
    }
    case 'train': {
      const { recipe, out, device, compare } = request as TrainRequest;
      const beside = compare && t('{0}, {1} seeds', compare.with, compare.seeds);
      return [...line(t('Recipe'), recipe), ...line(t('Beside'), beside), ...line(t('Model'), out), ...line(t('Device'), device)];
    }
    case 'suite':
      return line(t('Suite'), (request as { readonly path: string }).path);
    case 'compare':
      return [];
  }
};

/** A run in Markdown: how it went, its numbers, and how it was made. */
export const runTooltip = (run: RunRecord): string => {
  const { title, subject, startedAt, seconds, sentence, reports, checks } = run;
  const told = checks
    ? t('{0} passed, {1} failed, {2} skipped, {3} could not run', checks.passed, checks.failed, checks.skipped, checks.error)
    : seconds === undefined
      ? standingText(run)
      : t('{0} in {1} s', standingText(run), seconds.toFixed(1));
  return [
    `**${plain(title)}** · ${plain(subject)}`,
    '',
    `${time(startedAt)} · ${plain(told)}`,
    ...(sentence === undefined ? [] : ['', plain(sentence)]),
    ...numbers(reports.length === 1 ? reports[0].headline : {}),
    '',
    ...made(run).map((line) => `- ${line}`),
  ].join('\n');
};

/** The runs about a file: diagnostics of it, and the training that saved it. */
const runsAbout = (runs: readonly RunRecord[], path: string): readonly RunRecord[] =>
  runs.filter(({ kind, request, status }) => {
    if (status !== 'done') return false;
    if (kind === 'train') return (request as TrainRequest).out === path;
    const { model, data } = request as RunRequest;
    return kind === 'run' && (model?.path === path || data.path === path);
  });

/** A model or dataset in Markdown: the file, and the newest numbers known of it. */
export const listedTooltip = (
  { name, path, there }: Pick<Listed, 'name' | 'path' | 'there'>,
  file: { readonly bytes: number; readonly changed: number } | undefined,
  runs: readonly RunRecord[],
): string => {
  const head = [`**${plain(name)}**`, '', plain(path)];
  if (!there) return [...head, '', t('The file does not exist.')].join('\n');
  const [last] = runsAbout(runs, path);
  const facts = file ? ['', `${plain(format(file.bytes, 'bytes'))} · ${t('changed {0}', time(file.changed))}`] : [];
  if (!last) return [...head, ...facts, '', t('No run is kept that used it.')].join('\n');
  return [
    ...head,
    ...facts,
    '',
    `${plain(last.title)} · ${plain(last.subject)} · ${time(last.startedAt)}`,
    ...numbers(last.reports[0]?.headline ?? {}),
  ].join('\n');
};
