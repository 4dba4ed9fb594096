/** Numbers inside sentences: about three significant digits, as a reader would say them. */
export const number = (x: number): string => {
  const size = Math.abs(x);
  if (size === 0 || !Number.isFinite(x)) return String(x);
  return size >= 1e-4 && size < 1e6 ? String(Number(x.toPrecision(3))) : x.toExponential(1);
};

/** One decimal, more where 0 % or 100 % is near but not reached. */
export const percent = (x: number): string => {
  const short = Number((100 * x).toFixed(1));
  if (x > 0 && x < 5e-5) return 'less than 0.01 %';
  if (short === 0 && x > 0) return `${number(100 * x)} %`;
  if (short === 100 && x < 1) return `${Number((100 * x).toFixed(Math.min(12, Math.ceil(-Math.log10(1 - x)))))} %`;
  return `${short} %`;
};

export const range = ([low, high]: readonly [number, number]): string => `${percent(low)} to ${percent(high)}`;

/** That many rows, in words. */
export const rowCount = (n: number): string => `${n} ${n === 1 ? 'row' : 'rows'}`;

/** A p-value: one below the smallest the draws can show is given as a bound. */
export const pValue = (p: number, draws: number): string =>
  p <= 1 / (draws + 1) + 1e-15 ? `p < ${number(1 / draws)}` : `p = ${number(p)}`;
