import { choose } from '../base/option.ts';
import { overlayScales } from '../base/overlay-scale.ts';
import { random } from '../base/random.ts';
import { attributeRows } from '../diagnostics/attribution/attributed-rows.ts';
import { attributionOptions } from '../diagnostics/attribution/options.ts';
import { mapOf, shrink } from '../diagnostics/attribution/overlay.ts';
import type { Saliency } from '../diagnostics/attribution/saliency-result.ts';
import type { Bound } from '../evidence/bound.ts';
import type { AttributionMap } from '../report/data-view.ts';
import { withSubject } from './kept-subjects.ts';
import type { UseCase } from './ports.ts';

/** Longest side of a map in a grid of rows, and most values of one that is no picture. */
const SIDE = 48;
const VALUES = 512;

/** Position of a row of the file in the split, whose rows ascend. */
const positionOf = ({ count, rowAt }: Bound, row: number): number | undefined => {
  let [low, high] = [0, count - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = rowAt(middle);
    if (found === row) return middle;
    if (found < row) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
};

const mapAt = (s: Saliency, i: number): { readonly width: number; readonly height: number; readonly values: Float64Array } => {
  const { found, pictures, rows } = s;
  if (pictures && found.grid?.kind !== 'units') {
    const map = mapOf(found, i, rows.length, pictures.axes);
    return shrink(map.values, map, SIDE);
  }
  const size = found.values.length / rows.length;
  const values = Float64Array.from(found.values.subarray(i * size, i * size + Math.min(size, VALUES)));
  return { width: values.length, height: 1, values };
};

/** Small attributions of some rows to the class each is predicted to be of. The model stays open for the next ones. */
export const attributionMaps: UseCase<'attributionMaps'> = async (ask, ports, job): Promise<readonly AttributionMap[]> => {
  const chosen = choose("'saliency'", attributionOptions, { method: ask.method });
  const own = { ...job, random: (name: string) => random(ask.seed, name) };
  return withSubject(ask, ports, own, async ({ open, subject, samples, gradient }) => {
    const positions = ask.rows.flatMap((row) => positionOf(open.bound, row) ?? []);
    if (positions.length === 0) return [];
    const asked = { ...chosen, target: 'predicted' as const, class: '' };
    const { rows: s } = await attributeRows({ gradient: gradient.tool, samples: samples.tool }, positions, asked, subject, own, SIDE);
    return positions.map((_, i): AttributionMap => {
      const { width, height, values } = mapAt(s, i);
      return { row: s.rows[i], width, height, values: Float32Array.from(values), scale: overlayScales(values)(chosen.outliers) };
    });
  });
};
