import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Catalogue } from '../base/catalogue.ts';
import type { Terminal } from '../cli/define.ts';
import { explain } from '../cli/explain.ts';
import { terminal } from '../cli/terminal.ts';
import catalogue from '../generated/catalogue.json' with { type: 'json' };
import { type RunWriter, runStore, runsFolder } from '../jobs/store.ts';
import { supervisor } from '../jobs/supervisor.ts';
import { toHtml } from '../report/html.ts';
import type { Report } from '../report/report.ts';
import type { TaskName, Tasks } from '../report/tasks.ts';
import { toText } from '../report/text.ts';
import { bundle } from './bundle.ts';
import { openEditor } from './open-editor.ts';
import { root } from './root.ts';

/** `npm start`: the main job on the bundled data, then VS Code on its workspace with the reports open. */
const headless = process.argv.includes('--headless');
const workspace = join(root, 'out/sample');
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

/** Runs one task as a run of the workspace, so that the Runs view lists it. */
const recorded = async <T extends TaskName>(
  term: Terminal,
  [doing, title, subject]: readonly [string, string, string],
  kind: 'train' | 'suite',
  task: T,
  ask: Tasks[T]['ask'],
  reportsOf: (give: Tasks[T]['give']) => readonly Report[],
) => {
  const writer: RunWriter = await runStore(join(workspace, runsFolder)).start({ kind, title, subject, request: ask });
  try {
    const give = await term.submit(doing, task, ask, { onLive: (event) => void writer.live(event) });
    const reports = reportsOf(give);
    await writer.done({ reports, ...('checks' in give ? { suite: give } : {}), ...('out' in give ? { out: give.out } : {}) });
    return { id: writer.id, reports };
  } catch (error) {
    await writer.failed(error);
    throw error;
  }
};

const main = async (): Promise<void> => {
  await bundle({ production: true });
  rmSync(join(workspace, '.assay'), { recursive: true, force: true });
  mkdirSync(workspace, { recursive: true });
  cpSync(join(root, 'media/sample'), workspace, { recursive: true });
  const began = performance.now();
  const jobs = supervisor({ entry: join(root, 'dist/process.js') });
  const term = terminal(catalogue as unknown as Catalogue, jobs, stop.signal, pathToFileURL(join(root, 'dist/')));
  const device = 'auto' as const;
  const runs: { readonly id: string; readonly reports: readonly Report[] }[] = [];
  try {
    const recipe = join(workspace, 'digits.train.json');
    const out = join(workspace, 'digits.onnx');
    runs.push(
      await recorded(
        term,
        ['Training', 'Train digits.onnx', 'digits.train.json'],
        'train',
        'train',
        { recipe, out, device, resume: false, force: false },
        ({ report }) => [report],
      ),
    );
    const suite = { path: join(workspace, 'assay.json'), device, seed: 0 };
    runs.push(
      await recorded(term, ['Diagnosing', 'Suite', 'assay.json'], 'suite', 'suite', suite, ({ checks }) =>
        checks.flatMap(({ report }) => (report ? [report] : [])),
      ),
    );
  } finally {
    await jobs.dispose();
  }
  const reports = runs.flatMap((run) => run.reports);
  for (const report of reports) term.print(toText(report, { width: term.width, colour: term.colour, brief: true }));
  const page = join(workspace, 'report.html');
  writeFileSync(page, toHtml(reports, await term.page()));
  term.print(
    `\nThe main job took ${((performance.now() - began) / 1000).toFixed(1)} s.\nModel   ${join(workspace, 'digits.onnx')}\nReport  ${page}`,
  );
  if (headless) return;
  writeFileSync(join(workspace, '.assay/open.json'), JSON.stringify({ runs: runs.map(({ id }) => id) }));
  await openEditor(workspace, stop.signal, term.print);
};

if (!existsSync(join(root, 'media/sample/digits.npz'))) throw new Error('media/sample/digits.npz is missing: the clone is not complete');
await main().catch((error: unknown) => {
  process.exitCode = explain(error);
});
