type Span = readonly [low: number, high: number];

/**
 * Interval of a − b from the intervals of two estimates, each distance in quadrature (MOVER: Zou, Donner 2008; of estimates that rise
 * and fall together: Zou 2007, doi:10.1037/1082-989X.12.4.399). Taken for independent where no correlation is known, so that it is too
 * wide, never too narrow, for estimates from the same rows with a positive one.
 */
export const differenceSpan = (a: number, [lowA, highA]: Span, b: number, [lowB, highB]: Span, correlation = 0): Span => {
  const reach = (x: number, y: number): number => Math.sqrt(Math.max(0, x * x + y * y - 2 * correlation * x * y));
  return [a - b - reach(a - lowA, highB - b), a - b + reach(highA - a, b - lowB)];
};
