import assert from 'node:assert/strict';
import test from 'node:test';
import { readRecipe } from '../../src/training/recipe.ts';
import { readSpace } from '../../src/training/regimes/search-space.ts';
import { newRecipe, starters } from '../../src/vscode/commands/new-recipe.ts';
import { scripted } from './scripted-host.ts';

test('every starter is a recipe that reads, and names the space that lies beside it', () => {
  for (const { label, recipe, space } of starters()) {
    const read = readRecipe(JSON.stringify({ data: { train: { path: 'd.npz' } }, ...recipe, seed: 0 }), `${label}.train.json`);
    const { regime } = read.extra;
    assert.equal(regime?.part.id === 'supernet', space !== undefined);
    if (space) assert.equal(readSpace(JSON.stringify(space), String(regime?.chosen.space)).blocks.length, 3);
  }
});

test('a recipe is begun from what to train and data, and opened', async () => {
  const written = new Map<string, unknown>();
  const over = {
    writeText: async (path: string, text: string) => void written.set(path, JSON.parse(text)),
    create: async (path: string, text: string) => written.set(path, JSON.parse(text)).size > 0,
  };
  const { host } = scripted(['Architecture search', '/w/r/digits.train.json'], over);
  await newRecipe.run(host, { file: '/w/digits.npz' });
  assert.deepEqual([...written.keys()], ['/w/r/search-space.json', '/w/r/digits.train.json']);
  const recipe = written.get('/w/r/digits.train.json') as { data: unknown; regime: { kind: string } };
  assert.deepEqual(recipe.data, { train: { path: '../digits.npz' } });
  assert.equal(recipe.regime.kind, 'supernet');
  written.clear();
  await newRecipe.run(scripted([null], over).host, {});
  await newRecipe.run(scripted(['NoProp', null], over).host, { file: '/w/digits.npz' });
  assert.equal(written.size, 0);
});
