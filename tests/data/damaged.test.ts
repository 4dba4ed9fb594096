import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { type Random, random } from '../../src/base/random.ts';
import { openDataset } from '../../src/data/open.ts';
import { memorySource } from '../../src/data/source.ts';

const folder = join(import.meta.dirname, '../fixtures/data');
const files = readdirSync(folder).filter((name) => !name.endsWith('.md') && readFileSync(join(folder, name)).length < 200_000);

/** Cut short, or up to four bytes changed: anywhere, near the start, or near the end. */
const damaged = (bytes: Uint8Array, { below }: Random): Uint8Array => {
  const [kind, size] = [below(4), bytes.length];
  if (kind === 0) return bytes.subarray(0, 1 + below(size - 1));
  const out = Uint8Array.from(bytes);
  const place = (): number => (kind === 1 ? below(size) : kind === 2 ? below(Math.min(200, size)) : size - 1 - below(Math.min(400, size)));
  for (let i = 0; i <= below(4); i++) out[place()] = below(256);
  return out;
};

for (const name of files) {
  test(`${name} damaged in forty ways: read, or refused by a fault, and never at length`, async () => {
    const whole = readFileSync(join(folder, name));
    const draw = random(1, name);
    for (let i = 0; i < 40; i++) {
      const bytes = damaged(whole, draw);
      try {
        const dataset = await openDataset(memorySource(name, bytes), AbortSignal.timeout(5000));
        for (const { name: column } of dataset.columns) await dataset.slice([column], 0, Math.min(dataset.length, 100));
      } catch (error) {
        assert.ok(error instanceof Fault, `${i}: ${error instanceof Error ? error.stack : error}`);
        assert.ok(error.message.includes(name), error.message);
      }
    }
  });
}
