import type { Axis, Card, Interval, NumberCard } from '../../report/report.ts';
import { selection } from '../selection.ts';
import { number, percent, pValue, range, rowCount } from '../wording.ts';
import type { Measured, RegressionCalibration } from './regression-calibration-scores.ts';

interface Options {
  readonly confidenceLevel: number;
  readonly nullDraws: number;
}

const coverageName = (nominal: number): string => `coverage_${String(Number((100 * nominal).toPrecision(6))).replace('.', '_')}`;

/** Every name of the headline; a coverage is named by its percent. */
export const regressionCalibrationNumbers: readonly string[] = [
  'rows',
  'quantile_ce',
  'quantile_rmsce',
  'quantile_mce',
  'noise_floor',
  'noise_floor_sd',
  'quantile_ce_p_value',
  'coverage_*',
  'ks',
  'pinball',
  'crps',
  'nll',
  'standardised_square',
  'mean_sd',
];

export const regressionCalibrationHeadline = (r: RegressionCalibration): Record<string, number> => ({
  rows: r.rows,
  quantile_ce: r.error,
  quantile_rmsce: r.rms,
  quantile_mce: r.most,
  noise_floor: r.floor.mean,
  noise_floor_sd: r.floor.sd,
  quantile_ce_p_value: r.p,
  ...Object.fromEntries(r.centrals.map((c) => [coverageName(c.nominal), c.observed])),
  ks: r.ks,
  pinball: r.pinball.value,
  crps: r.crps.value,
  nll: r.nll.value,
  standardised_square: r.square.value,
  mean_sd: r.spread,
});

export const regressionCalibrationIntervals = (r: RegressionCalibration, { confidenceLevel: level }: Options): Record<string, Interval> => {
  const found: readonly (readonly [string, Measured['interval'], string])[] = [
    ['pinball', r.pinball.interval, 'normal'],
    ['crps', r.crps.interval, 'normal'],
    ['nll', r.nll.interval, 'normal'],
    ['standardised_square', r.square.interval, 'normal'],
    ...r.centrals.map((c) => [coverageName(c.nominal), c.interval, 'Wilson'] as const),
  ];
  return Object.fromEntries(
    found.flatMap(([name, ends, method]) => (ends ? [[name, { low: ends[0], high: ends[1], level, method }]] : [])),
  );
};

const levelAxis: Axis = { label: 'Level of the predicted quantile', unit: 'fraction', min: 0, max: 1 };

const curve = (r: RegressionCalibration, { confidenceLevel }: Options): Card => ({
  kind: 'curve',
  title: 'Quantile calibration',
  caption: `Share of targets at or below each predicted quantile, with Wilson’s ${percent(confidenceLevel)} interval; calibrated forecasts stay in the band. Flatter than the diagonal in the middle: spreads are too narrow; steeper: too wide; all on one side: predictions are shifted.`,
  x: levelAxis,
  y: { label: 'Share of targets below', unit: 'fraction', min: 0, max: 1 },
  lines: [
    {
      name: 'Observed',
      points: r.levels.map((l) => [l.level, l.observed]),
      intervals: r.levels.map((l) => l.interval),
      ...(r.levels.length === 1 ? { shape: 'points' as const } : {}),
    },
  ],
  bands: [{ name: 'Consistency band', points: r.levels.map((l) => [l.level, l.band[0], l.band[1]]) }],
  diagonal: true,
});

const histogram = (r: RegressionCalibration): Card => ({
  kind: 'bars',
  title: r.kind === 'normal' ? 'PIT histogram' : 'Where targets fall between the quantiles',
  caption:
    r.kind === 'normal'
      ? 'Where each target lies in its predicted distribution. Flat: calibrated. A valley: spreads too narrow; a hill: too wide; a slope: predictions shifted.'
      : 'Share of targets between neighbouring quantiles, per unit of level: 1 where calibrated.',
  x: { label: r.kind === 'normal' ? 'Predicted probability of a smaller target' : 'Level', unit: 'fraction', min: 0, max: 1 },
  y: { label: 'Density', unit: 'none', min: 0 },
  edges: [...r.bins.map((b) => b.low), 1],
  series: [
    {
      name: 'Targets',
      values: r.bins.map((b) => b.share / (b.high - b.low)),
      selections: r.bins.map((b) => selection(`Level ${number(b.low)} to ${number(b.high)}`, b.n, b.rows)),
    },
  ],
  bands: [
    {
      name: 'Consistency band',
      low: r.bins.map((b) => b.band[0] / (b.high - b.low)),
      high: r.bins.map((b) => b.band[1] / (b.high - b.low)),
    },
  ],
});

const coverage = (r: RegressionCalibration): Card[] =>
  r.centrals.length === 0
    ? []
    : [
        {
          kind: 'curve',
          title: 'Interval coverage',
          caption:
            'Share of targets inside the central interval, by the share that it promises. Below the diagonal: intervals are too narrow.',
          x: { label: 'Promised coverage', unit: 'fraction', min: 0, max: 1 },
          y: { label: 'Observed coverage', unit: 'fraction', min: 0, max: 1 },
          lines: [
            {
              name: 'Observed',
              points: r.centrals.map((c): [number, number] => [c.nominal, c.observed]).toReversed(),
              intervals: r.centrals.map((c) => c.interval).toReversed(),
              ...(r.centrals.length === 1 ? { shape: 'points' as const } : {}),
            },
          ],
          diagonal: true,
        },
        {
          kind: 'table',
          title: 'Central intervals',
          columns: [
            { name: 'nominal', label: 'Promised', type: 'number', unit: 'fraction' },
            { name: 'observed', label: 'Observed', type: 'number', unit: 'fraction' },
            { name: 'interval', label: 'Wilson interval', type: 'interval', unit: 'fraction' },
            { name: 'width', label: 'Mean width', type: 'number' },
          ],
          rows: r.centrals.map((c) => [c.nominal, c.observed, c.interval, c.width]),
        },
      ];

const numbers = (r: RegressionCalibration, options: Options): Card => {
  const intervals = regressionCalibrationIntervals(r, options);
  const scalar = (name: string, label: string, value: number, more: Partial<NumberCard['values'][number]> = {}): NumberCard['values'] =>
    Number.isNaN(value) ? [] : [{ name, label, value, unit: 'none', ...(intervals[name] ? { interval: intervals[name] } : {}), ...more }];
  return {
    kind: 'number',
    title: 'Forecast scores',
    caption: 'The reference is what perfectly calibrated forecasts would score, where that is known.',
    values: [
      ...scalar('quantile_ce', 'Quantile calibration error, mean over levels', r.error, {
        reference: r.floor.mean,
        note: `noise floor ${number(r.floor.mean)} ± ${number(r.floor.sd)}; ${pValue(r.p, options.nullDraws)}`,
      }),
      ...scalar('quantile_rmsce', 'Quantile calibration error, root mean square', r.rms),
      ...scalar('quantile_mce', 'Quantile calibration error, largest', r.most),
      ...scalar('ks', 'Kolmogorov–Smirnov distance of the PIT from uniform (to 0.0001)', r.ks),
      ...scalar('standardised_square', 'Mean squared error in units of the predicted spread', r.square.value, { reference: 1 }),
      ...scalar('mean_sd', 'Mean predicted standard deviation (sharpness)', r.spread),
      ...scalar(
        'crps',
        r.kind === 'normal'
          ? 'Continuous ranked probability score'
          : 'Continuous ranked probability score, from these levels (twice the mean pinball loss)',
        r.crps.value,
      ),
      ...scalar('pinball', 'Pinball loss, mean over levels', r.pinball.value),
      ...scalar('nll', 'Log loss of the density', r.nll.value, { unit: 'nats' }),
      ...scalar('rows', 'Rows', r.rows, { unit: 'count' }),
    ],
  };
};

const levelTable = (r: RegressionCalibration): Card => ({
  kind: 'table',
  title: 'Levels',
  columns: [
    { name: 'level', label: 'Level', type: 'number', unit: 'fraction' },
    { name: 'observed', label: 'Share below', type: 'number', unit: 'fraction' },
    { name: 'interval', label: 'Wilson interval', type: 'interval', unit: 'fraction' },
    { name: 'band', label: 'Consistency band', type: 'interval', unit: 'fraction' },
    { name: 'pinball', label: 'Pinball loss', type: 'number' },
  ],
  rows: r.levels.map((l) => [l.level, l.observed, l.interval, l.band, l.pinball]),
});

export const regressionCalibrationCards = (r: RegressionCalibration, options: Options): Card[] =>
  r.rows === 0 ? [] : [curve(r, options), histogram(r), numbers(r, options), ...coverage(r), levelTable(r)];

export const regressionCalibrationGuide = (r: RegressionCalibration, { confidenceLevel: level, nullDraws }: Options): string => {
  if (r.rows === 0) return 'There are no rows with a target to judge: choose a split that holds some.';
  const facts = `On ${r.rows} rows the share of targets below a predicted quantile differs from its level by ${number(r.error)} on average; calibrated forecasts would differ by ${number(r.floor.mean)} ± ${number(r.floor.sd)} by sampling alone (${pValue(r.p, nullDraws)}).`;
  const widest = [...r.centrals].sort((a, b) => Math.abs(a.nominal - 0.9) - Math.abs(b.nominal - 0.9))[0];
  const held = widest
    ? ` The ${percent(widest.nominal)} interval holds ${percent(widest.observed)}${widest.interval ? ` (${range(widest.interval)})` : ''} at a mean width of ${number(widest.width)}.`
    : '';
  const shift = r.levels.reduce((sum, l) => sum + l.observed - l.level, 0) / r.levels.length;
  const off = widest?.interval && (widest.nominal < widest.interval[0] || widest.nominal > widest.interval[1]);
  const patterns = [
    ...(Math.abs(shift) > 0.6 * r.error ? [`predictions are shifted, too ${shift > 0 ? 'high' : 'low'} on the whole`] : []),
    ...(off
      ? [
          widest.observed < widest.nominal
            ? 'intervals are too narrow, and promise more safety than there is'
            : 'intervals are too wide: safe, and saying less than they could',
        ]
      : []),
  ];
  const pattern = patterns.length > 0 ? patterns.join('; ') : 'the curve above shows at which levels';
  const decision =
    r.p > 1 - level
      ? ' So there is no evidence of miscalibration on these rows, and rescaling on them would fit noise; more rows would show a smaller error.'
      : ` So the forecasts are off by more than noise: ${pattern}. Map the levels by the curve above, fitted on other rows (isotonic, as Kuleshov et al. do), or rescale the spread, and compare the pinball loss on rows not used for it: of two calibrated forecasts the narrower is the better, and that is what the loss tells.`;
  return `${facts}${held}${decision}`;
};

export const regressionCalibrationNotes = (r: RegressionCalibration): string[] => [
  ...(r.missing > 0 ? [`${r.missing} ${r.missing === 1 ? 'row has no target and was' : 'rows have no target and were'} left out.`] : []),
  ...(r.crossed > 0
    ? [`In ${rowCount(r.crossed)} a quantile lies below one of a lower level: they cross, and intervals between them are empty there.`]
    : []),
  ...(r.kind === 'quantiles' && r.levels.length === 1 && r.levels[0].level === 0.5
    ? ['One number a row was read as the median; name a column of standard deviations (spread) or give quantiles to judge more than that.']
    : []),
];
