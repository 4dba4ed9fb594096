import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ground, STEPS, stepOf, steps, styleOf } from '../../../src/vscode/insight/ramp.ts';

type Rgb = readonly number[];
const parse = (css: string): { readonly colour: Rgb; readonly alpha: number } => {
  const [r, g, b, alpha] = (/rgba\(([^)]*)\)/.exec(css)?.[1] ?? '').split(',').map(Number);
  return { colour: [r, g, b], alpha };
};
const over = (ground: Rgb, css: string): Rgb => {
  const { colour, alpha } = parse(css);
  return ground.map((v, c) => (1 - alpha) * v + alpha * colour[c]);
};
/** WCAG 2.1. */
const luminance = (colour: Rgb): number => {
  const [r, g, b] = colour.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a: Rgb, b: Rgb): number => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
/** Editor ground and text of VS Code's own themes: Light Modern and Dark Modern. */
const themes = { light: { ground: [255, 255, 255], text: [59, 59, 59] }, dark: { ground: [31, 31, 31], text: [204, 204, 204] } } as const;

test('sixteen steps: strength rises with them, the sign is kept, and next to nothing is not shaded', () => {
  assert.equal(steps.length, 16);
  assert.equal(new Set(steps).size, 16);
  assert.deepEqual([stepOf(1, 1), stepOf(-1, 1), stepOf(5, 1), stepOf(-0.5, 1), stepOf(0.13, 1)], [8, -8, 8, -4, 2]);
  assert.deepEqual([stepOf(0.03, 1), stepOf(0, 1), stepOf(1, 0)], [0, 0, 0]);
  for (let v = -1; v <= 1; v += 0.01) assert.ok(stepOf(v, 1) === 0 || steps.includes(stepOf(v, 1)));
});

test('text stays readable on the strongest shade', () => {
  for (const [name, { ground, text }] of Object.entries(themes))
    for (const step of [-STEPS, STEPS]) {
      const shade = over(ground, styleOf(step, name as Ground).background ?? '');
      // 4.5 is WCAG's level AA for text.
      assert.ok(contrast(shade, text) >= 4.5, `${name}, step ${step}: ${contrast(shade, text)}`);
    }
});

test('shades of one sign grow apart from the ground step by step, and the two signs differ by more than colour', () => {
  for (const [name, { ground }] of Object.entries(themes))
    for (const sign of [-1, 1]) {
      const away = Array.from({ length: STEPS }, (_, i) => {
        const shade = over(ground, styleOf(sign * (i + 1), name as Ground).background ?? '');
        return Math.hypot(...shade.map((v, c) => v - ground[c]));
      });
      away.forEach((d, i) => {
        assert.ok(i === 0 || d > away[i - 1]);
      });
    }
  for (const ground of ['light', 'dark', 'contrast light', 'contrast dark'] as const) {
    assert.match(styleOf(5, ground).line, /^\dpx solid /);
    assert.match(styleOf(-5, ground).line, /^\dpx dotted /);
  }
});

test('high contrast puts nothing behind text: strength is the line', () => {
  for (const ground of ['contrast light', 'contrast dark'] as const) {
    const lines = [1, 4, 8].map((step) => styleOf(step, ground));
    assert.ok(lines.every(({ background }) => background === undefined));
    const widths = lines.map(({ line }) => Number.parseInt(line, 10));
    assert.ok(widths[0] < widths[1] && widths[1] < widths[2]);
    const page = ground === 'contrast light' ? [255, 255, 255] : [0, 0, 0];
    // 3 is WCAG's level AA for what is no text.
    for (const step of [-8, 8]) assert.ok(contrast(parse(styleOf(step, ground).line).colour, page) >= 3);
  }
});
