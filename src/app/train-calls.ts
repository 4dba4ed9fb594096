/** A call should last about this long: short enough to stop at once, long enough that the host costs nothing. */
const callSeconds = { least: 0.2, usual: 0.25, most: 0.5 };
/** Steps of a call, where as many fit in it. */
const callSteps = 20;

/** Calls of equal length, none a mere rest: `few` of what takes so many seconds each are in one, where as many fit. */
const evenly = (seconds: number, left: number, few: number): number => {
  const { least, usual, most } = callSeconds;
  if (seconds === Number.POSITIVE_INFINITY) return 1;
  const longest = Math.max(1, Math.floor(most / seconds));
  const fit = Math.max(Math.floor(usual / seconds), Math.ceil(least / seconds), longest < few ? 1 : few);
  return Math.ceil(left / Math.max(Math.ceil(left / longest), Math.floor(left / fit)));
};

/** Steps of the next call, where one takes so many seconds and so many are left. */
export const stepsOfCall = (seconds: number, left: number): number => evenly(seconds, left, callSteps);
/** Epochs of the next call, alike. */
export const epochsOfCall = (seconds: number, left: number): number => {
  if (left <= 1 || seconds === Number.POSITIVE_INFINITY) return 1;
  return left === Number.POSITIVE_INFINITY ? Math.max(1, Math.floor(callSeconds.usual / seconds)) : evenly(seconds, left, 1);
};

interface Order {
  readonly places: ArrayLike<number>;
  readonly weights?: ArrayLike<number>;
}
/** Steps of a call that are of one epoch, from a place of its order on. */
interface Span {
  readonly epoch: number;
  readonly order: Order;
  readonly at: number;
}
/** So many steps of the epoch under way, or of each of several epochs from its start on, where they are the whole of them. */
export const spansOf = (
  orderOf: (epoch: number) => Order,
  { epoch, position }: { readonly epoch: number; readonly position: number },
  size: number,
  steps: number,
  { most, dropLast }: { readonly most: number; readonly dropLast: boolean },
): readonly Span[] => {
  const whole = ({ places: { length } }: Order): boolean => Math.floor(length / size) === steps && (dropLast || length === steps * size);
  const spans: Span[] = [{ epoch, order: orderOf(epoch), at: position }];
  if (position > 0 || !whole(spans[0].order)) return spans;
  while (spans.length < most) {
    const next = orderOf(epoch + spans.length);
    if (!whole(next)) break;
    spans.push({ epoch: epoch + spans.length, order: next, at: 0 });
  }
  return spans;
};
/** So many rows of each span, one after the other. */
export const joined = (spans: readonly Span[], rows: number): Order => {
  if (spans.length === 1) return spans[0].order;
  const all = (of: (order: Order) => ArrayLike<number> | undefined): Float64Array | undefined => {
    if (!of(spans[0].order)) return undefined;
    const out = new Float64Array(spans.length * rows);
    for (const [s, { order }] of spans.entries()) out.set(stretch(of(order) ?? [], 0, rows), s * rows);
    return out;
  };
  const weights = all((order) => order.weights);
  return { places: all((order) => order.places) ?? [], ...(weights ? { weights } : {}) };
};

/** So many values from a place on. A call of a small model is a matter of microseconds a step, and so is a callback for each row. */
export const stretch = (values: ArrayLike<number>, from: number, count: number): Float64Array => {
  if (values instanceof Float64Array) return values.subarray(from, from + count);
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
