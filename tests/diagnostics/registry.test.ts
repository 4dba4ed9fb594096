import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { choose, defaults } from '../../src/base/option.ts';
import { diagnostics } from '../../src/diagnostics/index.ts';

const room = new URL('../../src/diagnostics/', import.meta.url);
const source = (path: string): URL => new URL(path, room);

test('folder = index = ids = file names', async () => {
  const found = new Map<string, string>();
  for (const family of readdirSync(room, { withFileTypes: true }).filter((e) => e.isDirectory()))
    for (const file of readdirSync(source(`${family.name}/`))) {
      const exported = Object.values(await import(source(`${family.name}/${file}`).href)) as {
        shape?: unknown;
        id?: string;
        family?: string;
      }[];
      for (const d of exported)
        if (d?.shape === 'fold' || d?.shape === 'study') {
          assert.equal(`${d.id}.ts`, file, `the id of ${family.name}/${file} must be its file name`);
          assert.equal(d.family, family.name, `${file} lies in ${family.name} but says it is of family ${d.family}`);
          found.set(d.id ?? '', file);
        }
    }
  assert.deepEqual(
    diagnostics.map((d) => d.id).sort(),
    [...found.keys()].sort(),
    'add the missing diagnostic to src/diagnostics/index.ts, or export it from <family>/<id>.ts',
  );
  assert.equal(new Set(diagnostics.map((d) => d.id)).size, diagnostics.length);
});

test('every default is accepted by its own option, every text says something', () => {
  for (const d of diagnostics) {
    assert.deepEqual(choose(d.id, d.options, defaults(d.options)), defaults(d.options));
    assert.match(d.id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.ok(d.question.endsWith('?') && d.title.length > 0 && d.source.length > 0, d.id);
    for (const o of Object.values(d.options)) assert.ok(o.help.endsWith('.'), `${d.id}: '${o.help}'`);
  }
});
