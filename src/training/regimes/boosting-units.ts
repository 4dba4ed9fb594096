import { gradients } from '../../autodiff/reverse.ts';
import { lbfgs } from '../../base/maths/lbfgs.ts';
import type { Random } from '../../base/random.ts';
import type { Tensor } from '../../base/tensor.ts';
import { emitter } from '../../graph/emit.ts';
import type { Model } from '../../graph/types.ts';
import type { OpenGraph, Programme } from '../define-run.ts';
import { layoutOf, unpack } from '../layout.ts';
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

/** The least-squares objective (1/2n)Σ‖f − r‖² + (α/2n)(‖W‖² + ‖V‖²) with its gradient, and f alone. */
const graphs = (sizes: Sizes, activation: Activation): { readonly objective: Model; readonly values: Model } => {
  const base = emitter({});
  const emit: typeof base = { ...base, scalar: (value, dtype = 'float64') => base.scalar(value, dtype) };
  const info = (name: string, dims: readonly (string | number)[]) => {
    const type = tensorType('float64', dims);
    return { name: emit.typed(name, type), type };
  };
  const layout = parts(sizes);
  const x = info('x', ['N', sizes.inputs]);
  const theta = info('theta', [layout.size]);
  const r = info('r', ['N', sizes.outputs]);
  const [fit, decay] = [info('fit', []), info('decay', [])];
  const [W, b, V, c] = unpack(emit, layout, theta.name);
  const f = emit.Add(emit.MatMul(emit[activationOps[activation]](emit.Add(emit.MatMul(x.name, W), b)), V), c);
  const values = emit.graph('units', [x, theta], [{ name: f, type: tensorType('float64', ['N', sizes.outputs]) }]);
  const d = emit.Sub(f, r.name);
  const squares = (v: string): string => emit.ReduceSum(emit.Mul(v, v), { keepdims: 0 });
  const loss = emit.Add(emit.Mul(fit.name, squares(d)), emit.Mul(decay.name, emit.Add(squares(W), squares(V))));
  const g = gradients(emit, loss, [theta.name]).get(theta.name) ?? '';
  const outputs = [
    { name: emit.rename(loss, 'loss'), type: tensorType('float64', []) },
    { name: emit.rename(g, 'gradient'), type: tensorType('float64', [layout.size]) },
  ];
  const dialect = { irVersion: 8, opsets: new Map([['', 18]]) };
  return {
    objective: modelOf(dialect, emit.graph('objective', [x, theta, r, fit, decay], outputs)),
    values: modelOf(dialect, values),
  };
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

export const openUnits = async (
  programme: Pick<Programme, 'open'>,
  sizes: Sizes,
  { activation, iterations, alpha }: { readonly activation: Activation; readonly iterations: number; readonly alpha: number },
): Promise<Units> => {
  const { objective, values } = graphs(sizes, activation);
  const [fitted, given]: readonly OpenGraph[] = [
    await programme.open(objective, 'the fit of a boosting step'),
    await programme.open(values, 'the units of a boosting step'),
  ];
  const [out] = values.graph.outputs;
  return {
    async fit(x, r, chance) {
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
        { tolerance: 0, iterations, flat: FLAT },
      );
      return at;
    },
    async values(x, theta) {
      const found = await given.run({ x: double([x.length / sizes.inputs, sizes.inputs], x), theta: double([theta.length], theta) });
      return Float64Array.from(found[out.name].data as Float64Array);
    },
  };
};
