import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Fault } from '../../src/base/fault.ts';
import { int64 } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { constantOf, dataOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import { compileSteps } from '../../src/training/compile.ts';
import { psKd } from '../../src/training/targets/ps-kd.ts';
import { float64, open } from './session.ts';
import { call, planOf } from './subject.ts';
import { atEpoch, digitsData, wholeAndInPieces, workshop } from './workshop.ts';

const { table } = psKd;
assert.ok(table);
const near = (a: number, b: number, tolerance: number): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

const z = [
  [1, 0, -1],
  [0.5, 1.5, 0],
];
const y = [0, 2];
const past = [0.7, 0.2, 0.1, 0.3, 0.5, 0.2];
const facts = { count: 2, classes: 3, labels: y };
const third = { epoch: 2, epochs: 10, batch: 2 };

/** Of one step: softmax of a row, −(1/B)ΣΣ s log p, and (p − s)/B. */
const reference = (s: readonly number[]) => {
  const p = z.map((row) => {
    const total = row.reduce((sum, v) => sum + Math.exp(v), 0);
    return row.map((v) => Math.exp(v) / total);
  });
  const at = (i: number, c: number): number => s[3 * i + c];
  const loss = -p.reduce((sum, row, i) => sum + row.reduce((t, v, c) => t + at(i, c) * Math.log(v), 0), 0) / 2;
  return { p, loss, dz: p.map((row, i) => row.map((v, c) => (v - at(i, c)) / 2)) };
};

test('targets of the third of ten epochs are those of the card', () => {
  const kept = { past: Float64Array.from(past), now: Float64Array.from(past), epoch: Float64Array.of(1) };
  const s = table.shares(kept, [0, 1], facts, third, { alphaT: 0.8 });
  for (const [i, due] of [0.928, 0.048, 0.024, 0.072, 0.12, 0.808].entries()) near(s[i], due, 1e-12);
  near(table.lines?.(third, { alphaT: 0.8 })['share of the own prediction'] ?? 0, 0.24, 1e-15);
  const { loss, dz } = reference(Array.from(s));
  near(loss, 1.1259873743, 1e-10);
  // The card gives four digits.
  for (const [i, due] of [-0.1314, 0.0984, 0.033, 0.0796, 0.2543, -0.3339].entries()) near(dz.flat()[i], due, 5e-5);
});

test('the compiled step is the reference step, and gives the predictions from before its update', async () => {
  const plan = planOf('mlp', [3], 3, { hidden: '' });
  const one = (dims: readonly number[], values: readonly number[]) => constantOf('float32', dims, Float32Array.from(values));
  // Weight 1, bias 0: the logits are the rows.
  const initializers = new Map([
    ...plan.graph.initializers,
    ...[...plan.graph.initializers].map(
      ([name, { dims }]) => [name, one(dims, dims.length === 2 ? [1, 0, 0, 0, 1, 0, 0, 0, 1] : [0, 0, 0])] as const,
    ),
  ]);
  const compiled = compileSteps({
    ...plan,
    graph: { ...plan.graph, initializers },
    precision: 'float64',
    soft: { temperature: 1 },
    rowOutputs: ['probs'],
  });
  const s = [0.928, 0.048, 0.024, 0.072, 0.12, 0.808];
  const session = await open(compiled.model);
  const rate = 0.5;
  const data = { x: float64([2, 3], z.flat()), y: int64([2], y) };
  const fed = { [compiled.inputs.each.soft]: float64([1, 2, 3], s) };
  const { state, loss, out } = await call(session, compiled, compiled.start, data, [[0, 1]], [rate], fed);
  const { p, loss: due, dz } = reference(s);
  near(loss[0], due, 1e-9);
  const probs = out[compiled.outputs.rows.probs ?? ''].data as Float64Array;
  p.flat().forEach((v, i) => {
    near(probs[i], v, 1e-9);
  });
  for (const { dims, offset } of compiled.layout.entries) {
    const theta = state.theta.data as Float64Array;
    if (dims.length === 1) for (let c = 0; c < 3; c++) near(theta[offset + c], -rate * (dz[0][c] + dz[1][c]), 1e-9);
    else
      for (let c = 0; c < 3; c++)
        for (let d = 0; d < 3; d++)
          near(theta[offset + 3 * c + d], Number(c === d) - rate * (dz[0][c] * z[0][d] + dz[1][c] * z[1][d]), 1e-9);
  }
});

test('shares of every row sum to 1, and in the first epoch are the label', () => {
  const share = fc.tuple(fc.double({ min: 0.01, max: 1, noNaN: true }), fc.double({ min: 0.01, max: 1, noNaN: true }));
  void fc.assert(
    fc.property(
      fc.array(share, { minLength: 1, maxLength: 5 }),
      fc.nat(9),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (rows, epoch, alphaT) => {
        const all = { count: rows.length, classes: 2, labels: rows.map((_, i) => i % 2) };
        const probs = rows.flatMap(([a, b]) => [a / (a + b), b / (a + b)]);
        const kept = table.start(all, undefined, { alphaT });
        const places = rows.map((_, i) => i);
        const moment = (at: number) => ({ epoch: at, epochs: 10, batch: 1 });
        const first = table.shares(kept, places, all, moment(0), { alphaT });
        first.forEach((v, i) => {
          // One rounding of (1 − α) + α.
          near(v, Number(i % 2 === all.labels[Math.floor(i / 2)]), 1e-15);
        });
        table.tell?.(kept, places, { probs }, all, { alphaT }, moment(0));
        // Within the epoch nothing changes; a row drawn twice has one target.
        assert.deepEqual(table.shares(kept, places, all, moment(0), { alphaT }), first);
        const later = table.shares(kept, places, all, moment(epoch), { alphaT });
        for (let i = 0; i < rows.length; i++) near(later[2 * i] + later[2 * i + 1], 1, 1e-12);
      },
    ),
  );
});

test('what a step that was not finite said is not kept', () => {
  const kept = table.start(facts, undefined, { alphaT: 1 });
  table.tell?.(kept, [0, 1], { probs: [Number.NaN, 0, 0, 0.2, 0.3, 0.5] }, facts, { alphaT: 1 }, { epoch: 0, epochs: 2, batch: 2 });
  assert.deepEqual(Array.from(table.said?.(kept) ?? []), [1, 0, 0, 0.2, 0.3, 0.5]);
});

const base = {
  arch: { kind: 'mlp', hidden: '16' },
  data: digitsData,
  loss: 'cross-entropy',
  optimizer: { kind: 'sgd', lr: 0.1, momentum: 0.9 },
  batch: 64,
  epochs: 3,
  seed: 1,
};
const weightsIn = (path: string): number[] => {
  const c = parse(readFileSync(path), 'model').graph.initializers.get('dense1.weight');
  assert.ok(c);
  return Array.from(dataOf(c) as ArrayLike<number>);
};

test('without a share of its own word, or in one epoch, the run is the one with labels', async () => {
  const hard = weightsIn((await workshop().run(base)).out);
  const none = weightsIn((await workshop().run({ ...base, targets: { kind: 'ps-kd', alphaT: 0 } })).out);
  // Labels and shares of labels go through other operators: float32 rounding apart, over some hundred steps.
  const apart = (a: readonly number[], b: readonly number[]): number => a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);
  assert.ok(none.length === hard.length && apart(none, hard) < 1e-4, String(apart(none, hard)));
  const one = { ...base, epochs: 1 };
  const [a, b] = [await workshop().run(one), await workshop().run({ ...one, targets: 'ps-kd' })];
  assert.ok(apart(weightsIn(b.out), weightsIn(a.out)) < 1e-4);
  const full = weightsIn((await workshop().run({ ...base, targets: 'ps-kd' })).out);
  assert.ok(apart(full, hard) > 1e-2, String(apart(full, hard)));
});

test('a run that was stopped and resumed is the run that was not, and lists what the model doubts', async () => {
  const { pieces } = await wholeAndInPieces({ ...base, targets: 'ps-kd' }, atEpoch(2));
  const { cards, provenance } = pieces.report;
  const card = cards.find((c) => c.title.includes('doubts most'));
  assert.ok(card?.kind === 'table' && card.rows.length === 50);
  const doubts = card.rows.map((r) => Number(r[3]));
  assert.ok(doubts.every((d, i) => d >= 0 && d <= 1 && (i === 0 || d <= doubts[i - 1])));
  const softness = cards.find((c) => c.title === 'Target softness');
  assert.ok(softness?.kind === 'bars');
  assert.equal(
    softness.series[0].values.reduce<number>((n, v) => n + Number(v), 0),
    provenance.rows,
  );
  const alpha = cards.find((c) => c.title === 'Targets');
  assert.ok(alpha?.kind === 'curve');
  alpha.lines[0].points.forEach(([epoch, v], i) => {
    assert.equal(epoch, i + 1);
    near(v, (0.8 * (i + 1)) / 3, 1e-12);
  });
});

test('a checkpoint without the store, or with that of other rows, is refused', async () => {
  const recipe = { ...base, epochs: 2, targets: 'ps-kd' };
  const shop = workshop();
  await shop.run(recipe);
  const state = shop.at('out.checkpoint.state');
  const { 'host/targets/past': past, ...rest } = readNpz(readFileSync(state));
  assert.ok(past);
  const refuses = (word: RegExp) =>
    assert.rejects(
      shop.run({ ...recipe, epochs: 3 }, { resume: true, force: true }),
      (e) => Fault.is(e, 'training/resumed-store') && word.test(e.message),
    );
  writeFileSync(state, writeNpz(rest));
  await refuses(/0 numbers 'past' where 12950/);
  writeFileSync(state, writeNpz({ ...rest, 'host/targets/past': { dtype: 'float64', dims: [10], data: new Float64Array(10) } }));
  await refuses(/10 numbers 'past'/);
});

test('what does not fit is refused by name', async () => {
  const refused = (recipe: object, code: Parameters<typeof Fault.is>[1], word: RegExp) =>
    assert.rejects(workshop().run({ ...base, targets: 'ps-kd', ...recipe }), (e) => Fault.is(e, code) && word.test(e.message));
  await refused({ loss: 'mse' }, 'training/part', /targets 'ps-kd' needs classes/);
  await refused({ augment: { mixup: 0.2 } }, 'training/part', /cannot be mixed/);
  await refused({ targets: { kind: 'ps-kd', alphaT: 1.5 } }, 'training/recipe', /targets.alphaT: it is 1.5/);
  const huge = { count: 2 ** 20, classes: 1000, labels: [] };
  assert.throws(
    () => table.start(huge, undefined, { alphaT: 0.8 }),
    (e) => Fault.is(e, 'training/target-store') && /1048576 rows of 1000 classes/.test(e.message),
  );
});
