import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from 'fast-png';
import { palettes } from '../../../src/report/palette.ts';
import type { Attribution } from '../../../src/report/tasks.ts';
import { pngOf, thumbnailOf } from '../../../src/vscode/insight/thumbnail.ts';

const sample = (side: number, values: Float32Array, channels: 1 | 3 = 1): Attribution => ({
  row: 0,
  position: 0,
  count: 1,
  shown: {
    kind: 'map',
    width: 2,
    height: 2,
    picture: { width: side, height: side, channels, base64: Buffer.alloc(side * side * channels, 100).toString('base64') },
  },
  values,
  outliers: 0,
  classes: [],
  probs: [],
  prediction: 0,
  target: 0,
  method: 'gradient',
  layers: [],
  facts: [],
  notes: [],
});
const pixels = (uri: string) => decode(Buffer.from(uri.replace(/^data:image\/png;base64,/, ''), 'base64'), { checkCrc: true });

test('what is written as PNG is read again as it was', () => {
  const rgb = Uint8Array.from({ length: 3 * 5 * 4 }, (_, i) => (i * 37) % 256);
  const { width, height, channels, data } = decode(pngOf(5, 4, rgb), { checkCrc: true });
  assert.deepEqual([width, height, channels, Array.from(data)], [5, 4, 3, Array.from(rgb)]);
});

test('the map lies over the picture: nothing where it is 0, one hue for, another against', () => {
  const found = thumbnailOf(sample(8, Float32Array.of(0, 1, -1, 0)));
  assert.ok(found);
  // Small pictures are drawn in whole pixels.
  assert.deepEqual([found.width, found.height], [96, 96]);
  const { data } = pixels(found.mapped);
  const at = (x: number, y: number): number[] => Array.from(data.slice(3 * (96 * y + x), 3 * (96 * y + x) + 3));
  assert.ok(pixels(found.plain ?? '').data.every((v) => v === 100));
  const ground = Math.floor(160 + (100 * 95) / 255);
  for (const value of at(3, 3)) assert.ok(Math.abs(value - ground) <= 1);
  for (const [pixel, hue] of [
    [at(90, 3), palettes['blue-red'].for],
    [at(3, 90), palettes['blue-red'].against],
  ] as const)
    pixel.forEach((v, c) => {
      // Rounded twice.
      assert.ok(Math.abs(v - (0.3 * ground + 0.7 * hue[c])) <= 2);
    });
});

test('a data URI is never longer than a hover shows, however large the picture', () => {
  const noise = Buffer.from(Uint8Array.from({ length: 3 * 700 * 700 }, (_, i) => ((i * 2654435761) >>> 13) & 255)).toString('base64');
  const large = sample(700, Float32Array.of(1, 0, 0, 0), 3);
  assert.ok(large.shown.kind === 'map' && large.shown.picture);
  const found = thumbnailOf({ ...large, shown: { ...large.shown, picture: { ...large.shown.picture, base64: noise } } });
  assert.ok(found && found.mapped.length <= 262_144 && found.plain && found.plain.length <= 262_144 && found.width <= 192);
  assert.equal(thumbnailOf({ ...large, shown: { kind: 'tokens', words: [] } }), undefined);
});
