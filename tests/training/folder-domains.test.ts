import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { encode } from 'fast-png';
import { diagnose } from '../../src/app/diagnose.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { random } from '../../src/base/random.ts';
import { int64 } from '../../src/base/tensor.ts';
import { world } from '../../src/jobs/world.ts';
import { workshop } from './workshop.ts';

const ports = await world();
const SIDE = 4;
const EACH = 12;
const domains = ['photo', 'sketch'];
const classes = ['left', 'right'];

/** Bright on one side; sketches are turned round. In the order of the files' paths. */
const pictures = domains.flatMap((domain, d) =>
  classes.flatMap((name, c) =>
    Array.from({ length: EACH }, (_, i) => {
      const draw = random(1, `${domain}/${name}/${i}`);
      const bright = (at: number): boolean => at % SIDE < SIDE / 2 === (c === 0);
      const pixels = Uint8Array.from({ length: SIDE * SIDE }, (_v, at) => (bright(at) === (d === 0) ? 170 : 30) + draw.below(56));
      return { domain, name, d, c, pixels, file: `${domain}/${name}/${String(i).padStart(2, '0')}.png` };
    }),
  ),
);
const shopOfPictures = () => {
  const shop = workshop();
  const put = (folder: string, kept: typeof pictures): void => {
    for (const { file, pixels } of kept) {
      const path = shop.at(`${folder}/${file}`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, encode({ width: SIDE, height: SIDE, data: pixels, channels: 1, depth: 8 }));
    }
  };
  put('art', pictures);
  put(
    'photos',
    pictures.filter((p) => p.d === 0),
  );
  return shop;
};
const preprocess = { scale: 1 / 255 };
const recipe = {
  ...{ arch: { kind: 'mlp', hidden: '8' }, loss: 'cross-entropy', optimizer: { kind: 'adam', lr: 0.02 }, split: { val: 0 } },
  ...{ sampler: 'domains', batch: 16, epochs: 6, regularizers: [{ kind: 'hgp', alpha: 0.1, beta: 0.1 }] },
};

test('the first level of folders is the domain, the second the class: trained as the same rows of an npz', async () => {
  const shop = shopOfPictures();
  const n = pictures.length;
  const x = { dtype: 'uint8', dims: [n, SIDE, SIDE, 1], data: Uint8Array.from(pictures.flatMap((p) => [...p.pixels])) } as const;
  const of = (key: 'd' | 'c') =>
    int64(
      [n],
      pictures.map((p) => p[key]),
    );
  shop.arrays('rows.npz', { x, y: of('c'), site: of('d') });
  const trained = async (path: string, labelKey: string, domainKey: string) =>
    shop.run({ ...recipe, data: { train: { path, preprocess }, labelKey, domainKey } }, { force: true });
  const { report } = await trained('rows.npz', 'y', 'site');
  const { report: own, notes } = await trained('art', 'folder_2', 'folder_1');
  assert.equal(own.headline.train_loss, report.headline.train_loss);
  assert.ok(notes.some((note) => /folders 2 deep.*name y 'folder_2', and 'folder_1' as the domain/.test(note)));
  assert.ok(notes.some((note) => /alphabetical order: left, right/.test(note)));

  const asked = (labels: string, group: string) =>
    diagnose(
      {
        ...{ id: 'domain-alignment', model: { path: shop.at('out.onnx') }, device: 'cpu', seed: 0, options: { group } },
        data: { path: shop.at('art'), y: labels, preprocess },
      },
      ports,
      { ...quietJob(), live: () => {} },
    );
  const found = await asked('folder_2', 'folder_1');
  assert.deepEqual([found.outcome, found.headline.domains, found.headline.rows], ['measured', 2, n]);
  const heat = found.cards.find((c) => c.kind === 'heatmap');
  assert.ok(heat?.kind === 'heatmap');
  assert.deepEqual(heat.rows.names, domains);
});

test('classes stay those of the first level unless another is named, and one domain alone is refused', async () => {
  const shop = shopOfPictures();
  const refused = (train: string, words: RegExp) =>
    assert.rejects(
      shop.run({ ...recipe, data: { train: { path: train, preprocess }, labelKey: 'folder_2', domainKey: 'folder_1' } }),
      (e) => Fault.is(e, 'training/column-values') && words.test(e.message),
    );
  await refused('photos', /'folder_1'.*one domain alone \('photo'\)/);
  const { sampler: _, regularizers: __, ...plain } = recipe;
  const { notes } = await shop.run({ ...plain, data: { train: { path: 'art', preprocess } } });
  assert.ok(notes.some((note) => /Classes are the 2 folders in sorted order: photo, sketch/.test(note)));
});
