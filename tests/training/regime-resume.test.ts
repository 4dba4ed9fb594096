import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { readNpz } from '../../src/data/npz.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import type { Live, Steer } from '../../src/report/tasks.ts';
import { regimes } from '../../src/training/regimes/index.ts';
import { atStep, digitsData, wholeAndInPieces, workshop } from './workshop.ts';

const base = {
  arch: { kind: 'mlp', hidden: '12' },
  data: digitsData,
  loss: 'cross-entropy',
  optimizer: { kind: 'adam', lr: 0.005 },
  batch: 64,
  epochs: 3,
  seed: 1,
};
const noprop = { kind: 'noprop', blocks: 3, hidden: 8 };
const space = workshop().text('space.json', JSON.stringify({ stem: ['dense 8'], blocks: [['identity', 'dense', 'bottleneck 3']] }));
/** Every regime, some in several ways. */
const recipes: Readonly<Record<string, object>> = {
  stages: { ...base, schedule: 'cosine', regime: { kind: 'stages', plan: 'dense2*:3:1,*:3:0.5' } },
  'boosted-head': {
    ...base,
    regime: { kind: 'boosted-head', units: 12, unitsPerStep: 2, iterations: 30, bodyEpochs: 2, subsample: 0.5 },
  },
  'defensive-distillation': { ...base, regime: { kind: 'defensive-distillation', temperature: 5 } },
  supernet: { ...base, sampler: 'importance', regime: { kind: 'supernet', space, retrain: 1, verify: 1 } },
  'noprop in turns': { ...base, regime: noprop },
  'noprop in turns, with learned points': { ...base, regime: { ...noprop, embedding: 'learned', width: 10 } },
};

/** Stops in the nth run of a regime that makes steps. */
const inRun = (n: number) => {
  let run = 0;
  let last = Number.POSITIVE_INFINITY;
  return (event: Live): boolean => {
    if (event.kind !== 'steps') return false;
    if (event.step[0] <= last) run++;
    last = event.step[0];
    return run >= n;
  };
};
const atStage = (event: Live): boolean => event.kind === 'stage';

test('every regime is resumed here', () => {
  for (const { id, run } of regimes)
    if (run)
      assert.ok(
        Object.keys(recipes).some((name) => name.startsWith(id)),
        id,
      );
});

for (const [name, recipe] of Object.entries(recipes))
  test(`${name}: stopped, or stopped to be kept, and resumed it is the run that was not, bit for bit`, async () => {
    const { cuts, pieces, whole } = await wholeAndInPieces(recipe, atStep(1), name.startsWith('noprop') ? atStep(1) : atStage);
    assert.ok(cuts.every(({ out }) => out === ''));
    const { meta } = readNpz(readFileSync(pieces.shop.at('out.checkpoint.state')));
    const { stages } = JSON.parse(new TextDecoder().decode(meta.data as Uint8Array));
    assert.ok(stages.every((s: { ended: boolean }) => s.ended));

    const shop = workshop();
    let steer: Steer = 'run';
    const stop = name === 'boosted-head' ? atStage : inRun(2);
    const live = (event: Live): void => {
      if (stop(event)) steer = 'stop';
    };
    const kept = await shop.run(recipe, { steer: () => steer, live });
    assert.equal(kept.report.outcome, 'measured');
    assert.ok(Number.isFinite(kept.report.headline.test_accuracy));
    assert.ok(kept.notes.some((n) => n.startsWith('Stopped on request') && n.includes('--resume')));
    assert.notDeepEqual(readFileSync(kept.out), readFileSync(whole.out));
    const on = await shop.run(recipe, { resume: true });
    assert.deepEqual(readFileSync(on.out), readFileSync(whole.out));
    assert.deepEqual(on.report.cards.slice(1), whole.report.cards.slice(1));
  });

test('a pause between the steps of the boosted head waits, and changes nothing', async () => {
  const { 'boosted-head': recipe } = recipes;
  const shop = workshop();
  let steer: Steer = 'run';
  const standing: boolean[] = [];
  const result = await shop.run(recipe, {
    steer: () => steer,
    live(event) {
      if (event.kind === 'stage' && standing.length < 2) steer = 'pause';
      if (event.kind !== 'standing') return;
      standing.push(event.paused);
      if (event.paused) {
        assert.ok(existsSync(shop.at('out.checkpoint.state')));
        setTimeout(() => (steer = 'run'), 60);
      }
    },
  });
  assert.deepEqual(standing, [false, true, false]);
  assert.deepEqual(readFileSync(result.out), readFileSync((await workshop().run(recipe)).out));
});

test('a finished regime resumed has nothing left to do', async () => {
  const shop = workshop();
  const first = await shop.run(recipes.stages);
  const model = readFileSync(first.out);
  const told: string[] = [];
  const again = await shop.run(recipes.stages, { resume: true, live: (event) => void told.push(event.kind) });
  assert.ok(!told.includes('steps'));
  assert.deepEqual(readFileSync(again.out), model);
  assert.deepEqual(again.report.cards.slice(1), first.report.cards.slice(1));
});

test('what another recipe left is refused, naming what differs or does not fit', async () => {
  const shop = workshop();
  const short = { ...base, epochs: 1 };
  const regime = { kind: 'stages', plan: '*:1:1' };
  await shop.run({ ...short, regime });
  const refuses = (recipe: object, force: boolean, code: Parameters<typeof Fault.is>[1], word: RegExp) =>
    assert.rejects(shop.run(recipe, { resume: true, force }), (e) => Fault.is(e, code) && word.test(e.message));
  await refuses({ ...short, regime: { ...regime, plan: '*:2:1' } }, false, 'training/changed', /regime\.plan differs/);
  await refuses(short, true, 'training/checkpoint', /is that of a regime/);
  await refuses({ ...short, regime, arch: { kind: 'mlp', hidden: '13' } }, true, 'training/checkpoint', /of its stage 1, its 'theta' is/);
  const state = shop.at('out.checkpoint.state');
  const { meta, ...rest } = readNpz(readFileSync(state));
  writeFileSync(state, 'not a zip');
  await refuses({ ...short, regime }, false, 'training/checkpoint', /it is damaged/);
  const told = JSON.parse(new TextDecoder().decode(meta.data as Uint8Array));
  const data = new TextEncoder().encode(JSON.stringify({ ...told, version: 1 }));
  writeFileSync(state, writeNpz({ ...rest, meta: { dtype: 'uint8', dims: [data.length], data } }));
  await refuses({ ...short, regime }, false, 'training/checkpoint', /has version 1/);
  await shop.run(short);
  await refuses({ ...short, regime }, true, 'training/checkpoint', /a run without a regime/);
  await assert.rejects(workshop().run({ ...short, regime }, { resume: true }), (e) => Fault.is(e, 'training/no-checkpoint'));
});
