import type { Subject } from '../../evidence/evidence.ts';
import type { Card } from '../../report/report.ts';
import { factLine, nameOf, type Saliency } from './saliency-result.ts';

/** Rows [channels, places] of a signal, as the model takes them. */
export interface Signals {
  readonly channels: number;
  readonly places: number;
  /** [rows, channels, places] */
  readonly x: Float32Array;
}

/** [C, L] with few channels is a signal, where it is no picture. */
export const signalsOf = (dims: readonly number[], x: Float32Array): Signals | undefined =>
  dims.length === 2 && dims[1] > 1 ? { channels: dims[0], places: dims[1], x } : undefined;

/** One value per place of a row [channels, places]: channels summed. */
export const alongSignal = (values: Float64Array, places: number): Float64Array => {
  const sums = new Float64Array(places);
  for (let k = 0; k < values.length; k++) sums[k % places] += values[k];
  return sums;
};

/** Samples drawn as curves. */
const DRAWN = 6;

/** One curve per sample: its channels and, beside them, the attribution of each place, each scaled to its own largest size. */
export const signalCards = (
  s: Saliency,
  { channels, places, x }: Signals,
  subject: Pick<Subject, 'classes' | 'modelName' | 'ran'>,
): Card[] => {
  const n = s.rows.length;
  const width = s.found.values.length / n;
  const scaled = (values: ArrayLike<number>): (readonly [number, number])[] => {
    const most = Math.max(...Array.from(values, Math.abs), 1e-300);
    return Array.from(values, (v, k) => [k, v / most] as const);
  };
  return s.rows.slice(0, DRAWN).map((row, b): Card => {
    const attribution = alongSignal(s.found.values.subarray(b * width, (b + 1) * width), places);
    const channel = (c: number): Float32Array => x.subarray((b * channels + c) * places, (b * channels + c + 1) * places);
    return {
      kind: 'curve',
      title: subject.classes.length > 1 ? `row ${row}, predicted ${nameOf(s.predicted[b], subject)}` : `row ${row}`,
      caption: `Signal and attribution (channels summed), each as a share of its own largest size; above 0 speaks for the class. ${factLine(s, [b], subject)}`,
      x: { label: 'Place', unit: 'count', min: 0, max: places - 1 },
      y: { label: 'Share of the largest', unit: 'none', min: -1, max: 1 },
      lines: [
        ...Array.from({ length: Math.min(channels, 3) }, (_, c) => ({
          name: channels === 1 ? 'Signal' : `Signal, channel ${c}`,
          points: scaled(channel(c)),
        })),
        { name: 'Attribution', points: scaled(attribution), shape: 'step' as const },
      ],
    };
  });
};
