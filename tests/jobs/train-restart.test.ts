import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { askAgain } from '../../src/jobs/restart.ts';
import { supervisor } from '../../src/jobs/supervisor.ts';
import type { Live, Steer, TrainRequest, TrainResult } from '../../src/report/tasks.ts';
import { digitsData } from '../training/workshop.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-killed-'));
const pids = join(folder, 'pids');
const jobs = supervisor({
  entry: fileURLToPath(new URL('./train-entry.ts', import.meta.url)),
  execArgv: ['--import', 'tsx'],
  env: { ASSAY_PID: pids },
  again: askAgain,
  processes: 1,
});
after(async () => {
  await jobs.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const recipe = {
  arch: { kind: 'mlp', hidden: '32' },
  data: digitsData,
  split: { val: 0.2 },
  loss: 'cross-entropy',
  optimizer: { kind: 'adam', lr: 0.003 },
  batch: 32,
  epochs: 40,
};
const inStages = { ...recipe, epochs: 20, regime: { kind: 'stages', plan: 'dense2*:20:1,*:20:0.5' } };
const asked = (name: string, trained: object): TrainRequest => {
  // The name of a recipe stands in its model, so both have the same.
  const home = join(folder, name);
  mkdirSync(home);
  writeFileSync(join(home, 'digits.train.json'), JSON.stringify(trained));
  return { recipe: join(home, 'digits.train.json'), out: join(home, 'digits.onnx'), device: 'cpu', resume: false, force: false };
};
const curvesOf = ({ report }: TrainResult) => report.cards.slice(1);

const killedOnce = async (name: string, trained: object) => {
  const whole = await jobs.submit('train', asked(`${name} whole`, trained));
  let steer: (steer: Steer) => void = () => {};
  let restarts = 0;
  let killed = false;
  const first: number[] = [];
  const result = await jobs.submit('train', asked(`${name} killed`, trained), {
    onBegin: (reach) => (steer = reach),
    onRestart: () => restarts++,
    onLive(live: Live) {
      if (live.kind === 'steps' && !killed) steer('pause');
      if (live.kind === 'steps' && killed) first.push(live.step[0]);
      // A pause keeps a checkpoint, so there is one beyond the start.
      if (live.kind !== 'standing' || !live.paused || killed) return;
      killed = true;
      process.kill(Number(readFileSync(pids, 'utf8').trim().split('\n').at(-1)), 'SIGKILL');
    },
  });
  assert.equal(restarts, 1);
  assert.ok(first[0] > 1, `it went on at step ${first[0]}`);
  assert.equal(result.report.outcome, 'measured');
  assert.match(result.report.notes[0], /ended unexpectedly \(signal SIGKILL\)/);
  assert.deepEqual(readFileSync(result.out), readFileSync(whole.out));
  assert.deepEqual(curvesOf(result), curvesOf(whole));
};

test('a training whose process is killed goes on from its checkpoint in a new one, and ends as the run that was left alone', () =>
  killedOnce('plain', recipe));
test('and so does a regime, within the stage that it was in', () => killedOnce('stages', inStages));
