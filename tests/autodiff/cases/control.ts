import type { DType } from '../../../src/base/tensor.ts';
import { constantOf } from '../../../src/graph/constant.ts';
import type { Emit } from '../../../src/graph/emit.ts';
import { body, turn } from '../bodies.ts';
import { type Case, f, fed, flags, graph, ints, weight } from './case.ts';

const typeOf = (emit: Emit, x: string): DType => emit.type(x)?.dtype ?? 'float32';
const yes = constantOf('bool', [], [1]);

/** h ← tanh(x·w + h·u), the textbook recurrence. */
const scan = (attributes: Readonly<Record<string, readonly number[]>>, dims: readonly number[], out: 0 | 1 | 2 = 0): Case =>
  graph(`Scan ${JSON.stringify(attributes)}`, [f(dims), f([2, 3]), f([2, 3], -1, 1), f([3, 3], -1, 1)], (emit, [x, h, w, u]) => {
    const t = typeOf(emit, x);
    const inner = body(
      emit,
      [
        [t, [2, 3]],
        [t, [2, 2]],
      ],
      (at, s, slice) => {
        const next = at.Tanh(at.Add(at.MatMul(slice, w), at.MatMul(s, u)));
        return [next, at.Mul(next, next)];
      },
    );
    return emit.calls('Scan', [h, x], 2, { body: inner, num_scan_inputs: 1, ...attributes }).slice(out === 2 ? 1 : 0, out === 1 ? 1 : 2);
  });

export const control: readonly Case[] = [
  scan({}, [4, 2, 2]),
  scan({}, [4, 2, 2], 1),
  scan({}, [4, 2, 2], 2),
  scan({ scan_input_directions: [1] }, [3, 2, 2]),
  scan({ scan_output_directions: [1] }, [3, 2, 2]),
  scan({ scan_input_axes: [1], scan_output_axes: [-1] }, [2, 4, 2]),
  scan({ scan_input_axes: [-1], scan_input_directions: [1], scan_output_axes: [1], scan_output_directions: [1] }, [2, 2, 3]),
  graph(
    'Scan with two slices, two states that swap, and one that no result is made of',
    [f([3, 2]), f([3, 2]), f([2]), f([2])],
    (emit, [x, y, a, b]) => {
      const t = typeOf(emit, x);
      const inner = body(emit, [[t], [t], [t], [t], [t]], (at, s, r, idle, p, q) => [
        at.Mul(r, p),
        at.Add(at.Sin(s), q),
        at.Mul(idle, at.Cos(s)),
        at.Mul(p, q),
      ]);
      return emit.calls('Scan', [a, b, a, x, y], 4, { body: inner, num_scan_inputs: 2 }).filter((_, i) => i !== 2);
    },
  ),
  graph('Scan without a state', [f([3, 2]), f([2])], (emit, [x, w]) => {
    const t = typeOf(emit, x);
    return emit.calls('Scan', [x], 1, { body: body(emit, [[t]], (at, p) => [at.Exp(at.Mul(p, w))]), num_scan_inputs: 1 });
  }),
  graph('Scan inside Scan', [f([2, 3, 2]), f([2]), f([2])], (emit, [x, h, w]) => {
    const t = typeOf(emit, x);
    const outer = body(
      emit,
      [
        [t, [2]],
        [t, [3, 2]],
      ],
      (at, s, rows) => {
        const inner = body(
          at,
          [
            [t, [2]],
            [t, [2]],
          ],
          (deep, r, row) => {
            const next = deep.Tanh(deep.Add(deep.Mul(r, w), deep.Mul(row, s)));
            return [next, deep.Mul(next, row)];
          },
        );
        const [last, all] = at.calls('Scan', [s, rows], 2, { body: inner, num_scan_inputs: 1 });
        return [at.Sin(last), at.ReduceSum(all, at.ints([0]), { keepdims: 0 })];
      },
    );
    return emit.calls('Scan', [h, x], 2, { body: outer, num_scan_inputs: 1 });
  }),
  ...[ints([3], []), fed([3], []), fed([1], [])].map((count) =>
    graph(`Loop of ${JSON.stringify(count)} turns`, [f([2, 3]), f([3, 3], -1, 1), count], (emit, [x, w, n]) => {
      const inner = body(emit, [...turn, [typeOf(emit, x)]], (at, _i, go, s) => {
        const next = at.Sin(at.MatMul(s, w));
        return [go, next, at.ReduceSum(next, at.ints([0]), { keepdims: 0 })];
      });
      return emit.calls('Loop', [n, '', x], 2, { body: inner });
    }),
  ),
  graph('Loop that ends on a condition', [f([3], 0.4, 0.6), f([3], 0.5, 0.9)], (emit, [x, w]) => {
    const t = typeOf(emit, x);
    // Σ w·2ᵏ is far from 8 at the turn where it passes it.
    const inner = body(emit, [...turn, [t], [t]], (at, _i, _go, s, sum) => {
      const next = at.Mul(at.Add(s, s), w);
      const total = at.Add(sum, at.ReduceSum(at.Add(s, s), { keepdims: 0 }));
      return [at.Less(total, at.scalar(8, t)), next, total];
    });
    return emit.calls('Loop', ['', emit.constant(yes), x, emit.scalar(0, t)], 2, { body: inner });
  }),
  graph('Loop that reads rows by its own number', [f([4, 2]), f([2])], (emit, [x, h]) => {
    const inner = body(emit, [...turn, [typeOf(emit, x)]], (at, i, go, s) => {
      const row = at.Gather(x, i, { axis: 0 });
      return [go, at.Mul(s, at.Cos(row)), at.Add(row, s)];
    });
    return emit.calls('Loop', [emit.scalar(4, 'int64'), '', h], 2, { body: inner });
  }),
  graph('Loop whose states are a float passed on, a whole number and a flag', [f([2]), f([2])], (emit, [x, w]) => {
    const inner = body(emit, [...turn, [typeOf(emit, x)], [typeOf(emit, x)], ['int64'], ['bool']], (at, _i, go, s, same, n, odd) => {
      const step = at.Where(odd, at.Sin(s), at.Mul(s, same));
      return [
        go,
        at.Add(step, at.Cast(n, { to: typeOf(at, s) === 'float64' ? 11 : 1 })),
        same,
        at.Add(n, at.scalar(1, 'int64')),
        at.Not(odd),
      ];
    });
    const zero = emit.scalar(0, 'int64');
    return emit.calls('Loop', [emit.scalar(3, 'int64'), '', x, w, zero, emit.constant(yes)], 4, { body: inner }).slice(0, 2);
  }),
  graph('Loop that starts from a value it reads as well', [f([2])], (emit, [x]) => {
    const inner = body(emit, [...turn, [typeOf(emit, x)]], (at, _i, go, s) => [go, at.Sin(at.Mul(s, x))]);
    return emit.calls('Loop', [emit.scalar(3, 'int64'), '', x], 1, { body: inner });
  }),
  graph('Loop in a Loop', [f([2, 2]), f([2], 0.5, 1)], (emit, [x, w]) => {
    const t = typeOf(emit, x);
    const outer = body(emit, [...turn, [t]], (at, i, go, s) => {
      const inner = body(at, [...turn, [t]], (deep, _j, on, r) => [on, deep.Add(deep.Sin(r), deep.Mul(w, s))]);
      const [r] = at.calls('Loop', [at.Add(i, at.scalar(1, 'int64')), '', s], 1, { body: inner });
      return [go, r, at.Mul(r, w)];
    });
    return emit.calls('Loop', [emit.scalar(2, 'int64'), '', x], 2, { body: outer });
  }),
  ...[1, 0].map((side) =>
    graph(`If, ${side === 1 ? 'then' : 'else'}`, [f([2, 3]), f([2, 3]), f([3]), flags([side], [])], (emit, [x, y, w, condition]) => {
      const then_branch = body(emit, [], (at) => {
        const p = at.Tanh(at.Mul(x, w));
        return [at.Mul(p, y), at.ReduceSum(p, { keepdims: 0 })];
      });
      const else_branch = body(emit, [], (at) => [at.Sin(at.Exp(x)), at.ReduceSum(at.Mul(x, x), { keepdims: 0 })]);
      return emit.calls('If', [condition], 2, { then_branch, else_branch });
    }),
  ),
  graph('If that gives back what it reads, one output used', [f([3]), flags([1], [])], (emit, [x, condition]) => {
    const then_branch = body(emit, [], (at) => [x, at.Exp(x)]);
    const else_branch = body(emit, [], (at) => [at.Neg(x), x]);
    return emit.calls('If', [condition], 2, { then_branch, else_branch }).slice(0, 1);
  }),
  graph('If in If in Loop', [f([3]), f([3], 0.5, 1)], (emit, [x, w]) => {
    const t = typeOf(emit, x);
    const inner = body(emit, [...turn, [t]], (at, i, go, s) => {
      const half = (e: Emit, n: number): string => e.Less(i, e.scalar(n, 'int64'));
      const then_branch = body(at, [], (deep) => [deep.Sin(deep.Mul(s, w))]);
      const else_branch = body(at, [], (deep) => {
        const then = body(deep, [], (e) => [e.Mul(e.Exp(e.Neg(s)), w)]);
        const other = body(deep, [], (e) => [e.Mul(s, s)]);
        return [deep.Cos(deep.calls('If', [half(deep, 2)], 1, { then_branch: then, else_branch: other })[0])];
      });
      const [next] = at.calls('If', [half(at, 1)], 1, { then_branch, else_branch });
      return [go, next, at.Mul(next, s)];
    });
    return emit.calls('Loop', [emit.scalar(4, 'int64'), '', x], 2, { body: inner });
  }),
  ...[1, 0].map((side) =>
    graph(`Loop in If, ${side === 1 ? 'taken' : 'not taken'}`, [f([3]), f([3]), flags([side], [])], (emit, [x, w, condition]) => {
      const then_branch = body(emit, [], (at) => {
        const inner = body(at, [...turn, [typeOf(emit, x)]], (deep, _i, go, s) => [go, deep.Sin(deep.Mul(s, w))]);
        return at.calls('Loop', [at.scalar(3, 'int64'), '', x], 1, { body: inner });
      });
      return emit.calls('If', [condition], 1, { then_branch, else_branch: body(emit, [], (at) => [at.Mul(x, w)]) });
    }),
  ),
  graph('Loop that joins what it makes, only the sizes of which are needed', [f([2, 1]), f([2, 1])], (emit, [x, w]) => {
    const inner = body(emit, [...turn, [typeOf(emit, x), [2, 1]], [typeOf(emit, x), [2, undefined]]], (at, _i, go, s, list) => {
      const next = at.Sin(at.Mul(s, w));
      return [go, next, at.Concat(list, next, { axis: 1 })];
    });
    return emit.calls('Loop', [emit.scalar(3, 'int64'), '', x, w], 2, { body: inner }).slice(1);
  }),
  graph('Loop that looks back at all it has made', [f([1, 2]), f([2, 2], -1, 1)], (emit, [x, w]) => {
    const inner = body(emit, [...turn, [typeOf(emit, x), [undefined, 2]]], (at, _i, go, list) => {
      const all = at.MatMul(at.Sin(list), w);
      return [go, at.Concat(list, at.ReduceMean(all, at.ints([0])), { axis: 0 })];
    });
    return emit.calls('Loop', [emit.scalar(3, 'int64'), '', x], 1, { body: inner });
  }),
  graph('Loop that reads by a list of whole numbers that grows', [f([4, 2]), f([2])], (emit, [x, h]) => {
    const inner = body(emit, [...turn, ['int64', [undefined]], [typeOf(emit, x), [2]]], (at, i, go, list, s) => {
      const rows = at.Gather(x, list, { axis: 0 });
      const next = at.Mul(s, at.ReduceSum(at.Cos(rows), at.ints([0]), { keepdims: 0 }));
      return [go, at.Concat(list, at.Unsqueeze(i, at.ints([0])), { axis: 0 }), next];
    });
    return emit.calls('Loop', [emit.scalar(3, 'int64'), '', emit.ints([3]), h], 2, { body: inner }).slice(1);
  }),
  graph(
    'Loop with a convolution and a matrix product on top',
    [f([1, 2, 4, 4]), weight([2, 2, 3, 3]), f([4, 4], -1, 1)],
    (emit, [x, w, u]) => {
      const inner = body(emit, [...turn, [typeOf(emit, x), [1, 2, 4, 4]]], (at, _i, go, s) => {
        const next = at.Tanh(at.MatMul(at.Conv(s, w, { pads: [1, 1, 1, 1] }), u));
        return [go, next, at.call('GlobalAveragePool', [next])];
      });
      return emit.calls('Loop', [emit.scalar(2, 'int64'), '', x], 2, { body: inner });
    },
  ),
  graph(
    'If with an LSTM of which only the last state is used',
    [f([3, 2, 2], -1, 1), weight([1, 8, 2]), weight([1, 8, 2]), flags([1], [])],
    (emit, [x, w, r, condition]) => {
      const then_branch = body(emit, [], (at) => at.calls('LSTM', [x, w, r], [false, true], { hidden_size: 2 }).slice(1));
      const else_branch = body(emit, [], (at) => [at.Slice(x, at.ints([0]), at.ints([1]), at.ints([0]))]);
      return emit.calls('If', [condition], 1, { then_branch, else_branch });
    },
    { single: true },
  ),
  graph(
    'sequence: made, inserted into, erased from, read twice and joined',
    [f([2, 3]), f([2, 3]), f([1, 3])],
    (emit, [x, y, z]) => {
      const made = emit.call('SequenceConstruct', [x, y]);
      const longer = emit.call('SequenceInsert', [emit.call('SequenceInsert', [made, z]), emit.Sin(x), emit.scalar(-2, 'int64')]);
      const shorter = emit.call('SequenceErase', [longer, emit.scalar(0, 'int64')]);
      const element = (i: number): string => emit.call('SequenceAt', [shorter, emit.scalar(i, 'int64')]);
      const all = emit.call('ConcatFromSequence', [shorter], { axis: 0 });
      return [emit.Mul(element(0), element(-2)), emit.Mul(all, all)];
    },
    { single: true },
  ),
  graph(
    'sequence: split and stacked',
    [f([4, 3])],
    (emit, [x]) => {
      const rows = emit.call('SplitToSequence', [x, emit.ints([1, 3])], { axis: 0 });
      const columns = emit.call('SplitToSequence', [emit.Sin(x)], { axis: 1, keepdims: 0 });
      const first = emit.call('SequenceAt', [rows, emit.scalar(1, 'int64')]);
      return [emit.Mul(first, first), emit.Exp(emit.call('ConcatFromSequence', [columns], { axis: -1, new_axis: 1 }))];
    },
    { single: true },
  ),
  graph(
    'sequence: a body on every element, and an optional value',
    [f([2, 3]), f([1, 3]), f([3])],
    (emit, [x, y, w]) => {
      const made = emit.call('SequenceConstruct', [x, y]);
      const inner = body(emit, [[typeOf(emit, x)], [typeOf(emit, x)]], (at, one, by) => [at.Sin(at.Mul(one, by))]);
      const all = emit.call('ConcatFromSequence', [emit.call('SequenceMap', [made, w], { body: inner })], { axis: 0 });
      return [emit.Mul(all, all)];
    },
    { single: true },
  ),
  graph('optional value', [f([2, 3])], (emit, [x]) => [emit.Sin(emit.call('OptionalGetElement', [emit.call('Optional', [x])]))]),
  ...[1, 0].map((stacked) =>
    graph(
      `Loop that appends to a sequence, then ${stacked ? 'stacked' : 'joined'}`,
      [f([2, 2]), f([2, 2])],
      (emit, [x, w]) => {
        const inner = body(emit, [...turn, [typeOf(emit, x), [2, 2]], 'sequence'], (at, _i, go, s, list) => {
          const next = at.Sin(at.Mul(s, w));
          return [go, next, at.call('SequenceInsert', [list, next])];
        });
        const [, list] = emit.calls('Loop', [emit.scalar(3, 'int64'), '', x, emit.call('SequenceConstruct', [w])], 2, { body: inner });
        const all = emit.call('ConcatFromSequence', [list], { axis: 1, new_axis: stacked });
        return [emit.Mul(all, all)];
      },
      { single: true },
    ),
  ),
];
