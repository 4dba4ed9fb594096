import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunRecord } from '../../src/jobs/store.ts';
import type { Target } from '../../src/vscode/define.ts';
import { command, scripted } from './scripted-host.ts';

const nothing: Target = {};

test('training replaces a model, or resumes, only when told so', async () => {
  const recipe = '/w/digits.train.json';
  const fresh = scripted(['digits.onnx']);
  await command('assay.train').run(fresh.host, { file: recipe });
  assert.deepEqual(fresh.launched[0].ask, { recipe, out: '/w/digits.onnx', device: 'cpu', resume: false, force: false });
  const again = scripted(['Resume digits.onnx'], { exists: async () => true });
  await command('assay.train').run(again.host, { file: recipe });
  assert.deepEqual(again.asked[0].labels, ['Replace digits.onnx', 'Resume digits.onnx', 'Save as…']);
  assert.ok(again.launched[0].task === 'train' && again.launched[0].ask.resume);
});

test('a training is paused, gone on with and stopped from the view, the palette and its panel', async () => {
  const run = (id: string): RunRecord => ({
    id,
    kind: 'train',
    title: `Train ${id}`,
    subject: 'a.train.json',
    status: 'running',
    startedAt: '2026-01-01T00:00:00Z',
    request: {},
    reports: [],
  });
  const standing = new Map<string, 'going' | 'paused'>([
    ['a', 'going'],
    ['b', 'paused'],
  ]);
  const asked: string[] = [];
  const over = {
    runs: async () => [run('a'), run('b'), run('other')],
    trainingOf: (id: string) => standing.get(id),
    steerRun: (id: string, steer: string) => void asked.push(`${id} ${steer}`),
  };
  await command('assay.pauseTraining').run(scripted([], over).host, { runs: ['a', 'other'] });
  await command('assay.resumeTraining').run(scripted([], over).host, nothing);
  await command('assay.stopTraining').run(scripted(['Train b'], over).host, nothing);
  await command('assay.pauseTraining').run(scripted([], { ...over, shownRun: () => 'b' }).host, nothing);
  assert.deepEqual(asked, ['a pause', 'b run', 'b stop', 'b run']);
});

test('an earlier training is drawn behind the one that is shown', async () => {
  const run = (id: string, kind: RunRecord['kind'], status: RunRecord['status']): RunRecord => ({
    id,
    kind,
    title: id,
    subject: 's',
    status,
    startedAt: '2026-01-01T00:00:00Z',
    request: {},
    reports: [],
  });
  const pairs: string[] = [];
  const over = {
    runs: async () => [
      run('now', 'train', 'running'),
      run('earlier', 'train', 'done'),
      run('failed', 'train', 'failed'),
      run('map', 'run', 'done'),
    ],
    overlayRun: async (id: string, other: string) => void pairs.push(`${id} over ${other}`),
    shownRun: () => 'now',
  };
  const { host, asked } = scripted(['earlier'], over);
  await command('assay.overlayTraining').run(host, nothing);
  assert.deepEqual(asked[0].labels, ['earlier', 'failed']);
  await command('assay.overlayTraining').run(scripted([], over).host, { runs: ['earlier', 'failed'] });
  assert.deepEqual(pairs, ['now over earlier', 'earlier over failed']);
});
