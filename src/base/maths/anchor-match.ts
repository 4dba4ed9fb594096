/** [x0, y0, x1, y1] one after the other. */
export type Boxes = Float64Array;

/** Area that two boxes share over the area of both. */
export const overlap = (a: Boxes, i: number, b: Boxes, j: number): number => {
  const [ax0, ay0, ax1, ay1] = a.subarray(4 * i, 4 * i + 4);
  const [bx0, by0, bx1, by1] = b.subarray(4 * j, 4 * j + 4);
  const width = Math.min(ax1, bx1) - Math.max(ax0, bx0);
  const height = Math.min(ay1, by1) - Math.max(ay0, by0);
  if (!(width > 0 && height > 0)) return 0;
  const both = width * height;
  return both / ((ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - both);
};

/**
 * The class of every anchor: that of the box it overlaps most, where by `foreground` at least; 0 below `background`; −1, to be ignored,
 * between. With `lowQuality` the anchors that overlap a box most are its own whatever the overlap (and above 0).
 */
export const matchAnchors = (
  anchors: Boxes,
  boxes: Boxes,
  classes: ArrayLike<number>,
  { foreground, background, lowQuality }: { readonly foreground: number; readonly background: number; readonly lowQuality: boolean },
): Int32Array => {
  const [count, many] = [anchors.length / 4, boxes.length / 4];
  const out = new Int32Array(count);
  const best = new Float64Array(many);
  const most = new Float64Array(count);
  const nearest = new Int32Array(count).fill(-1);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < many; j++) {
      const shared = overlap(anchors, i, boxes, j);
      if (shared > most[i]) [most[i], nearest[i]] = [shared, j];
      if (shared > best[j]) best[j] = shared;
    }
  for (let i = 0; i < count; i++) {
    if (nearest[i] < 0) continue;
    out[i] = most[i] >= foreground ? classes[nearest[i]] : most[i] >= background ? -1 : 0;
    if (!lowQuality || out[i] > 0) continue;
    for (let j = 0; j < many; j++)
      if (best[j] > 0 && overlap(anchors, i, boxes, j) === best[j]) {
        out[i] = classes[nearest[i]];
        break;
      }
  }
  return out;
};
