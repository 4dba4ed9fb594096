import { gradients } from '../../autodiff/reverse.ts';
import { lbfgs } from '../../base/maths/lbfgs.ts';
import type { Random } from '../../base/random.ts';
import { int64, type Tensor } from '../../base/tensor.ts';
import { type Emit, emitter } from '../../graph/emit.ts';
import type { Model, TensorType } from '../../graph/types.ts';
import { namesWithin } from '../../graph/walk.ts';
import type { Programme } from '../define-run.ts';
import { layoutOf, unpack } from '../layout.ts';
import { adamStep } from '../optimizers/adam.ts';
import { modelOf, tensorType } from '../plan.ts';

export type Activation = 'logistic' | 'tanh' | 'relu';
export const activationOps: Readonly<Record<Activation, 'Sigmoid' | 'Tanh' | 'Relu'>> = { logistic: 'Sigmoid', tanh: 'Tanh', relu: 'Relu' };

/** x·W + b, activated, ·V + c: one hidden layer, laid out W [D, J], b [J], V [J, K], c [K]. */
export interface Sizes {
  readonly inputs: number;
  readonly units: number;
  readonly outputs: number;
}
const parts = ({ inputs, units, outputs }: Sizes) =>
  layoutOf([
    { name: 'W', dims: [inputs, units] },
    { name: 'b', dims: [units] },
    { name: 'V', dims: [units, outputs] },
    { name: 'c', dims: [outputs] },
  ]);

/** W, b, V and c of a vector laid out so. */
export const unitsOf = (sizes: Sizes, theta: Float64Array): Readonly<Record<'W' | 'b' | 'V' | 'c', Float64Array>> => {
  const [W, b, V, c] = parts(sizes).entries.map(({ offset, size }) => theta.subarray(offset, offset + size));
  return { W, b, V, c };
};

/** U(±√(q/(fan in + fan out))) with q 2 for logistic units and 6 for others, biases alike. */
const drawn = ({ inputs, units, outputs }: Sizes, activation: Activation, chance: Random): Float64Array => {
  const q = activation === 'logistic' ? 2 : 6;
  const [first, second] = [Math.sqrt(q / (inputs + units)), Math.sqrt(q / (units + outputs))];
  const from = (inputs + 1) * units;
  return Float64Array.from({ length: from + (units + 1) * outputs }, (_, i) => (2 * chance.next() - 1) * (i < from ? first : second));
};

const dialect = { irVersion: 8, opsets: new Map([['', 18]]) };
/** An emitter of float64. */
const doubles = (taken: Iterable<string> = []): Emit => {
  const base = emitter({ taken });
  return { ...base, scalar: (value, dtype = 'float64') => base.scalar(value, dtype) };
};
const infos =
  (emit: Emit) =>
  (
    name: string,
    dims: readonly (string | number)[],
    dtype: 'float64' | 'int64' | 'bool' = 'float64',
  ): { readonly name: string; readonly type: TensorType } => {
    const type = tensorType(dtype, dims);
    return { name: emit.typed(name, type), type };
  };

/** f of rows. */
const scored = (emit: Emit, sizes: Sizes, activation: Activation, x: string, theta: string) => {
  const [W, b, V, c] = unpack(emit, parts(sizes), theta);
  return { W, V, f: emit.Add(emit.MatMul(emit[activationOps[activation]](emit.Add(emit.MatMul(x, W), b)), V), c) };
};
/** fit·Σ‖f − r‖² + decay·(‖W‖² + ‖V‖²), with fit 1/2n and decay α/2n, and its gradient. */
const emitObjective = (
  emit: Emit,
  sizes: Sizes,
  activation: Activation,
  of: Readonly<Record<'x' | 'theta' | 'r' | 'fit' | 'decay', string>>,
): { readonly loss: string; readonly gradient: string } => {
  const { W, V, f } = scored(emit, sizes, activation, of.x, of.theta);
  const d = emit.Sub(f, of.r);
  const squares = (v: string): string => emit.ReduceSum(emit.Mul(v, v), { keepdims: 0 });
  const loss = emit.Add(emit.Mul(of.fit, squares(d)), emit.Mul(of.decay, emit.Add(squares(W), squares(V))));
  return { loss, gradient: gradients(emit, loss, [of.theta]).get(of.theta) ?? '' };
};

const valuesModel = (sizes: Sizes, activation: Activation): Model => {
  const emit = doubles();
  const info = infos(emit);
  const [x, theta] = [info('x', ['N', sizes.inputs]), info('theta', [parts(sizes).size])];
  const { f } = scored(emit, sizes, activation, x.name, theta.name);
  return modelOf(dialect, emit.graph('units', [x, theta], [{ name: f, type: tensorType('float64', ['N', sizes.outputs]) }]));
};

const objectiveModel = (sizes: Sizes, activation: Activation): Model => {
  const emit = doubles();
  const info = infos(emit);
  const { size } = parts(sizes);
  const given = [
    info('x', ['N', sizes.inputs]),
    info('theta', [size]),
    info('r', ['N', sizes.outputs]),
    info('fit', []),
    info('decay', []),
  ];
  const { loss, gradient } = emitObjective(emit, sizes, activation, { x: 'x', theta: 'theta', r: 'r', fit: 'fit', decay: 'decay' });
  const outputs = [
    { name: emit.rename(loss, 'loss'), type: tensorType('float64', []) },
    { name: emit.rename(gradient, 'gradient'), type: tensorType('float64', [size]) },
  ];
  return modelOf(dialect, emit.graph('objective', given, outputs));
};

/** Steps of Adam on batches of the objective, as one Loop over the lines of `rows`, [S, B]. */
const adamModel = (sizes: Sizes, activation: Activation): Model => {
  const emit = doubles();
  const info = infos(emit);
  const { size } = parts(sizes);
  const outer = [info('x', ['N', sizes.inputs]), info('r', ['N', sizes.outputs]), info('rows', ['S', 'B'], 'int64')];
  const scalars = [info('rate', []), info('fit', []), info('decay', [])];
  const carried = [info('theta', [size]), info('m', [size]), info('v', [size]), info('t', [])];
  const within = [info('in/theta', [size]), info('in/m', [size]), info('in/v', [size]), info('in/t', [])];
  const [turn, go] = [info('turn', [], 'int64'), info('go', [], 'bool')];
  const at = emit.Gather('rows', turn.name);
  const [x, r] = [emit.Gather('x', at), emit.Gather('r', at)];
  const [param, m, v, before] = within.map((w) => w.name);
  const { loss, gradient: grad } = emitObjective(emit, sizes, activation, { x, theta: param, r, fit: 'fit', decay: 'decay' });
  const t = emit.Add(before, emit.scalar(1));
  const constants = { beta1: emit.scalar(0.9), beta2: emit.scalar(0.999), eps: emit.scalar(1e-8) };
  const next = adamStep(emit, { param, grad, slots: { m, v } }, { ...constants, lr: 'rate' }, t);
  const still = emit.rename(emit.call('Identity', [go.name]), 'still');
  const number = tensorType('float64', []);
  const vector = tensorType('float64', [size]);
  const body = emit.graph(
    'step',
    [turn, go, ...within],
    [
      { name: still, type: tensorType('bool', []) },
      ...[next.param, next.slots.m, next.slots.v].map((name) => ({ name, type: vector })),
      { name: t, type: number },
      { name: loss, type: number },
    ],
  );
  const around = doubles(namesWithin(body));
  for (const { name, type } of [...outer, ...scalars, ...carried]) around.typed(name, type);
  const outputs = ['theta', 'm', 'v', 't', 'losses'].map((name) => (name === 'losses' ? name : `next/${name}`));
  const trips = around.Squeeze(around.call('Shape', ['rows'], { start: { type: 'int', value: 0 }, end: { type: 'int', value: 1 } }));
  const yes = around.constant({ dtype: 'bool', dims: [], bytes: Uint8Array.of(1) });
  around.node({
    ...{ op: 'Loop', domain: '', name: 'steps', inputs: [trips, yes, ...carried.map((c) => c.name)], outputs },
    attributes: { body: { type: 'graph', value: body } },
  });
  const types = [vector, vector, vector, number, tensorType('float64', ['S'])];
  return modelOf(
    dialect,
    around.graph(
      'fit',
      [...outer, ...scalars, ...carried],
      outputs.map((name, i) => ({ name, type: types[i] })),
    ),
  );
};

const double = (dims: readonly number[], data: Float64Array): Tensor => ({ dtype: 'float64', dims, data });

export interface Units {
  /** Fits units to `r` ([n, K]) on the rows `x` ([n, D]) from fresh values. */
  fit(x: Float64Array, r: Float64Array, chance: Random): Promise<Float64Array>;
  /** f of all rows. */
  values(x: Float64Array, theta: Float64Array): Promise<Float64Array>;
}

/** As scipy's L-BFGS-B: the fit ends where the objective falls by no more than this share of itself. */
const FLAT = 2.220446049250313e-9;
/** As scikit-learn's Adam: rows of a batch at most, and epochs without a better loss that it waits for. */
const BATCH = 200;
const PATIENCE = 10;

export interface Fitting {
  readonly activation: Activation;
  readonly solver: 'lbfgs' | 'adam';
  /** Of L-BFGS, or epochs of Adam. */
  readonly iterations: number;
  /** Of the gradient, or of the loss of an epoch of Adam. */
  readonly tolerance: number;
  readonly alpha: number;
  /** Step length of Adam. */
  readonly rate: number;
}
type Fit = Units['fit'];

const byLbfgs = async (
  programme: Pick<Programme, 'open'>,
  sizes: Sizes,
  { activation, iterations, tolerance, alpha }: Fitting,
): Promise<Fit> => {
  const fitted = await programme.open(objectiveModel(sizes, activation), 'the fit of a boosting step');
  return async (x, r, chance) => {
    const n = x.length / sizes.inputs;
    const feeds = {
      x: double([n, sizes.inputs], x),
      r: double([n, sizes.outputs], r),
      fit: double([], Float64Array.of(1 / (2 * n))),
      decay: double([], Float64Array.of(alpha / (2 * n))),
    };
    const { at } = await lbfgs(
      async (theta) => {
        const { loss, gradient } = await fitted.run({ ...feeds, theta: double([theta.length], theta) });
        return { value: Number(loss.data[0]), gradient: gradient.data as Float64Array };
      },
      drawn(sizes, activation, chance),
      { tolerance, iterations, flat: FLAT },
    );
    return at;
  };
};

/** Epochs over shuffled batches, until the mean loss of the epochs has not fallen for some while. */
const byAdam = async (
  programme: Pick<Programme, 'open'>,
  sizes: Sizes,
  { activation, iterations, tolerance, alpha, rate }: Fitting,
): Promise<Fit> => {
  const stepped = await programme.open(adamModel(sizes, activation), 'the fit of a boosting step');
  const { size } = parts(sizes);
  return async (x, r, chance) => {
    const n = x.length / sizes.inputs;
    const batch = Math.min(BATCH, n);
    const order = Array.from({ length: n }, (_, i) => i);
    const zero = double([size], new Float64Array(size));
    let state: Record<string, Tensor> = {
      theta: double([size], drawn(sizes, activation, chance)),
      ...{ m: zero, v: zero, t: double([], Float64Array.of(0)) },
    };
    const rows = { x: double([n, sizes.inputs], x), r: double([n, sizes.outputs], r), rate: double([], Float64Array.of(rate)) };
    const steps = async (from: number, to: number, of: number): Promise<number> => {
      if (to <= from) return 0;
      const out = await stepped.run({
        ...rows,
        ...state,
        rows: int64([(to - from) / of, of], order.slice(from, to)),
        fit: double([], Float64Array.of(1 / (2 * of))),
        decay: double([], Float64Array.of(alpha / (2 * of))),
      });
      state = { theta: out['next/theta'], m: out['next/m'], v: out['next/v'], t: out['next/t'] };
      return of * (out.losses.data as Float64Array).reduce((a, b) => a + b, 0);
    };
    let [best, waited] = [Number.POSITIVE_INFINITY, 0];
    for (let epoch = 0; epoch < iterations && waited <= PATIENCE; epoch++) {
      chance.shuffle(order);
      const whole = n - (n % batch);
      const loss = ((await steps(0, whole, batch)) + (await steps(whole, n, n % batch))) / n;
      waited = loss > best - tolerance ? waited + 1 : 0;
      best = Math.min(best, loss);
    }
    return Float64Array.from(state.theta.data as Float64Array);
  };
};

export const openUnits = async (programme: Pick<Programme, 'open'>, sizes: Sizes, fitting: Fitting): Promise<Units> => {
  const fit = await (fitting.solver === 'adam' ? byAdam : byLbfgs)(programme, sizes, fitting);
  const values = valuesModel(sizes, fitting.activation);
  const given = await programme.open(values, 'the units of a boosting step');
  const [out] = values.graph.outputs;
  return {
    fit,
    async values(x, theta) {
      const found = await given.run({ x: double([x.length / sizes.inputs, sizes.inputs], x), theta: double([theta.length], theta) });
      return Float64Array.from(found[out.name].data as Float64Array);
    },
  };
};
