import { imageAxes } from '../base/image.ts';
import { argmax } from '../base/maths/argmax.ts';
import { sizeOf } from '../base/tensor.ts';
import type { Bound } from '../evidence/bound.ts';
import type { Subject } from '../evidence/evidence.ts';
import type { Meaning } from '../evidence/interpret.ts';
import { nouns } from '../evidence/plan.ts';
import type { Scorer } from '../evidence/scorer.ts';
import { pictureOf, pictureRange } from '../report/picture.ts';
import type { Card, SampleView, Selection } from '../report/report.ts';

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
    const values = meaning?.scores === 'values' || meaning?.independent === true;
    const probs = scores && meaning && !values ? nouns({ rows: batch.rows, scores, meaning }, ['probs']).probs : undefined;
    const plain = await bound.plain(part, signal);
    const axes = plain && imageAxes(plain.dims);
    range ??= plain && pictureRange(plain.values);
    for (const [i, row] of part.entries()) {
      const label = batch.labels?.[i];
      const best = probs && argmax(probs.data, i * probs.cols, probs.cols);
      const size = plain ? sizeOf(plain.dims) : 0;
      const picture =
        plain && axes && range && bytes < mostBytes
          ? pictureOf(plain.values.subarray(i * size, (i + 1) * size), axes, range, mostSide)
          : undefined;
      bytes += picture?.base64.length ?? 0;
      views.push({
        row,
        ...(label === undefined || Number.isNaN(label)
          ? {}
          : { label: subject.classes[label] ?? bound.labelNames?.[label] ?? String(label) }),
        ...(probs && best !== undefined
          ? { prediction: subject.classes[best] ?? String(best), confidence: probs.data[i * probs.cols + best] }
          : {}),
        ...(values && scores?.cols === 1 && !Number.isNaN(scores.data[i]) ? { prediction: String(scores.data[i]) } : {}),
        ...(picture && bytes <= mostBytes ? { picture } : {}),
      });
    }
  }
  return views.sort((a, b) => a.row - b.row);
};
