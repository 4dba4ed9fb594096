import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { generatedFiles } from '../src/manifest/files.ts';

const root = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

for (const [path, text] of generatedFiles(read, (folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }))) {
  test(`${path} is what the registries say`, () => {
    assert.equal(read(path), text, `${path} is stale: run \`npm run manifest\` and commit it`);
  });
}

test('every command of package.json has the category Assay and an activation of its own', () => {
  const { contributes } = JSON.parse(read('package.json')) as {
    contributes: { commands: { command: string; category: string; title: string }[] };
  };
  assert.ok(contributes.commands.length > 5);
  for (const { command, category, title } of contributes.commands) {
    assert.match(command, /^assay\.[a-zA-Z]+$/);
    assert.equal(category, 'Assay');
    assert.match(title, /^%contributes\.commands\.assay\..*%$/);
  }
});
