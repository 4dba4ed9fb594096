import { Fault } from '../base/fault.ts';
import type { Emit } from '../graph/emit.ts';
import { restrict } from '../graph/passes/prune.ts';
import type { Node, TensorType } from '../graph/types.ts';
import { gradients } from './reverse.ts';
import { castLike, dimsOf, rankOf } from './shapes.ts';

/** The starting condition of a Loop that its count alone ends. */
export const yes = (emit: Emit): string => emit.scalar(1, 'bool');
const scalar = (dtype: TensorType['dtype']): TensorType => ({ kind: 'tensor', dtype, dims: [] });

/**
 * One backward pass for each entry of a row of `value`, as a Loop whose body reads the forward values around it. `wrt` are
 * values with one row per example; each result is [N, C, …row].
 */
export const jacobian = (emit: Emit, value: string, wrt: readonly string[]): readonly string[] => {
  for (const x of wrt)
    if (typeof dimsOf(emit, x)?.[0] === 'number' && dimsOf(emit, x)?.[0] !== dimsOf(emit, value)?.[0])
      throw new Fault('grad/rows', { name: x });
  const rows = emit.Reshape(value, emit.ints([0, -1]));
  const entries = dimsOf(emit, rows)?.[1];
  const count =
    typeof entries === 'number' ? emit.scalar(entries, 'int64') : emit.Squeeze(emit.call('Shape', [rows], { start: 1 }), emit.ints([0]));
  const start = emit.nodes.length;
  const at = emit.typed(emit.fresh('entry'), scalar('int64'));
  const go = emit.typed(emit.fresh('go'), scalar('bool'));
  const index = emit.Range(emit.scalar(0, 'int64'), count, emit.scalar(1, 'int64'));
  const hot = emit.Expand(castLike(emit, emit.Equal(index, at), rows), emit.Shape(rows));
  const found = gradients(emit, new Map([[rows, hot]]), wrt);
  const results = wrt.map((x) => emit.rename(found.get(x) ?? '', emit.fresh(`row/${x}`)));
  const on = emit.rename(go, emit.fresh('on'));
  const nodes: readonly Node[] = emit.nodes.slice(start);
  const info = (name: string): { name: string; type: TensorType } => ({
    name,
    type: emit.type(name) ?? { kind: 'tensor', dtype: 'float32' },
  });
  const whole = { name: 'entry', inputs: [info(at), info(go)], outputs: [], nodes, initializers: new Map(), values: new Map() };
  const body = restrict(whole, [on, ...results].map(info));
  const stacked = emit.calls('Loop', [count, yes(emit)], results.length, { body });
  return stacked.map((s, i) => {
    const rank = (rankOf(emit, wrt[i]) ?? 1) + 1;
    return emit.Transpose(s, { perm: [1, 0, ...Array.from({ length: rank - 2 }, (_, k) => k + 2)] });
  });
};
