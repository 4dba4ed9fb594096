import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { random } from '../../src/base/random.ts';
import { batches } from '../../src/data/batches.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { world } from '../../src/jobs/world.ts';
import { median, round } from './measure.ts';

/** Seconds to read the same numbers from Parquet and from npz, and images a second from a folder of PNG files, by batches of 256. */
export const readerFigures = async (): Promise<Readonly<Record<string, number>>> => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'));
  const ports = await world();
  const signal = new AbortController().signal;
  const [rows, columns, images, side] = [200_000, 10, 400, 128];
  const draw = random(0, 'values');
  try {
    const values = Array.from({ length: columns }, () => Float64Array.from({ length: rows }, () => draw.next()));
    const columnData = values.map((data, c) => ({ name: `prob_${c}`, data, type: 'DOUBLE' as const }));
    writeFileSync(join(folder, 'a.parquet'), new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 50_000 })));
    const arrays = values.map((data, c) => [`prob_${c}`, { dtype: 'float64', dims: [rows], data }] as const);
    writeFileSync(join(folder, 'a.npz'), writeNpz(Object.fromEntries(arrays)));
    mkdirSync(join(folder, 'images/a'), { recursive: true });
    for (let i = 0; i < images; i++) {
      const data = Uint8Array.from({ length: 3 * side * side }, (_, k) => (k >> 4) + 8 * draw.next());
      writeFileSync(join(folder, `images/a/${i}.png`), encode({ width: side, height: side, data, channels: 3, depth: 8 }));
    }
    const read = async (name: string): Promise<number> =>
      (await median(
        async () => {
          const dataset = await ports.dataset(join(folder, name), signal);
          const names = dataset.columns.map((c) => c.name);
          for await (const _ of batches(dataset, names, { size: 256, signal }));
          await dataset.close();
        },
        3,
        1,
      )) / 1000;
    const [parquet, npz, pictures] = [await read('a.parquet'), await read('a.npz'), await read('images')];
    return { rows, columns, parquetSeconds: round(parquet), npzSeconds: round(npz), images, imagesPerSecond: round(images / pictures) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
