import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { world } from '../../src/jobs/world.ts';

test('the hash of a folder changes with names, contents and places, and with nothing else', async () => {
  const { sha256 } = await world();
  const root = mkdtempSync(join(tmpdir(), 'assay-sha-'));
  try {
    mkdirSync(join(root, 'a'));
    mkdirSync(join(root, 'b'));
    writeFileSync(join(root, 'a/1.png'), 'one');
    writeFileSync(join(root, 'b/2.png'), 'two');
    const first = await sha256(root);
    assert.match(first, /^[0-9a-f]{64}$/);
    assert.equal(await sha256(`${root}/`), first);
    writeFileSync(join(root, 'a/1.png'), 'one');
    writeFileSync(join(root, '.hidden'), 'x');
    assert.equal(await sha256(root), first);
    renameSync(join(root, 'a/1.png'), join(root, 'b/1.png'));
    const moved = await sha256(root);
    writeFileSync(join(root, 'b/1.png'), 'eno');
    const changed = await sha256(root);
    assert.equal(new Set([first, moved, changed]).size, 3);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
