import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { Fault } from '../../base/fault.ts';
import type { Device } from '../../base/request.ts';
import { propertiesOf, propertyOf, suiteTree, textOf } from '../authoring/suite-tree.ts';
import type { Host, SuiteFile, Target } from '../define.ts';
import { type History, type Verdict, verdictsIn } from '../history.ts';
import { t } from '../l10n.ts';
import { cardContext } from '../target.ts';
import { gateMessages, terminalLines } from './messages.ts';
import { dependents, type Profile, profilesFor, quickRows } from './plan.ts';
import type { CheckRunner } from './runner.ts';

export interface TestPorts {
  readonly runner: CheckRunner;
  readonly history: Pick<History, 'last'>;
  readonly changed: vscode.Event<void>;
  /** What this machine was found to have, kept between windows. */
  readonly memory: vscode.Memento;
  readonly host: Pick<Host, 'suites' | 'device' | 'seed'>;
  /** Says that a workspace must be trusted, where it is not. */
  trusted(): boolean;
  failed(error: unknown): void;
}

/** A saved file may be written in pieces. */
const settle = 500;
const devicesKey = 'assay.devices';

const idOf = (suite: string, check: string): string => `${suite}\n${check}`;
const checkOf = ({ id }: vscode.TestItem): { readonly suite: string; readonly check: string } | undefined => {
  const [suite, check] = id.split('\n');
  return check === undefined ? undefined : { suite, check };
};

/** Checks of `assay.json` in the Test Explorer: found when they are looked for, run per device and depth, and again when a file changes. */
export const checkTests = ({ runner, history, changed, memory, host, trusted, failed }: TestPorts): vscode.Disposable => {
  const controller = vscode.tests.createTestController('assay.checks', 'Assay');
  /** The run behind the state that a test shows. */
  const shown = new Map<string, string>();
  const resolved = new Set<string>();
  let busy = 0;

  const suiteItem = ({ path, label }: SuiteFile): vscode.TestItem => {
    const item = controller.items.get(path) ?? controller.createTestItem(path, label, vscode.Uri.file(path));
    item.canResolveChildren = true;
    controller.items.add(item);
    return item;
  };
  const fill = (suite: SuiteFile): void => {
    const item = suiteItem(suite);
    const children = suite.checks.map(({ name, line, value }) => {
      const id = idOf(suite.path, name);
      const child = item.children.get(id) ?? controller.createTestItem(id, name, item.uri);
      child.range = new vscode.Range(line, 0, line, 0);
      child.description = [value.run, value.model, value.data].filter((part) => part !== undefined).join(' · ');
      return child;
    });
    item.children.replace(children);
  };

  const mark = (
    run: vscode.TestRun,
    test: vscode.TestItem,
    id: string,
    verdict: Verdict,
    seconds: number | undefined,
    text: string,
  ): void => {
    const time = seconds === undefined ? undefined : 1000 * seconds;
    const uri = test.uri;
    const tree = suiteTree(text);
    const name = checkOf(test)?.check;
    const check = tree.checks.find(({ keys }) => textOf(keys, 'name')?.text === name);
    const line = (offset: number): number => text.slice(0, offset).split('\n').length - 1;
    const place = (gate: string | undefined): vscode.Location | undefined => {
      const gates = propertiesOf(propertyOf(check?.keys ?? [], 'expect')?.value);
      const offset = (gate === undefined ? undefined : propertyOf(gates, gate)?.node.offset) ?? check?.node.offset;
      return uri && offset !== undefined ? new vscode.Location(uri, new vscode.Position(line(offset), 0)) : undefined;
    };
    const words = (sentence: string, focus: string | undefined): vscode.MarkdownString => {
      const target: Target = { runs: [id], ...(focus === undefined ? {} : { focus }) };
      const markdown = new vscode.MarkdownString().appendText(sentence);
      markdown.isTrusted = { enabledCommands: ['assay.openRun', 'assay.openCard'] };
      return markdown.appendMarkdown(
        `\n\n[${focus === undefined ? t('Open the report') : t('Open the card')}](command:${focus === undefined ? 'assay.openRun' : 'assay.openCard'}?${encodeURIComponent(JSON.stringify([target]))})`,
      );
    };
    shown.set(test.id, id);
    switch (verdict.status) {
      case 'passed':
        run.passed(test, time);
        break;
      case 'skipped':
        run.skipped(test);
        break;
      case 'error': {
        const message = new vscode.TestMessage(words(verdict.sentence, undefined));
        const at = place(undefined);
        if (at) message.location = at;
        run.errored(test, message, time);
        break;
      }
      case 'failed':
        run.failed(
          test,
          gateMessages(verdict).map((gate) => {
            const message = vscode.TestMessage.diff(words(gate.sentence, gate.focus), gate.expected, gate.actual);
            // Beside a difference the words are not shown, so the card is led to by a button too.
            if (gate.focus !== undefined) message.contextValue = cardContext(id, gate.focus);
            const at = place(gate.gate);
            if (at) message.location = at;
            return message;
          }),
          time,
        );
    }
  };

  const textOfSuite = async (path: string): Promise<string> => {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.file(path));
    if (document.isDirty) await document.save();
    return document.getText();
  };

  /** Shows what runs outside the Test Explorer have found. */
  const showLast = async (suite: SuiteFile): Promise<void> => {
    const { checks } = await history.last(suite.path, suite);
    const fresh = suite.checks.flatMap(({ name }) => {
      const test = controller.items.get(suite.path)?.children.get(idOf(suite.path, name));
      const last = checks.get(name);
      return test && last?.verdict && shown.get(test.id) !== last.run ? [{ test, last, verdict: last.verdict }] : [];
    });
    if (fresh.length === 0) return;
    const text = await textOfSuite(suite.path);
    const run = controller.createTestRun(new vscode.TestRunRequest(fresh.map(({ test }) => test)), t('Results of other runs'), false);
    for (const { test, last, verdict } of fresh) {
      run.appendOutput(terminalLines(test.label, verdict), undefined, test);
      mark(run, test, last.run, verdict, undefined, text);
    }
    run.end();
  };

  const refresh = async (): Promise<void> => {
    const suites = (await host.suites()).filter(({ checks }) => checks.length > 0);
    const there = new Set(suites.map(({ path }) => path));
    controller.items.forEach(({ id }) => {
      if (!there.has(id)) controller.items.delete(id);
    });
    for (const suite of suites) {
      suiteItem(suite);
      if (!resolved.has(suite.path)) continue;
      fill(suite);
      if (busy === 0) await showLast(suite);
    }
  };

  controller.resolveHandler = async (item) => {
    if (!item) return refresh();
    const suite = (await host.suites()).find(({ path }) => path === item.id);
    if (!suite) return;
    resolved.add(suite.path);
    fill(suite);
    await showLast(suite);
  };
  controller.refreshHandler = refresh;

  /** Checks that a request means, by the file they stand in. */
  const meant = async (request: vscode.TestRunRequest): Promise<ReadonlyMap<SuiteFile, readonly vscode.TestItem[]>> => {
    const suites = await host.suites();
    const excluded = new Set(request.exclude?.map(({ id }) => id));
    const groups = new Map<SuiteFile, readonly vscode.TestItem[]>();
    for (const suite of suites) {
      const all = request.include === undefined || request.include.some(({ id }) => id === suite.path);
      const some = request.include?.some((item) => checkOf(item)?.suite === suite.path);
      if (excluded.has(suite.path) || suite.checks.length === 0 || !(all || some)) continue;
      resolved.add(suite.path);
      fill(suite);
      const tests: vscode.TestItem[] = [];
      controller.items.get(suite.path)?.children.forEach((test) => {
        if (!excluded.has(test.id) && (all || request.include?.some(({ id }) => id === test.id))) tests.push(test);
      });
      if (tests.length > 0) groups.set(suite, tests);
    }
    return groups;
  };

  const runGroup = async (run: vscode.TestRun, suite: SuiteFile, tests: readonly vscode.TestItem[], profile: Profile): Promise<void> => {
    const stop = new AbortController();
    const listener = run.token.onCancellationRequested(() => stop.abort());
    for (const test of tests) run.started(test);
    try {
      const text = await textOfSuite(suite.path);
      const ask = {
        path: suite.path,
        only: tests.flatMap((test) => checkOf(test)?.check ?? []),
        device: profile.device ?? host.device,
        seed: host.seed,
        ...(profile.depth === 'quick' ? { limit: quickRows } : {}),
      };
      const { run: id, suite: result } = await runner.run(ask, suite.label, {
        signal: stop.signal,
        onNote: (note) => run.appendOutput(`${note}\r\n`),
      });
      for (const [i, { name, verdict }] of verdictsIn(result.checks).entries()) {
        const test = tests.find((one) => checkOf(one)?.check === name);
        if (!test) continue;
        const { seconds, report } = result.checks[i];
        run.appendOutput(terminalLines(name, verdict, { seconds, headline: report?.headline ?? {} }), undefined, test);
        mark(run, test, id, verdict, seconds, text);
      }
    } catch (error) {
      if (Fault.is(error, 'job/stopped')) for (const test of tests) run.skipped(test);
      else {
        const message = new vscode.TestMessage(error instanceof Error ? error.message : String(error));
        for (const test of tests) run.errored(test, message);
      }
    } finally {
      listener.dispose();
    }
  };

  const runOnce = async (request: vscode.TestRunRequest, profile: Profile): Promise<void> => {
    if (!trusted()) return;
    busy++;
    const run = controller.createTestRun(request);
    try {
      const groups = await meant(request);
      for (const tests of groups.values()) for (const test of tests) run.enqueued(test);
      for (const [suite, tests] of groups) {
        if (run.token.isCancellationRequested) break;
        await runGroup(run, suite, tests, profile);
      }
    } finally {
      run.end();
      busy--;
    }
    await learnDevices();
  };

  /** Runs checks again whenever a file that they read changes, until it is cancelled. */
  const runOnChange = async (request: vscode.TestRunRequest, profile: Profile, token: vscode.CancellationToken): Promise<void> => {
    const due = new Map<string, vscode.TestItem>();
    let timer: NodeJS.Timeout | undefined;
    let going: Promise<void> = Promise.resolve();
    const flush = (): void => {
      const include = [...due.values()];
      due.clear();
      going = going.then(() => runOnce(new vscode.TestRunRequest(include, undefined, request.profile, true), profile)).catch(failed);
    };
    const watchers: vscode.Disposable[] = [];
    for (const [suite, tests] of await meant(request))
      for (const [file, names] of dependents(suite)) {
        const own = tests.filter((test) => names.includes(checkOf(test)?.check ?? ''));
        if (own.length === 0) continue;
        const touched = (): void => {
          for (const test of own) due.set(test.id, test);
          clearTimeout(timer);
          timer = setTimeout(flush, settle);
        };
        const watcher = vscode.workspace.createFileSystemWatcher(
          new vscode.RelativePattern(vscode.Uri.file(dirname(file)), basename(file)),
        );
        watchers.push(watcher, watcher.onDidChange(touched), watcher.onDidCreate(touched));
      }
    token.onCancellationRequested(() => {
      clearTimeout(timer);
      vscode.Disposable.from(...watchers).dispose();
    });
  };

  const profiles = new Map<string, vscode.TestRunProfile>();
  const offer = (devices: readonly Device[]): void => {
    for (const profile of profilesFor(devices)) {
      if (profiles.has(profile.label)) continue;
      const handler = (request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> =>
        (request.continuous ? runOnChange(request, profile, token) : runOnce(request, profile)).catch(failed);
      const made = controller.createRunProfile(profile.label, vscode.TestRunProfileKind.Run, handler, profiles.size === 0, undefined, true);
      made.configureHandler = () => void vscode.commands.executeCommand('workbench.action.openSettings', 'assay.device');
      profiles.set(profile.label, made);
    }
  };
  let learnt = false;
  /** Asked once a window, after a run: by then a job process is there. */
  const learnDevices = async (): Promise<void> => {
    if (learnt) return;
    learnt = true;
    const found = (await runner.devices()).filter(({ ok }) => ok).map(({ provider }) => provider as Device);
    await memory.update(devicesKey, found);
    offer(['cpu', ...found.filter((device) => device !== 'cpu')]);
  };
  offer(['cpu', ...memory.get<readonly Device[]>(devicesKey, []).filter((device) => device !== 'cpu')]);

  const listener = changed(() => {
    if (controller.items.size > 0 || resolved.size > 0) refresh().catch(failed);
  });
  return vscode.Disposable.from(controller, listener);
};
