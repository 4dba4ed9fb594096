import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { localise } from '../../src/manifest/localise.ts';

const root = resolve(import.meta.dirname, '../..');

test('what people read becomes a key; what models read, and ids, stay', () => {
  const { value, words } = localise({
    contributes: {
      commands: [{ command: 'assay.train', title: 'Train…', icon: '$(x)' }],
      views: { assay: [{ id: 'assay.runs', name: 'Runs' }] },
      viewsWelcome: [
        { view: 'assay.runs', contents: 'One' },
        { view: 'assay.runs', contents: 'Two' },
      ],
      configuration: {
        title: 'Assay',
        properties: { 'assay.seed': { type: 'integer', description: 'Seed.', enumDescriptions: ['a', 'b'] } },
      },
      languageModelTools: [
        { name: 'run', displayName: 'Run', modelDescription: 'long', inputSchema: { properties: { a: { description: 'd' } } } },
      ],
    },
  });
  assert.deepEqual(words, {
    'contributes.commands.assay.train.title': 'Train…',
    'contributes.views.assay.assay.runs.name': 'Runs',
    'contributes.viewsWelcome.assay.runs.contents': 'One',
    'contributes.viewsWelcome.assay.runs.contents.2': 'Two',
    'contributes.configuration.title': 'Assay',
    'contributes.configuration.properties.assay.seed.description': 'Seed.',
    'contributes.configuration.properties.assay.seed.enumDescriptions.0': 'a',
    'contributes.configuration.properties.assay.seed.enumDescriptions.1': 'b',
    'contributes.languageModelTools.run.displayName': 'Run',
  });
  const text = JSON.stringify(value);
  assert.ok(text.includes('"command":"assay.train"') && text.includes('"modelDescription":"long"') && text.includes('"description":"d"'));
});

test('every key of package.json is in package.nls.json, and none is there in vain', () => {
  const keys = [...readFileSync(join(root, 'package.json'), 'utf8').matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key);
  const words = JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8')) as Record<string, string>;
  assert.ok(keys.length > 20);
  assert.deepEqual([...new Set(keys)].sort(), Object.keys(words).sort());
});

test('every text of the extension that can be translated is in the bundle', () => {
  const bundle = JSON.parse(readFileSync(join(root, 'media/l10n/bundle.l10n.json'), 'utf8')) as Record<string, string>;
  for (const [english, own] of Object.entries(bundle)) assert.equal(english, own);
  assert.ok(Object.hasOwn(bundle, 'Running a model needs a trusted workspace.'));
});
