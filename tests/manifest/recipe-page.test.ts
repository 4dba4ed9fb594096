import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recipePage } from '../../src/manifest/recipe-page.ts';
import { heads } from '../../src/training/heads/index.ts';
import { losses } from '../../src/training/losses/index.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { recipeKeys } from '../../src/training/recipe-keys.ts';
import { regularizers } from '../../src/training/regularizers/index.ts';
import { samplers } from '../../src/training/samplers/index.ts';
import { schedules } from '../../src/training/schedules/index.ts';

const lines = recipePage().split('\n');

test('the page of recipes has every key, and every part with its source and options', () => {
  for (const key of Object.keys(recipeKeys.keys))
    assert.ok(
      lines.some((l) => l.startsWith(`| \`${key}\` |`)),
      key,
    );
  const parts = Object.entries({ loss: losses, optimizer: optimizers, schedule: schedules, head: heads, regularizers, sampler: samplers });
  for (const [key, { id, source, options }] of parts.flatMap(([key, list]) => list.map((part) => [key, part] as const))) {
    const at = lines.indexOf(`### ${id}`, lines.indexOf(`## \`${key}\``));
    assert.ok(at > 0, id);
    assert.equal(lines[at + 2], `Source: ${source}.`);
    const end = [...lines, '#'].findIndex((l, i) => i > at && l.startsWith('#'));
    for (const name of Object.keys(options))
      assert.ok(
        lines.slice(at, end).some((l) => l.startsWith(`| \`${name}\` |`)),
        `${id}.${name}`,
      );
  }
});

test('nested keys stand by their path, and every row of a table has three cells', () => {
  for (const path of [
    'batch.accumulate',
    'data.train.preprocess.scale',
    'optimizer.groups[].lrScale',
    'earlyStop.patience',
    'augment.mixup',
  ])
    assert.ok(
      lines.some((l) => l.startsWith(`| \`${path}\` |`)),
      path,
    );
  for (const line of lines.filter((l) => l.startsWith('|'))) assert.equal(line.split(/(?<!\\)\|/).length, 5, line);
});
