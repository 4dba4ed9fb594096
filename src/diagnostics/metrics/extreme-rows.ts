/** A row and the number it is remembered for. */
export interface Extreme {
  readonly score: number;
  readonly row: number;
}

/** Keeps the lowest (sign 1) or highest (sign −1), ties by row number, so that neither order nor sharding of the data matters. */
export const keepExtreme = <T extends Extreme>(kept: T[], one: T, sign: 1 | -1, most: number): void => {
  const before = (a: T, b: T): boolean => sign * (a.score - b.score) < 0 || (a.score === b.score && a.row < b.row);
  if (kept.length === most && !before(one, kept[most - 1])) return;
  let at = kept.length;
  while (at > 0 && before(one, kept[at - 1])) at--;
  kept.splice(at, 0, one);
  if (kept.length > most) kept.pop();
};
