import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { architectures } from '../../src/training/architectures/index.ts';
import { batchSchedules } from '../../src/training/batch-schedules/index.ts';
import { biasInits } from '../../src/training/bias-inits/index.ts';
import { heads } from '../../src/training/heads/index.ts';
import { lossScalings } from '../../src/training/loss-scalings/index.ts';
import { losses } from '../../src/training/losses/index.ts';
import { monitors } from '../../src/training/monitors/index.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { regimes } from '../../src/training/regimes/index.ts';
import { regularizers } from '../../src/training/regularizers/index.ts';
import { samplers } from '../../src/training/samplers/index.ts';
import { schedules } from '../../src/training/schedules/index.ts';
import { targets } from '../../src/training/targets/index.ts';

/** Files that hold no part of their own. */
const beside = [
  'index.ts',
  'standardised.ts',
  'softplus.ts',
  'category-tree.ts',
  'selection-loss.ts',
  'layers.ts',
  'unit-rows.ts',
  'stage-plan.ts',
  'pairs.ts',
  'boosting.ts',
  'boosted-prefix.ts',
  'boosting-units.ts',
  'drawn-net.ts',
  'noprop-levels.ts',
  'search-space.ts',
  'supernet-paths.ts',
  'noprop-blocks.ts',
  'projecting.ts',
  'per-weight.ts',
  'transformer.ts',
  'turns.ts',
  'alignment.ts',
];

const registries = {
  architectures,
  'batch-schedules': batchSchedules,
  'bias-inits': biasInits,
  heads,
  'loss-scalings': lossScalings,
  losses,
  monitors,
  optimizers,
  regimes,
  regularizers,
  samplers,
  schedules,
  targets,
};

for (const [folder, parts] of Object.entries(registries)) {
  test(`every file of training/${folder} is a part in its index, and the other way round`, () => {
    const files = readdirSync(fileURLToPath(new URL(`../../src/training/${folder}/`, import.meta.url))).filter((f) => !beside.includes(f));
    assert.deepEqual(parts.map((p) => `${p.id}.ts`).toSorted(), files.toSorted());
    for (const { id, source, options } of parts) {
      assert.ok(source.length > 0, `${id} has no source`);
      for (const [name, o] of Object.entries(options)) {
        assert.ok(o.help.endsWith('.'), `${id}.${name}: help is a sentence`);
        if (o.kind === 'int' || o.kind === 'real') assert.ok(o.default >= o.min && o.default <= o.max, `${id}.${name}: default in bounds`);
      }
    }
  });
}
