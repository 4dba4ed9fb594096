import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchAnchors, overlap } from '../../src/base/maths/anchor-match.ts';

const boxes = (...of: readonly (readonly number[])[]): Float64Array => Float64Array.from(of.flat());
const usual = { foreground: 0.5, background: 0.4, lowQuality: true };

test('overlap of two boxes', () => {
  const all = boxes([0, 0, 2, 2], [1, 1, 3, 3], [0, 0, 2, 2], [2, 0, 4, 2]);
  assert.equal(overlap(all, 0, all, 1), 1 / 7);
  assert.equal(overlap(all, 0, all, 2), 1);
  // Boxes that touch share nothing.
  assert.equal(overlap(all, 0, all, 3), 0);
});

test('foreground, ignored and background by their thresholds', () => {
  const anchors = boxes([0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 10, 4.5], [0, 0, 10, 3], [20, 20, 30, 30]);
  // Overlaps with the box: 1, 0.5, 0.45, 0.3 and 0.
  assert.deepEqual([...matchAnchors(anchors, boxes([0, 0, 10, 10]), [7], usual)], [7, 7, -1, 0, 0]);
  assert.deepEqual([...matchAnchors(anchors, boxes(), [], usual)], [0, 0, 0, 0, 0]);
});

test('the anchors that overlap a box most are its own, all of them where several do, and a box beyond all anchors has none', () => {
  const anchors = boxes([0, 0, 10, 10], [0, 0, 10, 10], [10, 0, 20, 10]);
  const far = boxes([0, 0, 4, 5], [100, 100, 110, 110]);
  assert.deepEqual([...matchAnchors(anchors, far, [2, 3], usual)], [2, 2, 0]);
  assert.deepEqual([...matchAnchors(anchors, far, [2, 3], { ...usual, lowQuality: false })], [0, 0, 0]);
});

test('an anchor that two boxes claim goes to the one it overlaps more', () => {
  const anchors = boxes([0, 0, 10, 10]);
  const two = boxes([0, 0, 10, 6], [0, 0, 10, 9]);
  assert.deepEqual([...matchAnchors(anchors, two, [1, 2], usual)], [2]);
});
