import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diagnose } from '../../src/app/diagnose.ts';
import { quietJob } from '../../src/base/job.ts';
import { random } from '../../src/base/random.ts';
import { batches } from '../../src/data/batches.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { world } from '../../src/jobs/world.ts';
import { toJson } from '../../src/report/json.ts';
import { median, round } from './measure.ts';

/** Probabilities of `rows` × `classes`, the label's logit raised by `skill`, as an `.npz` of float32. */
const tableOf = (rows: number, classes: number, skill: number, seed: number): Uint8Array => {
  const chance = random(seed, 'predictions');
  const labels = random(1, 'labels');
  const probs = new Float32Array(rows * classes);
  const y = new Int32Array(rows);
  for (let r = 0; r < rows; r++) {
    y[r] = labels.below(classes);
    let sum = 0;
    for (let k = 0; k < classes; k++) {
      // Gumbel noise: cheap, and as heavy-tailed as logits are.
      const e = Math.exp((k === y[r] ? skill : 0) - Math.log(1e-9 - Math.log(1e-9 + chance.next())));
      probs[r * classes + k] = e;
      sum += e;
    }
    for (let k = 0; k < classes; k++) probs[r * classes + k] /= sum;
  }
  return writeNpz({ probs: { dtype: 'float32', dims: [rows, classes], data: probs }, y: { dtype: 'int32', dims: [rows], data: y } });
};

/** Seconds of a run of each diagnostic on tables of predictions, and of reading the same file and nothing else. */
export const metricsFigures = async (): Promise<readonly Readonly<Record<string, number | string>>[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'));
  const ports = await world();
  const signal = new AbortController().signal;
  const seconds = async (call: () => Promise<unknown>): Promise<number> => (await median(call, 3, 1)) / 1000;
  try {
    const found: Record<string, number | string>[] = [];
    for (const [rows, classes] of [
      [1_000_000, 10],
      [100_000, 1000],
    ] as const) {
      const [path, other] = ['a.npz', 'b.npz'].map((name) => join(folder, name));
      writeFileSync(path, tableOf(rows, classes, 2, 2));
      const read = await seconds(async () => {
        const dataset = await ports.dataset(path, signal);
        for await (const _ of batches(dataset, ['probs', 'y'], { size: Math.floor(2 ** 19 / classes), signal }));
        await dataset.close();
      });
      const run = async (id: string, more: object = {}) => {
        let report = '';
        const took = await seconds(async () => {
          const request = { id, data: { path }, options: {}, device: 'cpu', seed: 0, ...more } as const;
          report = toJson(await diagnose(request, ports, { ...quietJob(), live: () => {} }));
        });
        found.push({
          id,
          rows,
          classes,
          reading: round(read),
          seconds: round(took),
          beyondReading: round(took - read),
          jsonBytes: report.length,
        });
      };
      await run('confusion-matrix');
      if (classes > 100) {
        await run('confusion-matrix', { options: { drawn: 1000 } });
        continue;
      }
      writeFileSync(other, tableOf(rows, classes, 1.9, 3));
      await run('compare-models', { against: { data: { path: other } } });
      await run('ranking-metrics', { options: { positive: '1' } });
    }
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
