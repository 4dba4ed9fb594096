import type { Picture } from '../../report/report.ts';
import type { AttributedSamples } from './attribute.ts';

/** Samples attributed, with what is known of them. */
export interface Saliency {
  readonly rows: readonly number[];
  readonly found: AttributedSamples;
  readonly targets: Int32Array;
  readonly predicted: Int32Array;
  readonly labels?: Int32Array;
  readonly pictures?: { readonly pictures: readonly Picture[]; readonly range: readonly [number, number] };
}

/** Above this relative gap a path integral is not yet trusted. */
export const INCOMPLETE = 0.05;

/** Inputs with the largest mean |a|, in falling order. */
export const strongest = (s: Saliency): { readonly input: number; readonly size: number; readonly mean: number }[] => {
  const n = s.rows.length;
  const d = s.found.values.length / n;
  return Array.from({ length: d }, (_, input) => {
    let [size, mean] = [0, 0];
    for (let b = 0; b < n; b++) {
      size += Math.abs(s.found.values[b * d + input]) / n;
      mean += s.found.values[b * d + input] / n;
    }
    return { input, size, mean };
  }).sort((a, b) => b.size - a.size || a.input - b.input);
};
