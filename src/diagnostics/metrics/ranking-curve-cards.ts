import type { Axis, Card, CurveCard } from '../../report/report.ts';
import type { Operating } from './ranking-curves.ts';
import { prevalence } from './ranking-headline.ts';
import type { ClassRanking } from './ranking-scores.ts';

/** A class and the name of its line. */
export interface Named {
  readonly name: string;
  readonly of: ClassRanking;
}

type Points = CurveCard['lines'][number]['points'];

const rate = (label: string, more: Partial<Axis> = {}): Axis => ({ label, unit: 'fraction', min: 0, max: 1, ...more });
/** Rates below this decade lie left of the first false positive. */
const decade = (least: number): number => 10 ** Math.floor(Math.log10(least));

const line = ({ of }: Named, place: (p: Operating) => readonly [number, number] | null): Points =>
  of.points.flatMap((p) => {
    const at = place(p);
    return at ? [at] : [];
  });

/** ROC with a linear and a logarithmic axis, precision–recall, detection error tradeoff, and lift. */
export const curveCards = (classes: readonly Named[]): Card[] => {
  const least = Math.min(...classes.map(({ of }) => 1 / of.negatives));
  const fewest = Math.min(...classes.map(({ of }) => 1 / of.positives));
  const share = Math.min(...classes.map(({ of }) => 1 / (of.positives + of.negatives)));
  const lines = (place: (p: Operating, of: ClassRanking) => readonly [number, number] | null, shape: 'line' | 'step' = 'line') =>
    classes.map((c) => ({ name: c.name, points: line(c, (p) => place(p, c.of)), shape }));
  const [single] = classes.length === 1 ? classes : [];
  return [
    {
      kind: 'curve',
      title: 'ROC curve',
      caption: 'Share of positives found against share of negatives raised, over all thresholds; the diagonal is chance.',
      x: rate('False-positive rate'),
      y: rate('True-positive rate'),
      lines: lines((p, of) => [p.fp / of.negatives, p.tp / of.positives]),
      diagonal: true,
      diagonalName: 'chance',
    },
    {
      kind: 'curve',
      title: 'ROC curve, few false positives',
      caption: 'The same with a logarithmic axis: what is found while hardly any negative is raised.',
      x: rate('False-positive rate', { scale: 'log', min: decade(least) }),
      y: rate('True-positive rate'),
      lines: lines((p, of) => (p.fp > 0 ? [p.fp / of.negatives, p.tp / of.positives] : null)),
    },
    {
      kind: 'curve',
      title: 'Precision–recall curve',
      caption: single
        ? 'Share of raised rows that are positive against share of positives found. The level line is the prevalence, what chance would score.'
        : 'Share of raised rows that are of the class against share of its rows found. Chance would score the share of the class.',
      x: rate('Recall'),
      y: rate('Precision'),
      lines: [
        ...lines((p, of) => (p.tp + p.fp > 0 ? [p.tp / of.positives, p.tp / (p.tp + p.fp)] : null)),
        ...(single
          ? [
              {
                name: 'Prevalence',
                points: [
                  [0, prevalence(single.of)],
                  [1, prevalence(single.of)],
                ] as const,
              },
            ]
          : []),
      ],
    },
    {
      kind: 'curve',
      title: 'Detection error tradeoff',
      caption: 'Share of positives missed against share of negatives raised, both axes logarithmic; closer to the lower left is better.',
      x: rate('False-positive rate', { scale: 'log', min: decade(least) }),
      y: rate('False-negative rate', { scale: 'log', min: decade(fewest) }),
      lines: lines((p, of) => (p.fp > 0 && p.tp < of.positives ? [p.fp / of.negatives, 1 - p.tp / of.positives] : null)),
    },
    {
      kind: 'curve',
      title: 'Lift curve',
      caption: 'How many times more positives the rows scored highest hold than as many rows drawn at random (1).',
      x: rate('Share of rows raised', { scale: 'log', min: decade(share) }),
      y: { label: 'Lift', unit: 'none', min: 0 },
      lines: lines((p, of) => {
        const raised = p.tp + p.fp;
        const rows = of.positives + of.negatives;
        return raised > 0 ? [raised / rows, p.tp / raised / (of.positives / rows)] : null;
      }),
    },
  ];
};
