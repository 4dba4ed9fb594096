/** Median of `runs` timed calls after `warmup` others, in milliseconds. */
export const median = async (call: () => Promise<unknown>, runs = 15, warmup = 3): Promise<number> => {
  const times: number[] = [];
  for (let i = -warmup; i < runs; i++) {
    const from = performance.now();
    await call();
    if (i >= 0) times.push(performance.now() - from);
  }
  return times.sort((a, b) => a - b)[runs >> 1];
};

export const round = (x: number, digits = 3): number => Number(x.toPrecision(digits));
