import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { constantOf, numbersOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import type { Live, Steer } from '../../src/report/tasks.ts';
import { compileSteps } from '../../src/training/compile.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import type { Plan } from '../../src/training/plan.ts';
import { buildSpace, GATES, readSpace } from '../../src/training/regimes/search-space.ts';
import { allPaths, pathScores, runningScores, somePaths } from '../../src/training/regimes/supernet-paths.ts';
import { hostInputs } from '../../src/training/step-inputs.ts';
import { float64, once, open } from './session.ts';
import { call, pick, planOf } from './subject.ts';
import { digitsData, workshop } from './workshop.ts';

const near = (a: number, b: number, tolerance: number, what = ''): void =>
  assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${what}: ${a} is not ${b}`);

test('the running score of the card: 4, then 2, is 2; steps that do not use an operation leave it', () => {
  assert.deepEqual(
    Array.from(
      runningScores(
        [
          [4, Number.NaN],
          [2, Number.NaN],
        ],
        2,
      ),
    ),
    [2, 0],
  );
  assert.deepEqual(Array.from(runningScores([[4], [Number.NaN], [2]], 1)), [2]);
  // Two edges use the operation in the second step: the mean over them.
  const monitors = { 'path/sum0': [1, 3, 0], 'path/edges0': [1, 2, 0] };
  assert.deepEqual(pathScores(monitors, 1, 0, 3), [[1], [1.5], [Number.NaN]]);
  assert.deepEqual(pathScores(monitors, 1, 1, 2), [[1.5]]);
});

test('paths: all of a space, or so many, each once', () => {
  const blocks = [
    [0, 1],
    [0, 1, 2],
  ];
  assert.deepEqual(
    allPaths(blocks).map((p) => p.join('')),
    ['00', '01', '02', '10', '11', '12'],
  );
  const some = somePaths([...blocks, ...blocks, ...blocks], 50, random(0, 'paths'));
  assert.equal(new Set(some.map((p) => p.join())).size, 50);
});

const space = {
  stem: ['dense 4'],
  blocks: [
    ['identity', 'dense', 'bottleneck 2'],
    ['dense-tanh', 'zero', 'dense'],
  ],
};
const built = buildSpace(space, 'x', 'logits', [3], 3, random(1, 'supernet'));
const planned = (of: Pick<typeof built, 'graph' | 'parameters'>): Plan => ({
  ...planOf('mlp', [3], 3),
  ...{ graph: of.graph, input: 'x', output: 'logits', classes: 3, precision: 'float64' as const, statistics: 'stored' as const },
  groups: [{ parameters: of.parameters, lrScale: 1 }],
  optimizer: pick(optimizers, 'sgd', { lr: 0.1, momentum: 0.9, weightDecay: 0.01 }),
});
const chances = space.blocks.map((b) => b.map(() => 1 / b.length));
const whole: Plan = { ...planned(built), paths: { gates: GATES, chances, places: built.places } };
const data = {
  x: float64(
    [4, 3],
    Array.from({ length: 12 }, (_, i) => Math.sin(1 + 2 * i)),
  ),
  y: int64([4], [0, 1, 2, 1]),
};

test('a step along a path is the step of its sub-model; the rest keeps weights and momentum, bit for bit', async () => {
  const compiled = compileSteps(whole);
  const session = await open(compiled.model);
  const path = [2, 0];
  const sub = buildSpace(space, 'x', 'logits', [3], 3, random(1, 'other'), path);
  // The weights of the supernet under their names.
  const initializers = new Map([...sub.graph.initializers].map(([name, c]) => [name, built.graph.initializers.get(name) ?? c]));
  const plain = compileSteps(planned({ ...sub, graph: { ...sub.graph, initializers } }));
  const gates = (taken: readonly number[]): number[] => space.blocks.flatMap((block, b) => block.map((_, i) => Number(taken[b] === i)));
  const fed = (paths: readonly (readonly number[])[]): Record<string, Tensor> => ({
    [compiled.inputs.each.path]: float64([paths.length, 6], paths.flatMap(gates)),
  });
  const rows = [[0, 1, 2, 3]];
  // Another path first, so that there is momentum to keep.
  const first = await call(session, compiled, compiled.start, data, rows, [1], fed([[1, 2]]));
  const next = await call(session, compiled, first.state, data, rows, [1], fed([path]));
  for (const key of ['theta', 'slot/velocity']) {
    const [before, after] = [first.state[key].data as Float64Array, next.state[key].data as Float64Array];
    for (const { name, offset, size } of compiled.layout.entries) {
      const place = built.places.get(name);
      const on = place === undefined || gates(path)[place] === 1;
      const moved = before.subarray(offset, offset + size).some((v, i) => v !== after[offset + i]);
      assert.equal(moved, on, `${key} of ${name}`);
    }
  }
  const alone = await call(await open(plain.model), plain, plain.start, data, rows, [1]);
  const along = await call(session, compiled, compiled.start, data, rows, [1], fed([path]));
  near(along.loss[0], alone.loss[0], 1e-12, 'loss');
  for (const { name, offset, size } of plain.layout.entries) {
    const at = compiled.layout.entries.find((e) => e.name === name)?.offset ?? -1;
    for (let i = 0; i < size; i++)
      near((along.state.theta.data as Float64Array)[at + i], (alone.state.theta.data as Float64Array)[offset + i], 1e-9, name);
  }
});

test('one operation of each block is drawn, as often as its probability says, alike whatever the call', () => {
  const paths = {
    gates: GATES,
    chances: [
      [0.1, 0.2, 0.7],
      [1, 0, 0],
    ],
    places: built.places,
  };
  const moment = () => ({ t: 0, total: 1, lr: 0 });
  const draw = (from: number, count: number) => hostInputs({ ...whole, paths }, 3, [from, count], 2, moment).path;
  const { dims, data: gates } = draw(0, 4000) as { dims: readonly number[]; data: Float64Array };
  assert.deepEqual(dims, [4000, 6]);
  const counts = new Float64Array(6);
  for (const [i, v] of gates.entries()) counts[i % 6] += v / 4000;
  // Shares of 4,000 draws have a standard deviation below 0.008.
  for (const [i, p] of [0.1, 0.2, 0.7, 1, 0, 0].entries()) near(counts[i], p, 0.03, String(i));
  for (let k = 0; k < 4000; k++)
    assert.equal(
      gates.subarray(6 * k, 6 * k + 3).reduce((a, b) => a + b, 0),
      1,
    );
  assert.deepEqual(draw(1000, 7).data, gates.slice(6000, 6042));
});

const recipe = {
  arch: { kind: 'mlp', hidden: '16' },
  data: digitsData,
  split: { val: 0.2 },
  loss: 'cross-entropy',
  optimizer: { kind: 'sgd', lr: 0.05, momentum: 0.9 },
  schedule: 'cosine',
  batch: 32,
  epochs: 5,
  seed: 1,
};
const blocks = [
  ['identity', 'zero', 'dense', 'bottleneck 6'],
  ['identity', 'dense', 'dense-tanh'],
];
const regime = { kind: 'supernet', space: 'space.json', retrain: 2, verify: 3 };

test('a search ranks every sub-model, trains the best anew and saves the best of them as a plain model', async () => {
  const shop = workshop();
  shop.text('space.json', JSON.stringify({ stem: ['dense 16'], blocks }));
  const { out, report, notes } = await shop.run({ ...recipe, sampler: 'importance', regime });
  const { graph, metadata } = parse(readFileSync(out), 'model');
  assert.deepEqual([graph.inputs.map((i) => i.name), graph.outputs.map((o) => o.name)], [['x'], ['logits']]);
  assert.ok(![...graph.initializers.keys()].some((name) => name.startsWith('gate') || name === GATES));
  assert.ok(notes.some((n) => n.startsWith(`${metadata.get('assay.architecture')} is saved`)));
  assert.ok(notes.some((n) => n.startsWith("Kendall's τ")));
  assert.ok(report.headline.test_accuracy > 0.8, String(report.headline.test_accuracy));
  const table = report.cards.find((c) => c.title === 'Stages');
  assert.ok(table?.kind === 'table');
  const at = (name: string): number => table.columns.findIndex((c) => c.name === name);
  assert.equal(table.rows.length, 12);
  const shared = table.rows.map((r) => Number(r[at('supernet_accuracy')]));
  assert.ok(shared.every((v, i) => i === 0 || v <= shared[i - 1]));
  const own = table.rows.flatMap((r) => (r[at('own_accuracy')] === null ? [] : [Number(r[at('own_accuracy')])]));
  assert.equal(own.length, 5);
  assert.equal(report.headline.validation_accuracy, Math.max(...own.slice(0, 2)));
  const chance = report.cards.find((c) => c.title === 'Probability of operations');
  assert.ok(chance?.kind === 'curve' && chance.lines.length === 5);
  for (let e = 0; e < 5; e++) {
    const p = chance.lines.map((l) => l.points[e][1]);
    near(
      p.reduce((a, b) => a + b, 0),
      1,
      1e-12,
      `epoch ${e + 1}`,
    );
    assert.ok(p.every((v) => v >= 0.02));
    if (e < 2)
      assert.ok(
        p.every((v) => Math.abs(v - 0.2) < 1e-12),
        'τ is 0 in the first epoch',
      );
  }
  assert.ok(report.cards.some((c) => c.title === 'Ranking and stand-alone accuracy'));
  assert.ok(report.cards.some((c) => c.title === 'Gradient norm of the supernet'));
  // Rows as the supernet drew them after its last epoch, τ = 4/5: those never drawn in it have (1 − τ)/N.
  for (const title of ['How often rows are drawn', 'Training rows drawn most and least', 'How often rows are drawn, last run'])
    assert.ok(
      report.cards.some((c) => c.title === title),
      title,
    );
  const rows = report.cards.find((c) => c.title === 'Training rows drawn most and least');
  assert.ok(rows?.kind === 'table');
  near(Number(rows.rows.at(-1)?.[2]), 0.2, 1e-9);
  const even = await shop.run({ ...recipe, regime: { ...regime, paths: 'uniform', verify: 0, retrain: 1 } }, { force: true });
  const flat = even.report.cards.find((c) => c.title === 'Probability of operations');
  assert.ok(flat?.kind === 'curve' && flat.lines.every((l) => l.points.every(([, v]) => v === 0.2)));
});

test('the ranking is the accuracy of the sub-model with the weights of the supernet', async () => {
  const shop = workshop();
  shop.text('space.json', JSON.stringify({ stem: ['dense 16'], blocks }));
  let steer: Steer = 'run';
  const live = (event: Live): void => {
    if (event.kind === 'epoch' && event.epoch === 3) steer = 'stop';
  };
  const kept = await shop.run({ ...recipe, epochs: 3, regime }, { steer: () => steer, live });
  assert.ok(kept.notes.some((n) => n.includes('is kept with the weights of the supernet')));
  const table = kept.report.cards.find((c) => c.title === 'Stages');
  assert.ok(table?.kind === 'table');
  assert.equal(kept.report.headline.validation_accuracy, table.rows[0][table.columns.findIndex((c) => c.name === 'supernet_accuracy')]);
});

test('images: convolutions and pooling, with as many channels', async () => {
  const shop = workshop();
  const operations = ['identity', 'conv1x1', 'conv3x3', 'avgpool3x3'];
  shop.text('space.json', JSON.stringify({ stem: ['conv3x3 4'], blocks: [operations, operations] }));
  const images = { ...recipe, arch: { kind: 'cnn', input: [1, 8, 8] }, epochs: 1, regime: { ...regime, retrain: 1, verify: 0 } };
  const { out } = await shop.run(images);
  const { graph } = parse(readFileSync(out), 'model');
  const scores = await once(parse(readFileSync(out), 'model'), { x: float32([2, 1, 8, 8], new Float32Array(128).fill(0.5)) });
  assert.deepEqual(scores.logits.dims, [2, 10]);
  const stored = graph.initializers.get('stem1.weight') ?? constantOf('float32', [0], []);
  assert.deepEqual(stored.dims, [4, 1, 3, 3]);
  assert.ok(numbersOf(stored).some((v) => v !== 0));
});

test('few validation rows give no τ but the standard error', async () => {
  const shop = workshop();
  shop.text('space.json', JSON.stringify({ blocks: [['dense', 'dense-tanh', 'identity']] }));
  const { notes } = await shop.run({ ...recipe, epochs: 1, split: { val: 0.02 }, regime: { ...regime, retrain: 1, verify: 2 } });
  assert.ok(notes.some((n) => /standard error of 0\.\d+.*no τ is given/.test(n)));
  assert.ok(!notes.some((n) => n.startsWith("Kendall's")));
});

test('operations without parameters have no gradients: paths stay even, and that is said', async () => {
  const shop = workshop();
  const bare = [
    ['identity', 'zero'],
    ['identity', 'scale 0.5'],
  ];
  shop.text('space.json', JSON.stringify({ stem: ['dense 16'], blocks: bare }));
  const { notes, report } = await shop.run({ ...recipe, epochs: 3, regime: { ...regime, retrain: 1, verify: 0 } });
  assert.equal(notes.filter((n) => /no gradients to draw paths by: they stay even/.test(n)).length, 1);
  const chance = report.cards.find((c) => c.title === 'Probability of operations');
  assert.ok(chance?.kind === 'curve' && chance.lines.every((l) => l.points.length === 3 && l.points.every(([, p]) => p === 1 / 3)));
  assert.equal(report.outcome, 'measured');
});

test('what cannot be searched is refused, saying why', async () => {
  const shop = workshop();
  const short = { ...recipe, epochs: 1 };
  const refused = (word: RegExp, more: object = {}, code: Parameters<typeof Fault.is>[1] = 'training/regime') =>
    assert.rejects(shop.run({ ...short, regime, ...more }), (e) => Fault.is(e, code) && word.test(e.message));
  const spaces: readonly (readonly [unknown, RegExp])[] = [
    ['no object', /it is not JSON|has to hold "blocks"/],
    [{ blocks: [] }, /has to hold "blocks"/],
    [{ blocks: [['dense']] }, /no choice in block 1/],
    [{ blocks: [['dense', 'dense']] }, /'dense' twice in block 1/],
    [{ blocks: [['identity', 'dense 8']] }, /different shapes in block 1: 'identity' gives \[64\], 'dense 8' \[8\]/],
    [{ blocks: [['identity', 'lstm']] }, /no operation 'lstm'; there are identity/],
    [{ blocks: [['identity', 'dense -1']] }, /no operation 'dense -1'/],
    [{ blocks: [['identity', 'conv3x3']] }, /'conv3x3' where rows are \[64\]/],
  ];
  for (const [space, word] of spaces) {
    shop.text('space.json', JSON.stringify(space));
    await refused(word);
  }
  shop.text('space.json', '{');
  await refused(/it is not JSON/);
  shop.text('space.json', JSON.stringify({ blocks }));
  await refused(/search space; name its JSON file/, { regime: { ...regime, space: '' } });
  await refused(/no-such\.json/, { regime: { ...regime, space: 'no-such.json' } }, 'file/missing');
  await refused(/lower pathFloor to 0\.200/, { regime: { ...regime, pathFloor: 0.5 } });
  await refused(/there are none; set split.val/, { split: { val: 0 } });
  await refused(/labels of two classes/, { loss: 'mse' });
  assert.throws(
    () => readSpace('[]', 's.json'),
    (e) => Fault.is(e, 'training/regime'),
  );
});
