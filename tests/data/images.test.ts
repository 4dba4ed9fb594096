import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import type { Tensor } from '../../src/base/tensor.ts';
import type { Dataset } from '../../src/data/define.ts';
import { decodeImage, imageHead } from '../../src/data/image-decode.ts';
import { fitImages } from '../../src/data/image-fit.ts';
import { openImageFolder } from '../../src/data/image-folder.ts';
import { masksByName } from '../../src/data/mask.ts';
import { readNpz } from '../../src/data/npz.ts';
import { openFolder } from '../../src/data/source.node.ts';

const fixtures = join(import.meta.dirname, '../fixtures/images');
const golden = readNpz(Uint8Array.from(readFileSync(join(import.meta.dirname, '../golden/data/images.npz'))));
const root = mkdtempSync(join(tmpdir(), 'assay-images-'));
after(() => rmSync(root, { recursive: true, force: true }));
const bytesOf = (name: string): Uint8Array => Uint8Array.from(readFileSync(join(fixtures, name)));
const decode = async (bytes: Uint8Array) => decodeImage(bytes, await imageHead(async (a, b) => bytes.subarray(a, b), bytes.length));
const open = (path: string): Promise<Dataset> => openImageFolder(openFolder(path));
/** A folder of copies of fixtures: path inside it → fixture. */
const folder = (name: string, files: Readonly<Record<string, string>>): string => {
  for (const [to, from] of Object.entries(files)) {
    const path = join(root, name, to);
    mkdirSync(join(path, '..'), { recursive: true });
    cpSync(join(fixtures, from), path);
  }
  return join(root, name);
};
const words = async (data: Dataset, column: string): Promise<unknown> => (await data.slice([column], 0, data.length))[0].data;

// Pillow's pixels, by libpng and libjpeg-turbo: whole numbers, so no tolerance.
for (const name of readdirSync(fixtures)) {
  test(`${name}: the pixels that Pillow reads`, async () => {
    const { width, height, channels, data } = await decode(bytesOf(name));
    const known = golden[name];
    assert.ok(known);
    assert.deepEqual([height, width, ...(channels === 3 ? [3] : [])], known.dims);
    assert.deepEqual(Array.from(data), Array.from(known.data as ArrayLike<number>));
  });
}

test('damaged images are refused, and never at length', async () => {
  for (const name of ['rgb.png', 'palette-4.png', '420.jpg', 'progressive.jpg']) {
    const whole = bytesOf(name);
    const draw = random(3, name);
    for (let i = 0; i < 150; i++) {
      const bytes = Uint8Array.from(whole);
      for (let k = 0; k <= draw.below(3); k++) bytes[draw.below(bytes.length)] = draw.below(256);
      const cut = draw.below(3) === 0 ? bytes.subarray(0, 2 + draw.below(bytes.length - 2)) : bytes;
      await decode(cut).then(
        ({ data, width, height, channels }) => assert.equal(data.length, width * height * channels),
        (e: unknown) => assert.ok(e instanceof Error),
      );
    }
  }
});

test('classes are the folders, sorted; rows are decoded when asked for', async () => {
  const path = folder('classes', {
    'b/1.png': 'rgb.png',
    'a/x.jpg': '444.jpg',
    'a/deep/y.png': 'rgba.png',
    'loose.png': 'rgb.png',
    '.hidden/z.png': 'rgb.png',
  });
  writeFileSync(join(path, 'a/readme.txt'), 'no image');
  const data = await open(`${path}/`);
  assert.deepEqual(await words(data, 'file'), ['a/deep/y.png', 'a/x.jpg', 'b/1.png']);
  assert.deepEqual(await words(data, 'y'), ['a', 'a', 'b']);
  assert.deepEqual((await data.extra('class_names')).data, ['a', 'b']);
  assert.match(data.notes?.join('\n') ?? '', /1 image lies in no folder[\s\S]*2 folders in sorted order: a, b[\s\S]*1 file is no image/);
  const [x]: readonly Tensor[] = await data.take(['x'], [2, 0]);
  assert.deepEqual([x.dtype, x.dims], ['uint8', [2, 21, 35, 3]]);
  assert.deepEqual(Array.from((x.data as Uint8Array).subarray(0, 21 * 35 * 3)), Array.from(golden['rgb.png'].data as Uint8Array));
});

test('folders named after splits hold folders of classes', async () => {
  const data = await open(folder('split', { 'train/a/1.png': 'rgb.png', 'test/b/1.png': 'rgb.png', 'test/a/2.png': 'rgb.png' }));
  assert.deepEqual(await words(data, 'y'), ['a', 'b', 'a']);
  assert.deepEqual(await words(data, 'split'), ['test', 'test', 'train']);
});

test('a folder of images alone has no labels', async () => {
  const data = await open(folder('flat', { '1.png': 'grey.png', '2.jpg': 'grey.jpg' }));
  assert.deepEqual(
    data.columns.map((c) => c.name),
    ['x', 'file'],
  );
  assert.deepEqual(data.columns[0].dims, [21, 35, 1]);
});

test('images of several sizes need one to be given, by the user or by the model', async () => {
  const path = folder('sizes', { '1.png': 'rgb.png', '2.png': 'grey.png' });
  const small = join(path, '3.png');
  // A 1×1 red pixel, the smallest PNG.
  writeFileSync(
    small,
    Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC', 'base64'),
  );
  const data = await open(path);
  await assert.rejects(
    data.slice(['x'], 0, 1),
    (e) => Fault.is(e, 'data/image-sizes') && /2 sizes \('1\.png' 21×35, but '3\.png' 1×1\)/.test(e.message),
  );
  const target = (dims: (number | string)[]) => ({ name: 'x', dtype: 'float32', dims }) as const;
  const byModel = fitImages(data, {}, target([3, 8, 6]));
  assert.deepEqual((await byModel.dataset.slice(['x'], 0, 3))[0].dims, [3, 8, 6, 3]);
  assert.match(byModel.notes.join(), /3 of 3 images .* resized to 8×6, the size of the input/);
  const asked = fitImages(data, { resize: '4x5' }, target([1, 'H', 'W']));
  const [grey] = await asked.dataset.slice(['x'], 0, 3);
  assert.deepEqual(grey.dims, [3, 4, 5, 1]);
  // 0.299·255 of pure red, rounded as Pillow does.
  assert.equal(grey.data[59], 76);
  assert.match(asked.notes.join(), /Colours were turned to greys/);
});

test('a file that is no image is named', async () => {
  const path = folder('broken', { 'a/1.png': 'rgb.png', 'a/2.png': 'grey.png' });
  truncateSync(join(path, 'a/2.png'), 120);
  const data = await open(path);
  await assert.rejects(
    data.slice(['x'], 0, 2),
    (e) => Fault.is(e, 'data/image') && /a\/2\.png' cannot be read: its bytes are damaged/.test(e.message),
  );
  writeFileSync(join(path, 'a/3.png'), 'text');
  await assert.rejects(open(path), (e) => Fault.is(e, 'data/image') && /a\/3\.png' .*neither PNG nor JPEG/.test(e.message));
  mkdirSync(join(root, 'none'));
  await assert.rejects(open(join(root, 'none')), (e) => Fault.is(e, 'data/no-images'));
});

test('an image without a mask among images that have theirs is told: it would count as normal', async () => {
  const [grey] = readdirSync(fixtures);
  const named = (path: string): Record<string, string> => ({ [`test/${path}.png`]: grey });
  const parts = (kept: readonly string[]): Record<string, string> => ({
    ...named('good/0'),
    ...named('good/1'),
    ...named('crack/0'),
    ...named('crack/1'),
    ...named('crack/2'),
    ...Object.fromEntries(kept.map((n) => [`ground_truth/crack/${n}_mask.png`, grey])),
  });
  const notesOf = async (name: string, kept: readonly string[]): Promise<string> => {
    const { images } = await open(folder(name, parts(kept)));
    assert.ok(images?.masks);
    return masksByName(name, images, images.masks).notes.join(' ');
  };
  assert.match(await notesOf('forgot', ['0', '2']), /for 2 of 5 images; the 3 without.*One of these lies.*'test\/crack\/1\.png'/);
  assert.doesNotMatch(await notesOf('complete', ['0', '1', '2']), /of these/);
  const { notes } = await open(folder('single', { 'only/a.png': grey }));
  assert.match(notes?.join(' ') ?? '', /The only class is the folder only\./);
});
