import { intOf } from '../../graph/attribute.ts';
import { sum } from '../shapes.ts';
import type { Found, Run } from './recurrent-site.ts';
import { affine, recur, rest, rows, shifted } from './recurrent-steps.ts';

/**
 * LSTM, gates in the order i, o, f, and the candidate q: c ← f⊙c + i⊙q, y = o⊙h(c).
 * The states y of all steps are what the operator gives, so the gates' arguments are two matrix products over all steps; only c
 * is a recurrence. With δh and δc the cotangents of y and c in a step, those of the gates' arguments are [δc, δh, δc, δc]⊙K,
 * and K is known for all steps beforehand: going back, a step is one matrix product and a few of numbers.
 */
export const lstm = (run: Run): Found => {
  const { emit, within, node, back, mask, hidden, clip, peepholes } = run;
  const [gate, squash, show] = run.activations;
  const coupled = intOf(node, 'input_forget', 0) === 1;
  const before = shifted(run, run.y, run.h0, false);
  const pre = affine(run, run.w, run.r, run.biases ?? [], before, 4);
  const [iof, last] = emit.calls('Split', [pre, emit.ints([3 * hidden, hidden])], 2, { axis: -1 });
  const q = squash(emit, clip(emit, last));
  const keep = (f: string): string => (mask ? emit.Add(emit.Mul(mask, f), rest(emit, mask)) : f);
  const masked = (v: string): string => (mask ? emit.Mul(mask, v) : v);
  const three = (v: string): string[] => emit.calls('Split', [v], 3, { axis: -1, num_outputs: 3 });
  const [pi, po, pf] = peepholes ? three(peepholes) : [];

  /** c of all steps. */
  const recurrence = (): string => {
    if (!peepholes) {
      const [i, , f] = gates(iof);
      const [, c] = recur(emit, {
        states: [run.c0],
        along: [keep(coupled ? rest(emit, i) : f), masked(emit.Mul(i, q))],
        back,
        step: (at, [s], [forget, add]) => {
          const next = at.Add(at.Mul(forget, s), add);
          return { next: [next], give: [next] };
        },
      });
      return c;
    }
    const [ai, , af] = three(iof);
    const [, c] = recur(emit, {
      states: [run.c0],
      along: [ai, af, q, ...(mask ? [mask] : [])],
      back,
      step: (at, [s], [input, forget, candidate, alive]) => {
        const i = gate(at, clip(at, at.Add(input, at.Mul(pi, s))));
        const f = coupled ? rest(at, i) : gate(at, clip(at, at.Add(forget, at.Mul(pf, s))));
        const next = at.Add(at.Mul(f, s), at.Mul(i, candidate));
        const kept = alive ? at.Add(s, at.Mul(alive, at.Sub(next, s))) : next;
        return { next: [kept], give: [kept] };
      },
    });
    return c;
  };
  const gates = (v: string): string[] => three(gate(emit, clip(emit, v)));

  const c = recurrence();
  const earlier = shifted(run, c, run.c0, true);
  const whole = peepholes ? emit.Add(iof, emit.Concat(emit.Mul(pi, earlier), emit.Mul(po, c), emit.Mul(pf, earlier), { axis: -1 })) : iof;
  const [i, o, f] = gates(whole);
  const shown = show(emit, c);
  const slopes = within.pull(
    emit,
    new Map([[i, coupled ? emit.Sub(q, earlier) : q], [o, shown], ...(coupled ? [] : [[f, earlier] as const]), [q, i]]),
    new Set([whole, last]),
  );
  const k = masked(emit.Concat(slopes.get(whole) ?? '', slopes.get(last) ?? '', { axis: -1 }));
  const a = masked(within.pull(emit, new Map([[shown, o]]), new Set([c])).get(c) ?? '');
  const forget = keep(coupled ? rest(emit, i) : f);
  const [ki, ko, kf] = emit.calls('Split', [k], 4, { axis: -1, num_outputs: 4 });

  const [h0, c0, d] = recur(emit, {
    states: [run.gh, run.gc],
    along: [
      k,
      peepholes ? emit.Add(a, emit.Mul(ko, po)) : a,
      peepholes ? emit.Add(forget, emit.Add(emit.Mul(ki, pi), emit.Mul(kf, pf))) : forget,
      ...(run.gy ? [run.gy] : []),
      ...(mask ? [rest(emit, mask)] : []),
    ],
    back: !back,
    step: (at, [carried, cell], [slope, toCell, through, ...more]) => {
      const dh = run.gy ? at.Add(carried, more[0]) : carried;
      const dc = at.Add(cell, at.Mul(dh, toCell));
      const dp = at.Mul(at.Concat(dc, dh, dc, dc, { axis: -1 }), slope);
      const down = at.MatMul(dp, run.r);
      const stay = mask ? more[more.length - 1] : '';
      return { next: [stay ? at.Add(down, at.Mul(stay, carried)) : down, at.Mul(dc, through)], give: [dp] };
    },
  });
  return {
    fromInput: d,
    fromState: d,
    r: () => emit.Gemm(rows(emit, d), rows(emit, before), { transA: 1 }),
    h0,
    c0,
    ...(peepholes
      ? {
          peepholes: () => {
            const [di, dO, df] = emit.calls('Split', [d], 4, { axis: -1, num_outputs: 4 });
            return sum(emit, emit.Concat(emit.Mul(di, earlier), emit.Mul(dO, c), emit.Mul(df, earlier), { axis: -1 }), [0, 1]);
          },
        }
      : {}),
  };
};
