import { Fault } from '../../base/fault.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import { keyOf, type Rule, type Rules, type Site, wanted } from '../rule.ts';
import { dimsOf, num, reshapeLike } from '../shapes.ts';
import { describe, moving, mustKnow, oneSided, type Path, plain } from './path.ts';

/** Below this difference of inputs the derivative stands for the quotient (Captum). */
const SMALL = 1e-10;

/** Elementwise functions of one value. */
const functions = [
  ...['Relu', 'LeakyRelu', 'PRelu', 'ThresholdedRelu', 'Elu', 'Selu', 'Celu', 'Sigmoid', 'HardSigmoid', 'Tanh', 'Softplus', 'Softsign'],
  ...['HardSwish', 'Gelu', 'Mish', 'Swish', 'Shrink', 'Clip', 'Abs', 'Exp', 'Log', 'Sqrt', 'Erf', 'Sin', 'Cos', 'Pow', 'Reciprocal'],
  ...['com.microsoft.Gelu', 'com.microsoft.QuickGelu'],
];
const linear = new Set([
  ...['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Mul', 'Einsum', 'BatchNormalization', 'com.microsoft.FusedMatMul'],
  ...['AveragePool', 'GlobalAveragePool', 'ReduceMean', 'ReduceSum', 'Resize', 'Upsample'],
]);
const sums = new Set(['Add', 'Sub', 'Sum', 'Mean']);

/** Points and their references lie in pairs on the batch axis: [2B, …] as [B, 2, …]. */
const pairs = (emit: Emit, v: string, like: string): string => {
  const rest = dimsOf(emit, like)?.slice(1) ?? [];
  if (rest.every((d) => typeof d === 'number')) return emit.Reshape(v, emit.ints([-1, 2, ...rest.map(Number)]));
  const sizes = emit.Slice(emit.Shape(like), emit.ints([1]), emit.ints([64]));
  return emit.Reshape(v, emit.Concat(emit.ints([-1, 2]), sizes, { axis: 0 }));
};
const half = (emit: Emit, v: string, at: 0 | 1): string => emit.Slice(v, emit.ints([at]), emit.ints([at + 1]), emit.ints([1]));
const difference = (emit: Emit, v: string): string => emit.Sub(half(emit, v, 0), half(emit, v, 1));

/** `exact` / Δx where the inputs differ, else `derivative`; all [B, …, …] in pairs, given back as the batch. */
const quotient = (emit: Emit, site: Site, exact: string, derivative: string): string => {
  const [x] = site.x;
  const dx = difference(emit, pairs(emit, x, x));
  const same = emit.Less(emit.Abs(dx), num(emit, SMALL, x));
  const safe = emit.Where(same, num(emit, 1, x), dx);
  return reshapeLike(emit, emit.Where(same, pairs(emit, derivative, x), emit.Div(exact, safe)), x);
};

/**
 * DeepLIFT, rescale rule (Shrikumar, Greenside, Kundaje 2017, section 3.5.1): the multiplier of a nonlinearity is Δy/Δx, linear
 * operators have their weights. Rows come in pairs: a point and its reference. Maxima pass Δy to both positions that held them.
 */
export const deepLift = (path: Path, emit: Emit): Rules => {
  const isLinear = (n: Node): boolean => linear.has(keyOf(n)) && oneSided(path, n);
  const known = (n: Node): boolean =>
    (n.domain === '' && (moving.has(n.op) || sums.has(n.op) || (n.op === 'Div' && oneSided(path, n) && path.made.has(n.inputs[0])))) ||
    isLinear(n) ||
    (functions.includes(keyOf(n)) && oneSided(path, n)) ||
    (n.domain === '' && n.op === 'MaxPool');
  mustKnow('DeepLIFT', path, known);
  const batched = (node: Node): void => {
    if (typeof dimsOf(emit, node.inputs[0])?.[0] === 'number')
      throw new Fault('graph/rule-set', { set: 'DeepLIFT', nodes: [`${describe(node)}, whose first axis is not the batch`], count: 1 });
  };
  for (const n of path.nodes) for (const y of n.outputs) if (y) emit.mark(y, wanted);
  const rescale = (node: Node): Rule => {
    const back = plain(emit, node, 0);
    batched(node);
    return {
      back: [
        back &&
          ((e, g, site) => {
            const dy = difference(e, pairs(e, site.y[0], site.x[0]));
            return quotient(e, site, e.Mul(pairs(e, g, site.x[0]), dy), back(e, g, site));
          }),
      ],
    };
  };
  const maxima = (node: Node): Rule => {
    const back = plain(emit, node, 0);
    batched(node);
    return {
      back: [
        back &&
          ((e, g, site) => {
            const [y] = site.y;
            const both = pairs(e, y, y);
            const [of, ref] = [half(e, both, 0), half(e, both, 1)];
            const most = e.Max(of, ref);
            const shares = reshapeLike(e, e.Concat(e.Sub(most, ref), e.Sub(of, most), { axis: 1 }), y);
            const arrived = pairs(e, back(e, e.Mul(g, shares), site), site.x[0]);
            const total = e.ReduceSum(arrived, e.ints([1]), { keepdims: 1 });
            const twice = e.Concat(total, total, { axis: 1 });
            return quotient(e, site, twice, back(e, g, site));
          }),
      ],
    };
  };
  return { ...Object.fromEntries(functions.map((op) => [op, rescale])), MaxPool: maxima };
};
