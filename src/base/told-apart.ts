/** The ends of two paths, as long as they must be to differ. */
export const toldApart = (a: string, b: string): readonly [string, string] => {
  const [x, y] = [a, b].map((path) => path.split(/[\\/]/));
  for (let n = 1; n <= Math.max(x.length, y.length); n++) {
    const [left, right] = [x, y].map((parts) => parts.slice(-n).join('/'));
    if (left !== right) return [left, right];
  }
  return [`${x[x.length - 1]} (first)`, `${y[y.length - 1]} (other)`];
};
