type Span = readonly [low: number, high: number];

/**
 * Interval of a − b from the intervals of two estimates, each distance in quadrature (MOVER: Zou, Donner 2008). It takes them for
 * independent, so that it is too wide, never too narrow, for estimates from the same rows that rise and fall together.
 */
export const differenceSpan = (a: number, [lowA, highA]: Span, b: number, [lowB, highB]: Span): Span => [
  a - b - Math.hypot(a - lowA, highB - b),
  a - b + Math.hypot(highA - a, b - lowB),
];

/**
 * The same of estimates on the same rows, with the correlation of the two: half widths stand for errors. MOVER sets the near end of one
 * against the far end of the other, which two that move together never reach at once.
 */
export const pairedSpan = (a: number, [lowA, highA]: Span, b: number, [lowB, highB]: Span, correlation: number): Span => {
  const [x, y] = [(highA - lowA) / 2, (highB - lowB) / 2];
  const half = Math.sqrt(Math.max(0, x * x + y * y - 2 * correlation * x * y));
  return [a - b - half, a - b + half];
};
