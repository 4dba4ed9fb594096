import { floatOf, intOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import { keyOf, type Rule, type Rules } from '../rule.ts';
import { dimsOf, num, rankOf } from '../shapes.ts';
import { moving, mustKnow, oneSided, type Path, plain } from './path.ts';

export interface Lrp {
  readonly name: 'lrp';
  /** Stabiliser of the denominators: in units of the output, or with `relative` of the mean |z| of the layer and row. */
  readonly epsilon: number;
  readonly relative?: boolean;
  /** How much positive weights count more (LRP-γ); 0 is LRP-ε. */
  readonly gamma?: number;
}

const weighted = new Set(['Conv', 'Gemm', 'MatMul']);
const averages = new Set(['AveragePool', 'GlobalAveragePool', 'ReduceMean']);
const passed = new Set(['Relu', 'MaxPool']);
/** By a constant: relevance stays as it is. */
const scaled = new Set(['Mul', 'Div']);

/**
 * Layer-wise relevance propagation (Bach et al. 2015, eq. 58; γ: Montavon et al. 2019, table 10.1). Relevance is kept as
 * R = z·c: with c for a cotangent, R_i = x_i Σ_j w_ij R_j / (z_j + ε·sign z_j) is the derivative's own rule on c·z/(z + ε·sign z).
 * sign(0) = +1, 0/0 = 0; the share of biases is dropped. Relu hands relevance on, MaxPool to the winner.
 */
export const relevance = ({ epsilon, relative = false, gamma = 0 }: Lrp, path: Path, emit: Emit): Rules => {
  const standard = (n: Node, ops: ReadonlySet<string>): boolean => n.domain === '' && ops.has(n.op);
  mustKnow(
    'LRP',
    path,
    (n) =>
      standard(n, moving) ||
      standard(n, passed) ||
      standard(n, averages) ||
      keyOf(n) === 'Add' ||
      keyOf(n) === 'Sub' ||
      (standard(n, scaled) && oneSided(path, n) && path.made.has(n.inputs[0])) ||
      ((standard(n, weighted) || keyOf(n) === 'BatchNormalization') && oneSided(path, n) && path.made.has(n.inputs[0])),
  );
  /** A bias or a normalisation that alone reads a weighted sum belongs to its layer. */
  const follower = (node: Node): Node | undefined => {
    const readers = path.readers(node.outputs[0]);
    const [next] = readers;
    const affine = next && (keyOf(next) === 'BatchNormalization' || (keyOf(next) === 'Add' && oneSided(path, next)));
    return readers.length === 1 && affine && node.outputs[0] !== path.output ? next : undefined;
  };
  const followers = new Set<Node>();
  const layers = new Map<Node, readonly Node[]>();
  for (const node of path.nodes.filter((n) => standard(n, weighted))) {
    const chain: Node[] = [];
    for (let next = follower(node); next; next = follower(next)) chain.push(next);
    for (const n of chain) followers.add(n);
    layers.set(node, chain);
  }

  const stabilised = (e: Emit, z: string): string => {
    const one = num(e, 1, z);
    const sign = e.Where(e.Less(z, num(e, 0, z)), e.Neg(one), one);
    if (!relative) return e.Add(z, e.Mul(num(e, epsilon, z), sign));
    const axes = Array.from({ length: Math.max(0, (rankOf(e, z) ?? 2) - 1) }, (_, i) => i + 1);
    const size = e.ReduceMean(e.Abs(z), e.ints(axes), { keepdims: 1 });
    return e.Add(z, e.Mul(e.Mul(num(e, epsilon, z), size), sign));
  };
  /** c·z / stabilised(d); 0 where the denominator is 0. */
  const shared = (e: Emit, c: string, z: string, d: string): string => {
    const below = stabilised(e, d);
    const none = e.Equal(below, num(e, 0, below));
    return e.Where(none, num(e, 0, c), e.Div(e.Mul(c, z), e.Where(none, num(e, 1, below), below)));
  };

  /** Weights and bias of a layer with the affine operators that follow it folded in. */
  const folded = (e: Emit, node: Node): { readonly weights: string; readonly bias: string } => {
    let [, weights, bias = ''] = node.inputs;
    // One factor per output channel, in the place of the weights' output axis.
    const perOutput = (v: string): string => {
      if (node.op !== 'Conv') return intOf(node, 'transB', 0) === 1 ? e.Reshape(v, e.ints([-1, 1])) : v;
      return e.Reshape(v, e.ints([-1, ...Array.from({ length: (rankOf(e, weights) ?? 4) - 1 }, () => 1)]));
    };
    for (const next of layers.get(node) ?? []) {
      if (next.op === 'Add') {
        const own = next.inputs.find((x) => !path.made.has(x)) ?? '';
        const added = node.op === 'Conv' ? e.Reshape(own, e.ints([-1])) : own;
        bias = bias ? e.Add(bias, added) : added;
        continue;
      }
      const [, scale, shift, mean, variance] = next.inputs;
      const factor = e.Div(scale, e.Sqrt(e.Add(variance, num(e, floatOf(next, 'epsilon', 1e-5), variance))));
      weights = e.Mul(weights, perOutput(factor));
      bias = e.Add(e.Mul(bias ? e.Sub(bias, mean) : e.Neg(mean), factor), shift);
    }
    return { weights, bias };
  };
  const layer = (node: Node): Rule => {
    const back = plain(emit, node, 0);
    const chain = layers.get(node) ?? [];
    return {
      back: [
        back &&
          ((e, c, site) => {
            const z = chain.at(-1)?.outputs[0] ?? site.y[0];
            if (gamma === 0 && chain.every((n) => n.op === 'Add')) return back(e, shared(e, c, z, z), site);
            const { weights, bias } = folded(e, node);
            const more = (v: string): string => (gamma === 0 ? v : e.Add(v, e.Mul(num(e, gamma, v), e.Relu(v))));
            const raised = more(weights);
            const [x] = site.x;
            const withBias = node.op !== 'MatMul' && bias !== '' && dimsOf(e, bias)?.length === 1;
            const sum = e.call(node.op, withBias ? [x, raised, more(bias)] : [x, raised], node.attributes);
            const total = !withBias && bias ? e.Add(sum, more(bias)) : sum;
            return back(e, shared(e, c, z, total), { ...site, node, x: [x, raised], y: [total] });
          }),
      ],
    };
  };
  const average = (node: Node): Rule => {
    const back = plain(emit, node, 0);
    return { back: [back && ((e, c, site) => back(e, shared(e, c, site.y[0], site.y[0]), site))] };
  };
  const affine = (node: Node): Rule => {
    if (followers.has(node)) return { back: node.inputs.map((x) => (path.made.has(x) ? (_, c) => c : null)) };
    return {
      back: node.inputs.map((_, i) => {
        const back = plain(emit, node, i);
        return back && ((e, c, site) => back(e, shared(e, c, site.y[0], site.y[0]), site));
      }),
    };
  };
  return {
    ...Object.fromEntries([...weighted].map((op) => [op, layer])),
    ...Object.fromEntries([...averages].map((op) => [op, average])),
    Add: affine,
    Sub: affine,
    BatchNormalization: affine,
  };
};
