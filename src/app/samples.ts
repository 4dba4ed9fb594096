import { argmax } from '../base/maths/argmax.ts';
import { sizeOf } from '../base/tensor.ts';
import { type ImageAxes, imageAxes, pixelAt } from '../data/picture.ts';
import type { Bound } from '../evidence/bound.ts';
import type { Subject } from '../evidence/evidence.ts';
import type { Meaning } from '../evidence/interpret.ts';
import { nouns } from '../evidence/plan.ts';
import type { Scorer } from '../evidence/scorer.ts';
import type { Card, Picture, SampleView, Selection } from '../report/report.ts';

/** Bounds of what a report carries: rows, side of a thumbnail, bytes of all thumbnails together. */
const mostRows = 600;
const mostSide = 32;
const mostBytes = 512 * 1024;

const ofSelections = (card: Card): readonly (readonly number[])[] => {
  const some = (list: readonly (Selection | null)[] | undefined): (readonly number[])[] => list?.flatMap((s) => (s ? [s.rows] : [])) ?? [];
  switch (card.kind) {
    case 'curve':
      return card.lines.flatMap((l) => some(l.selections));
    case 'bars':
      return card.series.flatMap((s) => some(s.selections));
    case 'heatmap':
      return some(Object.values(card.selections ?? {}));
    case 'scatter':
      return card.groups.map((g) => g.rows ?? []);
    case 'table':
      return card.rows.map((cells) =>
        cells.filter((cell, c): cell is number => card.columns[c]?.type === 'row' && typeof cell === 'number'),
      );
    default:
      return [];
  }
};

/** Rows that the cards name: the first of every mark, then the second of every mark, so that each mark shows some. */
export const rowsNamed = (cards: readonly Card[], most: number = mostRows): number[] => {
  const lists = cards.flatMap(ofSelections);
  const found = new Set<number>();
  const longest = lists.reduce((n, l) => Math.max(n, l.length), 0);
  for (let i = 0; i < longest && found.size < most; i++) {
    for (const list of lists) if (i < list.length && found.size < most) found.add(list[i]);
  }
  return [...found];
};

/** Grey or colour bytes of one picture, area-averaged down to at most `side`; `low..high` becomes 0..255. */
export const pictureOf = (
  row: ArrayLike<number>,
  axes: ImageAxes,
  [low, high]: readonly [number, number],
  side: number = mostSide,
): Picture => {
  const shrink = Math.max(1, Math.max(axes.width, axes.height) / side);
  const [width, height] = [Math.max(1, Math.round(axes.width / shrink)), Math.max(1, Math.round(axes.height / shrink))];
  const channels = axes.channels === 3 ? 3 : 1;
  const bytes = new Uint8ClampedArray(width * height * channels);
  const span = high > low ? high - low : 1;
  const edges = (n: number, of: number, i: number): readonly [number, number] => {
    const from = Math.floor((i * of) / n);
    return [from, Math.max(from + 1, Math.floor(((i + 1) * of) / n))];
  };
  for (let y = 0; y < height; y++) {
    const [y0, y1] = edges(height, axes.height, y);
    for (let x = 0; x < width; x++) {
      const [x0, x1] = edges(width, axes.width, x);
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let v = y0; v < y1; v++) for (let u = x0; u < x1; u++) sum += row[pixelAt(axes, c, v, u)];
        bytes[(y * width + x) * channels + c] = ((sum / ((y1 - y0) * (x1 - x0)) - low) / span) * 255;
      }
    }
  }
  return { width, height, channels, base64: btoa(String.fromCharCode(...bytes)) };
};

/** 0..1 and 0..255 are kept as they are; any other range is spread from its least to its greatest value. */
export const pictureRange = (values: Float64Array): readonly [number, number] => {
  let [min, max] = [Infinity, -Infinity];
  for (const v of values) {
    if (v < min) min = v;
    if (v > max) max = v;
  }
  if (min >= 0 && max <= 1 && max > 0.1) return [0, 1];
  return min >= 0 && max <= 255 && max > 100 ? [0, 255] : [Math.min(min, 0), max];
};

/** Reads the named rows once more, with label, prediction, confidence and, where rows are pictures, a thumbnail. */
export const sampleViews = async (
  rows: readonly number[],
  bound: Bound,
  score: Scorer | undefined,
  subject: Subject,
  meaning: Meaning | undefined,
  signal: AbortSignal,
): Promise<SampleView[]> => {
  const views: SampleView[] = [];
  let bytes = 0;
  let range: readonly [number, number] | undefined;
  for (let at = 0; at < rows.length; at += 100) {
    const part = rows.slice(at, at + 100);
    const batch = await bound.takeRows(part, signal);
    const scores = batch.scores ?? (batch.x && (await score?.(batch.x)));
    const probs = scores && meaning && nouns({ rows: batch.rows, scores, meaning }, ['probs']).probs;
    const plain = await bound.plain(part, signal);
    const axes = plain && imageAxes(plain.dims);
    range ??= plain && pictureRange(plain.values);
    for (const [i, row] of part.entries()) {
      const label = batch.labels?.[i];
      const best = probs && argmax(probs.data, i * probs.cols, probs.cols);
      const size = plain ? sizeOf(plain.dims) : 0;
      const picture =
        plain && axes && range && bytes < mostBytes ? pictureOf(plain.values.subarray(i * size, (i + 1) * size), axes, range) : undefined;
      bytes += picture?.base64.length ?? 0;
      views.push({
        row,
        ...(label === undefined || Number.isNaN(label) ? {} : { label: subject.classes[label] ?? String(label) }),
        ...(probs && best !== undefined
          ? { prediction: subject.classes[best] ?? String(best), confidence: probs.data[i * probs.cols + best] }
          : {}),
        ...(picture && bytes <= mostBytes ? { picture } : {}),
      });
    }
  }
  return views.sort((a, b) => a.row - b.row);
};
