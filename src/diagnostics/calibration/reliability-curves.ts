import { wilson } from '../../base/maths/proportion.ts';
import type { Card, CurveCard } from '../../report/report.ts';
import { number, percent } from '../wording.ts';
import { claimAxis, shareAxis, type Words } from './reliability-words.ts';
import type { DrawnCurve, Reliability, ReliabilityOptions } from './scores.ts';

/** Height of the density's peak on the axis of shares. */
const PEAK = 0.25;

const bands = ({ consistency, bootstrap }: DrawnCurve): NonNullable<CurveCard['bands']> => [
  { name: 'Consistency band', points: consistency },
  { name: 'Bootstrap band', points: bootstrap },
];

export const smoothDiagram = (r: Reliability, { confidenceLevel }: ReliabilityOptions, words: Words): Card => {
  const peak = r.density.reduce((most, [, d]) => Math.max(most, d), 0);
  return {
    kind: 'curve',
    title: 'Smooth reliability diagram',
    caption: `Kernel estimate of the share of ${words.right} at each ${words.claim.toLowerCase().startsWith('p') ? 'probability' : 'confidence'}; the kernel's width is the smooth calibration error itself, ${number(r.smoothEce.value)}. ${percent(confidenceLevel)} bands: where a calibrated model's curve would lie, and where resamples of the rows put this one. A wide kernel draws the curve to the middle at the ends, and the grey band with it. The lowest line is the density of ${words.counted.toLowerCase()} (peak ${number(peak)} a unit): where it is near 0 the curve says little.`,
    x: claimAxis(words),
    y: shareAxis(words),
    lines: [
      { name: words.share, points: r.smooth.points },
      {
        name: `Density of ${words.counted.toLowerCase()}, scaled`,
        points: r.density.map(([x, d]) => [x, peak > 0 ? (PEAK * d) / peak : 0]),
      },
    ],
    bands: bands(r.smooth),
    diagonal: true,
  };
};

export const isotonicDiagram = (r: Reliability, { confidenceLevel }: ReliabilityOptions, words: Words): Card => ({
  kind: 'curve',
  title: 'Isotonic reliability diagram (CORP)',
  caption: `The non-decreasing curve closest to the outcomes, without bins or widths to choose. Brier score ${number(r.brierTop.score)} = miscalibration ${number(r.corp.mcb)} − discrimination ${number(r.corp.dsc)} + uncertainty ${number(r.corp.unc)}. ${percent(confidenceLevel)} bands as above.`,
  x: claimAxis(words),
  y: shareAxis(words),
  lines: [{ name: words.share, points: r.isotonic.points }],
  bands: bands(r.isotonic),
  diagonal: true,
});

export const riskCards = ({ risk, rows }: Reliability, { confidenceLevel }: ReliabilityOptions): Card[] => {
  const shares = [1, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.1];
  const chosen = new Set(
    shares.flatMap((share) => {
      const reach = risk.points.filter((p) => p.coverage >= share - 0.5 / Math.max(rows, 1));
      return reach.length > 0 ? [reach.reduce((a, b) => (b.coverage < a.coverage ? b : a))] : [];
    }),
  );
  return [
    {
      kind: 'curve',
      title: 'Risk–coverage curve',
      caption:
        'Error rate among the most confident answers, by the share of rows answered; the second line is what the confidences promise.',
      x: { label: 'Coverage', unit: 'fraction', min: 0, max: 1 },
      y: { label: 'Error rate', unit: 'fraction', min: 0 },
      lines: [
        { name: 'Observed', points: risk.points.map((p) => [p.coverage, p.risk]) },
        { name: 'If calibrated', points: risk.points.map((p) => [p.coverage, p.expected]) },
      ],
    },
    {
      kind: 'table',
      title: 'Selective accuracy',
      caption: 'What answering only above a confidence gives: the share of rows answered and how many of those answers are right.',
      columns: [
        { name: 'coverage', label: 'Coverage', type: 'number', unit: 'fraction' },
        { name: 'threshold', label: 'Confidence from', type: 'number', unit: 'fraction' },
        { name: 'accuracy', label: 'Accuracy', type: 'number', unit: 'fraction' },
        { name: 'interval', label: 'Wilson interval', type: 'interval', unit: 'fraction' },
        { name: 'expected', label: 'If calibrated', type: 'number', unit: 'fraction' },
      ],
      rows: [...chosen].map((p) => [
        p.coverage,
        p.threshold,
        1 - p.risk,
        wilson(p.answered - p.errors, p.answered, confidenceLevel),
        1 - p.expected,
      ]),
    },
  ];
};
