import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalogue } from '../../src/base/catalogue.ts';
import catalogue from '../../src/generated/catalogue.json' with { type: 'json' };
import type { RunRecord } from '../../src/jobs/store.ts';
import { commands } from '../../src/vscode/commands/index.ts';
import { commandContributions } from '../../src/vscode/contributions.ts';
import type { Target } from '../../src/vscode/define.ts';
import { readSuite } from '../../src/vscode/suite.ts';
import { allCommands, command, scripted, suiteText } from './scripted-host.ts';

const nothing: Target = {};

test('the commands of the contract have their ids and titles, each once', () => {
  const titles = new Map(allCommands.map(({ id, title }) => [id as string, title]));
  assert.equal(titles.size, allCommands.length);
  assert.equal(titles.get('assay.reliability'), 'Reliability Diagram');
  assert.equal(titles.get('assay.confusionMatrix'), 'Confusion Matrix');
  assert.equal(titles.get('assay.saliency'), 'Saliency…');
  assert.equal(titles.get('assay.train'), 'Train…');
  assert.equal(titles.get('assay.runSuite'), 'Run Suite');
  assert.equal(titles.get('assay.compareModels'), 'Compare Models…');
});

test('a new diagnostic of the catalogue is a command without editing', () => {
  const fresh = { ...catalogue.diagnostics[0], id: 'hessian-trace', title: 'Trace of the Hessian' };
  const more = commands({ ...catalogue, diagnostics: [fresh] } as unknown as Catalogue);
  assert.ok(more.some(({ id, title }) => id === 'assay.hessianTrace' && title === 'Trace of the Hessian'));
});

test('every command that runs a model needs a trusted workspace, and hidden ones stay out of the palette', () => {
  for (const id of ['assay.reliability', 'assay.saliency', 'assay.train', 'assay.runSuite', 'assay.runDiagnostic'])
    assert.equal(command(id).needsTrust, true);
  const { menus } = commandContributions(allCommands);
  assert.deepEqual(
    menus.commandPalette.map(({ command: id, when }) => [id, when]),
    [
      ['assay.lookAtSample', 'false'],
      ['assay.revealFile', 'false'],
      ['assay.repeatRun', 'false'],
      ['assay.copyRunLink', 'false'],
      ['assay.revealRun', 'false'],
      ['assay.showAllRuns', 'assay.runsFiltered'],
    ],
  );
});

test('names that two folders share are told apart by the folder', async () => {
  const suites = ['north', 'south'].map((name) => ({ path: `/${name}/assay.json`, label: `${name}/assay.json`, ...readSuite(suiteText) }));
  const { host, launched } = scripted(['test'], {}, suites);
  await command('assay.reliability').run(host, { suite: '/south/assay.json', model: 'digits' });
  assert.deepEqual(
    launched.map(({ subject, ask }) => [subject, 'data' in ask && ask.data?.path]),
    [['digits (south) on test', '/south/data/digits.npz']],
  );
});

test('a model and a dataset picked from assay.json are asked for with their paths made absolute', async () => {
  const { host, launched, asked } = scripted(['digits', 'test']);
  await command('assay.reliability').run(host, nothing);
  assert.deepEqual(launched, [
    {
      task: 'run',
      title: 'Reliability Diagram',
      subject: 'digits on test',
      ask: {
        id: 'reliability',
        model: { path: '/work space/digits.onnx', labels: ['0', '1'] },
        data: { path: '/work space/data/digits.npz', split: 'test' },
        options: {},
        device: 'cpu',
        seed: 7,
      },
    },
  ]);
  assert.deepEqual(asked[0].labels, ['digits', 'No model', 'Choose a model file…']);
  assert.deepEqual(asked[1].labels, ['test', 'table', 'Choose a data file…', 'Choose a folder of images…']);
});

test('without a model the data is a table of predictions', async () => {
  const { host, launched } = scripted(['No model', 'table']);
  await command('assay.confusionMatrix').run(host, nothing);
  const [work] = launched;
  assert.ok(work.task === 'run');
  assert.equal(work.ask.model, undefined);
  assert.equal(work.ask.data.path, '/elsewhere/preds.csv');
  assert.equal(work.subject, 'table');
});

test('comparing asks for the second model, or for a second table, after the data', async () => {
  const twice = readSuite(suiteText.replace('"models": {', '"models": { "older": { "path": "older.onnx" },'));
  const suites = [{ path: '/work space/assay.json', label: 'assay.json', ...twice }];
  const { host, launched } = scripted(['digits', 'test', 'older'], {}, suites);
  await command('assay.compareModels').run(host, nothing);
  const [work] = launched;
  assert.ok(work.task === 'run');
  assert.deepEqual([work.title, work.subject], ['Compare Models', 'digits against older on test']);
  assert.deepEqual(work.ask.against, { model: { path: '/work space/older.onnx' } });

  const tables = scripted(['No model', 'table', 'No model', 'test']);
  await command('assay.compareModels').run(tables.host, nothing);
  const [pair] = tables.launched;
  assert.ok(pair.task === 'run');
  assert.deepEqual(pair.ask.against, { data: { path: '/work space/data/digits.npz', split: 'test' } });
  assert.equal(pair.subject, 'table against test');

  const mixed = scripted(['No model', 'table', 'digits', 'test']);
  await command('assay.compareModels').run(mixed.host, nothing);
  const [model] = mixed.launched;
  assert.ok(model.task === 'run');
  assert.deepEqual([model.ask.model, model.ask.against?.data?.path], [undefined, '/work space/data/digits.npz']);

  const stopped = scripted(['digits', 'test', null]);
  await command('assay.compareModels').run(stopped.host, nothing);
  assert.deepEqual(stopped.launched, []);
});

test('a diagnostic that asks the model itself does not offer to go without one', async () => {
  const { host, asked } = scripted([null]);
  await command('assay.saliencyReport').run(host, nothing);
  assert.ok(!asked[0].labels.includes('No model'));
});

test('options are set one by one before the data is chosen', async () => {
  const { host, launched } = scripted(['digits', '[Set Options First]', 'bins', '20', 'binning', 'mass', 'Run', 'test']);
  await command('assay.reliability').run(host, nothing);
  assert.ok(launched[0].task === 'run');
  assert.deepEqual(launched[0].ask.options, { bins: 20, binning: 'mass' });
});

test('an option that names a file to write is asked by the save dialog, beside the model', async () => {
  const offered: string[] = [];
  const { host, launched } = scripted(['digits', '[Set Options First]', 'save', 'Run', 'test'], {
    save: async (_, path) => {
      offered.push(path);
      return '/work space/better.onnx';
    },
  });
  await command('assay.recalibration').run(host, nothing);
  assert.ok(launched[0].task === 'run');
  assert.deepEqual(launched[0].ask.options, { save: '/work space/better.onnx' });
  assert.deepEqual(offered, ['/work space/digits-new.onnx']);
});

test('an option out of its bounds is refused while it is typed', async () => {
  const { host } = scripted(['digits', '[Set Options First]', 'bins', '1000']);
  await assert.rejects(command('assay.reliability').run(host, nothing), /bins.*whole number/);
});

test('dismissing any question runs nothing', async () => {
  for (const answers of [[null], ['digits', null], ['digits', '[Set Options First]', null]]) {
    const { host, launched } = scripted(answers);
    await command('assay.reliability').run(host, nothing);
    assert.deepEqual(launched, []);
  }
});

test('a lens names the model, so that only the diagnostic and the data are asked for', async () => {
  const { host, launched } = scripted(['Confusion Matrix', 'test']);
  await command('assay.runDiagnostic').run(host, { suite: '/work space/assay.json', model: 'digits' });
  assert.equal(launched[0].subject, 'digits on test');
});

test('a file of the explorer that an assay.json names comes with what is said of it there', async () => {
  const { host, launched } = scripted(['Confusion Matrix', 'test']);
  await command('assay.runDiagnostic').run(host, { file: '/work space/digits.onnx' });
  assert.ok(launched[0].task === 'run');
  assert.deepEqual(launched[0].ask.model?.labels, ['0', '1']);
});

test('a model file by dialog', async () => {
  const { host, launched } = scripted(['Choose a model file…', '/a/b.onnx', 'test']);
  await command('assay.confusionMatrix').run(host, nothing);
  assert.ok(launched[0].task === 'run');
  assert.deepEqual(launched[0].ask.model, { path: '/a/b.onnx' });
});

test('saliency opens the image tab of the model and data', async () => {
  const { host, images } = scripted(['digits', 'test']);
  await command('assay.saliency').run(host, nothing);
  assert.equal(images[0].model.path, '/work space/digits.onnx');
});

test('the only suite of the workspace runs without a question, and a lens runs one check of it', async () => {
  const { host, launched } = scripted([]);
  await command('assay.runSuite').run(host, nothing);
  await command('assay.runSuite').run(host, { suite: '/work space/assay.json', check: 'calibrated' });
  assert.deepEqual(
    launched.map(({ ask }) => ask),
    [
      { path: '/work space/assay.json', device: 'cpu', seed: 7 },
      { path: '/work space/assay.json', device: 'cpu', seed: 7, only: ['calibrated'] },
    ],
  );
});

test('several runs are deleted only after a question', async () => {
  const record = (id: string): RunRecord => ({
    id,
    kind: 'run',
    title: id,
    subject: '',
    status: 'done',
    startedAt: '',
    request: {},
    reports: [],
  });
  const deleted: string[] = [];
  const over = { runs: async () => [record('a'), record('b')], deleteRun: async (id: string) => void deleted.push(id) };
  await command('assay.deleteRun').run(scripted([null], over).host, { runs: ['a', 'b'] });
  assert.deepEqual(deleted, []);
  await command('assay.deleteRun').run(scripted(['Delete'], over).host, { runs: ['a', 'b'] });
  assert.deepEqual(deleted, ['a', 'b']);
});

test('two runs that were selected are compared; of one, the other is picked among runs of the same diagnostic', async () => {
  const kept = (id: string, diagnostic: string): RunRecord => ({
    id,
    kind: 'run',
    title: `run ${id}`,
    subject: `${id}.onnx`,
    status: 'done',
    startedAt: '2026-01-01T00:00:00.000Z',
    request: {},
    reports: [{ id: diagnostic, title: '', outcome: 'measured', headline: {} }],
  });
  const over = { runs: async () => [kept('a', 'reliability'), kept('b', 'saliency'), kept('c', 'reliability')] };
  const both = scripted([], over);
  await command('assay.compareRuns').run(both.host, { runs: ['a', 'c'] });
  assert.deepEqual(both.launched, [
    {
      task: 'compare',
      title: 'Compare Runs',
      subject: 'a.onnx against c.onnx',
      ask: { runs: ['/runs/a/report.json', '/runs/c/report.json'] },
    },
  ]);
  const picked = scripted(['run a', 'run c'], over);
  await command('assay.compareRuns').run(picked.host, nothing);
  assert.deepEqual(picked.launched, both.launched);
  assert.deepEqual(picked.asked[1].labels, ['run c']);
});

/** The catalogue with a diagnostic that reads columns alone, as generation confidence does. */
const generations = commands({
  ...catalogue,
  diagnostics: [
    { ...catalogue.diagnostics[0], id: 'generation-confidence', title: 'Generation confidence', needs: ['columns'], needsModel: false },
  ],
} as unknown as Catalogue).find(({ id }) => id === 'assay.generationConfidence');

test('a file of generations open in the editor is offered first, and no model is asked for', async () => {
  const edited = async (): Promise<string> => '/elsewhere/lines.jsonl';
  const { host, launched, asked } = scripted(['lines.jsonl'], {
    edited,
    catalogue: { ...catalogue, readers: [{ id: 'jsonl', title: 'JSON lines', endings: ['.jsonl'] }] } as unknown as Catalogue,
  });
  assert.ok(generations);
  await generations.run(host, nothing);
  assert.deepEqual(
    asked.map(({ labels }) => labels),
    [['lines.jsonl', 'test', 'table', 'Choose a data file…', 'Choose a folder of images…']],
  );
  const [work] = launched;
  assert.ok(work.task === 'run');
  assert.deepEqual([work.ask.model, work.ask.data], [undefined, { path: '/elsewhere/lines.jsonl' }]);
});

test('from the title of the editor the file is saved and read at once', async () => {
  let saved = 0;
  const { host, launched } = scripted([], {
    async edited() {
      saved++;
      return '/elsewhere/lines.jsonl';
    },
  });
  assert.ok(generations);
  await generations.run(host, { file: '/elsewhere/lines.jsonl' });
  assert.equal(saved, 1);
  assert.equal(launched[0].subject, 'lines.jsonl');
  const { menus } = commandContributions([generations]);
  assert.deepEqual(menus['editor/title'], [
    { command: 'assay.generationConfidence', when: 'resourceExtname == .jsonl && resourceScheme == file', group: '1_assay@1' },
  ]);
});

test('the model editor opens from the explorer, also where the workspace is not trusted', async () => {
  const opened: string[] = [];
  const { host } = scripted([], { showModel: async (path) => void opened.push(path) });
  await command('assay.openModel').run(host, { file: '/elsewhere/net.onnx' });
  assert.deepEqual(opened, ['/elsewhere/net.onnx']);
  assert.equal(command('assay.openModel').needsTrust, undefined);
});

test('a gradient graph is asked for in two questions and a place', async () => {
  const written: unknown[] = [];
  const over = { writeGradient: async (ask: unknown) => void written.push(ask) };
  const { host } = scripted(['Mean squared error', 'Parameters', '/elsewhere/net.grad.onnx'], over);
  await command('assay.gradientGraph').run(host, { file: '/elsewhere/net.onnx' });
  assert.deepEqual(written, [{ model: '/elsewhere/net.onnx', out: '/elsewhere/net.grad.onnx', of: 'mse', wrt: ['parameters'] }]);
  const stopped = scripted(['Cross-entropy', null], over);
  await command('assay.gradientGraph').run(stopped.host, { file: '/elsewhere/net.onnx' });
  assert.equal(written.length, 1);
});

test('the first units of a boosted head are asked for, or named by the report of the training', async () => {
  const written: unknown[] = [];
  const over = { keepUnits: async (ask: unknown) => void written.push(ask) };
  const { host } = scripted(['40', '/elsewhere/net.40.onnx'], over);
  await command('assay.keepFirstUnits').run(host, { file: '/elsewhere/net.onnx' });
  await command('assay.keepFirstUnits').run(scripted(['/a.onnx'], over).host, { file: '/elsewhere/net.onnx', units: 20 });
  assert.deepEqual(written, [
    { model: '/elsewhere/net.onnx', units: 40, out: '/elsewhere/net.40.onnx' },
    { model: '/elsewhere/net.onnx', units: 20, out: '/a.onnx' },
  ]);
  await command('assay.keepFirstUnits').run(scripted([null], over).host, { file: '/elsewhere/net.onnx' });
  assert.equal(written.length, 2);
});

test('vectors are generated from three numbers and a place; at right angles there is no angle to ask for', async () => {
  const written: unknown[] = [];
  const over = { writeVectors: async (ask: unknown) => void written.push(ask) };
  await command('assay.generateVectors').run(scripted(['10', '5', '0.4', '/elsewhere/v.npz'], over).host, nothing);
  await command('assay.generateVectors').run(scripted(['10', '12', '/elsewhere/w.npz'], over).host, nothing);
  const more = { steps: 20000, seed: 7, device: 'cpu' };
  assert.deepEqual(written, [
    { count: 10, dim: 5, alpha: 0.4, out: '/elsewhere/v.npz', ...more },
    { count: 10, dim: 12, alpha: 0, out: '/elsewhere/w.npz', ...more },
  ]);
  await command('assay.generateVectors').run(scripted(['10', null], over).host, nothing);
  await command('assay.generateVectors').run(scripted(['10', '5', '-1', null], over).host, nothing);
  assert.equal(written.length, 2);
  for (const wrong of ['1', '2.5', '', 'ten'])
    await assert.rejects(command('assay.generateVectors').run(scripted([wrong], over).host, nothing), /whole number from 2/);
});
