import assert from 'node:assert/strict';
import type { Catalogue } from '../../src/base/catalogue.ts';
import catalogue from '../../src/generated/catalogue.json' with { type: 'json' };
import { commands } from '../../src/vscode/commands/index.ts';
import type { Choice, Command, Host, Launch, SaliencySubject, SuiteFile } from '../../src/vscode/define.ts';
import { readSuite } from '../../src/vscode/suite.ts';

/** Every command of the extension, and one by its id. */
export const allCommands: readonly Command[] = commands(catalogue as Catalogue);
export const command = (id: string): Command => {
  const found = allCommands.find((c) => c.id === id);
  assert.ok(found, `there is no command ${id}`);
  return found;
};

export const suiteText = `{
  "models": { "digits": { "path": "digits.onnx", "labels": ["0", "1"] } },
  "datasets": {
    "test": { "path": "data/digits.npz", "split": "test" },
    "table": { "path": "/elsewhere/preds.csv" }
  },
  "checks": [
    { "name": "calibrated", "run": "reliability", "model": "digits", "data": "test" }
  ]
}`;

export interface Asked {
  readonly title: string;
  readonly labels: readonly string[];
}
export interface Scripted {
  readonly host: Host;
  readonly launched: Launch[];
  readonly images: SaliencySubject[];
  readonly asked: Asked[];
}

/** A host that answers each question by the next label of the script; null dismisses. A button of the title is `[tooltip]`. */
export const scripted = (answers: readonly (string | null)[], over: Partial<Host> = {}, suites?: readonly SuiteFile[]): Scripted => {
  const script = [...answers];
  const launched: Launch[] = [];
  const images: SaliencySubject[] = [];
  const asked: Asked[] = [];
  const answer = (): string | null => {
    const next = script.shift();
    if (next === undefined) throw new Error(`a question beyond the script: ${JSON.stringify(asked.at(-1))}`);
    return next;
  };
  const unused = (name: string) => (): never => {
    throw new Error(`${name} was not expected`);
  };
  const host: Host = {
    catalogue: catalogue as Catalogue,
    device: 'cpu',
    seed: 7,
    suites: async () => suites ?? [{ path: '/work space/assay.json', label: 'assay.json', ...readSuite(suiteText) }],
    find: async () => [],
    exists: async () => false,
    edited: async () => undefined,
    label: (path) => path,
    async pick<T>(title: string, _: string, choices: readonly Choice<T>[], asides: readonly { tooltip: string; value: T }[] = []) {
      asked.push({ title, labels: choices.map(({ label }) => label) });
      const label = answer();
      if (label === null) return undefined;
      const found = label.startsWith('[') ? asides.find(({ tooltip }) => `[${tooltip}]` === label) : choices.find((c) => c.label === label);
      if (!found) throw new Error(`'${label}' is not among ${choices.map((c) => c.label).join(', ')}`);
      return found.value;
    },
    async text(title, _, __, check) {
      asked.push({ title, labels: [] });
      const typed = answer();
      if (typed === null) return undefined;
      const wrong = check(typed);
      if (wrong !== undefined) throw new Error(wrong);
      return typed;
    },
    open: async () => answer() ?? undefined,
    save: async () => answer() ?? undefined,
    confirm: async () => answer() !== null,
    folders: () => [{ name: 'work space', path: '/work space' }],
    draft: unused('draft'),
    create: unused('create'),
    show: unused('show'),
    say: unused('say'),
    execute: unused('execute'),
    working: async (_, work) => work(() => {}, new AbortController().signal),
    get cuda(): Host['cuda'] {
      throw new Error('cuda was not expected');
    },
    devices: async () => [],
    renewJobs: unused('renewJobs'),
    launch: async (work) => void launched.push(work),
    showModel: unused('showModel'),
    showData: unused('showData'),
    compareFiles: unused('compareFiles'),
    profileModel: unused('profileModel'),
    writeGradient: unused('writeGradient'),
    keepUnits: unused('keepUnits'),
    writeVectors: unused('writeVectors'),
    saliency: (subject) => void images.push(subject),
    insight: { toggle: unused('toggle'), choose: unused('choose'), picture: unused('picture') },
    runs: async () => [],
    shownRun: () => undefined,
    runFile: (id) => `/runs/${id}/report.json`,
    showRun: unused('showRun'),
    cardsOf: async () => [],
    repeatRun: unused('repeatRun'),
    cancelRun: unused('cancelRun'),
    trainingOf: () => undefined,
    steerRun: unused('steerRun'),
    overlayRun: unused('overlayRun'),
    deleteRun: unused('deleteRun'),
    saveHtml: unused('saveHtml'),
    copyRunLink: unused('copyRunLink'),
    runsShown: () => ({ by: 'newest' }),
    showRuns: unused('showRuns'),
    reveal: unused('reveal'),
    writeText: unused('writeText'),
    rewrite: unused('rewrite'),
    emptyFolder: async () => undefined,
    layOutSample: unused('layOutSample'),
    openWalkthrough: unused('openWalkthrough'),
    reached: () => {},
    showLog: unused('showLog'),
    ...over,
  };
  return { host, launched, images, asked };
};
