import { intOf } from '../../graph/attribute.ts';
import { onesLike } from '../shapes.ts';
import type { Found, Run } from './recurrent-site.ts';
import { affine, recur, repeated, rest, rows, shifted } from './recurrent-steps.ts';

/** y = f(x·Wᵀ + s·Rᵀ + b). */
export const rnn = (run: Run): Found => {
  const { emit, within, back, mask, clip } = run;
  const [f] = run.activations;
  const before = shifted(run, run.y, run.h0, false);
  const pre = affine(run, run.w, run.r, run.biases ?? [], before, 1);
  const y = f(emit, clip(emit, pre));
  const slope = within.pull(emit, new Map([[y, onesLike(emit, y)]]), new Set([pre])).get(pre) ?? '';
  const [h0, d] = recur(emit, {
    states: [run.gh],
    along: [mask ? emit.Mul(mask, slope) : slope, ...(run.gy ? [run.gy] : []), ...(mask ? [rest(emit, mask)] : [])],
    back: !back,
    step: (at, [carried], [k, ...more]) => {
      const dp = at.Mul(run.gy ? at.Add(carried, more[0]) : carried, k);
      const down = at.MatMul(dp, run.r);
      return { next: [mask ? at.Add(down, at.Mul(more[more.length - 1], carried)) : down], give: [dp] };
    },
  });
  return { fromInput: d, fromState: d, r: () => emit.Gemm(rows(emit, d), rows(emit, before), { transA: 1 }), h0 };
};

/**
 * GRU, gates in the order z, r, and the candidate q: y = (1 − z)⊙q + z⊙s, s the state before. With δ the cotangent of y in a step
 * those of the gates' arguments are products of δ with what is known for all steps beforehand, but for r where it acts on s
 * itself: there the candidate's cotangent first passes its weights.
 */
export const gru = (run: Run): Found => {
  const { emit, within, node, back, mask, hidden, clip } = run;
  const [gate, squash] = run.activations;
  const linear = intOf(node, 'linear_before_reset', 0) === 1;
  const s = shifted(run, run.y, run.h0, false);
  const cut = emit.ints([2 * hidden, hidden]);
  const split = (v: string, axis = 0): string[] => emit.calls('Split', [v, cut], 2, { axis });
  const [[wg, wq], [rg, rq]] = [split(run.w), split(run.r)];
  const [bw, br] = (run.biases ?? []).map((b) => split(b));
  const some = (...biases: (string | undefined)[]): string[] => biases.filter((b) => b !== undefined);

  const args = affine(run, wg, rg, some(bw?.[0], br?.[0]), s, 2);
  const [z, r] = emit.calls('Split', [gate(emit, clip(emit, args))], 2, { axis: -1, num_outputs: 2 });
  const own = linear ? affine({ ...run, x: s }, rq, '', some(br?.[1]), '', 1) : '';
  const reset = emit.Mul(r, s);
  const arg = linear
    ? emit.Add(affine(run, wq, '', some(bw?.[1]), '', 1), emit.Mul(r, own))
    : affine(run, wq, rq, some(bw?.[1], br?.[1]), reset, 1);
  const q = squash(emit, clip(emit, arg));
  const masked = (v: string): string => (mask ? emit.Mul(mask, v) : v);
  const kq = masked(within.pull(emit, new Map([[q, rest(emit, z)]]), new Set([arg])).get(arg) ?? '');
  const slopes = within.pull(
    emit,
    new Map([
      [z, masked(emit.Sub(s, q))],
      [r, linear ? emit.Mul(kq, own) : s],
    ]),
    new Set([args]),
  );
  const kg = slopes.get(args) ?? '';
  const [, kr] = emit.calls('Split', [kg], 2, { axis: -1, num_outputs: 2 });
  const stay = mask ? [rest(emit, mask)] : [];
  const given = [...(run.gy ? [run.gy] : []), ...stay];
  const arrived = (at: typeof emit, carried: string, more: readonly string[]): string => (run.gy ? at.Add(carried, more[0]) : carried);
  const held = (at: typeof emit, down: string, carried: string, more: readonly string[]): string =>
    mask ? at.Add(down, at.Mul(more[more.length - 1], carried)) : down;
  const weights = (d: string, from: string): string => emit.Gemm(rows(emit, d), rows(emit, from), { transA: 1 });

  if (linear) {
    const k = emit.Concat(kg, emit.Mul(kq, r), { axis: -1 });
    const [h0, d] = recur(emit, {
      states: [run.gh],
      along: [k, masked(z), ...given],
      back: !back,
      step: (at, [carried], [slope, pass, ...more]) => {
        const dh = arrived(at, carried, more);
        const down = at.MatMul(at.Mul(repeated(at, dh, 3), slope), run.r);
        return { next: [held(at, at.Add(at.Mul(dh, pass), down), carried, more)], give: [dh] };
      },
    });
    const times = (slope: string): string => emit.Mul(repeated(emit, d, 3), slope);
    const fromState = times(k);
    return { fromInput: times(emit.Concat(kg, kq, { axis: -1 })), fromState, r: () => weights(fromState, s), h0 };
  }
  const kz = emit.calls('Split', [kg], 2, { axis: -1, num_outputs: 2 })[0];
  const [h0, d] = recur(emit, {
    states: [run.gh],
    along: [kz, kr, kq, masked(z), r, ...given],
    back: !back,
    step: (at, [carried], [slopeZ, slopeR, slopeQ, pass, open, ...more]) => {
      const dh = arrived(at, carried, more);
      const dq = at.Mul(dh, slopeQ);
      const ds = at.MatMul(dq, rq);
      const dg = at.Concat(at.Mul(dh, slopeZ), at.Mul(ds, slopeR), { axis: -1 });
      const down = at.Add(at.MatMul(dg, rg), at.Add(at.Mul(dh, pass), at.Mul(ds, open)));
      return { next: [held(at, down, carried, more)], give: [at.Concat(dg, dq, { axis: -1 })] };
    },
  });
  const [dg, dq] = emit.calls('Split', [d, cut], 2, { axis: -1 });
  return {
    fromInput: d,
    fromState: d,
    r: () => emit.Concat(weights(dg, s), weights(dq, reset), { axis: 0 }),
    h0,
  };
};
