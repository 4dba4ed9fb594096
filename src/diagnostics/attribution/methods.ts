import type { GradientTool } from '../../evidence/evidence.ts';
import { sumAlong } from './paths.ts';
import { type RuleName, rules, withEnds } from './quadrature.ts';

/** Methods by id, with the name they are known by. */
export const methods = {
  'integrated-gradients': 'Integrated Gradients',
  gradient: 'Gradient',
  'gradient-x-input': 'Gradient × Input',
  smoothgrad: 'SmoothGrad',
  'smoothgrad-squared': 'SmoothGrad²',
  vargrad: 'VarGrad',
} as const;
export type Method = keyof typeof methods;

/** Rows to attribute: x is [rows, d], one entry of the output per row. */
export interface Question {
  readonly x: Float32Array;
  readonly targets: Int32Array;
}

export interface Attributed {
  /** [rows, d], signed. */
  readonly values: Float64Array;
  /** f at x, per row. */
  readonly output: Float64Array;
  /** For methods that must add up: f at the baseline (a mean where there are several), and what is missing. */
  readonly completeness?: Completeness;
}
export interface Completeness {
  readonly baselineOutput: Float64Array;
  /** Σ attributions − (f(x) − f(x')), per row. */
  readonly gap: Float64Array;
  /** |gap| / max(|f(x) − f(x')|, 1e-6). */
  readonly relative: Float64Array;
  /** Steps used per row. */
  readonly steps: Int32Array;
}

const valuesAt = (values: Float64Array, rows: number, per: number, at: number): Float64Array =>
  Float64Array.from({ length: rows }, (_, b) => values[b * per + at]);

/** ∂f/∂x with its sign (Simonyan et al. 2013). */
export const gradient = async (tool: GradientTool, { x, targets }: Question, signal: AbortSignal): Promise<Attributed> => {
  const d = x.length / targets.length;
  const point = (row: number, _: number, points: Float32Array, at: number): void => points.set(x.subarray(row * d, (row + 1) * d), at);
  const { gradient, values } = await sumAlong(tool, d, targets, [1], point, false, signal);
  return { values: gradient, output: values };
};

/** x·∂f/∂x (Shrikumar et al. 2016). */
export const gradientTimesInput = async (tool: GradientTool, question: Question, signal: AbortSignal): Promise<Attributed> => {
  const { values, output } = await gradient(tool, question, signal);
  return { values: values.map((g, k) => g * question.x[k]), output };
};

const completenessOf = (values: Float64Array, output: Float64Array, baselineOutput: Float64Array, steps: Int32Array): Completeness => {
  const d = values.length / output.length;
  const gap = output.map((f, b) => {
    let sum = 0;
    for (let k = b * d; k < (b + 1) * d; k++) sum += values[k];
    return sum - (f - baselineOutput[b]);
  });
  return {
    baselineOutput,
    gap,
    relative: gap.map((g, b) => Math.abs(g) / Math.max(Math.abs(output[b] - baselineOutput[b]), 1e-6)),
    steps,
  };
};

/** (x − x')·∫∇f along the straight path (Sundararajan, Taly, Yan 2017), one baseline per row. */
const integrate = async (
  tool: GradientTool,
  { x, targets }: Question,
  baseline: Float32Array,
  rule: RuleName,
  steps: number,
  signal: AbortSignal,
): Promise<Attributed> => {
  const [rows, d] = [targets.length, x.length / targets.length];
  const { nodes, weights, first, last } = withEnds(rules[rule](steps));
  const point = (row: number, s: number, points: Float32Array, at: number): void => {
    for (let k = 0; k < d; k++) {
      const from = baseline[row * d + k];
      points[at + k] = nodes[s] === 1 ? x[row * d + k] : from + nodes[s] * (x[row * d + k] - from);
    }
  };
  const sums = await sumAlong(tool, d, targets, weights, point, false, signal);
  const values = sums.gradient.map((g, k) => g * (x[k] - baseline[k]));
  const output = valuesAt(sums.values, rows, nodes.length, last);
  const start = valuesAt(sums.values, rows, nodes.length, first);
  return { values, output, completeness: completenessOf(values, output, start, new Int32Array(rows).fill(steps)) };
};

/** Middle rule from 64 steps on, doubled for the rows whose relative gap is not yet below 1 %, up to 1024. */
const integrateUntilComplete = async (
  tool: GradientTool,
  { x, targets }: Question,
  baseline: Float32Array,
  signal: AbortSignal,
): Promise<Attributed> => {
  const [rows, d] = [targets.length, x.length / targets.length];
  const values = new Float64Array(x.length);
  const [output, start, steps] = [new Float64Array(rows), new Float64Array(rows), new Int32Array(rows)];
  let open = Array.from({ length: rows }, (_, b) => b);
  for (let n = 64; n <= 1024 && open.length > 0; n *= 2) {
    const pick = (all: Float32Array): Float32Array => {
      const out = new Float32Array(open.length * d);
      open.forEach((b, i) => {
        out.set(all.subarray(b * d, (b + 1) * d), i * d);
      });
      return out;
    };
    const part = await integrate(
      tool,
      { x: pick(x), targets: Int32Array.from(open, (b) => targets[b]) },
      pick(baseline),
      'riemann_middle',
      n,
      signal,
    );
    open.forEach((b, i) => {
      values.set(part.values.subarray(i * d, (i + 1) * d), b * d);
      output[b] = part.output[i];
      start[b] = part.completeness?.baselineOutput[i] ?? 0;
      steps[b] = n;
    });
    open = open.filter((_, i) => (part.completeness?.relative[i] ?? 0) >= 0.01);
  }
  return { values, output, completeness: completenessOf(values, output, start, steps) };
};

/** `baselines` holds one baseline [rows, d] or several, over which attributions are averaged. */
export const integratedGradients = async (
  tool: GradientTool,
  question: Question,
  baselines: readonly Float32Array[],
  rule: RuleName | 'adaptive',
  steps: number,
  signal: AbortSignal,
): Promise<Attributed> => {
  const parts: Attributed[] = [];
  for (const baseline of baselines)
    parts.push(
      rule === 'adaptive'
        ? await integrateUntilComplete(tool, question, baseline, signal)
        : await integrate(tool, question, baseline, rule, steps, signal),
    );
  if (parts.length === 1) return parts[0];
  const mean = (of: (part: Attributed) => Float64Array): Float64Array =>
    of(parts[0]).map((_, k) => parts.reduce((sum, part) => sum + of(part)[k], 0) / parts.length);
  const values = mean((part) => part.values);
  const [output] = parts;
  const most = Int32Array.from(question.targets, (_, b) => Math.max(...parts.map((part) => part.completeness?.steps[b] ?? 0)));
  const start = mean((part) => part.completeness?.baselineOutput ?? part.output);
  return { values, output: output.output, completeness: completenessOf(values, output.output, start, most) };
};

/** Over `samples` noisy copies of x: mean gradient (Smilkov et al. 2017), mean of its square, or its population variance. */
export const noisyGradient = async (
  tool: GradientTool,
  { x, targets }: Question,
  kind: 'smoothgrad' | 'smoothgrad-squared' | 'vargrad',
  samples: number,
  /** Adds the noise of a row's copy `s` to what `points` holds from `at` on. Called for s = 0, 1, … of each row in turn. */
  noise: (row: number, s: number, points: Float32Array, at: number) => void,
  signal: AbortSignal,
): Promise<Attributed> => {
  const [rows, d] = [targets.length, x.length / targets.length];
  const weights = [...new Array<number>(samples).fill(1 / samples), 0];
  const point = (row: number, s: number, points: Float32Array, at: number): void => {
    points.set(x.subarray(row * d, (row + 1) * d), at);
    if (s < samples) noise(row, s, points, at);
  };
  const sums = await sumAlong(tool, d, targets, weights, point, kind !== 'smoothgrad', signal);
  const squared = sums.squared ?? new Float64Array(sums.gradient.length);
  const values =
    kind === 'smoothgrad'
      ? sums.gradient
      : kind === 'smoothgrad-squared'
        ? squared
        : squared.map((q, k) => Math.max(0, q - sums.gradient[k] ** 2));
  return { values, output: valuesAt(sums.values, rows, samples + 1, samples) };
};
