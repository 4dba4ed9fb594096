import type { Emit } from '../graph/emit.ts';
import type { Dim, Model, TensorType, ValueInfo } from '../graph/types.ts';
import { freeInputs } from '../graph/walk.ts';
import { finished, type Known, recording } from './differentiate.ts';
import { type EntryOptions, entriesOf } from './entry.ts';
import { logitsOf } from './loss.ts';
import { cast, num } from './shapes.ts';

/** A model whose input is searched within its range: x = low + span·u, u in [0, 1]. */
export interface UnitOptions extends Pick<EntryOptions, 'output' | 'probabilities'> {
  /** Float graph input, x. */
  readonly input: string;
}

/** Records a graph of the model's parameters and inputs of its own, without the model's nodes. */
export interface UnitRecorder {
  readonly emit: Emit;
  /** Shape of a row of x, and type of u. */
  readonly row: readonly Dim[];
  readonly dtype: TensorType['dtype'];
  /** Graph inputs […row]. */
  readonly low: string;
  readonly span: string;
  input(stem: string, dims: readonly Dim[], dtype?: TensorType['dtype']): string;
  /** Records x of u under a name. */
  place(to: Emit, u: string, name: string): void;
  /** Makes a value an output. */
  output(value: string, stem: string, dims: readonly Dim[]): string;
  model(): Model;
}

export const unitRecorder = (model: Model, known: Known, { input }: UnitOptions): UnitRecorder => {
  const emit = recording(model.graph, known, []);
  const type = emit.type(input) ?? { kind: 'tensor', dtype: 'float32' };
  // Halves are too coarse to search in.
  const dtype = type.dtype === 'float64' ? 'float64' : 'float32';
  const row = type.dims?.slice(1) ?? [];
  const inputs = freeInputs(model.graph).filter((i) => i.name !== input);
  const outputs: ValueInfo[] = [];
  const added: UnitRecorder['input'] = (stem, dims, of = dtype) => {
    const info = { name: emit.fresh(stem), type: { kind: 'tensor', dtype: of, dims } } as const;
    inputs.push(info);
    return emit.typed(info.name, info.type);
  };
  const [low, span] = [added('low', row), added('span', row)];
  return {
    emit,
    row,
    dtype,
    low,
    span,
    input: added,
    place(to, u, name) {
      to.typed(to.rename(cast(to, to.Add(low, to.Mul(span, u)), type.dtype), name), type);
    },
    output(value, stem, dims) {
      const name = emit.rename(value, emit.fresh(stem));
      outputs.push({ name, type: { kind: 'tensor', dtype: emit.type(value)?.dtype ?? dtype, dims } });
      return name;
    },
    model: () => finished(model, emit, inputs, outputs),
  };
};

/** ln p of every class, [N, C]: away from the logits by a number for each row, so that their differences are the same; `bare` where there are none. */
export const logShares = (
  emit: Emit,
  { output, probabilities }: Pick<UnitOptions, 'output' | 'probabilities'>,
): { readonly rows: string; readonly classes?: number; readonly bare: boolean } => {
  const { rows, targets } = entriesOf(emit, { output, scale: 'loss', ...(probabilities ? { probabilities } : {}) });
  const bare = probabilities === true && logitsOf(emit, output).by === 'none';
  return { rows: emit.Neg(rows), bare, ...(targets === undefined ? {} : { classes: targets }) };
};

/** Of every row the score of the class `label` (int64 [N]), and the largest of the others, [N]. */
export const ownAndOther = (emit: Emit, rows: string, label: string): Readonly<Record<'own' | 'other', string>> => {
  const axis = emit.ints([1]);
  const classes = emit.Squeeze(emit.call('Shape', [rows], { start: 1 }), emit.ints([0]));
  const hit = emit.Equal(emit.Unsqueeze(label, axis), emit.Range(emit.scalar(0, 'int64'), classes, emit.scalar(1, 'int64')));
  return {
    own: emit.ReduceSum(emit.Where(hit, rows, num(emit, 0, rows)), axis, { keepdims: 0 }),
    other: emit.ReduceMax(emit.Where(hit, num(emit, -1e30, rows), rows), axis, { keepdims: 0 }),
  };
};
