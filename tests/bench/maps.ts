import { quietJob } from '../../src/base/job.ts';
import { defaults } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import { aupimo } from '../../src/diagnostics/metrics/aupimo.ts';
import { type AupimoChoice, runAupimo } from '../../src/diagnostics/metrics/aupimo-run.ts';
import { addNormal, tailOf } from '../../src/diagnostics/metrics/aupimo-scores.ts';
import type { MapsTool } from '../../src/evidence/maps.ts';
import { median, round } from './measure.ts';

const side = 256;

/** Maps of N(0, 1), the last `anomalous` of them with a defect; made once and given again, so that only the scoring is timed. */
const toolOf = (count: number, anomalous: number): MapsTool => {
  const draw = random(0, 'maps');
  const maps = Array.from({ length: 8 }, () => Float32Array.from({ length: side * side }, () => draw.normal()));
  const mask = Uint8Array.from({ length: side * side }, (_, i) => Number(i % side < 40 && i < 40 * side));
  const empty = new Uint8Array(side * side);
  return {
    name: 'bench',
    notes: [],
    count,
    defects: async () => Float64Array.from({ length: count }, (_, i) => (i >= count - anomalous ? 1600 : 0)),
    async *read(positions) {
      for (const i of positions) yield { row: i, height: side, width: side, map: maps[i % 8], mask: i >= count - anomalous ? mask : empty };
    },
    plain: async () => undefined,
  };
};

/** AUPIMO, AUROC and AUPRO of 400 normal and 100 anomalous maps of 256×256 (the tail of 2.6·10⁷ normal pixels), without a model's time. */
export const mapsFigures = async (): Promise<Readonly<Record<string, number>>> => {
  const [count, anomalous] = [500, 100];
  const tool = toolOf(count, anomalous);
  const chosen = defaults(aupimo.options) as unknown as AupimoChoice;
  const seconds = async (mode: 'exact' | 'reference'): Promise<number> =>
    (await median(() => runAupimo({ open: async () => tool, other: async () => tool }, { ...chosen, mode }, quietJob()), 3, 1)) / 1000;
  const tail = tailOf(count - anomalous, chosen.fprUpper);
  for await (const { map } of tool.read(
    Array.from({ length: count - anomalous }, (_, i) => i),
    'off',
    quietJob().signal,
  ))
    addNormal(tail, map);
  const exact = await seconds('exact');
  return {
    images: count,
    normalPixels: tail.pixels,
    keptScores: tail.scores.length,
    exactSeconds: round(exact),
    referenceSeconds: round(await seconds('reference')),
    megapixelsPerSecond: round((count * side * side) / 1e6 / exact),
  };
};
