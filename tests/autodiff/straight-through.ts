import assert from 'node:assert/strict';
import type { Rules } from '../../src/autodiff/rule.ts';
import type { DType } from '../../src/base/tensor.ts';
import type { Emit } from '../../src/graph/emit.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import { type Case, graph, type Input } from './cases/case.ts';
import { modelOf, record } from './check.ts';
import { numbers, open } from './ort.ts';

/** A quantised graph, and the float graph that it stands for. Both give floats. */
export interface Quantised {
  readonly quantised: Case;
  readonly real: Case;
  /** Of values and first derivatives, relative to the largest. */
  readonly tolerance: number;
}
export const pair = (
  name: string,
  x: readonly Input[],
  quantised: Case['build'],
  real: Case['build'],
  { sized = false, tolerance = 1e-4 }: { readonly sized?: boolean; readonly tolerance?: number } = {},
): Quantised => {
  const extra = { single: true, sized };
  return { quantised: graph(name, x, quantised, extra), real: graph(name, x, real, extra), tolerance };
};

const range: { readonly [T in DType]?: readonly [number, number] } = {
  int8: [-128, 127],
  uint8: [0, 255],
  uint4: [0, 15],
  int16: [-32768, 32767],
};
/** Its value counts as constant: in float graphs Dropout, which copies and which no rule records, has no derivative. */
export const held = (emit: Emit, x: string): string => emit.call('Dropout', [x]);
const constantDropout: Rules = { Dropout: { back: [null] } };

/**
 * Fake quantisation in plain operators: u = v/s, and s·(m·u + the rest, held), where m is 1 if round(u) + z is in range. The
 * sizes of `s` and `z` broadcast with `v`.
 */
export const fake = (emit: Emit, v: string, s: string, z: number | string, dtype: DType): string => {
  const [low, high] = range[dtype] ?? [0, 0];
  const zero = typeof z === 'number' ? emit.scalar(z) : z;
  const u = emit.Div(v, s);
  const n = emit.Add(emit.call('Round', [u]), zero);
  const clipped = emit.Min(emit.Max(n, emit.scalar(low)), emit.scalar(high));
  const mask = emit.Cast(emit.Equal(n, clipped), { to: 1 });
  const inside = emit.Mul(mask, u);
  return emit.Mul(s, emit.Add(inside, held(emit, emit.Sub(emit.Sub(clipped, zero), inside))));
};

/**
 * Values and derivatives of both graphs agree to 1e-4 of the largest entry (float32 against sums of whole numbers), second
 * ones to ten times that: those by a scale are differences of numbers some hundred times as large.
 */
export const checkStraightThrough = async ({ quantised, real, tolerance }: Quantised, sizes: 'known' | 'unknown'): Promise<void> => {
  const outputs = async (one: Case, rules: Rules) => {
    const made = await record(one, 'float32', sizes, rules);
    const named = [made.value, made.slope, ...made.wrt.flatMap((x) => [made.first.get(x) ?? '', made.second.get(x) ?? ''])];
    const run = await open(
      write(
        mustVerify(
          modelOf(
            made,
            named.filter((n) => n),
          ),
          one.name,
        ),
      ),
    );
    const out = await run(made.feeds);
    return { made, values: named.map((n) => (n ? numbers(out[n]) : undefined)) };
  };
  const [a, b] = [await outputs(quantised, {}), await outputs(real, constantDropout)];
  const what = ['value', 'slope', ...a.made.wrt.flatMap((x) => [`1. derivative by ${x}`, `2. derivative by ${x}`])];
  let seen = 0;
  what.forEach((label, k) => {
    const [actual, expected] = [a.values[k] ?? b.values[k]?.map(() => 0), b.values[k] ?? a.values[k]?.map(() => 0)];
    assert.equal(actual?.length, expected?.length, `${label}: length`);
    const scale = (expected ?? []).reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    seen = Math.max(seen, scale);
    expected?.forEach((e, i) => {
      const v = actual?.[i] ?? Number.NaN;
      const slack = label.startsWith('2') ? 10 * tolerance * scale + 1e-4 : tolerance * scale + 1e-5;
      assert.ok(Math.abs(e - v) <= slack, `${label} [${i}] (sizes ${sizes}): ${v}, of the float graph ${e}`);
    });
  });
  assert.ok(seen > 0, 'every number is 0');
};
