import fc from 'fast-check';
import { recording } from '../../src/autodiff/differentiate.ts';
import { gradients } from '../../src/autodiff/reverse.ts';
import type { Rules } from '../../src/autodiff/rule.ts';
import { random } from '../../src/base/random.ts';
import { sizeOf, type Tensor } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import type { Emit } from '../../src/graph/emit.ts';
import { prepare } from '../../src/graph/prepare.ts';
import type { RunGraph } from '../../src/graph/probe.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import { numbers, open } from './ort.ts';
import { type Assembled, assemble, fedWith, missing, modelOf, type Program, programs } from './random-program.ts';
import type { Float } from './random-steps.ts';

/** Length of the differences, how far a derivative may be off relative to the largest entry, and rounding of the runtime. */
interface Limit {
  readonly h: number;
  readonly relative: number;
  /** Differences of two lengths that disagree by more than this say nothing. */
  readonly rough: number;
  readonly rounding: number;
  /** Numbers below this are taken for zero. */
  readonly floor: number;
}
const limits: Readonly<Record<Float, Limit>> = {
  float64: { h: 1e-5, relative: 1e-6, rough: 1e-4, rounding: 4e-16, floor: 1e-9 },
  float32: { h: 4e-3, relative: 1e-2, rough: 3e-2, rounding: 4e-7, floor: 1e-5 },
};

/** What became of one graph. Only 'agrees' says something of the rules. */
type Outcome = 'agrees' | 'kink' | 'not finite';
export interface Examined {
  readonly outcome: Outcome;
  /** Cases that the graph was made of. */
  readonly drawn: readonly string[];
}

/** A derivative that is not what differences say. */
export class Disagreement extends Error {}

const norm = (v: readonly number[]): number => Math.sqrt(v.reduce((s, a) => s + a * a, 0));
const minus = (a: readonly number[], b: readonly number[], scale = 1): number[] => a.map((v, i) => (v - b[i]) * scale);
const largest = (v: readonly number[]): number => v.reduce((m, a) => Math.max(m, Math.abs(a)), 0);

/**
 * `exact` against central differences of samples at −h, −h/2, 0, h/2, h along one direction. Two lengths tell the error of
 * the differences; one-sided slopes whose gap does not halve with the length are a kink at the point itself.
 */
const compare = (
  what: string,
  exact: readonly number[],
  [low, lower, middle, upper, high]: readonly (readonly number[])[],
  limit: Limit,
  least: number,
): Outcome => {
  if ([low, lower, middle, upper, high].some((s) => !s.every(Number.isFinite))) return 'not finite';
  const { h } = limit;
  const [wide, narrow] = [minus(high, low, 1 / (2 * h)), minus(upper, lower, 1 / h)];
  const scale = Math.max(largest(narrow), largest(wide), least, limit.floor / limit.relative);
  const noise = (4 * limit.rounding * Math.max(largest(high), largest(low), largest(middle))) / h;
  const error = largest(minus(wide, narrow));
  if (error > limit.rough * scale + noise) return 'kink';
  const gap = (up: readonly number[], down: readonly number[], step: number): number =>
    norm(minus(minus(up, middle, 1 / step), minus(middle, down, 1 / step)));
  const [gapWide, gapNarrow] = [gap(high, low, h), gap(upper, lower, h / 2)];
  if (gapNarrow > 0.8 * gapWide && gapNarrow > limit.rough * scale + 4 * noise) return 'kink';
  const allowed = limit.relative * scale + 4 * error + 4 * noise;
  const at = exact.findIndex((e, i) => !(Math.abs(e - narrow[i]) <= allowed));
  if (at >= 0) throw new Disagreement(`${what}[${at}] is ${exact[at]}, by differences ${narrow[at]} (allowed ${allowed})`);
  return 'agrees';
};

/** What preparing makes of the graph, as if it had come from a file. */
const prepared = async ({ emit, feeds, value }: Assembled): Promise<Emit> => {
  const sessions = new Map<Uint8Array, ReturnType<typeof open>>();
  const run: RunGraph = async (bytes, given, wanted) => {
    const session = sessions.get(bytes) ?? open(bytes, false);
    sessions.set(bytes, session);
    return (await session)(given, wanted);
  };
  const { model, probed } = await prepare(modelOf(emit, feeds, [value]), run, { feeds: () => feeds });
  return recording(model.graph, probed);
};

const attempt = async (program: Program, float: Float, rules: Rules): Promise<Examined> => {
  const made = await assemble(program, float);
  const { feeds, wanted, value, drawn } = made;
  const emit = program.sizes === 'probed' ? await prepared(made) : made.emit;
  const chance = random(7, 'direction');
  const normals = wanted.map((x) => Array.from({ length: sizeOf(feeds[x].dims) }, () => chance.normal()));
  const length = Math.max(1, norm(normals.flat()));
  const directions = normals.map((v) => v.map((a) => a / length));

  const first = gradients(emit, value, wanted, { missing: 'omit', rules });
  const dots = wanted.flatMap((x, i) => {
    const g = first.get(x);
    const v = emit.constant(constantOf(float, feeds[x].dims, directions[i]));
    return g ? [emit.ReduceSum(emit.Mul(g, v), { keepdims: 0 })] : [];
  });
  if (dots.length === 0) return { outcome: 'agrees', drawn };
  const slope = dots.reduce((a, b) => emit.Add(a, b));
  const second = gradients(emit, slope, wanted, { missing: 'omit', rules });
  const model = mustVerify(modelOf(emit, feeds, [value, ...first.values(), ...second.values()]));
  const run = await open(write(model), program.optimize);

  /** All entries of the derivatives by all inputs; zeros where none flows. */
  const entries = (out: Record<string, Tensor>, of: ReadonlyMap<string, string>): number[] =>
    wanted.flatMap((x) => {
      const name = of.get(x);
      return name ? numbers(out[name]) : new Array<number>(sizeOf(feeds[x].dims)).fill(0);
    });
  const moved = (t: number): Promise<Record<string, Tensor>> => {
    const points = wanted.map((x, i) => {
      const at = numbers(feeds[x]).map((a, k) => a + t * directions[i][k]);
      return [x, fedWith(float, feeds[x].dims, at)] as const;
    });
    return run({ ...feeds, ...Object.fromEntries(points) }, [...new Set([value, ...first.values()])]);
  };
  const base = await run(feeds);
  for (const x of wanted) {
    const g = first.get(x);
    if (g && base[g].dims.join() !== feeds[x].dims.join()) throw new Disagreement(`the gradient by ${x} has shape [${base[g].dims}]`);
  }
  const { h } = limits[float];
  const samples = [await moved(-h), await moved(-h / 2), base, await moved(h / 2), await moved(h)];
  const g = entries(base, first);
  const products = g.map((a, i) => a * directions.flat()[i]);
  const along = products.reduce((s, a) => s + a, 0);
  const values = samples.map((out) => numbers(out[value]));
  const outcome = compare('⟨∇f, v⟩', [along], values, limits[float], norm(products));
  if (outcome !== 'agrees') return { outcome, drawn };
  const slopes = samples.map((out) => entries(out, first));
  return { outcome: compare('∇²f·v', entries(base, second), slopes, limits[float], 1e-3 * largest(g)), drawn };
};

const without = (error: unknown): boolean => error instanceof Error && !(error instanceof Disagreement) && missing.test(error.message);

/**
 * First and second derivatives of one random graph, in the element type that its operators were chosen for. A derivative may
 * need an operator that has no kernel of float64: then in float32. What float32 finds is said again in float64 where possible.
 * Throws `Disagreement`.
 */
export const examine = async (program: Program, rules: Rules = {}): Promise<Examined> => {
  const other: Float = program.float === 'float64' ? 'float32' : 'float64';
  try {
    return await attempt(program, program.float, rules);
  } catch (first) {
    if (program.float === 'float64' ? !without(first) : !(first instanceof Disagreement)) throw first;
    try {
      return await attempt(program, other, rules);
    } catch (second) {
      if (without(second)) throw first;
      throw second;
    }
  }
};

/** Cases drawn so far, and how many graphs said nothing. */
export interface Tally {
  readonly drawn: Set<string>;
  graphs: number;
  discarded: number;
}

/** Examines graphs that follow from a seed; the assertion that fails names the smallest graph found that fails too. */
export const examineMany = async (count: number, seed: number): Promise<Tally> => {
  const tally: Tally = { drawn: new Set(), graphs: 0, discarded: 0 };
  const property = fc.asyncProperty(programs, async (program) => {
    try {
      const { outcome, drawn } = await examine(program);
      tally.graphs++;
      if (outcome !== 'agrees') tally.discarded++;
      for (const name of drawn) tally.drawn.add(name);
    } catch (error) {
      const { emit, drawn } = await assemble(program);
      const told = error instanceof Error ? error.message : String(error);
      throw new Error(`${told}\n  operators: ${emit.nodes.map((n) => n.op).join(' ')}\n  cases: ${drawn.join('; ')}`, { cause: error });
    }
  });
  await fc.assert(property, { numRuns: count, seed, includeErrorInReport: true });
  return tally;
};
