import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunRequest } from '../../src/base/request.ts';
import type { RunRecord } from '../../src/jobs/store.ts';
import { arrangeRuns } from '../../src/vscode/commands/arrange-runs.ts';
import { addGate } from '../../src/vscode/commands/gate.ts';
import { commands } from '../../src/vscode/commands/index.ts';
import { compareModelFiles, furtherRecipe, profileModel, trainFurther } from '../../src/vscode/commands/model-files.ts';
import { openSample } from '../../src/vscode/commands/sample.ts';
import { commandContributions, contributes } from '../../src/vscode/contributions.ts';
import { freshName, gateable, lessIsBetter, withGate } from '../../src/vscode/gate.ts';
import { listed } from '../../src/vscode/listed.ts';
import { allRuns, arranged, filterText, modelNames, type RunGroup, type RunsShown } from '../../src/vscode/order-runs.ts';
import { readSuite, type SuiteText } from '../../src/vscode/suite.ts';
import { cardContext, targetOf } from '../../src/vscode/target.ts';
import { listedTooltip, plain, runTooltip } from '../../src/vscode/tooltips.ts';
import { milestones } from '../../src/vscode/walkthrough.ts';
import { scripted, suiteText } from './scripted-host.ts';

const now = Date.parse('2026-11-23T12:00:00Z');
const request = (model: string): RunRequest => ({
  id: 'reliability',
  model: { path: `/work space/${model}` },
  data: { path: '/work space/data/digits.npz', split: 'test' },
  options: {},
  device: 'cpu',
  seed: 7,
});
const run = (id: string, hours: number, over: Partial<RunRecord> = {}): RunRecord => ({
  id,
  kind: 'run',
  title: 'Reliability Diagram',
  subject: 'digits on test',
  status: 'done',
  startedAt: new Date(now - hours * 3_600_000).toISOString(),
  seconds: 1.5,
  request: request('digits.onnx'),
  reports: [{ id: 'reliability', title: 'Reliability Diagram', outcome: 'measured', headline: { rows: 359, ece: 0.02, accuracy: 0.98 } }],
  ...over,
});
const runs = [
  run('c', 1),
  run('b', 30, { request: request('other.onnx') }),
  run('a', 300, { status: 'failed', reports: [], sentence: 'The file is *broken*.' }),
];

test('what a command was invoked on: files, runs, entries, several at once, or a target', () => {
  const uri = (path: string, scheme = 'file') => ({ scheme, fsPath: path, path, toString: () => `${scheme}:${path}` });
  assert.deepEqual(targetOf(uri('/a.onnx')), { file: '/a.onnx' });
  assert.deepEqual(targetOf({ test: {}, message: { contextValue: cardContext('r1', '0:2') } }), { runs: ['r1'], focus: '0:2' });
  assert.deepEqual(targetOf(uri('/a.onnx'), [uri('/a.onnx'), uri('/b.onnx')]), { file: '/a.onnx', files: ['/a.onnx', '/b.onnx'] });
  assert.deepEqual(targetOf(uri('/a.onnx', 'memfs')), { elsewhere: 'memfs:/a.onnx' });
  for (const scheme of ['untitled', 'webview-panel']) assert.deepEqual(targetOf(uri('x', scheme)), {});
  assert.deepEqual(targetOf(runs[0], [runs[0], runs[1]]), { runs: ['c', 'b'] });
  const entry = { kind: 'listed', name: 'digits', path: '/d.onnx', label: 'd', there: true, suite: '/assay.json', model: 'digits' };
  assert.deepEqual(targetOf(entry), { suite: '/assay.json', model: 'digits', files: ['/d.onnx'] });
  assert.deepEqual(targetOf({ runs: ['x'], focus: '0:1' }), { runs: ['x'], focus: '0:1' });
  assert.deepEqual(targetOf(undefined), {});
});

test('models of an assay.json come first, then the files that none names, up to a bound', async () => {
  const found = ['/work space/digits.onnx', '/x/model.checkpoint.onnx', ...Array.from({ length: 130 }, (_, i) => `/x/${i}.onnx`)];
  const { host } = scripted([], { find: async () => found, exists: async () => true });
  const [suite, others] = await listed('models', host);
  assert.deepEqual([suite.name, suite.items.map(({ name }) => name), suite.more], ['assay.json', ['digits'], 0]);
  assert.deepEqual([others.items.length, others.more], [100, 30]);
  assert.deepEqual(others.items[0].file, '/x/0.onnx');
  const { host: bare } = scripted([], { suites: async () => [], find: async () => [] });
  assert.deepEqual(await listed('datasets', bare), [], 'nothing to list: the view says what to do');
  const { host: data } = scripted([], { exists: async (path) => path.startsWith('/work') });
  const [named] = await listed('datasets', data);
  assert.deepEqual(
    named.items.map(({ name, there }) => [name, there]),
    [
      ['test', true],
      ['table', false],
    ],
  );
});

test('runs are filtered by model, time and how they ended, and grouped by model', () => {
  const ids = (shown: RunsShown): readonly string[] => (arranged(runs, shown, now) as readonly RunRecord[]).map(({ id }) => id);
  assert.deepEqual(ids(allRuns), ['c', 'b', 'a']);
  assert.deepEqual(ids({ by: 'oldest' }), ['a', 'b', 'c']);
  assert.deepEqual(ids({ by: 'newest', days: 1 }), ['c']);
  assert.deepEqual(ids({ by: 'newest', days: 7 }), ['c', 'b']);
  assert.deepEqual(ids({ by: 'newest', model: 'other.onnx' }), ['b']);
  assert.deepEqual(ids({ by: 'newest', standings: ['failed'] }), ['a']);
  const groups = arranged(runs, { by: 'model' }, now) as readonly RunGroup[];
  assert.deepEqual(
    groups.map(({ name, runs: list }) => [name, list.map(({ id }) => id)]),
    [
      ['digits.onnx', ['c', 'a']],
      ['other.onnx', ['b']],
    ],
  );
  const asked = [
    { kind: 'train', request: { out: '/a/t.onnx' } },
    { kind: 'suite', request: { path: '/a/assay.json' } },
    { kind: 'suite', request: { path: '/b/assay.json' } },
    { kind: 'compare', request: {} },
  ] as const;
  assert.deepEqual(asked.map(modelNames(asked)), ['t.onnx', 'a/assay.json', 'b/assay.json', 'Comparisons']);
  assert.equal(filterText(allRuns), undefined);
  assert.equal(filterText({ by: 'newest', days: 1, model: 'd.onnx' }), 'Only runs about d.onnx, of the last 24 hours.');
});

test('the order and filter of runs are asked for together', async () => {
  const shown: RunsShown[] = [];
  const over = { runs: async () => runs, showRuns: (next: RunsShown) => void shown.push(next) };
  const { host, asked } = scripted(['other.onnx', 'By model'], over);
  await arrangeRuns.run(host, {});
  await arrangeRuns.run(host, {});
  assert.deepEqual(shown, [{ by: 'newest', model: 'other.onnx' }, { by: 'model' }]);
  assert.deepEqual(asked[0].labels.slice(-2), ['digits.onnx', 'other.onnx']);
});

test('tooltips tell numbers and how they were made, and no text of the user is read as Markdown', () => {
  const text = runTooltip(runs[0]);
  assert.match(text, /\*\*Reliability Diagram\*\* · digits on test/);
  assert.match(text, /\| ece \| 0\\\.02 \|/);
  assert.match(text, /Data: \/work space\/data\/digits\\\.npz \\\(test\\\)/);
  assert.match(text, /Device: cpu, seed 7/);
  assert.match(runTooltip(runs[2]), /The file is \\\*broken\\\*\\\./);
  assert.equal(plain('[x](command:evil) <b>'), '\\[x\\]\\(command:evil\\) \\<b\\>');
  const entry = { name: 'digits', path: '/work space/digits.onnx', there: true };
  assert.match(listedTooltip(entry, { bytes: 2048, changed: now }, runs), /2\\\.05 kB · changed .*\n\nReliability Diagram/);
  assert.match(listedTooltip(entry, undefined, []), /No run is kept/);
  assert.match(listedTooltip({ ...entry, there: false }, undefined, runs), /does not exist/);
});

test('two chosen files are compared at once; of one the other is asked for', async () => {
  const pairs: [string, string][] = [];
  const over = { compareFiles: (a: string, b: string) => void pairs.push([a, b]), find: async () => ['/x/b.onnx'] };
  await compareModelFiles.run(scripted([], over).host, { file: '/x/a.onnx', files: ['/x/a.onnx', '/x/b.onnx'] });
  const { host } = scripted(['b.onnx'], over);
  await compareModelFiles.run(host, { file: '/x/a.onnx' });
  await compareModelFiles.run(scripted([null], over).host, { file: '/x/a.onnx' });
  assert.deepEqual(pairs, [
    ['/x/a.onnx', '/x/b.onnx'],
    ['/x/a.onnx', '/x/b.onnx'],
  ]);
});

test('layers are profiled on a dataset that is picked', async () => {
  const asked: unknown[] = [];
  const { host } = scripted(['test'], { profileModel: async (...given) => void asked.push(given) });
  await profileModel.run(host, { suite: '/work space/assay.json', model: 'digits', files: ['/work space/digits.onnx'] });
  assert.deepEqual(asked, [
    [
      { path: '/work space/digits.onnx', labels: ['0', '1'] },
      { path: '/work space/data/digits.npz', split: 'test' },
    ],
  ]);
});

test('a recipe to train further trains on the train split and keeps the test split for testing', async () => {
  const recipe = JSON.parse(furtherRecipe('/w/r/m.further.train.json', '/w/m.onnx', { path: '/w/d.npz', split: 'test', x: 'x' })) as Record<
    string,
    unknown
  >;
  assert.equal(recipe.model, '../m.onnx');
  assert.deepEqual(recipe.data, { train: { path: '../d.npz', split: 'train', x: 'x' }, test: { path: '../d.npz', split: 'test', x: 'x' } });
  const written: string[] = [];
  const { host, launched } = scripted(['test', '/work space/digits.further.train.json', 'digits.further.onnx'], {
    writeText: async (path) => void written.push(path),
  });
  await trainFurther.run(host, { suite: '/work space/assay.json', model: 'digits' });
  assert.deepEqual(written, ['/work space/digits.further.train.json']);
  assert.equal(launched[0]?.task, 'train');
});

test('a gate is added to the check that asks the same, else as a new check', async () => {
  const suite = { path: '/work space/assay.json', label: 'assay.json', ...readSuite(suiteText) };
  assert.equal(gateable(request('digits.onnx'), [suite])?.model, 'digits');
  assert.equal(gateable(request('unnamed.onnx'), [suite]), undefined);
  assert.equal(gateable({ ...request('digits.onnx'), limit: 5 }, [suite]), undefined);
  assert.ok(lessIsBetter('ece') && lessIsBetter('robust_error') && !lessIsBetter('accuracy') && !lessIsBetter('macro_f1'));
  assert.equal(freshName('a', ['a', 'a 2']), 'a 3');
  const check = { name: 'n', run: 'reliability', model: 'digits', data: 'test' };
  const read = (text: string): SuiteText => JSON.parse(JSON.stringify(readSuite(text)));
  const more = read(withGate(suiteText, check, 'ece', { max: 0.05 })).checks;
  assert.deepEqual(
    more.map(({ value }) => [value.name, value.expect]),
    [['calibrated', { ece: { max: 0.05 } }]],
  );
  const other = read(withGate(suiteText, { ...check, run: 'confusion-matrix' }, 'accuracy', { min: 0.9 })).checks;
  assert.deepEqual(
    other.map(({ name }) => name),
    ['calibrated', 'n'],
  );
  assert.deepEqual(read(withGate('{}', check, 'ece', { max: 1 })).checks[0].value.expect, { ece: { max: 1 } });

  let text = suiteText;
  const reached: string[] = [];
  const { host, asked } = scripted(['Reliability Diagram', 'ece', 'At most', '0.03'], {
    runs: async () => runs,
    rewrite: async (_, change) => {
      text = change(text);
    },
    reached: (milestone) => void reached.push(milestone),
  });
  await addGate.run(host, {});
  assert.deepEqual(read(text).checks[0].value.expect, { ece: { max: 0.03 } });
  assert.deepEqual(reached, ['gated']);
  assert.deepEqual(asked[2].labels, ['At most', 'At least'], 'what is better comes first');
});

test('the sample goes into the open empty folder, else where the user says', async () => {
  const into: string[] = [];
  const layOutSample = async (folder: string): Promise<void> => void into.push(folder);
  await openSample.run(scripted([], { emptyFolder: async () => '/empty', layOutSample }).host, {});
  await openSample.run(scripted(['/chosen'], { layOutSample }).host, {});
  await openSample.run(scripted([null], { layOutSample }).host, {});
  assert.deepEqual(into, ['/empty', '/chosen']);
});

test('what stands as an icon in a row stands in its context menu too', () => {
  const { menus } = commandContributions(commands(scripted([]).host.catalogue));
  const items = menus['view/item/context'];
  for (const { command, when, group } of items)
    if (group?.startsWith('inline'))
      assert.ok(
        items.some((one) => one.command === command && one.when === when && !one.group?.startsWith('inline')),
        command,
      );
});

test('one walkthrough of five steps, each done by what the workspace then holds, with a picture and words for it', () => {
  const [walkthrough, ...rest] = contributes.walkthroughs;
  assert.equal(rest.length, 0);
  assert.equal(walkthrough.steps.length, 5);
  const contexts: readonly string[] = Object.values(milestones);
  for (const { completionEvents, media, description } of walkthrough.steps) {
    assert.ok(contexts.includes(completionEvents[0].replace('onContext:', '')));
    assert.ok(media.altText.length > 20);
    assert.match(description, /\]\(command:assay\.\w+\)/);
  }
  // One first action: none of a view has two, and where there is no model yet only that of the models is offered.
  const actions = contributes.viewsWelcome.map(({ view, contents, when = '' }) => ({
    count: contents.split('\n').filter((line) => line.startsWith('[')).length,
    atFirst: !/(?<!!)\b(virtualWorkspace|assay\.models\.filled)|!isWorkspaceTrusted/.test(when) && view,
  }));
  for (const { count } of actions) assert.ok(count <= 1);
  assert.deepEqual(
    actions.filter(({ count, atFirst }) => count > 0 && atFirst).map(({ atFirst }) => atFirst),
    ['assay.models'],
  );
});
