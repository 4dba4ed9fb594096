import type { Interval } from '../../report/report.ts';

export const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
/** Mean and its normal interval over samples. */
export const meanWithin = (values: readonly number[]): { readonly value: number; readonly interval?: Interval } => {
  const value = mean(values);
  if (values.length < 5) return { value };
  const error = 1.96 * Math.sqrt(mean(values.map((v) => (v - value) ** 2)) / (values.length - 1));
  return { value, interval: { low: value - error, high: value + error, level: 0.95, method: 'normal, over samples' } };
};
