import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quietJob } from '../../src/base/job.ts';
import { choose } from '../../src/base/option.ts';
import { float32 } from '../../src/base/tensor.ts';
import { featureValues, oneHotFeatures, summedBy } from '../../src/diagnostics/attribution/one-hot.ts';
import type { Study } from '../../src/diagnostics/define.ts';
import { diagnostics } from '../../src/diagnostics/index.ts';
import type { Subject, Tools } from '../../src/evidence/evidence.ts';
import { toolOf } from './nets.ts';

const names = ['age', 'home_country_US', 'home_country_U_K', 'home_city', 'sex=m', 'sex=f', 'flag_a', 'flag_b'];
/** Country and sex are one-hot, the latter standardised; two flags may be on at once. */
const rows = [
  [31, 1, 0, 5, 0.5, -2, 1, 1],
  [40, 0, 1, 2, -2, 0.5, 0, 1],
  [22, 1, 0, 9, 0.5, -2, 0, 0],
];
const x = Float32Array.from(rows.flat());

test('columns named alike of which one is on in every row are one feature, whatever their scale', () => {
  const found = oneHotFeatures(names, x);
  assert.ok(found);
  assert.deepEqual(found.names, ['age', 'home_country', 'home_city', 'sex', 'flag_a', 'flag_b']);
  assert.deepEqual([...found.of], [0, 1, 1, 2, 3, 3, 4, 5]);
  assert.deepEqual(
    [...found.levels],
    [
      [1, ['US', 'U_K']],
      [3, ['m', 'f']],
    ],
  );
  const values = Float64Array.from({ length: 24 }, (_, k) => k);
  assert.deepEqual([...summedBy({ values, output: Float64Array.of(0, 0, 0) }, found).values.subarray(0, 6)], [0, 1 + 2, 3, 4 + 5, 6, 7]);
  assert.deepEqual([...featureValues(x, found).subarray(6, 12)], [40, 1, 2, 1, 0, 1]);
});

test('a value that no row has belongs to its code; columns of other kinds stay apart', () => {
  const unseen = oneHotFeatures(['c_a', 'c_b', 'c_z'], Float32Array.of(1, 0, 0, 0, 1, 0));
  assert.deepEqual(unseen?.names, ['c']);
  assert.equal(oneHotFeatures(['c_a', 'c_b'], Float32Array.of(1, 1, 0, 1)), undefined);
  assert.equal(oneHotFeatures(['a', 'b'], Float32Array.of(1, 0, 0, 1)), undefined);
  assert.equal(oneHotFeatures(['c_a', 'c_b'], Float32Array.of(0, 0, 0, 0)), undefined);
});

const subject: Subject = { classes: ['0'], rows: 3, scores: 'values', dataName: 'people', modelName: 'net' };
const slope = [0.5, 2, -3, 1, 4, 1, 0, 0];
const tools = {
  gradient: toolOf((p, at) => ({ value: slope.reduce((s, w, k) => s + w * p[at + k], 0), gradient: slope }), [8], 1),
  samples: {
    count: 3,
    inputDims: [8],
    names,
    take: async (positions: readonly number[]) => ({
      x: float32([positions.length, 8], Float32Array.from(positions.flatMap((p) => rows[p]))),
      rows: [...positions],
      outputs: { rows: positions.length, cols: 1, data: new Float64Array(positions.length) },
    }),
  },
} as unknown as Tools;

test('cells, bars and dependence are of the original columns; the sum of a map stays', async () => {
  const run = async (id: string, options: Record<string, unknown>) => {
    const study = diagnostics.find((d) => d.id === id) as Study;
    const chosen = choose(id, study.options, { method: 'gradient-x-input', ...options });
    const job = quietJob(0);
    const f = study.report(await study.study(tools, chosen, job, subject), chosen, subject);
    return { f, notes: job.notes };
  };
  const { f, notes } = await run('saliency', { checks: false });
  assert.match(notes.join(' '), /one-hot codes were summed .*: home_country \(US, U_K\); sex \(m, f\)\./);
  const heat = f.cards.find((c) => c.kind === 'heatmap');
  assert.ok(heat?.kind === 'heatmap');
  const cell = (row: number, name: string): unknown => heat.layers[0].values[row * 6 + heat.columns.names.indexOf(name)];
  assert.deepEqual([cell(0, 'home_country'), cell(1, 'home_country'), cell(0, 'sex'), cell(1, 'sex')], [2, -3, 4 * 0.5 - 2, -8 + 0.5]);
  const apart = (await run('saliency', { checks: false, oneHot: false })).f.cards.find((c) => c.kind === 'heatmap');
  assert.ok(apart?.kind === 'heatmap' && apart.columns.names.length === 8);
  const summary = await run('attribution-summary', { clusters: 1 });
  const plot = summary.f.cards.find((c) => c.kind === 'scatter' && c.title === 'How home_country matters');
  assert.ok(plot?.kind === 'scatter');
  assert.deepEqual(plot.groups[0].points, [
    [0, 2],
    [1, -3],
    [0, 2],
  ]);
  assert.match(plot.caption ?? '', /Values: 0 US, 1 U_K\./);
});
