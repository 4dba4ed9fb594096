import { calibrate } from '../../base/calibration.ts';
import type { Subject } from '../../evidence/evidence.ts';
import type { Card } from '../../report/report.ts';
import { number, percent } from '../wording.ts';
import type { Halves, Look } from './recalibration-look.ts';
import type { Candidate } from './recalibration-run.ts';

/** Where the probabilities of all classes, not the largest alone, lie above or below what comes true. */
export const localErrorCard = ({ local }: Look, window: number): Card[] =>
  local
    ? [
        {
          kind: 'curve',
          title: 'Local calibration error',
          caption: `Predicted minus met, averaged over ${window + 1} neighbouring class probabilities of all rows and classes. Above 0 is overconfidence at that probability. Mean size ${number(local.before.mean)} before, ${number(local.after.mean)} after; largest ${number(local.before.most)} and ${number(local.after.most)}.`,
          x: { label: 'Probability', unit: 'fraction', min: 0, max: 1 },
          y: { label: 'Predicted − met', unit: 'fraction' },
          lines: [
            { name: 'Before', points: local.before.points },
            { name: 'After', points: local.after.points },
          ],
        },
      ]
    : [];

const histogram = (title: string, caption: string, label: string, { edges, right, wrong }: Halves): Card => ({
  kind: 'bars',
  title,
  caption,
  x: { label, unit: label === 'Confidence' ? 'fraction' : 'none' },
  y: { label: 'Rows', unit: 'count', min: 0 },
  edges,
  series: [
    { name: 'Right', values: right },
    { name: 'Wrong', values: wrong },
  ],
});

const narrow = ({ narrow: list, narrows }: Look, classes: Subject['classes']): Card[] => {
  const name = (j: number): string => classes[j] ?? String(j);
  return list.length === 0
    ? []
    : [
        {
          kind: 'table',
          title: 'Narrow errors',
          caption: `${narrows} wrong ${narrows === 1 ? 'answer' : 'answers'} that gave the label ${percent(0.3)} or more before${narrows > list.length ? `; the first ${list.length}` : ''}. A loss that looks at correctness lowers their confidence, where log loss may raise it.`,
          columns: [
            { name: 'row', label: 'Row', type: 'row' },
            { name: 'label', label: 'Label', type: 'text' },
            { name: 'predicted', label: 'Predicted', type: 'text' },
            { name: 'share', label: 'Of the label', type: 'number', unit: 'fraction' },
            { name: 'before', label: 'Confidence', type: 'number', unit: 'fraction' },
            { name: 'after', label: 'After', type: 'number', unit: 'fraction' },
          ],
          rows: list.map(({ row, label, predicted, share, before, after }) => [row, name(label), name(predicted), share, before, after]),
        },
      ];
};

/** What rows of their own temperature look like: those, confidences of right and wrong answers, and narrow errors. */
export const adaptiveCards = (look: Look, classes: Subject['classes']): Card[] => [
  ...(look.temperatures
    ? [
        histogram(
          'Temperatures of rows',
          'By which the logits of each row are divided: helpful where wrong answers stand further right.',
          'Temperature',
          look.temperatures,
        ),
      ]
    : []),
  ...(look.confidences
    ? [
        histogram('Confidence of right and wrong answers, before', 'As the model gives them.', 'Confidence', look.confidences.before),
        histogram('Confidence of right and wrong answers, after', 'Under the calibrator.', 'Confidence', look.confidences.after),
      ]
    : []),
  ...narrow(look, classes),
];

/** Points at which a map is drawn. */
const GRID = 60;

/** A map of all logits, seen on rows of two classes. */
export const mapCard = ({ title, calibration }: Candidate): Card => ({
  kind: 'curve',
  title: `What ${title} does`,
  caption:
    'New against old probability of the larger of two classes. On the diagonal nothing changes; with more classes the others change it further.',
  x: { label: 'Probability', unit: 'fraction', min: 0, max: 1 },
  y: { label: 'Calibrated', unit: 'fraction', min: 0, max: 1 },
  diagonal: true,
  lines: [
    {
      name: 'Map',
      points: Array.from({ length: GRID - 1 }, (_, i): [number, number] => {
        const p = (i + 1) / GRID;
        return [p, calibrate(calibration, Float64Array.of(Math.log(p), Math.log(1 - p)), 2, 0, 1).probs[0]];
      }),
    },
  ],
});

/** Points of a training curve. */
const POINTS = 400;

export const trainingCards = ({ traces }: Candidate): Card[] =>
  Object.entries(traces).flatMap(([name, of]): Card[] => {
    const every = Math.max(1, Math.ceil(of.length / POINTS));
    const points = of.flatMap((v, k): [number, number][] => (k % every === 0 && Number.isFinite(v) ? [[k, v]] : []));
    return points.length < 2
      ? []
      : [
          {
            kind: 'curve',
            title: `Training: ${name}`,
            caption: 'Of the fit to keep, on the rows it was fitted on.',
            x: { label: name.startsWith('Correctness') ? 'Step' : 'Epoch', unit: 'count', min: 0 },
            y: { label: name, unit: 'none' },
            lines: [{ name, points }],
          },
        ];
  });
