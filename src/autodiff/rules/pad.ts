import { intsOf, stringOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Back, Rule, Site } from '../rule.ts';
import { dimsOf, given, positive, rankOf, reshapeLike, sizeAt } from '../shapes.ts';

/** Row numbers that each row of the padded axis reads, computed in the graph: reflect, edge or wrap of begin, n, end. */
const sources = (emit: Emit, mode: string, x: string, axis: number, begin: string, end: string): string => {
  const zero = emit.scalar(0, 'int64');
  const one = emit.scalar(1, 'int64');
  const n = emit.Squeeze(sizeAt(emit, x, axis), emit.ints([0]));
  const rows = emit.Range(emit.Neg(begin), emit.Add(n, end), one);
  if (mode === 'edge') return emit.Min(emit.Max(rows, zero), emit.Sub(n, one));
  if (mode === 'wrap') return emit.call('Mod', [rows, n]);
  const last = emit.Sub(n, one);
  const period = emit.Max(emit.Mul(last, emit.scalar(2, 'int64')), one);
  const folded = emit.call('Mod', [rows, period]);
  return emit.Min(folded, emit.Sub(period, folded));
};

/** Modes other than constant: a Gather along each padded axis. */
const gathered = (emit: Emit, { x: [x, pads, , axes], node }: Site): string => {
  const mode = stringOf(node, 'mode', 'constant');
  const rank = rankOf(emit, x) ?? 0;
  const [list, amounts] = [axes ? given(emit, axes) : undefined, given(emit, pads)];
  const along = list ?? Array.from({ length: rank }, (_, i) => i);
  const amount = (i: number): string => emit.Squeeze(emit.Gather(pads, emit.ints([i])), emit.ints([0]));
  return along.reduce((out, a, i) => {
    if (amounts && amounts[i] === 0 && amounts[i + along.length] === 0) return out;
    const axis = positive(a, rank);
    return emit.Gather(out, sources(emit, mode, out, axis, amount(i), amount(i + along.length)), { axis });
  }, x);
};

export const padding = (emit: Emit, x: string, pads: readonly number[]): string =>
  pads.every((p) => p === 0) ? x : emit.Pad(x, emit.ints(pads));

/** Padding with a value is undone by padding with the negative amounts, which crops. */
const crop: Back = (emit, g, { x: [, pads, , axes] }) => {
  const amounts = given(emit, pads);
  return emit.Pad(g, amounts ? emit.ints(amounts.map((p) => 0 - p)) : emit.Neg(pads), '', axes ?? '');
};
const everything = (emit: Emit, x: string): string => emit.ReduceSum(x, { keepdims: 0 });
/** The value is what was added: everything, less what is left after cropping. */
const value: Back = (emit, g, site) => reshapeLike(emit, emit.Sub(everything(emit, g), everything(emit, crop(emit, g, site))), site.x[2]);

export const pad = (node: Node): Rule =>
  stringOf(node, 'mode', 'constant') === 'constant' ? { back: [crop, null, value, null] } : { as: (emit, site) => [gathered(emit, site)] };

/** Crops or pads each axis about its middle; the odd element goes behind. */
export const centerCropPad: Rule = {
  as: (emit, { node, x: [x, shape] }) => {
    const along = intsOf(node, 'axes');
    const rank = rankOf(emit, x);
    const dims = dimsOf(emit, x);
    const axes = along?.map((a) => (rank === undefined ? a : positive(a, rank))) ?? dims?.map((_, i) => i);
    const wanted = given(emit, shape);
    const more = axes?.map((a, i) => Number(wanted?.[i]) - Number(dims?.[a]));
    if (!axes || !more || more.some(Number.isNaN)) {
      const sizes = along ? emit.Gather(emit.Shape(x), emit.ints(along), { axis: 0 }) : emit.Shape(x);
      const amounts = emit.Sub(shape, sizes);
      const first = emit.Div(amounts, emit.scalar(2, 'int64'));
      return [emit.Pad(x, emit.Concat(first, emit.Sub(amounts, first), { axis: 0 }), '', along ? emit.ints(along) : '')];
    }
    // Both halves round down in size: cropping drops floor(c/2) in front, padding adds floor(p/2).
    const front = more.map((m) => Math.sign(m) * Math.floor(Math.abs(m) / 2) + 0);
    return [emit.Pad(x, emit.ints([...front, ...more.map((m, i) => m - front[i])]), '', emit.ints(axes))];
  },
};
