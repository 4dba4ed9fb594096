import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Flow, Rules, Site } from '../rule.ts';
import { dimsOf, dtypeOf, sum } from '../shapes.ts';
import { gru, rnn } from './recurrent-gru.ts';
import { lstm } from './recurrent-lstm.ts';
import { type Found, type Run, runsOf } from './recurrent-site.ts';
import { rows } from './recurrent-steps.ts';

/** The states of all steps, which the node is made to give if it does not. */
const statesOf = (emit: Emit, node: Node): string => {
  if (node.outputs[0]) return node.outputs[0];
  const name = emit.fresh(`${node.outputs.find((o) => o) ?? node.op}/steps`);
  const [x, r] = [dimsOf(emit, node.inputs[0]), dimsOf(emit, node.inputs[2])];
  emit.typed(name, { kind: 'tensor', dtype: dtypeOf(emit, node.inputs[0]), dims: [x?.[0], r?.[0], x?.[1], r?.[2]] });
  emit.replace(node, { ...node, outputs: [name, ...node.outputs.slice(1)] });
  return name;
};

const stacked = (emit: Emit, parts: readonly string[], axis: number): string => {
  const wide = parts.map((p) => emit.Unsqueeze(p, emit.ints([axis])));
  return wide.length === 1 ? wide[0] : emit.Concat(...wide, { axis });
};

/**
 * Cotangents of the inputs X, W, R, B, initial_h, initial_c and P. The forward pass stays the operator's own kernel; the
 * derivative is written with its outputs, so that a derivative of the derivative comes back here through them.
 */
const recurrent = (usual: readonly string[], cell: (run: Run) => Found): Flow => {
  const flow = (emit: Emit, site: Site, wanted: readonly string[], within: Parameters<Flow['flow']>[3]): (readonly [string, string])[] => {
    const { x } = site;
    const runs = runsOf(emit, site, within, statesOf(emit, site.node), usual);
    const found = runs.map(cell);
    const each = (f: (run: Run, found: Found) => string): string[] => runs.map((run, d) => f(run, found[d]));
    const makers: readonly (() => string)[] = [
      () => each((run, { fromInput }) => emit.MatMul(fromInput, run.w)).reduce((a, b) => emit.Add(a, b)),
      () =>
        stacked(
          emit,
          each((run, { fromInput: d }) => emit.Gemm(rows(emit, d), rows(emit, run.x), { transA: 1 })),
          0,
        ),
      () =>
        stacked(
          emit,
          each((_, { r }) => r()),
          0,
        ),
      () =>
        stacked(
          emit,
          each((_, f) => emit.Concat(sum(emit, f.fromInput, [0, 1]), sum(emit, f.fromState, [0, 1]), { axis: 0 })),
          0,
        ),
      () => '',
      () =>
        stacked(
          emit,
          each((_, { h0 }) => h0),
          0,
        ),
      () =>
        stacked(
          emit,
          each((_, { c0 }) => c0 ?? ''),
          0,
        ),
      () =>
        stacked(
          emit,
          each((_, { peepholes }) => peepholes?.() ?? ''),
          0,
        ),
    ];
    return x.flatMap((name, i) => (wanted.includes(name) && i !== 4 ? [[name, makers[i]()] as const] : []));
  };
  return { flow };
};

export const recurrence: Rules = {
  LSTM: recurrent(['Sigmoid', 'Tanh', 'Tanh'], lstm),
  GRU: recurrent(['Sigmoid', 'Tanh'], gru),
  RNN: recurrent(['Tanh'], rnn),
};
