import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
import { emitter } from '../../src/graph/emit.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';
import { modelOf } from '../../src/training/plan.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-block-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const arrays = (name: string, given: Record<string, Tensor>): string => {
  writeFileSync(join(folder, name), writeNpz(given));
  return join(folder, name);
};
const rows = 90;
const r = random(2, 'pictures');
/** Class 1 has its light in the right half. */
const labels = Array.from({ length: rows }, (_, i) => i % 2);
const values = Float32Array.from(
  { length: rows * 36 },
  (_, i) => 0.3 * r.next() + 0.6 * Number(Number(i % 6 > 2) === labels[Math.floor(i / 36)]),
);
const y = int64([rows], labels);
const pictures = arrays('p.npz', { x: float32([rows, 1, 6, 6], values), y });
const flat = arrays('f.npz', { x: float32([rows, 36], values), y });

const run = (of: Partial<RunRequest>, job: Partial<Job> = {}): Promise<Report> =>
  diagnose(
    {
      id: 'block-leak',
      device: 'cpu',
      seed: 0,
      data: { path: pictures },
      ...of,
      options: { runs: 1, epochs: 12, hidden: '16', batch: 16, epsilon: 0.3, attackSteps: 2, ...of.options },
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

const first = await run({});
test('four models, their gradients beside the stacked pictures', () => {
  assert.equal(first.outcome, 'measured', first.reason?.sentence);
  const { headline, cards, intervals, guide } = first;
  for (const name of ['standard', 'robust', 'top_standard', 'top_robust']) {
    const { low, high } = intervals[`${name}_mass_in_signal`];
    assert.ok(low <= headline[`${name}_mass_in_signal`] && headline[`${name}_mass_in_signal`] <= high && high <= 1.05);
    assert.ok(headline[`${name}_test_accuracy`] >= headline[`${name}_attacked_accuracy`]);
  }
  assert.ok(headline.top_standard_test_accuracy > 0.9, `${headline.top_standard_test_accuracy}`);
  const images = cards.find((c) => c.kind === 'images');
  assert.ok(images?.kind === 'images' && images.images.length === 4);
  const [image] = images.images;
  assert.deepEqual([image.picture?.width, image.picture?.height], [6, 12]);
  assert.deepEqual(
    image.overlays.map((o) => [o.name, o.width, o.height, o.values.length]),
    [
      ['standard', 6, 12, 72],
      ['robust', 6, 12, 72],
    ],
  );
  assert.match(guide, /The standard model puts/);
});

test('flat rows are pictures where their shape is named, to the same numbers, and a network with convolutions can be asked about', async () => {
  const named = await run({ data: { path: flat }, options: { image: '6x6', shown: 0 } });
  assert.deepEqual(named.headline, first.headline);
  const cnn = await run({ options: { arch: 'cnn', channels: '4', epochs: 1, shown: 0 } });
  assert.equal(cnn.outcome, 'measured', cnn.reason?.sentence);
});

/** A linear model of stacked pictures that reads only the upper block: class 1 has its light in the right half. */
const upper = (name: string, dims: readonly number[]): string => {
  const emit = emitter({});
  const type = (d: readonly (number | string)[]) => ({ kind: 'tensor', dtype: 'float32', dims: d }) as const;
  emit.typed('x', type(['N', ...dims]));
  const weights = Float32Array.from({ length: 72 * 2 }, (_, i) => {
    const [k, c] = [Math.floor(i / 2), i % 2];
    return k >= 36 ? 0 : (c === 1 ? 1 : -1) * (k % 6 > 2 ? 1 : -1);
  });
  const out = emit.MatMul(emit.Flatten('x', { axis: 1 }), emit.hold('w', constantOf('float32', [72, 2], weights)));
  const graph = emit.graph(name, [{ name: 'x', type: type(['N', ...dims]) }], [{ name: out, type: type(['N', 2]) }]);
  writeFileSync(join(folder, name), write(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph)));
  return join(folder, name);
};

test('a model that was trained elsewhere is measured: all of its gradient lies in the upper block, which is the picture or is not', async () => {
  for (const dims of [[1, 12, 6], [72]]) {
    const { outcome, reason, headline, cards, guide } = await run({
      options: { trained: upper(`upper${dims.length}.onnx`, dims), references: false },
    });
    assert.equal(outcome, 'measured', reason?.sentence);
    assert.ok(Math.abs(headline.top_given_mass_in_signal - 1) < 1e-9);
    assert.equal(headline.top_given_test_accuracy, 1);
    assert.ok(headline.given_mass_in_signal > 0.2 && headline.given_mass_in_signal < 0.8, String(headline.given_mass_in_signal));
    assert.equal('standard_mass_in_signal' in headline, false);
    const done = cards.at(-1);
    assert.ok(done?.kind === 'table' && done.rows.some((r) => r[0] === 'Measured as it is'));
    assert.match(guide, /^upper\d\.onnx has .* of its gradient in the picture \(100 % where the picture is always on top\)/);
  }
  const both = await run({ options: { trained: upper('upper.onnx', [1, 12, 6]), epochs: 1 } });
  assert.ok('given_mass_in_signal' in both.headline && 'standard_mass_in_signal' in both.headline);
  await refuses({ options: { trained: upper('low.onnx', [1, 6, 12]) } }, 'diagnostic/block-model', '[N,1,6,12]', '[N,1,12,6]');
  await refuses({ options: { references: false } }, 'diagnostic/block-alone', 'trained');
});

test('what is no picture is refused, and so are data of one class', async () => {
  await refuses({ data: { path: flat } }, 'diagnostic/block-images', '[36]', 'image');
  await refuses({ data: { path: flat }, options: { image: '5x6' } }, 'diagnostic/block-images', '5x6');
  await refuses({ data: { path: flat }, options: { image: '6xx' } }, 'option/value', 'image');
  await refuses({ data: { path: flat }, options: { image: '2x18' } }, 'diagnostic/block-images', 'at least 4');
  const one = arrays('one.npz', { x: float32([rows, 1, 6, 6], values), y: int64([rows], Array(rows).fill(0)) });
  await refuses({ data: { path: one } }, 'diagnostic/one-class', 'same label');
  await refuses({ data: { path: arrays('none.npz', { x: float32([rows, 1, 6, 6], values) }) } }, 'training/unlabelled', 'label');
  const bad = values.slice();
  bad[40] = Number.NaN;
  await refuses({ data: { path: arrays('nan.npz', { x: float32([rows, 1, 6, 6], bad), y }) } }, 'training/not-finite-input', 'row 1');
});

test('a cancelled test stops', async () => {
  const cancel = new AbortController();
  const report = await run({ options: { epochs: 5000 } }, { signal: cancel.signal, progress: (f) => f > 0.001 && cancel.abort() });
  assert.equal(report.outcome, 'stopped');
});
