import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { attribute } from '../../src/app/attribute.ts';
import type { AppJob, Ports } from '../../src/app/ports.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { openDataset } from '../../src/data/open.ts';
import { openSource } from '../../src/data/source.node.ts';
import { world } from '../../src/jobs/world.ts';
import type { AttributeRequest, Attribution } from '../../src/report/tasks.ts';

const file = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const job: AppJob = { ...quietJob(), live: () => {} };
const folder = mkdtempSync(join(tmpdir(), 'assay-given-'));
const table = join(folder, 'cells.csv');
let ports: Ports;
let rows: string[][];
before(async () => {
  ports = await world();
  const data = await openDataset(await openSource(file('data/breast_cancer.npz')));
  const [x, y] = await data.slice(['x', 'y'], 0, 40);
  rows = Array.from({ length: 40 }, (_, r) => [...Array.from(x.data.slice(30 * r, 30 * (r + 1)), String), String(y.data[r])]);
  const head = [...Array.from({ length: 30 }, (_, k) => `feature ${k}`), 'y'];
  writeFileSync(table, [head, ...rows].map((row) => row.join(',')).join('\n'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const ask = (over: Partial<AttributeRequest>): Promise<Attribution> =>
  attribute(
    {
      model: { path: file('models/text_sms.onnx'), labels: ['ham', 'spam'] },
      data: { path: file('data/messages.csv'), preprocess: { tokenizer: file('data/sms_vocab.json') } },
      device: 'cpu',
      seed: 0,
      position: 0,
      method: 'integrated-gradients',
      options: {},
      ...over,
    },
    ports,
    job,
  );

test('a text is attributed as the row of the data that holds it, and its tokens are found in it', async () => {
  const text = 'Urgent! You have won a free prize, call now to claim your cash';
  const own = await ask({});
  const given = await ask({ given: { kind: 'text', text } });
  assert.deepEqual(given.values, own.values);
  assert.deepEqual([given.target, given.row, given.position], [own.target, -1, -1]);
  assert.deepEqual(given.probs, own.probs);
  assert.ok(given.placed?.kind === 'text' && given.shown.kind === 'tokens');
  assert.equal(given.placed.tokens, given.values.length);
  assert.deepEqual(
    given.placed.ranges.map((range) => range && text.slice(...range).toLowerCase()),
    given.shown.words,
  );
  // The word free speaks for spam, which it is said to be.
  assert.equal(given.classes[given.prediction], 'spam');
  assert.ok(given.values[given.shown.words.indexOf('free')] > 0);
});

test('a text without data needs the tokenizer alone; one that is too long is seen in part', async () => {
  const data = { path: '', preprocess: { tokenizer: file('data/sms_vocab.json') } };
  const text = 'Urgent! You have won a free prize, call now to claim your cash';
  const alone = await ask({ data, given: { kind: 'text', text } });
  assert.deepEqual(alone.values, (await ask({ given: { kind: 'text', text } })).values);
  const long = await ask({ data, given: { kind: 'text', text: `${'free call now '.repeat(400)}` } });
  assert.ok(long.placed?.kind === 'text');
  assert.equal(long.placed.tokens, 1200);
  assert.ok(long.placed.ranges.length < 1200);
  const last = long.placed.ranges.at(-1);
  assert.ok(last && last[1] < 5600);
  // Nothing to see is no fault.
  assert.equal((await ask({ data, given: { kind: 'text', text: '' } })).values.length, 0);
});

test('fields of a row are attributed as the row of the file; each has its value, input and baseline', async () => {
  const model = { path: file('models/mlp_breast_cancer.onnx') };
  const own = await ask({ model, data: { path: table }, row: 7 });
  const given = await ask({ model, data: { path: table }, given: { kind: 'fields', fields: rows[7] } });
  assert.deepEqual(given.values, own.values);
  assert.ok(given.placed?.kind === 'fields');
  const { fields, values, inputs, baseline } = given.placed;
  assert.deepEqual(
    fields,
    Array.from({ length: 30 }, (_, k) => k),
  );
  assert.deepEqual(values, own.values);
  assert.ok(own.shown.kind === 'bars');
  assert.deepEqual(inputs, own.shown.inputs);
  for (const k of [0, 17, 29]) {
    const mean = rows.reduce((sum, row) => sum + Number(row[k]), 0) / rows.length;
    // The mean is taken of 32-bit floats.
    assert.ok(Math.abs((baseline?.[k] ?? Number.NaN) - mean) <= 1e-5 * Math.max(1, Math.abs(mean)));
  }
  const slopes = await ask({ model, data: { path: table }, method: 'gradient', given: { kind: 'fields', fields: rows[7] } });
  assert.ok(slopes.placed?.kind === 'fields' && slopes.placed.baseline === undefined);
  const units = await ask({ model, data: { path: table }, method: 'layer-conductance', given: { kind: 'fields', fields: rows[7] } });
  assert.equal(units.placed, undefined);
});

test('a field of text is attributed by its tokens', async () => {
  const given = await ask({ given: { kind: 'fields', fields: ['win a free prize', 'spam'] } });
  assert.ok(given.placed?.kind === 'text');
  assert.equal(given.placed.field, 0);
  assert.deepEqual(given.placed.ranges[2], [6, 10]);
});

test('rows that do not fit are refused with the column at fault, and the model stays open', async () => {
  const model = { path: file('models/mlp_breast_cancer.onnx') };
  const data = { path: table };
  const refused = (fields: readonly string[], code: 'data/given-field' | 'data/given-width', pattern: RegExp) =>
    assert.rejects(ask({ model, data, given: { kind: 'fields', fields } }), (e) => Fault.is(e, code) && pattern.test(e.message));
  await refused(['abc', ...rows[0].slice(1)], 'data/given-field', /Column 'feature 0' holds 'abc'/);
  await refused(['', ...rows[0].slice(1)], 'data/given-field', /Column 'feature 0' is empty/);
  await refused(rows[0].slice(1), 'data/given-width', /The row has 30 fields, but '.*cells\.csv' has 31 columns/);
  await assert.rejects(ask({ model, data, given: { kind: 'text', text: 'words' } }), (e) => Fault.is(e, 'data/given-text'));
});

test('a picture file is a row of its own: brought to the size of the input, and said so', async () => {
  const found = await ask({
    model: { path: file('models/resnet8_cifar10.onnx') },
    data: { path: file('images/rgb.png') },
    method: 'gradient',
  });
  assert.equal(found.count, 1);
  assert.ok(found.shown.kind === 'map' && found.shown.picture);
  assert.deepEqual([found.shown.picture.width, found.shown.picture.height, found.shown.picture.channels], [32, 32, 3]);
  assert.ok(
    found.notes.includes('The image of 21×35 was resized to 32×32, the size of the input (bilinear, half-pixel centres, no antialiasing).'),
  );
  const grey = await ask({
    model: { path: file('models/lenet_mnist.onnx') },
    data: { path: file('images/420.jpg') },
    method: 'gradient',
  });
  assert.ok(grey.notes.includes('Colours were turned to greys (ITU-R 601), as the input has one channel.'));
});
