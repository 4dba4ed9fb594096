import { type ChoiceOption, type Chosen, choice, type IntOption, int, type Options } from '../base/option.ts';
import type { Random } from '../base/random.ts';
import { sizeOf } from '../base/tensor.ts';
import { lengthsNode } from '../graph/class-lengths.ts';
import { dense, type Flow, integers, number, reshape } from './architectures/layers.ts';
import type { Net } from './define-layers.ts';

/** Keeps the length of a capsule of zeros differentiable. */
const EPSILON = 1e-9;
/** Spread of the first W_ij. */
const SPREAD = 0.1;
const whole = (value: number): { readonly type: 'int'; readonly value: number } => ({ type: 'int', value });

/** ‖s‖², along the last axis, which stays. */
const squared = (net: Net, { value, row }: Flow, name: string): Flow => {
  const kept = [...row.slice(0, -1), 1];
  const squares = net.layer('Mul', `${name}.squares`, [value, value], {}, row);
  return { value: net.layer('ReduceSum', name, [squares, integers(net, `${name}.axis`, [-1])], { keepdims: whole(1) }, kept), row: kept };
};
/** q/(1+q), q = ‖s‖²: the length of squash(s). */
const shrunk = (net: Net, { value, row }: Flow, name: string): string => {
  const more = net.layer('Add', `${name}.more`, [value, number(net, `${name}.one`, 1)], {}, row);
  return net.layer('Div', name, [value, more], {}, row);
};
/** ‖s‖²/(1+‖s‖²) · s/√(‖s‖²+1e-9). */
export const squash = (net: Net, s: Flow, name: string): Flow => {
  const q = squared(net, s, `${name}.norm2`);
  const raised = net.layer('Add', `${name}.raised`, [q.value, number(net, `${name}.epsilon`, EPSILON)], {}, q.row);
  const root = net.layer('Sqrt', `${name}.root`, [raised], {}, q.row);
  const factor = net.layer('Div', `${name}.factor`, [shrunk(net, q, `${name}.length`), root], {}, q.row);
  return { value: net.layer('Mul', name, [s.value, factor], {}, s.row), row: s.row };
};

export interface CapsuleOptions extends Options {
  readonly primaryCapsules: IntOption;
  readonly primaryDim: IntOption;
  readonly classDim: IntOption;
  readonly routingIterations: IntOption;
  readonly routingGrad: ChoiceOption<'last' | 'full'>;
}
export const capsuleOptions: CapsuleOptions = {
  primaryCapsules: int({ default: 32, min: 1, max: 4096, help: 'Capsules that vote.' }),
  primaryDim: int({ default: 8, min: 1, max: 256, help: 'Numbers of a voting capsule.' }),
  classDim: int({ default: 16, min: 1, max: 256, help: 'Numbers of the capsule of a class.' }),
  routingIterations: int({ default: 3, min: 1, max: 20, help: 'Rounds of routing by agreement.' }),
  routingGrad: choice({
    default: 'last',
    of: ['last', 'full'],
    help: 'Where the gradient flows: through the votes of the last round alone, its couplings as constants, or through all rounds.',
  }),
};
export const capsuleFormula: readonly string[] = [
  'u_i = squash(W_p φ)_i,  û_ij = W_ij u_i',
  'c_i = softmax_j(b_i),  s_j = Σ_i c_ij û_ij,  v_j = squash(s_j),  b_ij ← b_ij + ⟨û_ij, v_j⟩',
  'squash(s) = ‖s‖²/(1+‖s‖²) · s/‖s‖,  score of class j: ‖v_j‖',
];
type CapsuleSizes = Chosen<CapsuleOptions>;

/**
 * Votes û [capsules, classes, dim] to the lengths of the class capsules: c = softmax_j(b), s_j = Σ_i c_ij û_ij, v = squash(s),
 * b += ⟨û, v⟩ except after the last iteration. Couplings count as constants in training unless the gradient is `full`.
 */
export const routed = (
  net: Net,
  votes: Flow,
  { routingIterations, routingGrad }: Pick<CapsuleSizes, 'routingIterations' | 'routingGrad'>,
  name: string,
): Flow => {
  const [capsules, classes, dim] = votes.row;
  const from: Flow = routingGrad === 'full' ? votes : { value: net.held(`${name}.held`, votes.value, votes.row), row: votes.row };
  const over = integers(net, `${name}.capsules`, [1]);
  const inner = integers(net, `${name}.dim`, [3]);
  const first = integers(net, `${name}.first`, [1]);
  const last = integers(net, `${name}.last`, [3]);
  let b = '';
  let s: Flow = votes;
  for (let r = 1; r <= routingIterations; r++) {
    const at = `${name}.${r}`;
    const read = r === routingIterations ? votes : from;
    // All couplings are 1/classes at first.
    const weighed = (): string => {
      if (b === '') return net.layer('Mul', `${at}.weighed`, [read.value, number(net, `${at}.equal`, 1 / classes)], {}, votes.row);
      const c = net.layer('Softmax', `${at}.couplings`, [b], { axis: whole(2) }, [capsules, classes]);
      const wide = net.layer('Unsqueeze', `${at}.wide`, [c, last], {}, [capsules, classes, 1]);
      return net.layer('Mul', `${at}.weighed`, [read.value, wide], {}, votes.row);
    };
    s = { value: net.layer('ReduceSum', `${at}.s`, [weighed(), over], { keepdims: whole(0) }, [classes, dim]), row: [classes, dim] };
    if (r === routingIterations) break;
    const v = squash(net, s, `${at}.v`);
    const beside = net.layer('Unsqueeze', `${at}.beside`, [v.value, first], {}, [1, classes, dim]);
    const products = net.layer('Mul', `${at}.products`, [from.value, beside], {}, votes.row);
    const agreement = net.layer('ReduceSum', `${at}.agreement`, [products, inner], { keepdims: whole(0) }, [capsules, classes]);
    b = b === '' ? agreement : net.layer('Add', `${at}.b`, [b, agreement], {}, [capsules, classes]);
  }
  const length = shrunk(net, squared(net, s, `${name}.norm2`), `${name}.length`);
  return { value: net.layer('Flatten', lengthsNode, [length], { axis: whole(1) }, [classes]), row: [classes] };
};

/** Features [width] to the lengths of class capsules: u_i = squash(W_p φ)_i, û_ij = W_ij u_i, routed. */
export const capsules = (net: Net, features: Flow, classes: number, sizes: CapsuleSizes, random: Random): Flow => {
  const { primaryCapsules: n, primaryDim, classDim } = sizes;
  const wide = dense(net, features, 'primary', n * primaryDim);
  const u = squash(net, reshape(net, wide, 'primary.capsules', [n, primaryDim]), 'primary.squash');
  const dims = [n, primaryDim, classes * classDim];
  const weight = net.parameter(
    'routes.weight',
    dims,
    Float64Array.from({ length: sizeOf(dims) }, () => SPREAD * random.normal()),
  );
  const joined = net.layer('Einsum', 'votes.joined', [u.value, weight], { equation: { type: 'string', value: 'nip,ipk->nik' } }, [
    n,
    classes * classDim,
  ]);
  const votes = reshape(net, { value: joined, row: [n, classes * classDim] }, 'votes', [n, classes, classDim]);
  return routed(net, votes, sizes, 'routing');
};
