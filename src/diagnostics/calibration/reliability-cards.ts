import type { Subject } from '../../evidence/evidence.ts';
import type { Card } from '../../report/report.ts';
import { selection } from '../selection.ts';
import { number, percent } from '../wording.ts';
import type { BrierTerms } from './brier.ts';
import { isotonicDiagram, riskCards, smoothDiagram } from './reliability-curves.ts';
import { numbers } from './reliability-numbers.ts';
import { classCards, groupCards, topCard } from './reliability-parts.ts';
import { answers, claimAxis, type ReportOptions, shareAxis, type Words, wordsOf } from './reliability-words.ts';
import type { DrawnBin, Reliability, ReliabilityOptions } from './scores.ts';

const rangeOf = (b: DrawnBin): string => `${number(b.low)} to ${number(b.high)}`;

const edges = (bins: readonly DrawnBin[]): number[] => [...bins.map((b) => b.low), ...bins.slice(-1).map((b) => b.high)];

export const diagram = (r: Reliability, { binning, confidenceLevel }: ReliabilityOptions, words: Words = answers): Card[] => [
  {
    kind: 'bars',
    title: 'Reliability diagram',
    caption: `Bars: share of ${words.right} with Wilson’s ${percent(confidenceLevel)} interval, points: ${words.meanClaim.toLowerCase()}, in bins of equal ${binning}. A calibrated model stays in the shaded band; bars below the diagonal mean ${words.share === 'Accuracy' ? 'overconfidence' : 'too much probability'}.`,
    x: claimAxis(words),
    y: shareAxis(words),
    edges: edges(r.bins),
    series: [
      {
        name: words.share,
        values: r.bins.map((b) => b.accuracy),
        intervals: r.bins.map((b) => b.wilson),
        selections: r.bins.map((b) => selection(`${words.claim} ${rangeOf(b)}`, b.n, b.rows)),
      },
    ],
    bands: [{ name: 'Consistency band', low: r.bins.map((b) => b.band?.[0] ?? null), high: r.bins.map((b) => b.band?.[1] ?? null) }],
    marks: [{ name: words.meanClaim, values: r.bins.map((b) => b.confidence) }],
    diagonal: true,
  },
  {
    kind: 'bars',
    title: `${words.claim === 'Confidence' ? 'Confidence' : 'Probability'} histogram`,
    caption: `How many ${words.counted.toLowerCase()} were given each value; bins with few have wide bands above.`,
    x: claimAxis(words),
    y: { label: words.counted, unit: 'count', min: 0 },
    edges: edges(r.bins),
    series: [
      {
        name: words.counted,
        values: r.bins.map((b) => b.n),
        selections: r.bins.map((b) => selection(`${words.claim} ${rangeOf(b)}`, b.n, b.rows)),
      },
    ],
  },
];

const binTable = (r: Reliability, words: Words): Card => ({
  kind: 'table',
  title: 'Bins',
  columns: [
    { name: 'from', label: 'Above', type: 'number', unit: 'fraction' },
    { name: 'to', label: 'Up to', type: 'number', unit: 'fraction' },
    { name: 'rows', label: 'Rows', type: 'number', unit: 'count' },
    { name: 'confidence', label: words.meanClaim, type: 'number', unit: 'fraction' },
    { name: 'accuracy', label: words.share, type: 'number', unit: 'fraction' },
    { name: 'accuracy_interval', label: 'Wilson interval', type: 'interval', unit: 'fraction' },
    { name: 'band', label: 'Consistency band', type: 'interval', unit: 'fraction' },
    { name: 'gap', label: `${words.meanClaim} − share`, type: 'number', unit: 'fraction' },
  ],
  rows: r.bins.map((b) => [
    b.low,
    b.high,
    b.n,
    b.confidence,
    b.accuracy,
    b.wilson,
    b.band,
    b.confidence === null || b.accuracy === null ? null : b.confidence - b.accuracy,
  ]),
});

/** Of all classes together and of the probability judged, or of this alone. */
export const decomposition = (r: Reliability, words: Words, of: readonly ('classes' | 'event')[] = ['classes', 'event']): Card => {
  const parts = { classes: { label: 'All classes', terms: r.brier }, event: { label: words.claim, terms: r.brierTop } };
  const row = (label: string, term: (t: BrierTerms) => number): (string | number)[] => [
    label,
    ...of.map((part) => term(parts[part].terms)),
  ];
  return {
    kind: 'table',
    title: 'Brier score, decomposed',
    caption: 'Score = reliability − resolution + uncertainty + variance within bins − covariance within bins, exactly.',
    columns: [
      { name: 'term', label: 'Term', type: 'text' },
      ...of.map((part) => ({ name: part === 'classes' ? 'brier' : 'brier_top', label: parts[part].label, type: 'number' as const })),
    ],
    rows: [
      row('Score', (t) => t.score),
      row('Reliability (miscalibration, lower is better)', (t) => t.reliability),
      row('Resolution (how far bins differ, higher is better)', (t) => t.resolution),
      row('Uncertainty (of the labels alone)', (t) => t.uncertainty),
      row('Variance within bins', (t) => t.withinVariance),
      row('Covariance within bins', (t) => t.withinCovariance),
    ],
  };
};

export const reliabilityCards = (r: Reliability, options: ReportOptions, subject: Pick<Subject, 'classes'>): Card[] => {
  if (r.rows === 0) return [];
  const words = wordsOf(r, subject);
  return [
    ...diagram(r, options, words),
    smoothDiagram(r, options, words),
    isotonicDiagram(r, options, words),
    numbers(r, options, words),
    ...groupCards(r, options, words.share),
    ...(r.positive < 0 ? classCards(r, options, subject) : []),
    ...(r.positive < 0 ? topCard(r) : []),
    ...(r.positive < 0 ? riskCards(r, options) : []),
    binTable(r, words),
    decomposition(r, words),
  ];
};
