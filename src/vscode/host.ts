import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import type { Catalogue } from '../base/catalogue.ts';
import type { Device } from '../base/request.ts';
import { runStore, runsFolder } from '../jobs/store.ts';
import { type PageAssets, toHtml } from '../report/html.ts';
import { cardAlone, focusOf, slugOf } from '../report/place.ts';
import { verdictsOf } from '../report/verdict.ts';
import { type Outlines, outlines } from './authoring/outlines.ts';
import { chooseModel } from './commands/subject.ts';
import type { Host, Place, SaliencySubject } from './define.ts';
import { modelEditors } from './editors/model.ts';
import { type History, history } from './history.ts';
import type { Agents } from './host/agents.ts';
import { dataTables } from './host/data-tables.ts';
import { foldersOnDisk, reveal, rewrite, statOf, writeText } from './host/files.ts';
import { openInsight } from './host/insight.ts';
import { openLeft } from './host/left.ts';
import { openMachine } from './host/machine.ts';
import { openMilestones } from './host/milestones.ts';
import { problemTeller } from './host/problems.ts';
import { inNotification, inStatusBar } from './host/progress.ts';
import { saveFile } from './host/prompts.ts';
import { emptyFolder, layOutSample, openWalkthrough } from './host/sample.ts';
import { labelOf, suiteFiles, suitePlace } from './host/suites.ts';
import { trusted } from './host/trust.ts';
import { workbench } from './host/workbench.ts';
import { t } from './l10n.ts';
import { type LaunchPorts, launch, launchOf, type Running, type Steered } from './launch.ts';
import { cardQuery, runQuery } from './link.ts';
import { saliencyForm } from './methods.ts';
import { allRuns } from './order-runs.ts';
import { diffPanels } from './panels/diff.ts';
import { reportPanels } from './panels/report.ts';
import { saliencyPanels } from './panels/saliency.ts';
import { subjectOf } from './sample.ts';
import { type CheckRunner, checkRunner } from './testing/runner.ts';

/** The host, and what the views and lenses of the window need besides. */
export interface Window extends vscode.Disposable {
  readonly host: Host;
  readonly history: History;
  /** Headers of the files that an `assay.json` names; none are read while the workspace is not trusted. */
  readonly outlines: Outlines;
  readonly checks: CheckRunner;
  readonly agents: Agents;
  /** Runs, suites or files they name have changed. */
  readonly changed: vscode.Event<void>;
  /** Says what is wrong, with ways out; silent where the user stopped it. */
  failed(error: unknown): void;
  openRunsLeftByStart(): Promise<void>;
  /** Where a run stands that waits for others, from 1. */
  placeOf(run: string): number | undefined;
}

/** Rows that the layers of a model are profiled on. */
const profiledRows = 256;

/** The real editor behind the commands. Nothing here loads ONNX Runtime: that lives in the job process, started by the first job. */
export const openWindow = (context: vscode.ExtensionContext, catalogue: Catalogue): Window => {
  const extension = context.extensionUri;
  const dist = (file: string): string => vscode.Uri.joinPath(extension, 'dist', file).fsPath;
  const log = vscode.window.createOutputChannel('Assay', { log: true });
  const home = foldersOnDisk()[0]?.path;
  const store = runStore(home === undefined ? vscode.Uri.joinPath(context.globalStorageUri, 'runs').fsPath : join(home, runsFolder));
  const kept = history(store);
  const suites = suiteFiles();
  const changed = new vscode.EventEmitter<void>();
  const running: Running = new Map();
  const waiting = new Map<string, number>();
  const steered = new Map<string, Steered>();
  const steps = openMilestones();
  let runsShown = allRuns;
  const refresh = (): void => {
    kept.forget();
    news();
  };
  const news = (): void => {
    changed.fire();
    suites
      .all()
      .then((all) => steps.look(all, kept))
      .catch(failed);
  };
  // VS Code watches its folders anyway; a watcher for a place of its own reads the whole configuration first, which takes milliseconds.
  const runsWatcher = vscode.workspace.createFileSystemWatcher(
    home === undefined ? new vscode.RelativePattern(store.folder, '*/run.json') : `**/${runsFolder}/*/run.json`,
  );

  const { say, failed } = problemTeller({
    catalogue,
    log,
    again: (work) => host.launch(work),
    showLog: () => host.showLog(),
  });

  const save = async (path: string, bytes: Uint8Array | string): Promise<void> => {
    await writeFile(path, bytes);
    vscode.window.setStatusBarMessage(t('Saved {0}', labelOf(path)), 5000);
  };
  const saveAs = async (name: string, bytes: Uint8Array): Promise<void> => {
    const path = await saveFile(t('Save'), join(home ?? '', name), {});
    if (path !== undefined) await save(path, bytes);
  };

  const machine = openMachine({
    context,
    catalogue,
    folder: home,
    store,
    running,
    settings: () => host,
    suites: async () => (await suites.all()).map(suitePlace),
    changed: refresh,
    failed: (error) => log.error(error instanceof Error ? error : String(error)),
  });
  const { jobs } = machine;

  const images = saliencyPanels({
    extension,
    form: saliencyForm(catalogue),
    attribute: (subject, asked, watch) => jobs().submit('attribute', { ...subject, ...asked, device: host.device, seed: host.seed }, watch),
    async second() {
      const model = await chooseModel(host, t('Saliency'), {}, false, t('Second model, on the same sample'));
      return model && model !== 'none' ? model.ref : undefined;
    },
    busy: (title, work) => {
      const settled = work.catch(() => {});
      void vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, () => settled);
    },
    save: (name, bytes) => void saveAs(name, bytes).catch(failed),
    failed,
  });

  const showSample = async (id: string, report: number, row: number): Promise<void> => {
    const subject = await subjectOf(await store.read(id), report, (path) => readFile(path, 'utf8'), catalogue.readers);
    if (subject) openImage(subject, { row });
    else
      void vscode.window.showInformationMessage(
        t('There is no model to explain this sample: the run had none, or its entry is gone from the assay.json.'),
      );
  };
  const openImage = (subject: SaliencySubject, place: Place): void => {
    if (!trusted()) return;
    images.open(subject, place);
    steps.reached('looked');
  };

  const assets = async (): Promise<PageAssets> => {
    const [script, style] = await Promise.all([readFile(dist('webview.js'), 'utf8'), readFile(dist('webview.css'), 'utf8')]);
    return { script, style };
  };
  /** One report of a run as a web page, or one card of it with what tells where it was measured. */
  const savePage = async (id: string, report: number, card?: number): Promise<void> => {
    const whole = (await store.read(id)).result.reports[report];
    const shown = card === undefined ? whole : cardAlone(whole, card);
    await saveAs(`${slugOf(shown.title)}.html`, Buffer.from(toHtml([shown], await assets())));
  };
  const toClipboard = async (what: 'run' | 'card', place: ReturnType<typeof runQuery>): Promise<void> => {
    const address = vscode.Uri.from({ scheme: vscode.env.uriScheme, authority: context.extension.id, ...place });
    // The query is encoded already.
    await vscode.env.clipboard.writeText(address.toString(true));
    vscode.window.setStatusBarMessage(what === 'run' ? t('Copied the link to the run') : t('Copied the link to the card'), 5000);
  };
  const copyLink = async (id: string, report: number, card: number): Promise<void> =>
    toClipboard('card', cardQuery(id, focusOf((await store.read(id)).result.reports, { report, card })));

  const panels = reportPanels({
    extension,
    store,
    cancel: (id) => host.cancelRun(id),
    steer: (id, steer) => host.steerRun(id, steer),
    overlay: (id) => void host.execute('assay.overlayTraining', { runs: [id] }).catch(failed),
    model: (path) => void host.showModel(path).catch(failed),
    repeat(id) {
      panels.close(id);
      host.repeatRun(id).catch(failed);
    },
    sample: (id, report, row) => void showSample(id, report, row).catch(failed),
    page: (id, report, card) => void savePage(id, report, card).catch(failed),
    link: (id, report, card) => void copyLink(id, report, card).catch(failed),
    cut: (model, units) => void host.execute('assay.keepFirstUnits', { file: model, units }).catch(failed),
    compare: (id) => void vscode.commands.executeCommand('assay.compareRuns', { runs: [id] }),
    save: (name, bytes) => void saveAs(name, bytes).catch(failed),
  });

  const models = modelEditors({
    extension,
    layers: (path, run, signal) => jobs().submit('layers', { model: { path }, run }, { signal }),
    weights: (path, name, signal) => jobs().submit('weights', { model: { path }, name }, { signal }),
    profile: (ask, watch) => jobs().submit('profile', ask, watch),
    ask: (command, path) => void vscode.commands.executeCommand(command, vscode.Uri.file(path)),
    save: (name, bytes) => void saveAs(name, bytes).catch(failed),
  });

  const diffs = diffPanels({
    extension,
    diff: (pair, watch) => jobs().submit('diff', { models: pair }, watch),
    open: (path) => void host.showModel(path).catch(failed),
    save: (name, bytes) => void saveAs(name, bytes).catch(failed),
  });

  const tables = dataTables({
    extension,
    context,
    entry: dist('process.js'),
    jobs,
    host: () => host,
    saliency: (subject, row) => openImage(subject, { row }),
    failed,
  });

  const ports: LaunchPorts = {
    jobs: { submit: (task, ask, watch) => jobs().submit(task, ask, watch) },
    store,
    view: (id, { title, subject }) => panels.begin(id, `${title}: ${subject}`),
    // The status bar: a notification would lie over the editor for as long as the run takes. Its view and the list of runs cancel it.
    progress: inStatusBar,
    changed: refresh,
    queued(run, place) {
      if (place > 0) waiting.set(run, place);
      else waiting.delete(run);
      refresh();
    },
    steered(run, standing) {
      if (standing) steered.set(run, standing);
      else steered.delete(run);
      refresh();
    },
    say,
    log: (line) => log.info(line),
  };

  const host: Host = {
    catalogue,
    get device() {
      return vscode.workspace.getConfiguration('assay').get<Device>('device', 'auto');
    },
    get seed() {
      return vscode.workspace.getConfiguration('assay').get<number>('seed', 0);
    },
    suites: () => suites.all(),
    ...workbench,
    async draft(ask) {
      if (!trusted()) return undefined;
      return host.working(t('Looking at the models and data of the workspace'), (onProgress, signal) =>
        jobs().submit('draft', ask, { signal, onProgress }),
      );
    },
    working: inNotification,
    cuda: machine.cuda,
    devices: () => jobs().submit('devices', {}),
    renewJobs: () => jobs().renew(),
    async launch(work) {
      if (trusted()) await launch(work, ports, running);
    },
    saliency: (subject, place = { position: 0 }) => openImage(subject, place),
    get insight() {
      return insight;
    },
    showData: (data) => tables.open(data),
    compareFiles: (first, other) => diffs.open(first, other),
    async profileModel(model, data) {
      if (!trusted()) return;
      await host.showModel(model.path);
      models.profile({ model, data, device: host.device, rows: profiledRows });
    },
    async writeGradient(ask) {
      if (!trusted()) return;
      const title = t('Gradient graph of {0}', labelOf(ask.model));
      const written = await inNotification(title, (onProgress, signal) => jobs().submit('grad', ask, { signal, onProgress }));
      void vscode.window.showInformationMessage(
        t('{0}: {1} nodes; outputs {2}.', labelOf(written.out), written.nodes, written.outputs.join(', ')),
      );
    },
    async keepUnits(ask) {
      if (!trusted()) return;
      const title = t('First {0} units of {1}', ask.units, labelOf(ask.model));
      const { out, units, of } = await inNotification(title, (onProgress, signal) =>
        jobs().submit('keepUnits', ask, { signal, onProgress }),
      );
      const open = t('Open Model');
      const said = await vscode.window.showInformationMessage(t('{0}: the first {1} of {2} hidden units.', labelOf(out), units, of), open);
      if (said === open) await host.showModel(out);
    },
    async writeVectors(ask) {
      const title = t('{0} vectors', ask.count);
      const { out, dim, largest, bound } = await inNotification(title, (onProgress, signal) =>
        jobs().submit('vectors', ask, { signal, onProgress }),
      );
      const facts = [labelOf(out), ask.count, dim, largest.toPrecision(4), bound.toPrecision(4)] as const;
      void vscode.window.showInformationMessage(
        t('{0}: {1} vectors in {2} dimensions, largest cosine {3} where the Welch bound is {4}.', ...facts),
      );
    },
    runs: () => kept.runs(),
    shownRun: () => panels.active(),
    runFile: (id) => store.path(id),
    showRun: (id, focus) => panels.show(id, focus),
    async cardsOf(id) {
      const { reports } = (await store.read(id)).result;
      return reports.flatMap(({ title, cards }, report) =>
        cards.map((card, c) => ({ report: title, title: String(card.title), focus: focusOf(reports, { report, card: c }) })),
      );
    },
    async repeatRun(id) {
      await host.launch(launchOf(await store.read(id)));
    },
    cancelRun: (id) => running.get(id)?.(),
    trainingOf(id) {
      const standing = steered.get(id);
      return standing && (standing.paused ? 'paused' : 'going');
    },
    steerRun: (id, steer) => steered.get(id)?.steer(steer),
    overlayRun: (id, other) => panels.overlay(id, other),
    async deleteRun(id) {
      panels.close(id);
      await store.delete(id);
      refresh();
    },
    async saveHtml(id) {
      const { title, result } = await store.read(id);
      const path = await saveFile(t('Save Report as HTML'), join(home ?? dirname(store.folder), `${title}.html`), {
        [t('Web pages')]: ['html'],
      });
      if (path === undefined) return;
      const suite = result.suite && { title, checks: verdictsOf(result.suite.checks).verdicts };
      await save(path, toHtml(result.reports, await assets(), suite));
    },
    copyRunLink: (id) => toClipboard('run', runQuery(id)),
    runsShown: () => runsShown,
    showRuns(next) {
      runsShown = next;
      changed.fire();
    },
    reveal,
    writeText,
    rewrite,
    emptyFolder,
    layOutSample: (folder) => layOutSample(vscode.Uri.joinPath(extension, 'media/sample').fsPath, folder),
    openWalkthrough,
    reached: (milestone) => steps.reached(milestone),
    showLog() {
      const said = machine.log();
      if (said) log.info(`job processes:\n${said}`);
      log.show();
    },
  };

  const insight = openInsight(context, { form: saliencyForm(catalogue), tabs: images, jobs, host, failed });

  const watched = [
    runsWatcher.onDidCreate(refresh),
    runsWatcher.onDidChange(refresh),
    runsWatcher.onDidDelete(refresh),
    suites.changed(news),
  ];

  return {
    host,
    history: kept,
    agents: machine.agents,
    placeOf: (run) => (running.has(run) ? waiting.get(run) : undefined),
    outlines: outlines({
      stat: statOf,
      outline: async (paths) => (vscode.workspace.isTrusted ? jobs().submit('outline', { paths }) : []),
    }),
    checks: checkRunner({ jobs: ports.jobs, store, changed: refresh }),
    changed: changed.event,
    failed,
    async openRunsLeftByStart() {
      if (home === undefined || !vscode.workspace.isTrusted) return;
      await openLeft(home, suites, panels);
    },
    dispose() {
      vscode.Disposable.from(
        log,
        suites,
        changed,
        runsWatcher,
        panels,
        images,
        insight,
        models,
        tables,
        diffs,
        machine,
        ...watched,
      ).dispose();
    },
  };
};
