import { Fault } from '../../base/fault.ts';
import type { GradientTool, PointRequest } from '../../evidence/evidence.ts';
import { baselinesOf } from './baselines.ts';
import { copiesOf } from './hiding.ts';
import { type Attributed, type AttributionMethod, completenessOf, type MethodContext, type MethodsOf, type Question } from './method.ts';
import { noiseOf } from './noise.ts';
import { type RuleName, rules } from './quadrature.ts';
import { drawnRows } from './samples.ts';

/** Where a path runs, if not through the inputs: values of a layer, `from` and `to` per row. */
export interface Inside {
  readonly d: number;
  readonly to: Float32Array;
}

/** (x − x')·∫∇f along the straight path (Sundararajan, Taly, Yan 2017), one baseline per row. */
const integrate = async (
  tool: GradientTool,
  question: Question,
  baseline: Float32Array,
  rule: RuleName,
  steps: number,
  signal: AbortSignal,
  inside?: Inside,
): Promise<Attributed> => {
  const rows = question.targets.length;
  const to = inside?.to ?? question.x;
  const d = to.length / rows;
  const { nodes, weights } = rules[rule](steps);
  const ends = new Float32Array(2 * to.length);
  for (let b = 0; b < rows; b++) {
    ends.set(baseline.subarray(b * d, (b + 1) * d), 2 * b * d);
    ends.set(to.subarray(b * d, (b + 1) * d), (2 * b + 1) * d);
  }
  const { x, targets, against, inputs = x } = question;
  const beside = { targets, ...(against ? { against } : {}), ...(inside || inputs !== x ? { inputs } : {}) };
  const sums = await tool.sum({ rows, points: ends, nodes, weights, ...beside }, signal);
  const values = sums.gradient.map((g, k) => g * (to[k] - baseline[k]));
  const output = await tool.values({ points: to, ...beside }, signal);
  const start = await tool.values({ points: baseline, ...beside }, signal);
  return { values, output, completeness: completenessOf(values, output, start, new Int32Array(rows).fill(steps)) };
};

/** Middle rule from 64 steps on, doubled for the rows whose relative gap is not yet below 1 %, up to 1024. */
const integrateUntilComplete = async (
  tool: GradientTool,
  question: Question,
  baseline: Float32Array,
  signal: AbortSignal,
  inside?: Inside,
): Promise<Attributed> => {
  const { x, targets, against, inputs } = question;
  const rows = targets.length;
  const size = (inside?.to ?? x).length;
  const d = size / rows;
  const values = new Float64Array(size);
  const [output, start, steps] = [new Float64Array(rows), new Float64Array(rows), new Int32Array(rows)];
  let open = Array.from({ length: rows }, (_, b) => b);
  for (let n = 64; n <= 1024 && open.length > 0; n *= 2) {
    const pick = (all: Float32Array): Float32Array => {
      const width = all.length / rows;
      const out = new Float32Array(open.length * width);
      open.forEach((b, i) => {
        out.set(all.subarray(b * width, (b + 1) * width), i * width);
      });
      return out;
    };
    const picked = (list: Int32Array): Int32Array => Int32Array.from(open, (b) => list[b]);
    const part = await integrate(
      tool,
      {
        x: pick(x),
        targets: picked(targets),
        ...(against ? { against: picked(against) } : {}),
        ...(inputs ? { inputs: pick(inputs) } : {}),
      },
      pick(baseline),
      'riemann_middle',
      n,
      signal,
      inside && { ...inside, to: pick(inside.to) },
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
  inside?: Inside,
): Promise<Attributed> => {
  const parts: Attributed[] = [];
  for (const baseline of baselines)
    parts.push(
      rule === 'adaptive'
        ? await integrateUntilComplete(tool, question, baseline, signal, inside)
        : await integrate(tool, question, baseline, rule, steps, signal, inside),
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

/** Points drawn on paths from drawn baselines: values of f at x and at the baselines come after those of the points. */
interface Draws {
  readonly baselines: Float32Array;
  /** Index of the baseline and place on the path of each draw of a row. */
  draw(row: number, s: number): { readonly baseline: number; readonly alpha: number };
  /** Noise added to x, if any. */
  noise?(row: number, s: number, points: Float32Array, at: number): void;
}

/**
 * Mean over draws of (x + n − x')·∇f(x' + α(x + n − x')), α uniform on [0, 1]: expected gradients (Erion et al. 2021, eq. 3), with
 * noise n GradientSHAP (Lundberg and Lee's path sampling as in Captum).
 */
const expectedGradients = async (
  tool: GradientTool,
  question: Question,
  { baselines, draw, noise }: Draws,
  draws: number,
  signal: AbortSignal,
): Promise<Attributed> => {
  const { x, targets, against, inputs } = question;
  const rows = targets.length;
  const d = x.length / rows;
  const values = new Float64Array(rows * d);
  const [output, start] = [new Float64Array(rows), new Float64Array(rows)];
  const perCall = Math.max(1, Math.floor(1_000_000 / d));
  const entries = (b: number, n: number): Omit<PointRequest, 'points'> => ({
    targets: new Int32Array(n).fill(targets[b]),
    ...(against ? { against: new Int32Array(n).fill(against[b]) } : {}),
    ...(inputs ? { inputs: copiesOf(inputs, b, rows, n) } : {}),
  });
  for (let b = 0; b < rows; b++) {
    output[b] = (await tool.values({ points: x.subarray(b * d, (b + 1) * d), ...entries(b, 1) }, signal))[0];
    for (let from = 0; from < draws; from += perCall) {
      const n = Math.min(perCall, draws - from);
      const [points, directions, ends] = [new Float32Array(n * d), new Float32Array(n * d), new Float32Array(n * d)];
      for (let s = 0; s < n; s++) {
        const { baseline, alpha } = draw(b, from + s);
        ends.set(baselines.subarray(baseline * d, (baseline + 1) * d), s * d);
        directions.set(x.subarray(b * d, (b + 1) * d), s * d);
        noise?.(b, from + s, directions, s * d);
        for (let k = 0; k < d; k++) {
          directions[s * d + k] -= ends[s * d + k];
          points[s * d + k] = ends[s * d + k] + alpha * directions[s * d + k];
        }
      }
      const part = await tool.sum({ rows: n, points, weights: [1], ...entries(b, n) }, signal);
      for (let k = 0; k < n * d; k++) values[b * d + (k % d)] += (part.gradient[k] * directions[k]) / draws;
      for (const f of await tool.values({ points: ends, ...entries(b, n) }, signal)) start[b] += f / draws;
    }
  }
  return { values, output, completeness: completenessOf(values, output, start, new Int32Array(rows).fill(draws)) };
};

const drawing = (meaning: string, withNoise: boolean): AttributionMethod => ({
  kind: 'contributions',
  meaning,
  async run(context: MethodContext) {
    const { tool, question, samples, rows, chosen, job } = context;
    const count = chosen.draws;
    const pool = await drawnRows(samples, job.signal);
    if (pool.count === 0) throw new Fault('diagnostic/no-samples', { data: 'the data' });
    const sources = rows.map((row) => job.random(`expected-gradients/${row}`));
    const draw = (b: number): { readonly baseline: number; readonly alpha: number } => ({
      baseline: sources[b].below(pool.count),
      alpha: sources[b].next(),
    });
    const noisy = withNoise ? await noiseOf(context) : undefined;
    const draws: Draws = { baselines: pool.x, draw, ...(noisy ? { noise: noisy.noise } : {}) };
    const found = await expectedGradients(await tool(), question, draws, count, job.signal);
    return {
      found,
      how: [
        { label: 'Baseline', value: `${count} draws from ${pool.count} rows of the data` },
        ...(noisy ? [{ label: 'Noise', value: noisy.sigma }] : []),
      ],
    };
  },
});

export const pathMethods: MethodsOf<'integrated-gradients' | 'expected-gradients' | 'gradient-shap'> = {
  'integrated-gradients': {
    kind: 'contributions',
    meaning:
      'Each value is what its input contributes on the way from the baseline to the sample; another baseline asks another question, so try one before concluding that an input does not matter',
    async run({ tool, question, samples, rows, axes, chosen, job }) {
      const { all, name } = await baselinesOf(chosen.baseline, question.x, samples, rows, axes, job);
      const found = await integratedGradients(await tool(), question, all, chosen.quadrature, chosen.steps, job.signal);
      return {
        found,
        how: [
          { label: 'Baseline', value: name },
          {
            label: 'Path',
            value: chosen.quadrature === 'adaptive' ? 'adaptive, middle rule' : `${chosen.quadrature}, ${chosen.steps} steps`,
          },
        ],
      };
    },
  },
  'expected-gradients': drawing(
    'Each value is what its input contributes on average when the baseline is another row of the data, so it says why this row is answered otherwise than those; few draws leave noise, which the completeness gap shows',
    false,
  ),
  'gradient-shap': drawing(
    'Values estimate SHAP values under a linear approximation between rows of the data and noisy copies of the sample; few draws leave noise, which the completeness gap shows',
    true,
  ),
};
