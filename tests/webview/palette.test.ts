import assert from 'node:assert/strict';
import { test } from 'node:test';
import { palettes } from '../../src/report/palette.ts';
import type { Colour } from '../../webview/theme.ts';

const linear = (v: number): number => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
/** Machado, Oliveira and Fernandes 2009, severity 1, over linear RGB. */
const seenBy: Readonly<Record<string, readonly (readonly number[])[]>> = {
  everybody: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
/** CIE 1976 L*a*b* under D65, of linear RGB. */
const lab = ([r, g, b]: readonly number[]): readonly number[] => {
  const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);
  const [x, y, z] = [
    f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047),
    f(0.2126729 * r + 0.7151522 * g + 0.072175 * b),
    f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883),
  ];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
};
const seen = (colour: Colour, matrix: readonly (readonly number[])[]): readonly number[] => {
  const rgb = colour.map(linear);
  return lab(
    matrix.map((row) =>
      Math.min(
        1,
        Math.max(
          0,
          row.reduce((sum, m, k) => sum + m * rgb[k], 0),
        ),
      ),
    ),
  );
};
const apart = (a: readonly number[], b: readonly number[]): number => Math.hypot(...a.map((v, k) => v - b[k]));

test('L*a*b* of sRGB red is the published one', () => {
  const [l, a, b] = seen([255, 0, 0], seenBy.everybody);
  assert.ok(Math.abs(l - 53.24) < 0.01 && Math.abs(a - 80.09) < 0.01 && Math.abs(b - 67.2) < 0.01);
});

// A difference of 2.3 is just noticeable; ten times that is plain at a glance, also at half strength.
for (const [name, palette] of Object.entries(palettes))
  for (const [eyes, matrix] of Object.entries(seenBy))
    test(`${name}: both ends are told from each other and from white by ${eyes}`, () => {
      const [low, high, white] = [palette.against, palette.for, [255, 255, 255] as const].map((colour) => seen(colour, matrix));
      assert.ok(apart(low, high) > 23, `ends ${apart(low, high)}`);
      assert.ok(apart(low, white) > 46 && apart(high, white) > 46);
      assert.ok(apart(seen(palette.strength, matrix), white) > 46);
    });
