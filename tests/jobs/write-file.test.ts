import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeWhole } from '../../src/jobs/write-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-write-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('what a killed process left beside a file goes with the next write; that of a living one, and all else, stays', async () => {
  // A process that has ended, whose number nobody has yet.
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const stays = ['run.state.backup.part', `other.state.${gone}-0a1b2c.part`, `run.state.${process.ppid}-0a1b2c.part`];
  for (const name of [...stays, `run.state.${gone}-0a1b2c.part`]) writeFileSync(join(folder, name), 'half');
  await writeWhole(join(folder, 'run.state'), 'whole');
  assert.deepEqual(readdirSync(folder).toSorted(), [...stays, 'run.state'].toSorted());
  assert.equal(readFileSync(join(folder, 'run.state'), 'utf8'), 'whole');
});
