/** A call should last about this long: short enough to stop at once, long enough that the host costs nothing. */
const callSeconds = { least: 0.2, usual: 0.25, most: 0.5 };
/** Steps of a call, where as many fit in it. */
const callSteps = 20;

/** Steps of the next call, where one takes so many seconds and so many are left: calls of equal length, none a mere rest. */
export const stepsOfCall = (seconds: number, left: number): number => {
  const { least, usual, most } = callSeconds;
  if (seconds === Number.POSITIVE_INFINITY) return 1;
  const longest = Math.max(1, Math.floor(most / seconds));
  const fit = Math.max(Math.floor(usual / seconds), Math.ceil(least / seconds), longest < callSteps ? 1 : callSteps);
  return Math.ceil(left / Math.max(Math.ceil(left / longest), Math.floor(left / fit)));
};

/** So many values from a place on. A call of a small model is a matter of microseconds a step, and so is a callback for each row. */
export const stretch = (values: ArrayLike<number>, from: number, count: number): Float64Array => {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = values[from + i];
  return out;
};
/** The values at these places. */
export const taken = (values: ArrayLike<number>, places: ArrayLike<number>): Float64Array => {
  const out = new Float64Array(places.length);
  for (let i = 0; i < out.length; i++) out[i] = values[places[i]];
  return out;
};
