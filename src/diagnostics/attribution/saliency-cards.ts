import { overlayScale } from '../../base/overlay-scale.ts';
import type { Subject } from '../../evidence/evidence.ts';
import type { Card } from '../../report/report.ts';
import { number } from '../wording.ts';
import type { AttributionChoice } from './options.ts';
import { mapOf, shrink } from './overlay.ts';
import { factLine, factsOf, inputName, nameOf, type Saliency, strongest, titleOf } from './saliency-result.ts';
import { signalCards } from './signal-cards.ts';
import { tokenCards } from './token-cards.ts';

/** Longest side of a map, and most columns of a table, that a report carries. */
const MAP = 64;
const COLUMNS = 40;

/** Seven digits, what 32-bit floats hold. */
const short = (v: number): number => Number(v.toPrecision(7));

/** Rows of a value per sample: [rows, d] → d values. */
const rowOf = (values: Float64Array, b: number, rows: number): Float64Array => {
  const d = values.length / rows;
  return values.subarray(b * d, (b + 1) * d);
};

const imageCards = (s: Saliency, chosen: AttributionChoice, subject: Subject): Card[] => {
  if (!s.pictures) return [];
  const { axes, pictures, range } = s.pictures;
  const maps = s.rows.map((_, b) => {
    const map = mapOf(s.found, b, s.rows.length, axes, s.reduction);
    return shrink(map.values, map, MAP);
  });
  const mean = maps[0].values.map((_, k) => maps.reduce((sum, m) => sum + Math.abs(m.values[k]), 0) / maps.length);
  const { height, width } = maps[0];
  const shrunk = axes.height > MAP || axes.width > MAP ? ' Maps are summed over blocks of pixels.' : '';
  return [
    {
      kind: 'images',
      title: 'Samples',
      caption: `${s.reduction === 'max' ? 'Of the channels of a pixel the largest size is shown' : 'Channels are summed'}; 0 is transparent, full strength is reached where the values hold all but ${number(chosen.outliers)} % of the total. Pictures are 8-bit from ${number(range[0])} (black) to ${number(range[1])} (white).${shrunk}`,
      images: s.rows.map((row, b) => ({
        row,
        title: titleOf(s, b, subject),
        picture: pictures[b],
        overlays: [
          {
            name: 'Attribution',
            width,
            height,
            values: Array.from(maps[b].values, short),
            scale: overlayScale(maps[b].values, chosen.outliers),
            outliers: chosen.outliers,
          },
        ],
        facts: factsOf(s, b, subject),
      })),
    },
    {
      kind: 'heatmap',
      title: 'Where attribution lies on average',
      caption: `Mean size of the attribution over the ${s.rows.length} samples, signs ignored.`,
      rows: { label: 'Row', names: Array.from({ length: height }, (_, i) => String(i)) },
      columns: { label: 'Column', names: Array.from({ length: width }, (_, i) => String(i)) },
      layers: [{ name: 'Mean |attribution|', unit: 'none', values: Array.from(mean, short) }],
    },
  ];
};

const tableCards = (s: Saliency, subject: Subject): Card[] => {
  const all = strongest(s);
  const shown = all.slice(0, COLUMNS);
  const d = all.length;
  const { grid } = s.found;
  const what = grid?.kind === 'units' ? 'unit' : 'input';
  const most = shown.length < d ? ` The ${shown.length} strongest of ${d} ${what}s.` : '';
  const inputs = shown.map((f) => inputName(s, f.input));
  const values = s.rows.flatMap((_, b) => shown.map((f) => s.found.values[b * d + f.input]));
  const limit = Math.max(...values.map(Math.abs), 0);
  const made = factLine(
    s,
    s.rows.map((_, b) => b),
    subject,
  );
  return [
    {
      kind: 'bars',
      title: grid?.kind === 'units' ? `Units of ${grid.layer} by mean attribution` : 'Inputs by mean attribution',
      caption: `Bars: mean size over the ${s.rows.length} samples; points: mean with its sign.${most} ${made}`,
      x: { label: grid?.kind === 'units' ? 'Unit' : 'Input', unit: 'none' },
      y: { label: 'Attribution', unit: 'none' },
      categories: inputs,
      series: [{ name: 'Mean |attribution|', values: shown.map((f) => f.size) }],
      marks: [{ name: 'Mean attribution', values: shown.map((f) => f.mean) }],
    },
    {
      kind: 'heatmap',
      title: 'Attribution of each sample',
      caption: `One row per sample; positive values speak for the class attributed.${most} ${made}`,
      rows: { label: 'Sample', names: s.rows.map((row, b) => `row ${row}: ${titleOf(s, b, subject)}`) },
      columns: { label: grid?.kind === 'units' ? 'Unit' : 'Input', names: inputs },
      layers: [{ name: 'Attribution', unit: 'none', values: values.map(short), domain: [-limit, limit] }],
      selections: Object.fromEntries(
        s.rows.flatMap((row, b) =>
          inputs.map((name, k) => [String(b * inputs.length + k), { label: `Row ${row}, ${name}`, total: 1, rows: [row] }]),
        ),
      ),
    },
  ];
};

const sampleTable = (s: Saliency, subject: Subject): Card => {
  const { completeness, output, values } = s.found;
  const classes = subject.classes.length > 1;
  return {
    kind: 'table',
    title: 'Numbers per sample',
    caption: completeness
      ? 'This method must add up to the change of the output from the baseline to the sample; the gap is what it missed.'
      : 'The sum of the map; this method promises no relation between it and the output.',
    columns: [
      { name: 'row', label: 'Sample', type: 'row' },
      ...(classes ? ([{ name: 'predicted', label: 'Predicted', type: 'text' }] as const) : []),
      ...(s.labels && classes ? ([{ name: 'label', label: 'Label', type: 'text' }] as const) : []),
      ...(classes ? ([{ name: 'target', label: 'Class attributed', type: 'text' }] as const) : []),
      { name: 'value', label: 'Value', type: 'number' },
      { name: 'sum', label: 'Sum of attributions', type: 'number' },
      ...(completeness
        ? ([
            { name: 'baseline', label: 'Value at the baseline', type: 'number' },
            { name: 'gap', label: 'Completeness gap', type: 'number' },
            { name: 'relative', label: 'Relative gap', type: 'number', unit: 'fraction' },
            { name: 'steps', label: 'Steps', type: 'number', unit: 'count' },
          ] as const)
        : []),
    ],
    rows: s.rows.map((row, b) => [
      row,
      ...(classes ? [nameOf(s.predicted[b], subject)] : []),
      ...(s.labels && classes ? [nameOf(s.labels[b], subject)] : []),
      ...(classes ? [nameOf(s.targets[b], subject)] : []),
      output[b],
      rowOf(values, b, s.rows.length).reduce((sum, v) => sum + v, 0),
      ...(completeness ? [completeness.baselineOutput[b], completeness.gap[b], completeness.relative[b], completeness.steps[b]] : []),
    ]),
  };
};

export const saliencyCards = (s: Saliency, chosen: AttributionChoice, subject: Subject): Card[] => [
  ...(s.tokens
    ? tokenCards(s, s.tokens, chosen, subject)
    : s.pictures && s.found.grid?.kind !== 'units'
      ? imageCards(s, chosen, subject)
      : [...(s.signals ? signalCards(s, s.signals, subject) : []), ...tableCards(s, subject)]),
  sampleTable(s, subject),
];
