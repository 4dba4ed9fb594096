/** Row-major steps of a shape. */
export const stridesOf = (dims: readonly number[]): number[] => {
  const out = dims.map(() => 1);
  for (let i = dims.length - 2; i >= 0; i--) out[i] = out[i + 1] * dims[i + 1];
  return out;
};

/** Offsets of the elements of `dims` in row-major order, walking with `steps`. */
export const indicesOf = (dims: readonly number[], steps: readonly number[]): number[] => {
  let out = [0];
  dims.forEach((d, axis) => {
    const next: number[] = [];
    for (const base of out) for (let i = 0; i < d; i++) next.push(base + i * steps[axis]);
    out = next;
  });
  return out;
};
