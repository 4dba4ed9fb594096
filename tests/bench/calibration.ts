import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { random } from '../../src/base/random.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { round } from './measure.ts';

const CLASSES = 10;

/** Overconfident probabilities of ten classes and labels drawn from softer ones. */
const predictions = (rows: number): { readonly probs: Float32Array; readonly y: Int32Array } => {
  const r = random(1, 'bench');
  const probs = new Float32Array(rows * CLASSES);
  const y = new Int32Array(rows);
  const z = new Float64Array(CLASSES);
  for (let i = 0; i < rows; i++) {
    let [sum, soft] = [0, 0];
    for (let j = 0; j < CLASSES; j++) {
      z[j] = 2 * r.normal();
      sum += Math.exp(1.4 * z[j]);
      soft += Math.exp(z[j]);
    }
    let left = r.next() * soft;
    y[i] = CLASSES - 1;
    for (let j = 0; j < CLASSES; j++) {
      probs[i * CLASSES + j] = Math.exp(1.4 * z[j]) / sum;
      left -= Math.exp(z[j]);
      if (left < 0 && y[i] === CLASSES - 1) y[i] = j;
    }
  }
  return { probs, y };
};

const npz = (path: string, rows: number): string => {
  const { probs, y } = predictions(rows);
  writeFileSync(
    path,
    writeNpz({ probs: { dtype: 'float32', dims: [rows, CLASSES], data: probs }, y: { dtype: 'int32', dims: [rows], data: y } }),
  );
  return path;
};

const csv = async (path: string, rows: number): Promise<string> => {
  const { probs, y } = predictions(rows);
  const out = createWriteStream(path);
  out.write(`label,${Array.from({ length: CLASSES }, (_, j) => `prob_${j}`).join(',')}\n`);
  for (let from = 0; from < rows; from += 10_000) {
    let text = '';
    for (let i = from; i < Math.min(rows, from + 10_000); i++)
      text += `${y[i]},${Array.from(probs.subarray(i * CLASSES, (i + 1) * CLASSES), (p) => p.toPrecision(7)).join(',')}\n`;
    if (!out.write(text)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
  return path;
};

interface Figures {
  readonly readSeconds: number;
  readonly reportSeconds: number;
  readonly peakBytes: number;
}

const measured = (path: string): Figures =>
  JSON.parse(
    execFileSync(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'calibration/entry.ts'), path], { encoding: 'utf8' }),
  ) as Figures;

/** The whole reliability report of a table of 1 M rows and ten classes, default draws: seconds beyond reading it, and bytes a row. */
export const calibrationFigures = async (): Promise<Readonly<Record<string, number>>> => {
  const home = mkdtempSync(join(tmpdir(), 'assay-bench-'));
  try {
    const rows = 1_000_000;
    const fromNpz = measured(npz(join(home, 'one.npz'), rows));
    const fromCsv = measured(await csv(join(home, 'one.csv'), rows));
    const three = measured(npz(join(home, 'three.npz'), 3 * rows));
    return {
      npzReadSeconds: round(fromNpz.readSeconds),
      npzBeyondReadingSeconds: round(fromNpz.reportSeconds - fromNpz.readSeconds),
      csvReadSeconds: round(fromCsv.readSeconds),
      csvBeyondReadingSeconds: round(fromCsv.reportSeconds - fromCsv.readSeconds),
      npzPeakMegabytes: round(fromNpz.peakBytes / 1e6),
      // What grows with the rows: confidences, 8 bytes each.
      bytesPerRow: round((three.peakBytes - fromNpz.peakBytes) / (2 * rows)),
    };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
};
