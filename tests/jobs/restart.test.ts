import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { askAgain, noted } from '../../src/jobs/restart.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-restart-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const out = join(folder, 'a.onnx');
const state = join(folder, 'a.checkpoint.state');
const ask = { recipe: 'a.train.json', out, device: 'cpu', resume: false, force: false };

test('a training that left a checkpoint goes on from it; one of an earlier run is not taken for it', async () => {
  assert.deepEqual(await askAgain('train', ask, 0), ask);
  writeFileSync(state, '');
  utimesSync(state, 1000, 1000);
  assert.deepEqual(await askAgain('train', ask, 1_000_000), { ...ask, resume: true });
  assert.deepEqual(await askAgain('train', ask, 1_000_001), ask);
});

test('any other task is asked the same', async () => {
  const run = { id: 'reliability' };
  assert.equal(await askAgain('run', run, 0), run);
});

test('what holds no report stays as it is', () => {
  for (const give of [undefined, 3, 'text', new Float32Array(2), [1], { pids: [1] }]) assert.equal(noted(give, 'note'), give);
});
