import { type Card, draw, type Renderer } from './report.ts';

const some = (...parts: readonly (string | false | undefined)[]): readonly string[] => parts.filter((part) => typeof part === 'string');
const has = (values: readonly (unknown | null)[] | undefined): boolean => values?.some((value) => value !== null) ?? false;

const SAMPLES = 'Choose a mark to see the rows behind it; other cards then outline where else those rows are.';

const readings: Renderer<readonly string[]> = {
  number: ({ values }) =>
    some(
      'Each line is one number.',
      values.some(({ interval }) => interval) &&
        'An interval is the range that repeated samples of the data would mostly stay in: numbers whose intervals overlap much may not differ.',
      values.some(({ reference }) => reference !== undefined) && 'The reference is what a perfect model would score.',
    ),
  curve: ({ x, y, lines, bands, diagonal, diagonalName }) =>
    some(
      `${lines.length === 1 ? 'The line tells' : 'Each line tells'} ${y.label} (up) for ${x.label} (to the right).`,
      diagonal && `The dashed line is ${diagonalName ?? 'the ideal'}: the nearer, the better that holds.`,
      bands !== undefined && 'A shaded band is the range that chance allows; what lies outside is more than chance.',
      lines.some(({ intervals }) => has(intervals)) && 'A whisker is the interval of its point.',
      x.scale === 'log' || y.scale === 'log' ? 'An axis is logarithmic: equal steps are equal factors.' : undefined,
      lines.some(({ selections }) => has(selections)) && SAMPLES,
    ),
  bars: ({ x, y, edges, series, bands, marks, diagonal, stacked }) =>
    some(
      `Each bar tells ${y.label} for one ${edges ? 'range' : 'value'} of ${x.label}.`,
      stacked && 'Parts that stand on one another add up to the whole.',
      marks !== undefined && `A diamond is ${marks.map(({ name }) => name).join(' or ')}.`,
      diagonal && 'The dashed line is the ideal: bars below it fall short, bars above it exceed it.',
      bands !== undefined && 'A shaded band is the range that chance allows; a bar that ends outside differs by more than chance.',
      series.some(({ intervals }) => has(intervals)) && 'A whisker is the interval of its bar.',
      series.some(({ selections }) => has(selections)) && SAMPLES,
    ),
  heatmap: ({ rows, columns, diagonal, selections, layers }) =>
    some(
      `Each cell is one ${rows.label} (its line) with one ${columns.label} (its column); a stronger colour is a larger value.`,
      diagonal && 'The diagonal is agreement; the rest, on a colour scale of its own, is confusion.',
      layers.length > 1 && `Show chooses between ${layers.map(({ name }) => name).join(', ')}.`,
      selections !== undefined && SAMPLES,
    ),
  table: ({ columns }) =>
    some(
      'Choose a heading to sort by its column, again to turn the order round.',
      columns.some(({ type }) => type === 'interval') && 'A range is the interval of the number beside it.',
      columns.some(({ type }) => type === 'row') && 'A row number leads to its sample.',
    ),
  images: ({ images }) =>
    some(
      'Each picture is one row of the data.',
      images.some(({ overlays }) => overlays.length > 0) &&
        'Colour tells where the answer depends on the picture: one hue speaks for it, the other against it; the key beside the controls names both.',
    ),
  scatter: ({ x, y, diagonal, groups }) =>
    some(
      `Each point is one row of the data: ${x.label} to the right, ${y.label} up.`,
      diagonal && 'On the dashed line both are equal.',
      groups.some(({ rows }) => rows) && SAMPLES,
    ),
  text: ({ tokens }) =>
    some(
      tokens && 'A shaded word speaks for the answer (underlined) or against it (dotted); the darker, the more. The table has each score.',
    ),
  graph: () => some('Each box is a node; an arrow leads from what is computed first to what needs it.'),
};

/** How a card of this kind is read: what a mark stands for, what whiskers, bands and dashes mean. */
export const readingOf = (card: Card): readonly string[] => draw<readonly string[]>(readings, card, () => []);
