import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { after } from 'node:test';
import { encode } from 'fast-png';
import { diagnose } from '../../src/app/diagnose.ts';
import { suite } from '../../src/app/suite.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { random } from '../../src/base/random.ts';
import type { RunRequest } from '../../src/base/request.ts';
import { float32, type Tensor } from '../../src/base/tensor.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';
import { recorded, value } from '../runtime/models.ts';

const ports = await world();
const root = mkdtempSync(join(tmpdir(), 'assay-maps-'));
after(() => rmSync(root, { recursive: true, force: true }));
const file = (name: string, content: Uint8Array | string): string => {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
};
const job = { ...quietJob(), live: () => {} };
const bounds = { fprLower: 1e-2, fprUpper: 1e-1 };
const run = (of: Pick<RunRequest, 'data'> & Partial<RunRequest>): Promise<Report> =>
  diagnose({ id: 'aupimo', device: 'cpu', seed: 0, ...of, options: { ...bounds, ...of.options } }, ports, job);

// Eight pictures of 24×24 as MVTec keeps them, four of them with a bright square; greys are noise around 100.
const side = 24;
const draw = random(0, 'pictures');
const defects = [0, 0, 0, 0, 20, 40, 60, 80];
const masks = defects.map((d, i) =>
  Uint8Array.from({ length: side * side }, (_, k) =>
    d > 0 && k % side >= 4 + i && k % side < 12 + i && k >= 5 * side && k < 13 * side ? 255 : 0,
  ),
);
const pictures = masks.map((mask, i) => Uint8Array.from(mask, (m) => Math.round(100 + 15 * draw.normal() + (m ? defects[i] : 0))));
const png = (data: Uint8Array, width = side): Uint8Array => encode({ width, height: data.length / width, data, channels: 1, depth: 8 });
const name = (i: number): string => `${defects[i] > 0 ? 'bright' : 'good'}/${i}`;
for (const [i, picture] of pictures.entries()) {
  file(`part/test/${name(i)}.png`, png(picture));
  if (defects[i] > 0) file(`part/ground_truth/${name(i)}_mask.png`, png(masks[i]));
}
const stored = (values: readonly Uint8Array[]): Tensor =>
  float32([values.length, side, side], Float32Array.from(values.flatMap((v) => Array.from(v))));
const maskArray = (values: readonly Uint8Array[]): Tensor => ({
  dtype: 'uint8',
  dims: [values.length, side, side],
  data: Uint8Array.from(values.flatMap((v) => Array.from(v))),
});
const arrays = file('arrays.npz', writeNpz({ maps: stored(pictures), masks: maskArray(masks) }));
// A model whose map is the picture itself, and one that halves its size.
const same = file(
  'same.onnx',
  write(
    recorded(
      [value('x', 'float32', ['N', 1, side, side])],
      [value('map', 'float32', ['N', 1, side, side])],
      (emit) => void emit.rename(emit.Mul('x', emit.scalar(2)), 'map'),
    ),
  ),
);

test('maps of a model over a folder of images, masks by name, and stored arrays: one score', async () => {
  const [folder, test, npz] = await Promise.all([
    run({ model: { path: same }, data: { path: join(root, 'part') } }),
    run({ model: { path: same }, data: { path: join(root, 'part/test') }, options: { masks: join(root, 'part/ground_truth') } }),
    run({ data: { path: arrays } }),
  ]);
  assert.equal(folder.outcome, 'measured');
  assert.deepEqual([folder.headline.normal_images, folder.headline.anomalous_images], [4, 4]);
  // The same pixels, divided by 255 and doubled: the order of scores is the same.
  for (const key of ['aupimo', 'median', 'auroc', 'aupro']) {
    assert.equal(folder.headline[key], test.headline[key]);
    assert.ok(Math.abs(folder.headline[key] - npz.headline[key]) < 1e-9, key);
  }
  assert.match(folder.notes.join('\n'), /Masks were found by name for 4 of 8 images; the 4 without one count as normal/);
  assert.match(test.notes.join('\n'), /ground_truth' has SHA-256 [0-9a-f]{64}/);
  const images = folder.cards.find((c) => c.kind === 'images');
  assert.deepEqual(
    images?.images[0].overlays.map((o) => o.name),
    ['Mask', 'Map at FPR 0.1', 'Map at FPR 0.01'],
  );
  assert.ok(images?.images.every((i) => i.picture));
});

test('a second array on the same images', async () => {
  const worse = pictures.map((p, i) => p.map((v, k) => (masks[i][k] ? v - 10 : v)));
  const path = file('two.npz', writeNpz({ maps: stored(pictures), worse: stored(worse), masks: maskArray(masks) }));
  const found = await run({ data: { path }, options: { compareWith: 'worse' } });
  assert.ok(found.headline.wins >= 3 && found.headline.losses === 0);
  assert.ok(found.headline.aupimo > found.headline.aupimo_other);
  const model = await run({ data: { path: join(root, 'part') }, model: { path: same }, options: { compareWith: same } });
  assert.deepEqual([model.headline.ties, model.headline.p_value], [4, 1]);
});

test('maps and masks of two sizes', async () => {
  const small = float32(
    [8, 12, 12],
    Float32Array.from(pictures.flatMap((p) => Array.from({ length: 144 }, (_, k) => p[2 * Math.floor(k / 12) * side + 2 * (k % 12)]))),
  );
  const path = file('sizes.npz', writeNpz({ maps: small, masks: maskArray(masks) }));
  const maps = await run({ data: { path } });
  const byMask = await run({ data: { path }, options: { resized: 'masks' } });
  assert.ok(maps.headline.aupimo > 0.1 && byMask.headline.aupimo > 0.1);
  await assert.rejects(
    run({ data: { path }, options: { resized: 'off' } }),
    (e) => Fault.is(e, 'data/mask-size') && /row 0 is 12×12, its mask 24×24/.test(e.message),
  );
  const dot = masks.map((m) => m.map((_, k) => Number(k === 0 && m.includes(255))));
  const vanished = file('dot.npz', writeNpz({ maps: small, masks: maskArray(dot) }));
  await assert.rejects(run({ data: { path: vanished }, options: { resized: 'masks' } }), (e) => Fault.is(e, 'data/mask-vanished'));
});

test('bad input', async () => {
  const odd = file('odd.npz', writeNpz({ maps: stored(pictures), masks: maskArray(masks.map((m) => m.map((v) => (v ? 7 : 0)))) }));
  await assert.rejects(run({ data: { path: odd } }), (e) => Fault.is(e, 'data/mask-value') && /row 4 of 'masks' holds 7/.test(e.message));
  const maps = stored(pictures);
  (maps.data as Float32Array)[3 * side * side] = Number.NaN;
  const gaps = file('nan.npz', writeNpz({ maps, masks: maskArray(masks) }));
  await assert.rejects(run({ data: { path: gaps } }), (e) => Fault.is(e, 'data/not-finite') && /row 3/.test(e.message));
  await assert.rejects(
    run({ data: { path: arrays }, options: { maps: file('few.npz', writeNpz({ maps: stored(pictures.slice(1)) })) } }),
    (e) => Fault.is(e, 'data/array-rows') && /7 entries, but the data have 8 rows/.test(e.message),
  );
  const without = await run({ data: { path: file('without.npz', writeNpz({ maps: stored(pictures) })) } });
  assert.deepEqual([without.outcome, without.reason?.code], ['unavailable', 'evidence/no-masks']);
  const bare = await run({ data: { path: file('bare.npz', writeNpz({ masks: maskArray(masks) })) } });
  assert.equal(bare.reason?.code, 'evidence/no-maps');
  await assert.rejects(
    run({ data: { path: arrays }, options: { masks: 'msks' } }),
    (e) => Fault.is(e, 'data/column') && e.detail.nearest === 'masks',
  );
  await assert.rejects(run({ data: { path: arrays }, options: { masks: join(root, 'part/ground_truth') } }), (e) =>
    Fault.is(e, 'data/masks-by-name'),
  );
  file('strange/a.png', png(masks[4]));
  await assert.rejects(
    run({ data: { path: join(root, 'part/test') }, model: { path: same }, options: { masks: join(root, 'strange') } }),
    (e) => Fault.is(e, 'data/masks-unmatched'),
  );
  const scores = file(
    'scores.onnx',
    write(
      recorded(
        [value('x', 'float32', ['N', 1, side, side])],
        [value('y', 'float32', ['N', side * side])],
        (emit) => void emit.rename(emit.Flatten('x', { axis: 1 }), 'y'),
      ),
    ),
  );
  const flat = await run({ data: { path: join(root, 'part') }, model: { path: scores } });
  assert.equal(flat.reason?.code, 'evidence/no-map');
});

test('a check in assay.json: paths are relative to it, names of arrays stay', async () => {
  const checks = [
    {
      name: 'folder',
      run: 'aupimo',
      model: 'same',
      data: 'test',
      options: { ...bounds, masks: './part/ground_truth' },
      expect: { auroc: { min: 0.5 } },
    },
    { name: 'arrays', run: 'aupimo', data: 'arrays', options: { ...bounds, masks: 'masks' }, expect: { auroc: { min: 0.5 } } },
  ];
  const path = file(
    'assay.json',
    JSON.stringify({
      models: { same: { path: 'same.onnx' } },
      datasets: { test: { path: 'part/test' }, arrays: { path: 'arrays.npz' } },
      checks,
    }),
  );
  const { checks: results } = await suite({ path, device: 'cpu', seed: 0 }, ports, job);
  assert.deepEqual(
    results.map((r) => [r.name, r.status]),
    [
      ['folder', 'passed'],
      ['arrays', 'passed'],
    ],
  );
});
