import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { train } from '../../src/app/train.ts';
import { Fault } from '../../src/base/fault.ts';
import type { Live } from '../../src/report/tasks.ts';
import { digitsData, workshop } from './workshop.ts';

const recipe = {
  arch: { kind: 'mlp', hidden: '16' },
  data: digitsData,
  loss: 'cross-entropy',
  optimizer: { kind: 'sgd', lr: 0.05, momentum: 0.9 },
  batch: 32,
  epochs: 4,
};

test('a disk that fills up on the way is said at once; the checkpoint of before stays, and the run goes on from it', async () => {
  const shop = workshop();
  const events: Live[] = [];
  let writes = 0;
  // The first checkpoint (model and state) is written; those after it find the disk full.
  await assert.rejects(
    shop.run(recipe, {
      live: (e) => void events.push(e),
      steer: () => (events.some((e) => e.kind === 'steps') ? 'pause' : 'run'),
      use: (ask, ports, job) =>
        train(
          ask,
          {
            ...ports,
            async write(path, bytes) {
              if (++writes <= 2) return ports.write(path, bytes);

              throw new Fault('file/unwritable', { path, reason: 'the disk is full' });
            },
          },
          job,
        ),
    }),
    (e) => Fault.is(e, 'file/unwritable') && e.message.includes('the disk is full') && e.message.includes('out.checkpoint'),
  );
  assert.ok(!existsSync(shop.at('out.onnx')));
  assert.equal(events.filter((e) => e.kind === 'epoch').length, 0, 'no step is made after it');
  const again = await shop.run(recipe, { resume: true });
  const whole = await workshop().run(recipe);
  assert.deepEqual(readFileSync(again.out), readFileSync(whole.out));
});
