import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageAxes } from '../../src/base/image.ts';
import { random } from '../../src/base/random.ts';
import { doubled, inSignal, nullBlock, stacked } from '../../src/diagnostics/attribution/block-images.ts';

const axesOf = (dims: readonly number[]) => imageAxes(dims) ?? assert.fail();
const dataOf = (dims: readonly number[], rows: number) => {
  const size = dims.reduce((a, b) => a * b, 1);
  return {
    rows: Float64Array.from({ length: rows }, (_, i) => i),
    x: Float32Array.from({ length: rows * size }, (_, i) => i / (rows * size)),
    dims,
    labels: new Int32Array(rows),
    classes: 2,
  };
};

test('the null block is a square frame with its two diagonals', () => {
  const lines = (h: number, w: number): string[] => {
    const block = nullBlock(axesOf([1, h, w]), [0, 1]);
    return Array.from({ length: h }, (_, y) => Array.from(block.subarray(y * w, (y + 1) * w)).join(''));
  };
  assert.deepEqual(lines(5, 5), ['11111', '11011', '10101', '11011', '11111']);
  assert.deepEqual(lines(6, 6), ['111111', '110011', '101101', '101101', '110011', '111111']);
});

test('pictures are stacked with it above or below, in every layout; the picture is where onTop says', () => {
  for (const dims of [
    [1, 4, 5],
    [3, 4, 5],
    [4, 5, 3],
    [4, 5],
  ]) {
    const axes = axesOf(dims);
    const data = dataOf(dims, 20);
    const size = dims.reduce((a, b) => a * b, 1);
    const tall = doubled(dims) ?? assert.fail();
    for (const order of ['random', 'top'] as const) {
      const blocks = stacked(data, axes, [0, 1], order, random(0, 'order'));
      assert.deepEqual(blocks.dims, tall.dims);
      const above = blocks.onTop.reduce((n, v) => n + v, 0);
      assert.ok(order === 'top' ? above === 20 : above > 3 && above < 17);
      for (let i = 0; i < 20; i++) {
        // As a gradient, 1 in the picture and 0 on the null block: all its mass lies in the picture, and its half of the tenths.
        const marked = stacked({ ...data, x: new Float32Array(20 * size).fill(1) }, axes, [0, 0], order, random(0, 'order'));
        const g = Float64Array.from(marked.x);
        assert.deepEqual(inSignal(g, i, blocks, tall.axes), { mass: 1, top: 1 });
        assert.deepEqual(
          inSignal(
            g.map((v) => 1 - v),
            i,
            blocks,
            tall.axes,
          ),
          { mass: 0, top: 0 },
        );
        assert.equal(inSignal(new Float64Array(g.length).fill(-2), i, blocks, tall.axes).mass, 0.5);
        // The picture's values, in their order.
        const kept = Array.from(blocks.x.subarray(2 * size * i, 2 * size * (i + 1))).filter((_, k) => g[2 * size * i + k] === 1);
        assert.deepEqual(kept, Array.from(data.x.subarray(size * i, size * (i + 1))));
      }
    }
  }
});
