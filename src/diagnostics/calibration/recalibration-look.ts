import { type Calibration, calibrate } from '../../base/calibration.ts';
import { temperatureAt } from '../../base/calibration-forms.ts';
import { argmax } from '../../base/maths/argmax.ts';
import type { ScoreTable } from '../../evidence/evidence.ts';
import { widthBinOf } from './bins.ts';
import { type LocalErrors, localErrors } from './local-errors.ts';

/** Counts over bins of equal width, of right and of wrong answers. */
export interface Halves {
  readonly edges: readonly number[];
  readonly right: readonly number[];
  readonly wrong: readonly number[];
}

/** A wrong answer whose label had a fair share of the probability. */
export interface Narrow {
  readonly row: number;
  readonly label: number;
  readonly predicted: number;
  readonly share: number;
  readonly before: number;
  readonly after: number;
}

/** A closer look at the calibrator to keep, on the rows shown. */
export interface Look {
  readonly local?: { readonly before: LocalErrors; readonly after: LocalErrors };
  /** Confidences before and after, and the temperatures of rows that have one each. */
  readonly confidences?: { readonly before: Halves; readonly after: Halves };
  readonly temperatures?: Halves;
  readonly narrow: readonly Narrow[];
  readonly narrows: number;
}

/** Events beyond which local errors are left out: they are sorted in memory. */
const MOST = 2 ** 22;
const BINS = 20;
/** Probability of the label from which on a wrong answer is narrow (card 11). */
const NARROW = 0.3;
const LISTED = 50;

const tally = (bins: number, low: number, high: number) => {
  const [right, wrong] = [new Float64Array(bins), new Float64Array(bins)];
  return {
    add(value: number, hit: boolean): void {
      (hit ? right : wrong)[widthBinOf((value - low) / (high - low), bins)]++;
    },
    halves: (): Halves => ({
      edges: Array.from({ length: bins + 1 }, (_, k) => low + ((high - low) * k) / bins),
      right: [...right],
      wrong: [...wrong],
    }),
  };
};

export const lookAt = (
  parts: readonly ScoreTable[],
  fits: readonly Calibration[],
  none: Calibration,
  { window }: { readonly window: number },
): Look => {
  const { classes } = parts[0];
  const rows = parts.reduce((n, p) => n + p.rows.length, 0);
  const adaptive = fits[0].kind === 'adaptive';
  if (!adaptive && rows * classes > MOST) return { narrow: [], narrows: 0 };
  const labels = new Int32Array(rows);
  const [before, after] = [new Float64Array(rows * classes), new Float64Array(rows * classes)];
  const tau = tally(BINS, 0, fits[0].kind === 'adaptive' ? fits[0].high : 1);
  const [old, now] = [tally(BINS, 0, 1), tally(BINS, 0, 1)];
  const narrow: Narrow[] = [];
  let done = 0;
  for (const [k, { labels: own, logits, features, rows: numbers }] of parts.entries()) {
    const fit = fits[k];
    labels.set(own, done);
    const was = calibrate(none, logits, classes, 0, own.length).probs;
    const is = calibrate(fit, logits, classes, 0, own.length, features).probs;
    before.set(was, done * classes);
    after.set(is, done * classes);
    for (let i = 0; adaptive && i < own.length; i++) {
      const at = i * classes;
      const predicted = argmax(was, at, classes);
      const hit = predicted === own[i];
      old.add(was[at + predicted], hit);
      now.add(is[at + argmax(is, at, classes)], hit);
      if (fit.kind === 'adaptive' && features) tau.add(temperatureAt(fit, features, (i * features.length) / own.length), hit);
      if (!hit && was[at + own[i]] >= NARROW)
        narrow.push({
          row: numbers[i],
          label: own[i],
          predicted,
          share: was[at + own[i]],
          before: was[at + predicted],
          after: is[at + predicted],
        });
    }
    done += own.length;
  }
  const local = rows * classes > MOST ? [] : [before, after].map((probs) => localErrors({ classes, probs, labels }, window));
  return {
    ...(local[0] && local[1] ? { local: { before: local[0], after: local[1] } } : {}),
    ...(adaptive ? { confidences: { before: old.halves(), after: now.halves() }, temperatures: tau.halves() } : {}),
    narrow: narrow.sort((a, b) => a.row - b.row).slice(0, LISTED),
    narrows: narrow.length,
  };
};
