import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import type { TrainEpoch } from '../../src/report/tasks.ts';
import { digitsData, workshop } from './workshop.ts';

const base = { arch: { kind: 'mlp', hidden: '16' }, data: digitsData, loss: 'cross-entropy', optimizer: 'adam', batch: 32, epochs: 2 };

test('every epoch tells calibration and confusion of the validation rows, live and in the report', async () => {
  const epochs: TrainEpoch[] = [];
  const { report } = await workshop().run(
    { ...base, diagnose: ['reliability', 'confusion-matrix'] },
    { live: (event) => event.kind === 'epoch' && epochs.push(event) },
  );
  assert.equal(epochs.length, 2);
  for (const { diagnosed = {}, validationAccuracy = 0, cards = [] } of epochs) {
    assert.ok(Math.abs(diagnosed['confusion-matrix/accuracy'] - validationAccuracy) < 1e-12);
    assert.ok(diagnosed['reliability/ece'] > 0 && diagnosed['reliability/ece'] < 1);
    assert.ok(cards.some((c) => c.kind === 'heatmap'));
  }
  const titles = report.cards.map((c) => c.title);
  assert.ok(titles.includes('Validation rows by epoch: reliability') && titles.includes('Validation rows by epoch: confusion matrix'));
  assert.ok(report.cards.some((c) => c.kind === 'heatmap'));
});

test('a diagnostic that is not known, or has no rows to look at, is refused', async () => {
  await assert.rejects(
    workshop().run({ ...base, diagnose: ['reliabilty'] }),
    (e) => Fault.is(e, 'id/unknown') && e.message.includes("'reliability'"),
  );
  await assert.rejects(workshop().run({ ...base, diagnose: ['reliability'], split: { val: 0 } }), (e) =>
    Fault.is(e, 'training/no-validation'),
  );
});
