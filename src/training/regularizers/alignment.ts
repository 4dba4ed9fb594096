import { stopped } from '../../autodiff/stopped.ts';
import { type ChoiceOption, choice, type IntOption, int, type RealOption, real } from '../../base/option.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Parted, RegularizerInput, Sizes } from '../define.ts';
import { oneHot } from '../one-hot.ts';

/** Of the ColoredMNIST scripts: weight of the penalty after its warm-up, the step that ends it, and of Σ‖θ‖². */
const coloured = { weight: 91257.18613115903, annealSteps: 190, squares: 0.00110794568 };

type AlignmentOptions = {
  readonly alpha: RealOption;
  readonly beta: RealOption;
  readonly annealSteps: IntOption;
  readonly preset: ChoiceOption<'domainbed' | 'colored-mnist'>;
};

export const alignmentOptions = (alpha: number, of: string): AlignmentOptions => ({
  alpha: real({ default: alpha, min: 0, max: 1e9, help: `Weighs the distances between ${of} of the domains.` }),
  beta: real({ default: 5e-3, min: 0, max: 1e9, help: 'Weighs the distances between gradients of the domains.' }),
  annealSteps: int({ default: 0, min: 0, max: 1e9, help: 'First steps, in which nothing is added to the loss of the domains.' }),
  preset: choice({
    default: 'domainbed',
    of: ['domainbed', 'colored-mnist'],
    help: `Which of the reference's forms: 'domainbed' takes means over domains and holds what they are compared with; 'colored-mnist' sums, holds nothing, and has its own weights (1, and ${coloured.weight} from step ${coloured.annealSteps} on, then dividing the whole loss), with ${coloured.squares} times all squared parameters: alpha, beta and annealSteps are not read.`,
  }),
});

export const alignmentBasics = {
  reads: ['features', 'domains'],
  labels: true,
  baseline: null,
  refuses: ({ outputs, classes }: Sizes): string | undefined =>
    classes > 0 && outputs !== classes ? 'needs one logit per class in the place of an embedding' : undefined,
  scheduled: {
    /** Of the penalty before or after its warm-up. */
    weight: ({ t }: { readonly t: number }, chosen: { readonly preset: string; readonly annealSteps: number }): number => {
      if (chosen.preset === 'colored-mnist') return t < coloured.annealSteps ? 1 : coloured.weight;
      return t < chosen.annealSteps ? 0 : 1;
    },
  },
} as const;

/**
 * Gradients and curvature of the domains' mean losses by the last layer h = [W | b], in closed form: with φ̃ = [φ; 1] and p the
 * probabilities, first-order expressions of φ and p. Tensors over domains are [E, C, D + 1].
 */
export interface DomainHeads {
  /** Mean loss of each domain, [E]. */
  readonly losses: string;
  /** 1/(number of domains in the batch) for each that is in it, else 0, [E]. */
  readonly shares: string;
  readonly gradients: string;
  readonly mean: string;
  /** Mean over domains, [C, D + 1]. */
  average(perDomain: string): string;
  /** H_e V_e for V [E, C, D + 1]. */
  times(v: string): string;
  /** H̄ v for v [C, D + 1]. */
  averageTimes(v: string): string;
  /** Diagonals of H_e. */
  diagonals(): string;
  /** (1/K) Σ_k z_k ∘ H_e z_k for probes z [K, C, D + 1]. */
  probed(z: string, probes: number): string;
}

export const domainHeads = (emit: Emit, input: RegularizerInput): DomainHeads => {
  const { logits, classes, target, soft, perExample, layer } = input;
  const domains = input.domains ?? '';
  const features = input.features ?? '';
  const wide = emit.type(logits)?.dtype === 'float64';
  const to = wide ? 11 : 1;
  const dtype = wide ? 'float64' : 'float32';
  const ax = (...axes: number[]): string => emit.ints(axes);
  const swap = (v: string): string => emit.Transpose(v, { perm: [1, 0] });
  const sum = (v: string, ...axes: number[]): string => emit.ReduceSum(v, ax(...axes), { keepdims: 0 });

  const last = emit.Add(emit.call('ReduceMax', [domains], { keepdims: 0 }), emit.scalar(1, 'int64'));
  const order = emit.Range(emit.scalar(0, 'int64'), last, emit.scalar(1, 'int64'));
  /** [E, N]: 1 for the rows of each domain. */
  const members = emit.Cast(emit.Equal(emit.Unsqueeze(order, ax(1)), emit.Unsqueeze(domains, ax(0))), { to });
  const counts = sum(members, 1);
  const present = emit.Cast(emit.Greater(counts, emit.scalar(0, dtype)), { to });
  const shares = emit.Div(present, emit.ReduceSum(present, { keepdims: 0 }));
  const within = emit.Div(members, emit.Unsqueeze(emit.Max(counts, emit.scalar(1, dtype)), ax(1)));

  const one = emit.Expand(emit.scalar(1, dtype), emit.Concat(emit.Shape(domains), ax(1), { axis: 0 }));
  const phi = layer?.bias === '' ? features : emit.Concat(features, one, { axis: 1 });
  const p = classes > 0 ? emit.Softmax(logits, { axis: 1 }) : emit.Sigmoid(logits);
  const y = classes > 0 ? (soft ?? oneHot(emit, target, classes, to)) : target;
  /** The binary loss is the mean over the labels of a row. */
  const labels = classes > 0 ? 1 : Number(emit.type(logits)?.dims?.[1] ?? 1);
  const perLabel = (v: string): string => (labels === 1 ? v : emit.Mul(v, emit.scalar(1 / labels, dtype)));

  /** (1/B_e) Σ over the rows of a domain of rᵢ φᵢᵀ, r [N, C]. */
  const outer = (r: string, of: string): string => emit.MatMul(emit.Mul(emit.Unsqueeze(within, ax(1)), emit.Unsqueeze(swap(r), ax(0))), of);
  const average = (v: string): string => sum(emit.Mul(v, emit.Reshape(shares, ax(-1, 1, 1))), 0);
  /** S u for each row, u [N, C]: p ∘ u − p (p·u), or p (1 − p) ∘ u of single labels. */
  const curved = (u: string): string => {
    const weighed = emit.Mul(p, u);
    if (classes === 0) return perLabel(emit.Sub(weighed, emit.Mul(p, weighed)));
    return emit.Sub(weighed, emit.Mul(p, emit.ReduceSum(weighed, ax(1), { keepdims: 1 })));
  };
  const gradients = outer(perLabel(emit.Sub(p, y)), phi);
  return {
    losses: emit.Squeeze(emit.MatMul(within, emit.Unsqueeze(perExample, ax(1))), ax(1)),
    shares,
    gradients,
    mean: average(gradients),
    average,
    times(v) {
      const all = emit.MatMul(phi, emit.Transpose(v, { perm: [0, 2, 1] }));
      return outer(curved(sum(emit.Mul(all, emit.Unsqueeze(members, ax(2))), 0)), phi);
    },
    averageTimes: (v) => average(outer(curved(emit.MatMul(phi, swap(v))), phi)),
    diagonals: () => outer(perLabel(emit.Sub(p, emit.Mul(p, p))), emit.Mul(phi, phi)),
    probed(z, probes) {
      const width = emit.type(z)?.dims?.[2] ?? 0;
      const rows = emit.Reshape(z, ax(-1, Number(width)));
      // [N, K, C], each probe curved alone.
      const outputs = Number(emit.type(z)?.dims?.[1] ?? 1);
      const u = emit.Reshape(emit.MatMul(phi, swap(rows)), ax(-1, probes, outputs));
      const each = emit.Unsqueeze(p, ax(1));
      const weighed = emit.Mul(each, u);
      const turned =
        classes === 0
          ? perLabel(emit.Sub(weighed, emit.Mul(each, weighed)))
          : emit.Sub(weighed, emit.Mul(each, emit.ReduceSum(weighed, ax(2), { keepdims: 1 })));
      const flat = emit.Reshape(turned, ax(-1, probes * outputs));
      const products = emit.Mul(outer(flat, phi), emit.Unsqueeze(rows, ax(0)));
      return emit.ReduceMean(emit.Reshape(products, ax(-1, probes, outputs, Number(width))), ax(1), { keepdims: 0 });
    },
  };
};

/**
 * L̄ − L + (1/E) Σ_e [α ‖q_e − sg(q̄)‖² + β ‖g_e − sg(ḡ)‖²], where L̄ is the mean of the domains' losses and L the loss of the
 * batch, in whose place it comes; or the form of the ColoredMNIST scripts.
 */
export const alignmentTerm = (
  emit: Emit,
  input: RegularizerInput,
  heads: DomainHeads,
  [what, compared, mean]: readonly [what: string, perDomain: string, mean: string],
  { alpha, beta, weight }: Readonly<Record<string, string>>,
  preset: string,
): Parted => {
  const scripts = preset === 'colored-mnist';
  const total = (v: string): string => emit.ReduceSum(v, { keepdims: 0 });
  const weights = scripts ? emit.Sign(heads.shares) : heads.shares;
  const distance = (of: string, from: string): string => {
    const centre = emit.Unsqueeze(scripts ? from : stopped(emit, from), emit.ints([0]));
    const difference = emit.Sub(of, centre);
    return total(emit.Mul(weights, emit.ReduceSum(emit.Mul(difference, difference), emit.ints([1, 2]), { keepdims: 0 })));
  };
  const [curvature, gradient] = [distance(compared, mean), distance(heads.gradients, heads.mean)];
  const domainLoss = total(emit.Mul(heads.shares, heads.losses));
  if (!scripts) {
    const [curved, slanted] = [emit.Mul(alpha, curvature), emit.Mul(beta, gradient)].map((v) => emit.Mul(weight, v));
    const term = emit.Add(emit.Sub(domainLoss, input.mean), emit.Add(curved, slanted));
    return { term, parts: { 'loss of domains': domainLoss, [what]: curved, gradients: slanted } };
  }
  const squares = input.parameters.map(({ value }) => emit.call('ReduceSumSquare', [value], { keepdims: 0 }));
  const decay = emit.Mul(
    emit.scalar(coloured.squares),
    squares.reduce((a, b) => emit.Add(a, b)),
  );
  const [kept, small] = [domainLoss, decay].map((v) => emit.Div(v, weight));
  const term = emit.Add(emit.Sub(emit.Add(kept, small), input.mean), emit.Add(curvature, gradient));
  return { term, parts: { 'loss of domains': kept, 'squares of parameters': small, [what]: curvature, gradients: gradient } };
};
