import type { Axis, Card, Renderer, Report } from './report.ts';
import { draw } from './report.ts';

/** JSON has no NaN. What is optional is left out, what is nullable becomes null, a point without a place is dropped; the report says how many. */
type Tally = { dropped: number };

const ok = (value: number): boolean => Number.isFinite(value);

const repair = (tally: Tally): Renderer<Card> => {
  const orNull = (value: number | null): number | null => {
    if (value === null || ok(value)) return value;
    tally.dropped++;
    return null;
  };
  const pairOrNull = (pair: readonly [number, number] | null): readonly [number, number] | null => {
    if (pair === null || pair.every(ok)) return pair;
    tally.dropped++;
    return null;
  };
  const keep = (numbers: readonly number[]): boolean => {
    if (numbers.every(ok)) return true;
    tally.dropped++;
    return false;
  };
  const pick = <T>(items: readonly T[], kept: readonly boolean[]): readonly T[] => items.filter((_, i) => kept[i]);
  const axis = ({ min, max, ...rest }: Axis): Axis => ({
    ...rest,
    ...(min !== undefined && ok(min) && { min }),
    ...(max !== undefined && ok(max) && { max }),
  });
  return {
    number: (card) => ({
      ...card,
      values: card.values.map(({ interval, reference, value, ...rest }) => ({
        ...rest,
        value: orNull(value),
        ...(interval && keep([interval.low, interval.high]) && { interval }),
        ...(reference !== undefined && ok(reference) && { reference }),
      })),
    }),
    curve: (card) => ({
      ...card,
      x: axis(card.x),
      y: axis(card.y),
      lines: card.lines.map((line) => {
        const kept = line.points.map(keep);
        return {
          ...line,
          points: pick(line.points, kept),
          ...(line.intervals && { intervals: pick(line.intervals, kept).map(pairOrNull) }),
          ...(line.selections && { selections: pick(line.selections, kept) }),
        };
      }),
      ...(card.bands && { bands: card.bands.map((band) => ({ ...band, points: band.points.filter(keep) })) }),
    }),
    bars: (card) => ({
      ...card,
      x: axis(card.x),
      y: axis(card.y),
      series: card.series.map((series) => ({
        ...series,
        values: series.values.map(orNull),
        ...(series.intervals && { intervals: series.intervals.map(pairOrNull) }),
      })),
      ...(card.bands && { bands: card.bands.map((band) => ({ ...band, low: band.low.map(orNull), high: band.high.map(orNull) })) }),
      ...(card.marks && { marks: card.marks.map((mark) => ({ ...mark, values: mark.values.map(orNull) })) }),
    }),
    heatmap: (card) => ({ ...card, layers: card.layers.map((layer) => ({ ...layer, values: layer.values.map(orNull) })) }),
    table: (card) => ({
      ...card,
      rows: card.rows.map((row) =>
        row.map((cell) => (typeof cell === 'number' ? orNull(cell) : typeof cell === 'object' ? pairOrNull(cell) : cell)),
      ),
    }),
    images: (card) => ({
      ...card,
      images: card.images.map((image) => ({
        ...image,
        overlays: image.overlays.filter((overlay) => keep([...overlay.values, overlay.scale])),
        facts: image.facts.map((fact) => (typeof fact.value === 'number' && !keep([fact.value]) ? { ...fact, value: 'undefined' } : fact)),
      })),
    }),
    scatter: (card) => ({
      ...card,
      x: axis(card.x),
      y: axis(card.y),
      groups: card.groups.map((group) => {
        const kept = group.points.map(keep);
        return { ...group, points: pick(group.points, kept), ...(group.rows && { rows: pick(group.rows, kept) }) };
      }),
    }),
    text: (card) => ({
      ...card,
      ...(card.tokens && {
        tokens: card.tokens.map(({ word, ...t }) => ({
          ...(keep([t.score]) ? t : { ...t, score: 0 }),
          ...(word && keep([word.score]) ? { word } : {}),
        })),
      }),
    }),
    graph: (card) => ({
      ...card,
      nodes: card.nodes.map(({ value, ...node }) => ({ ...node, ...(value !== undefined && keep([value]) && { value }) })),
    }),
  };
};

/** The report with nothing in it that JSON cannot hold, and a note for each card that lost a value. */
export const finite = (report: Report): Report => {
  const notes: string[] = [];
  const cards = report.cards.map((card) => {
    const tally: Tally = { dropped: 0 };
    const repaired = draw(repair(tally), card, () => card);
    if (tally.dropped > 0)
      notes.push(
        `${tally.dropped} value${tally.dropped > 1 ? 's' : ''} of '${card.title}' ${tally.dropped > 1 ? 'were' : 'was'} not finite and left out.`,
      );
    return repaired;
  });
  const numbers = Object.entries(report.headline).filter(([, value]) => ok(value));
  const intervals = Object.entries(report.intervals).filter(([, { low, high }]) => ok(low) && ok(high));
  return {
    ...report,
    headline: Object.fromEntries(numbers),
    intervals: Object.fromEntries(intervals),
    cards,
    notes: [...report.notes, ...notes],
    samples: report.samples.map(({ confidence, ...rest }: Report['samples'][number]): Report['samples'][number] =>
      confidence !== undefined && ok(confidence) ? { ...rest, confidence } : rest,
    ),
  };
};
