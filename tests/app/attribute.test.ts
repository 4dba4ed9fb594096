import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { attribute } from '../../src/app/attribute.ts';
import type { AppJob, Ports } from '../../src/app/ports.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { AttributeRequest, Attribution } from '../../src/report/tasks.ts';
import { graph, ints, model, node, value, wave } from '../graph/build.ts';

const file = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const golden = JSON.parse(readFileSync(file('golden/diagnostics/attribution.json'), 'utf8')) as Record<
  string,
  { integrated: number[]; gradient: number[]; target: number[]; baseline: number[] }
>;

let ports: Ports;
before(async () => {
  ports = await world();
});
const job: AppJob = { ...quietJob(), live: () => {} };
const run = (model: string, data: string, asked: Partial<AttributeRequest> = {}): Promise<Attribution> =>
  attribute(
    {
      model: { path: file(`fixtures/models/${model}.onnx`) },
      data: { path: file(data) },
      device: 'cpu',
      seed: 0,
      position: 0,
      method: 'gradient',
      options: {},
      ...asked,
    },
    ports,
    job,
  );
const fact = ({ facts }: Attribution, label: string): string | number | undefined => facts.find((f) => f.label === label)?.value;

for (const model of ['mlp_digits', 'vit_digits'])
  test(`${model}: gradient and integrated gradients are PyTorch's`, async () => {
    const { integrated, gradient, target, baseline } = golden[model];
    const data = `golden/autodiff/${model}.npz`;
    const options = { quadrature: 'riemann_middle' };
    for (const position of [0, 5]) {
      const { label } = await run(model, data, { position });
      assert.ok(label !== undefined);
      const g = await run(model, data, { position, target: label });
      const ig = await run(model, data, { position, target: label, method: 'integrated-gradients', options });
      for (const [found, expected] of [
        [g.values, gradient],
        [ig.values, integrated],
      ] as const) {
        const part = expected.slice(64 * position, 64 * (position + 1));
        // float32 forward and backward against float64: the suggested 1e-4 of the largest entry.
        const tolerance = 1e-4 * Math.max(...part.map(Math.abs));
        part.forEach((v, k) => {
          assert.ok(Math.abs(found[k] - v) <= tolerance, `row ${position}, pixel ${k}: ${found[k]} is not ${v} ± ${tolerance}`);
        });
      }
      const rounding = 1e-5 * Math.max(1, Math.abs(target[position]));
      assert.ok(Math.abs(Number(fact(ig, 'Value')) - target[position]) <= rounding);
      assert.ok(Math.abs(Number(fact(ig, 'Value at the baseline')) - baseline[position]) <= rounding);
      assert.ok(ig.shown.kind === 'map');
      assert.deepEqual([ig.shown.width, ig.shown.height, ig.outliers], [8, 8, 2]);
    }
  });

test('the sample as the tab shows it: picture, classes, probabilities, label, place in the split', async () => {
  const found = await run('mlp_digits', 'fixtures/data/digits.npz', {
    data: { path: file('fixtures/data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } },
    position: 3,
  });
  assert.equal(found.count, 359);
  assert.ok(found.shown.kind === 'map' && found.shown.picture);
  const { width, height, channels } = found.shown.picture;
  assert.deepEqual([width, height, channels], [8, 8, 1]);
  assert.equal(found.classes.length, 10);
  assert.ok(Math.abs(found.probs.reduce((sum, p) => sum + p, 0) - 1) < 1e-12);
  assert.equal(found.prediction, found.probs.indexOf(Math.max(...found.probs)));
  assert.equal(found.target, found.prediction);
  const again = await run('mlp_digits', 'fixtures/data/digits.npz', {
    data: { path: file('fixtures/data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } },
    row: found.row,
  });
  const timeless = (a: Attribution): Attribution => ({ ...a, facts: a.facts.filter(({ label }) => label !== 'Time') });
  assert.deepEqual(timeless(again), timeless(found));
});

test('a row of a table has one value per column and no picture', async () => {
  const found = await run('mlp_breast_cancer', 'fixtures/data/breast_cancer.npz', { method: 'integrated-gradients' });
  assert.ok(found.shown.kind === 'bars');
  assert.deepEqual([found.shown.names.length, found.shown.inputs?.length, found.values.length, found.shown.what], [30, 30, 30, 'Input']);
  assert.deepEqual(found.shown.names.slice(0, 2), ['mean radius', 'mean texture'], 'names stored beside the rows');
  assert.match(String(fact(found, 'Baseline')), /^mean of 256 rows/);
});

test('a regression has neither classes nor probabilities', async () => {
  const found = await run('mlp_diabetes', 'golden/autodiff/mlp_diabetes.npz');
  assert.deepEqual([found.classes, found.probs, found.label], [[], [], undefined]);
  assert.equal(found.values.length, 10);
});

test('another class, and another method, give another map of the same sample', async () => {
  const data = 'golden/autodiff/mlp_digits.npz';
  const [a, b, c] = [
    await run('mlp_digits', data, { target: 0 }),
    await run('mlp_digits', data, { target: 1 }),
    await run('mlp_digits', data, { target: 0, method: 'smoothgrad' }),
  ];
  assert.notDeepEqual(a.values, b.values);
  assert.notDeepEqual(a.values, c.values);
  assert.deepEqual(a.shown, b.shown);
  assert.equal(fact(c, 'Method'), 'SmoothGrad');
});

test('every map says model, class, method, baseline, steps, completeness, device and seconds', async () => {
  const data = 'golden/autodiff/mlp_digits.npz';
  for (const [method, steps, baseline, gap] of [
    ['integrated-gradients', 50, '0 in every input', 'number'],
    ['gradient', 'none', 'none', 'string'],
    ['occlusion', 'none', '0 in every input', 'string'],
  ] as const) {
    const found = await run('mlp_digits', data, { method });
    assert.equal(fact(found, 'Model'), 'mlp_digits.onnx');
    assert.equal(fact(found, 'Class attributed'), String(found.target));
    assert.equal(fact(found, 'Baseline'), baseline);
    assert.equal(fact(found, 'Steps'), steps);
    assert.equal(typeof fact(found, 'Completeness gap'), gap);
    assert.equal(fact(found, 'Device'), 'cpu');
    assert.ok(Number(fact(found, 'Time')) > 0);
  }
});

test('tokens stand in their order, one value each, without padding', async () => {
  const found = await run('text_sms', 'golden/autodiff/text_sms.npz');
  assert.ok(found.shown.kind === 'tokens');
  assert.equal(found.values.length, found.shown.words.length);
  assert.ok(found.shown.words.length > 0 && !found.shown.words.includes('0'));
});

test('units of a layer have their names; layers are offered with their shapes', async () => {
  const found = await run('mlp_digits', 'golden/autodiff/mlp_digits.npz', { method: 'layer-conductance' });
  assert.ok(found.shown.kind === 'bars');
  assert.deepEqual([found.shown.what, found.shown.names[0]], ['Unit', 'unit 0']);
  const [layer] = found.layers;
  const named = await run('mlp_digits', 'golden/autodiff/mlp_digits.npz', { method: 'layer-conductance', options: { layer: layer.name } });
  assert.equal(
    named.values.length,
    layer.shape.split(' × ').reduce((n, d) => n * Number(d), 1),
  );
});

test('a signal has one value for each place, in the inputs’ map and in that of a layer', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-signal-'));
  const [channels, places, rows] = [2, 20, 3];
  const net = model(
    graph(
      [value('x', ['N', channels, places])],
      [
        node('Conv', ['x', 'w'], ['h'], { pads: ints(2, 2), kernel_shape: ints(5) }),
        node('Relu', ['h'], ['r']),
        node('GlobalAveragePool', ['r'], ['g']),
        node('Flatten', ['g'], ['y']),
      ],
      [value('y', ['N', 3])],
      { w: constantOf('float32', [3, channels, 5], wave([3, channels, 5]).data as Float32Array) },
    ),
  );
  writeFileSync(join(folder, 'net.onnx'), write(net));
  const { data } = wave([rows, channels, places], 0.5);
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${channels}, ${places}), }`.padEnd(117).concat('\n');
  const magic = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]);
  writeFileSync(
    join(folder, 'x.npy'),
    Buffer.concat([magic, Buffer.from(header), Buffer.from(Float32Array.from(data as Float32Array).buffer)]),
  );
  try {
    for (const method of ['integrated-gradients', 'grad-cam', 'occlusion']) {
      const found = await run('', '', { model: { path: join(folder, 'net.onnx') }, data: { path: join(folder, 'x.npy') }, method });
      assert.ok(found.shown.kind === 'signal', `${method} is shown as ${found.shown.kind}`);
      assert.deepEqual([found.shown.channels, found.shown.places, found.values.length], [channels, places, places]);
      assert.equal(found.shown.signal.length, channels * places);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a class by its name', async () => {
  const data = 'golden/autodiff/mlp_digits.npz';
  assert.deepEqual((await run('mlp_digits', data, { target: '3' })).values, (await run('mlp_digits', data, { target: 3 })).values);
  await assert.rejects(run('mlp_digits', data, { target: 'cat' }), (e) => Fault.is(e, 'diagnostic/target'));
});

/** The world, counting the sessions that are opened and released. */
const counted = async (): Promise<{ readonly ports: Ports; readonly sessions: { opened: number; released: number } }> => {
  const real = await world();
  const sessions = { opened: 0, released: 0 };
  const runtime: Ports['runtime'] = {
    ...real.runtime,
    async open(file, options, job) {
      const found = await real.runtime.open(file, options, job);
      sessions.opened++;
      const { session } = found;
      return {
        ...found,
        session: {
          ...session,
          run: (feeds, outputs) => session.run(feeds, outputs),
          async release() {
            sessions.released++;
            await session.release();
          },
        },
      };
    },
  };
  return { ports: { ...real, runtime }, sessions };
};
const digits = (model = 'mlp_digits', position = 0, method = 'gradient'): AttributeRequest => ({
  model: { path: file(`fixtures/models/${model}.onnx`) },
  data: { path: file(`golden/autodiff/mlp_digits.npz`) },
  device: 'cpu',
  seed: 0,
  position,
  method,
  options: {},
});

test('a second question opens no session, two models stay open, and a third closes the first', async () => {
  const { ports, sessions } = await counted();
  const a = await attribute(digits(), ports, job);
  const { opened } = sessions;
  assert.ok(opened > 0);
  const b = await attribute(digits('mlp_digits', 1), ports, job);
  assert.notDeepEqual(a.values, b.values);
  assert.deepEqual((await attribute(digits(), ports, job)).values, a.values);
  assert.equal(sessions.opened, opened);
  await attribute(digits('softmax_digits'), ports, job);
  const two = sessions.opened;
  await attribute(digits('mlp_digits'), ports, job);
  assert.equal(sessions.opened, two);
  await attribute(digits('vit_digits'), ports, job);
  const three = sessions.opened;
  await attribute(digits('mlp_digits'), ports, job);
  assert.equal(sessions.opened, three, 'asked since the other');
  await attribute(digits('softmax_digits'), ports, job);
  assert.ok(sessions.opened > three, 'the model that was asked least lately was closed');
});

test('a refusal leaves the model open, and so does a question that was stopped', async () => {
  const { ports, sessions } = await counted();
  await attribute(digits(), ports, job);
  const { opened, released } = sessions;
  await assert.rejects(attribute(digits('mlp_digits', 0, 'grad-cam'), ports, job), (e) => Fault.is(e, 'diagnostic/no-feature-maps'));
  assert.equal(sessions.released, released);
  await attribute(digits(), ports, job);
  assert.equal(sessions.opened, opened);
  const stopped = new AbortController();
  stopped.abort();
  await assert.rejects(attribute(digits(), ports, { ...job, signal: stopped.signal }), (e) => Fault.is(e, 'job/stopped'));
  await attribute(digits(), ports, job);
  assert.deepEqual([sessions.opened, sessions.released], [opened, released]);
});

test('bad input: place, class, method, option', async () => {
  const data = 'golden/autodiff/mlp_digits.npz';
  await assert.rejects(run('mlp_digits', data, { position: 8 }), { message: /'position' is '8' but must be a whole number from 0 to 7/ });
  await assert.rejects(run('mlp_digits', data, { row: 99 }), { message: /'row' is '99' but must be a row of the split/ });
  await assert.rejects(run('mlp_digits', data, { target: 10 }), (e) => Fault.is(e, 'diagnostic/target'));
  await assert.rejects(run('mlp_digits', data, { method: 'gradcam' }), (e) => Fault.is(e, 'option/value'));
  await assert.rejects(run('mlp_digits', data, { options: { step: 5 } }), { message: /Did you mean 'steps'\?/ });
});
