import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { type Job, quietJob } from '../../src/base/job.ts';
import { random } from '../../src/base/random.ts';
import type { RunRequest } from '../../src/base/request.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { type Emit, emitter } from '../../src/graph/emit.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';
import { modelOf } from '../../src/training/plan.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-audit-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const save = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const arrays = (name: string, given: Record<string, Tensor>): string => save(name, writeNpz(given));

/** A small classifier of [N, …row] with hidden ReLU units; `build` may take the place of its layers. */
const network = (name: string, row: readonly number[], build?: (emit: Emit) => string): string => {
  const emit = emitter({});
  const type = (dims: readonly (number | string)[]) => ({ kind: 'tensor', dtype: 'float32', dims }) as const;
  emit.typed('x', type(['N', ...row]));
  const r = random(0, name);
  const weight = (stem: string, dims: readonly number[]): string =>
    emit.hold(
      stem,
      constantOf(
        'float32',
        dims,
        Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => r.normal()),
      ),
    );
  const width = row.reduce((a, b) => a * b, 1);
  const layers = (): string => {
    const hidden = emit.Relu(emit.Gemm(emit.Flatten('x', { axis: 1 }), weight('w1', [width, 8]), weight('b1', [8])));
    return emit.Gemm(hidden, weight('w2', [8, 2]), weight('b2', [2]));
  };
  const output = build ? build(emit) : layers();
  const graph = emit.graph(name, [{ name: 'x', type: type(['N', ...row]) }], [{ name: output, type: type(['N', 2]) }]);
  return save(name, write(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph)));
};

/** Two classes told apart by the first of six numbers. */
const rows = 120;
const points = (): { x: Tensor; y: Tensor } => {
  const r = random(1, 'points');
  const values = Float32Array.from({ length: rows * 6 }, () => r.normal());
  const labels = Array.from({ length: rows }, (_, i) => Number(values[6 * i] > 0));
  return { x: float32([rows, 6], values), y: int64([rows], labels) };
};
const { x, y } = points();
const data = arrays('points.npz', { x, y });
const model = network('small.onnx', [6]);

const run = (of: Partial<RunRequest>, job: Partial<Job> = {}): Promise<Report> =>
  diagnose(
    {
      id: 'attribution-audit',
      device: 'cpu',
      seed: 0,
      model: { path: model },
      data: { path: data },
      ...of,
      options: { levels: '50', runs: 1, epochs: 3, ...of.options },
    },
    ports,
    { ...quietJob(), live: () => {}, ...job },
  );
const refuses = async (of: Partial<RunRequest>, code: FaultCode, ...words: string[]): Promise<void> => {
  const sentence = await run(of).then(
    (report) => (report.reason?.code === code ? report.reason.sentence : assert.fail(`${report.outcome} ${report.reason?.sentence}`)),
    (error: unknown) => (Fault.is(error, code) ? error.message : assert.fail(`${error}`)),
  );
  for (const word of words) assert.ok(sentence.includes(word), `'${sentence}' says nothing of '${word}'`);
};

test('everything kept: both sides are the rows as they are, so the difference is 0 and the power that of fresh models', async () => {
  const { headline, outcome, cards, notes, intervals } = await run({ options: { levels: '50,100', runs: 2, epochs: 10 } });
  assert.equal(outcome, 'measured');
  assert.equal(headline.diffroar_100, 0);
  assert.equal(headline.predpower_top_100, headline.fresh_accuracy);
  assert.equal(headline.predpower_bottom_100, headline.fresh_accuracy);
  assert.equal(headline.random_diffroar_100, 0);
  assert.deepEqual([intervals.diffroar_100.low, intervals.diffroar_100.high], [0, 0]);
  assert.ok(
    notes.some((n) => /18 trainings of \d+ steps .* from \d+ measured steps/.test(n)),
    notes.join('\n'),
  );
  assert.ok(notes.some((n) => n.includes('held out')));
  assert.deepEqual(
    cards.map((c) => c.kind),
    ['number', 'bars', 'curve', 'curve', 'table', 'table'],
  );
});

test('runs repeat to the last digit, every target and a pixel order among them; progress tells what is left', async () => {
  const said: string[] = [];
  for (const target of ['label', 'predicted', 'class-free']) {
    const options = { target, granularity: 'pixel' };
    const [a, b] = [await run({ options }, { progress: (_, text) => void said.push(text) }), await run({ options })];
    assert.deepEqual(a.headline, b.headline);
  }
  assert.ok(
    said.some((t) => /50 %, masks alone, bottom, training \d+ of 7, about \d+ s left/.test(t)),
    said.at(-1),
  );
});

test('a robust copy is audited beside the model, and a recipe says how fresh models are trained', async () => {
  const path = save(
    'r.train.json',
    new TextEncoder().encode(
      JSON.stringify({ model, data: { train: data }, loss: 'cross-entropy', optimizer: { kind: 'sgd', lr: 0.5 }, steps: 40, batch: 20 }),
    ),
  );
  const { headline, cards } = await run({ options: { robustEpsilon: 0.3, recipe: path } });
  assert.ok('robust_diffroar_50' in headline && 'robust_mask_only_top_50' in headline);
  const done = cards.at(-1);
  assert.ok(done?.kind === 'table' && done.rows.some((r) => String(r[1]).includes('40 steps of sgd, rate 0.5, 20 rows a step')));
});

test('what cannot be audited is refused, saying why', async () => {
  const models = (name: string) => ({ path: fixture(`models/${name}.onnx`) });
  const none = { data: { path: fixture('data/breast_cancer.npz') } };
  await refuses(
    {
      model: models('mlp_diabetes'),
      data: { path: arrays('d.npz', { x: float32([9, 10], new Float32Array(90)), y: float32([9], Array(9).fill(1.5)) }) },
    },
    'diagnostic/audit-classes',
    'mlp_diabetes',
  );
  const tokens = arrays('t.npz', { x: int64([4, 32], Array(128).fill(1)), y: int64([4], [0, 1, 0, 1]) });
  await refuses({ model: models('text_sms'), data: { path: tokens } }, 'diagnostic/audit-tokens', 'tokens');
  await refuses({ data: { path: arrays('one.npz', { x, y: int64([rows], Array(rows).fill(1)) }) } }, 'diagnostic/one-class', 'same label');
  const third = arrays('third.npz', {
    x,
    y: int64(
      [rows],
      Array.from({ length: rows }, (_, i) => i % 3),
    ),
  });
  await refuses({ data: { path: third } }, 'diagnostic/label', 'label 2', '2 classes');
  await refuses({ options: { levels: '1' } }, 'diagnostic/audit-level', '1 %', '6 inputs');
  await refuses({ options: { levels: '10,x' } }, 'option/value', 'levels');
  await refuses({ options: { levels: '0' } }, 'option/value', 'levels');
  await refuses({ options: { test: '0.5@0' }, data: { path: data, split: '0.5@1' } }, 'diagnostic/audit-split', '0.5@0');
  await refuses(
    { ...none, model: models('mlp_breast_cancer'), options: { method: 'layer-gradient-x-activation' } },
    'diagnostic/audit-grid',
  );
});

test('attributions that are zero, and models that cannot be drawn anew, are refused', async () => {
  const zero = network('zero.onnx', [6], (emit) => {
    const hidden = emit.Relu(
      emit.Gemm(
        'x',
        emit.hold('w', constantOf('float32', [6, 4], new Float32Array(24).fill(-1))),
        emit.hold('b', constantOf('float32', [4], [-99, -99, -99, -99])),
      ),
    );
    return emit.MatMul(hidden, emit.hold('v', constantOf('float32', [4, 2], [1, 0, 0, 1, 1, 1, 0, 0])));
  });
  await refuses({ model: { path: zero } }, 'diagnostic/zero-attribution', 'ranks are arbitrary');
  const divided = network('div.onnx', [6], (emit) =>
    emit.Div(
      emit.MatMul('x', emit.hold('w', constantOf('float32', [6, 2], [1, 0, 0, 1, 1, 1, 0, 0, 2, 1, 1, 2]))),
      emit.hold('scale', constantOf('float32', [2], [1, 2])),
    ),
  );
  await refuses({ model: { path: divided } }, 'training/initialisation', "'scale'", 'Div');
  const fixed = network('none.onnx', [6], (emit) => emit.Relu(emit.Slice('x', emit.ints([0]), emit.ints([2]), emit.ints([1]))));
  await refuses({ model: { path: fixed } }, 'training/no-parameters', 'no float parameters');
});

test('an audit that was stopped goes on from the results kept, to the same numbers; those of another run are refused', async () => {
  const resume = join(folder, 'kept.json');
  const cancel = new AbortController();
  const trained: string[] = [];
  const counted = (job: Partial<Job> = {}): Partial<Job> => ({
    progress: (_, text) => {
      trained.push(/training (\d+) of/.exec(text)?.[1] ?? '');
      if (trained.at(-1) === '4' && !cancel.signal.aborted) cancel.abort();
    },
    ...job,
  });
  const stopped = await run({ options: { resume } }, counted({ signal: cancel.signal }));
  assert.equal(stopped.outcome, 'stopped');
  const kept = Object.keys((JSON.parse(readFileSync(resume, 'utf8')) as { results: Record<string, string> }).results).length;
  assert.equal(kept, 3);
  const whole = await run({});
  const resumed = await run({ options: { resume } });
  assert.deepEqual(resumed.headline, whole.headline);
  assert.ok(resumed.notes.some((n) => /3 trainings were taken from/.test(n)));
  // All are kept now; another level only adds its own.
  const more = await run({ options: { resume, levels: '50,100' } });
  assert.ok(more.notes.some((n) => /7 trainings were taken from/.test(n)));
  assert.equal(more.headline.diffroar_50, whole.headline.diffroar_50);
  await refuses({ options: { resume, epochs: 4 } }, 'training/kept-results', 'epochs', 'another run');
  await refuses({ options: { resume }, seed: 1 }, 'training/kept-results', 'seed');
  const other = save('no.json', new TextEncoder().encode('{'));
  await refuses({ options: { resume: other } }, 'training/kept-results', 'no kept results');
  await refuses({ options: { resume: data } }, 'file/overwrites', 'points.npz');
});

test('a cancelled audit stops', async () => {
  const cancel = new AbortController();
  const report = await run(
    { options: { epochs: 1000 } },
    { signal: cancel.signal, progress: (_, t) => /training 2/.test(t) && cancel.abort() },
  );
  assert.equal(report.outcome, 'stopped');
});
