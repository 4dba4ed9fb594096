import type { Emit } from '../graph/emit.ts';
import { restrict } from '../graph/passes/prune.ts';
import type { Dim, Model, TensorType, ValueInfo } from '../graph/types.ts';
import { bodyOf } from './attack.ts';
import type { Known } from './differentiate.ts';
import { gradients } from './reverse.ts';
import { castLike, num } from './shapes.ts';
import { logShares, ownAndOther, type UnitOptions, unitRecorder } from './unit-input.ts';

export interface CarliniWagnerOptions extends UnitOptions {
  /** Toward the class `label`; else away from it. */
  readonly targeted: boolean;
}

/** What the search carries from step to step; the first three and `best` are shaped as u, the others [N]. */
export const carried = ['w', 'm', 'v', 'best', 'least', 'found', 'before', 'active'] as const;
export type Carried = (typeof carried)[number];

/** Steps of the search of Carlini and Wagner for the nearest adversarial point in L2, all rows at once. */
export interface CarliniWagnerGraph {
  readonly model: Model;
  readonly inputs: Readonly<
    Record<
      | 'u'
      | 'low'
      | 'span'
      | 'label'
      /** [N] */
      | 'constant'
      /** Scalars: κ, the rate of Adam, steps made before, steps to make at most, steps between looks at the objective. */
      | 'confidence'
      | 'rate'
      | 'first'
      | 'count'
      | 'window',
      string
    >
  >;
  readonly state: Readonly<Record<Carried, { readonly input: string; readonly output: string }>>;
  readonly dtype: TensorType['dtype'];
}

const BETA = [0.9, 0.999] as const;
const EPSILON = 1e-8;
/** A row rests when its objective has not fallen by this share over a window. */
const FALL = 1e-4;

/** 1 − β^t. */
const debias = (emit: Emit, beta: number, t: string): string => emit.Sub(num(emit, 1, t), emit.Pow(num(emit, beta, t), t));

/**
 * x′ = low + span·(tanh w + 1)/2 minimises ‖u′ − u‖² + c·max(margin + κ, 0) by Adam over w; a row rests once its objective no longer
 * falls. `best` is the nearest point so far that is adversarial by κ, at the squared distance `least`; `found` says whether one was met.
 */
export const carliniWagnerGraph = (model: Model, known: Known, options: CarliniWagnerOptions): CarliniWagnerGraph => {
  const record = unitRecorder(model, known, options);
  const { emit, row, low, span, dtype } = record;
  const rows: readonly Dim[] = ['N', ...row];
  const u = record.input('unit', rows);
  const label = record.input('label', ['N'], 'int64');
  const constant = record.input('constant', ['N']);
  const [confidence, rate] = ['confidence', 'rate'].map((stem) => record.input(stem, []));
  const [first, count, window] = ['first', 'count', 'window'].map((stem) => record.input(stem, [], 'int64'));
  const dimsOf = (key: Carried): readonly Dim[] => (['w', 'm', 'v', 'best'].includes(key) ? rows : ['N']);
  const from = new Map(carried.map((key) => [key, record.input(`state/${key}`, dimsOf(key))]));

  const { inner, copy } = bodyOf(emit, restrict(model.graph, [{ name: options.output }]), options.input);
  const infos: ValueInfo[] = [];
  const declared = (stem: string, of: TensorType['dtype'], dims: readonly Dim[]): string => {
    const info = { name: emit.fresh(stem), type: { kind: 'tensor', dtype: of, dims } } as const;
    infos.push(info);
    return inner.typed(info.name, info.type);
  };
  const turn = declared('turn', 'int64', []);
  declared('going', 'bool', []);
  const at = Object.fromEntries(carried.map((key) => [key, declared(key, dtype, dimsOf(key))])) as Record<Carried, string>;
  const half = inner.scalar(0.5, dtype);
  const one = inner.scalar(1, dtype);
  const wide = (v: string): string => inner.Reshape(v, inner.ints([-1, ...row.map(() => 1)]));
  const axes = inner.ints(row.map((_, i) => i + 1));
  const squares = (v: string): string => (row.length === 0 ? v : inner.ReduceSum(inner.Mul(v, v), axes, { keepdims: 0 }));

  const point = inner.Mul(half, inner.Add(inner.Tanh(at.w), one));
  record.place(inner, point, copy.at);
  for (const node of copy.graph.nodes) inner.node(node);
  const { own, other } = ownAndOther(inner, logShares(inner, { ...options, output: copy.to(options.output) }).rows, label);
  const margin = castLike(inner, options.targeted ? inner.Sub(other, own) : inner.Sub(own, other), point);
  const distance = squares(inner.Sub(point, u));
  const objective = inner.Add(distance, inner.Mul(constant, inner.Relu(inner.Add(margin, confidence))));
  const g = gradients(inner, inner.ReduceSum(objective, { keepdims: 0 }), [at.w]).get(at.w) ?? inner.Mul(inner.scalar(0, dtype), at.w);

  const nearer = inner.And(
    inner.And(inner.Less(margin, inner.scalar(0, dtype)), inner.LessOrEqual(inner.Add(margin, confidence), inner.scalar(0, dtype))),
    inner.Greater(at.active, half),
  );
  const better = inner.And(nearer, inner.Less(distance, at.least));
  const time = inner.Add(inner.Add(first, turn), inner.scalar(1, 'int64'));
  const t = castLike(inner, time, at.w);
  const [b1, b2] = BETA.map((b) => inner.scalar(b, dtype));
  const [a1, a2] = BETA.map((b) => inner.scalar(1 - b, dtype));
  const m = inner.Add(inner.Mul(b1, at.m), inner.Mul(a1, g));
  const v = inner.Add(inner.Mul(b2, at.v), inner.Mul(a2, inner.Mul(g, g)));
  const length = inner.Add(inner.Div(inner.Sqrt(v), inner.Sqrt(debias(inner, BETA[1], t))), inner.scalar(EPSILON, dtype));
  const step = inner.Div(inner.Mul(inner.Div(rate, debias(inner, BETA[0], t)), m), length);
  // The first look has nothing to compare with: `before` begins above every objective.
  const looks = inner.Equal(inner.Sub(time, inner.Mul(inner.Div(time, window), window)), inner.scalar(0, 'int64'));
  const falls = inner.LessOrEqual(objective, inner.Mul(inner.scalar(1 - FALL, dtype), at.before));
  const rests = inner.And(looks, inner.Not(falls));
  const next: Readonly<Record<Carried, string>> = {
    w: inner.Sub(at.w, inner.Mul(wide(at.active), step)),
    m,
    v,
    best: inner.Where(wide(better), point, at.best),
    least: inner.Where(better, distance, at.least),
    found: inner.Where(nearer, one, at.found),
    before: inner.Where(looks, objective, at.before),
    active: inner.Where(rests, inner.scalar(0, dtype), at.active),
  };
  const going = inner.Greater(inner.ReduceMax(next.active, { keepdims: 0 }), half);
  const outputs = [going, ...carried.map((key) => next[key])].map((value, i) =>
    inner.rename(value, emit.fresh(`next/${['going', ...carried][i]}`)),
  );
  const body = inner.graph(
    'carlini-wagner',
    infos,
    outputs.map((name, i) => ({ name, type: infos[i + 1].type ?? { kind: 'tensor', dtype } })),
  );
  const yes = emit.constant({ dtype: 'bool', dims: [], bytes: Uint8Array.of(1) });
  const ends = emit.calls('Loop', [count, yes, ...from.values()], carried.length, { body });
  const state = Object.fromEntries(
    carried.map((key, i) => [
      key,
      {
        input: from.get(key) ?? '',
        output: record.output(emit.typed(ends[i], { kind: 'tensor', dtype, dims: dimsOf(key) }), `end/${key}`, dimsOf(key)),
      },
    ]),
  ) as CarliniWagnerGraph['state'];
  return {
    model: record.model(),
    inputs: { u, low, span, label, constant, confidence, rate, first, count, window },
    state,
    dtype,
  };
};
