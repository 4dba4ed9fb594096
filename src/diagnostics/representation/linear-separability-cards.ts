import type { SeparatingMethod } from '../../base/maths/large-step-logistic.ts';
import type { Axis, Card } from '../../report/report.ts';
import { headlineLines } from '../headline-line.ts';
import { number, percent } from '../wording.ts';
import type { Attempt, Problem, Separability } from './linear-separability-run.ts';

const names: Readonly<Record<SeparatingMethod, string>> = {
  'lr-gd': 'LR+GD',
  'normalized-lr-gd': 'Normalized LR+GD',
  'batch-perceptron': 'Batch Perceptron',
  'normalized-batch-perceptron': 'Normalized Batch Perceptron',
};
const labelOf = ({ method, rate }: Attempt): string => (method.endsWith('perceptron') ? names[method] : `${names[method]}, rate ${rate}`);
const separated = ({ attempts }: Problem): boolean => attempts.some((a) => a.separated);
const quickest = ({ attempts }: Problem): number => Math.min(...attempts.flatMap((a) => (a.separated ? [a.updates] : [])));
const bestAccuracy = ({ attempts }: Problem): number =>
  Math.max(...attempts.flatMap((a) => a.accuracy.reduce((x, y) => Math.max(x, y), 0)));
/** The problem that is separated last, or not at all. */
const hardest = (problems: readonly Problem[]): Problem =>
  problems.reduce((a, b) => (quickest(b) > quickest(a) || (quickest(b) === quickest(a) && bestAccuracy(b) < bestAccuracy(a)) ? b : a));

export const separabilityHeadline = ({ problems, rows, width, contradicting }: Separability): Record<string, number> => {
  const done = problems.filter(separated);
  const all = done.length === problems.length;
  return {
    problems: problems.length,
    separated: done.length,
    least_updates: all ? Math.max(...done.map(quickest)) : Number.NaN,
    margin: all ? Math.min(...done.map((p) => p.margin)) : Number.NaN,
    training_accuracy: Math.min(...problems.map(bestAccuracy)),
    radius: Math.max(...problems.map((p) => p.radius)),
    contradictions: contradicting,
    rows,
    width,
  };
};

/** Points of a curve at most; later ones stand further apart. */
const MOST = 200;
const thinned = (values: readonly number[], positive: boolean): [number, number][] => {
  const last = values.length - 1;
  const at = last < MOST ? values.map((_, t) => t) : Array.from({ length: MOST }, (_, i) => Math.round(last ** (i / (MOST - 1))) - 1);
  return [...new Set([...at, last])].flatMap((t): [number, number][] => (!positive || values[t] > 0 ? [[t, values[t]]] : []));
};

const curve = (problem: Problem, title: string, y: Axis, of: (a: Attempt) => readonly number[], caption: string): Card => ({
  kind: 'curve',
  title: `${title}: ${problem.name}`,
  caption,
  x: { label: 'Update', unit: 'count' },
  y,
  lines: problem.attempts
    .filter((a) => of(a).length > 0)
    .map((a) => ({ name: labelOf(a), points: thinned(of(a), y.scale === 'log'), shape: of(a).length === 1 ? 'points' : 'line' })),
});

export const separabilityCards = (found: Separability, headline: Record<string, number>, maxIterations: number): Card[] => {
  const { problems, hard, contradictions } = found;
  const worst = hardest(problems);
  const value = headlineLines(headline);
  return [
    {
      kind: 'number',
      title: 'Separability',
      caption: `Features: ${found.layer}. ${found.rows} of ${found.of} rows.${problems.length > 1 ? ' Every class against the rest, independently.' : ''}`,
      values: [
        value('separated', `Problems separated within ${maxIterations} updates`, 'count'),
        value('problems', 'Problems', 'count'),
        value('least_updates', 'Updates of the quickest method (on the hardest problem)', 'count'),
        value('margin', 'Margin found (least over the problems; not the largest there is)', 'none'),
        value('training_accuracy', 'Best accuracy of an iterate (least over the problems)', 'fraction'),
        value('radius', 'Longest row', 'none'),
        value('contradictions', 'Rows with the features of another row and another label', 'count'),
        value('width', 'Features', 'count'),
      ],
    },
    {
      kind: 'table',
      title: 'Updates to perfect separation',
      caption: `Empty: not separated within ${maxIterations} updates, which does not mean that it cannot be. The bound follows from the best margin found.`,
      columns: [
        { name: 'problem', label: 'Problem', type: 'text' },
        { name: 'method', label: 'Method', type: 'text' },
        { name: 'rate', label: 'Rate', type: 'number' },
        { name: 'updates', label: 'Updates', type: 'number', unit: 'count' },
        { name: 'wrong', label: 'Wrong at the end', type: 'number', unit: 'count' },
        { name: 'bound', label: 'Bound', type: 'number' },
        { name: 'margin', label: 'Margin found', type: 'number' },
        { name: 'radius', label: 'R', type: 'number' },
      ],
      rows: problems.flatMap((p) =>
        p.attempts.map((a) => [
          p.name,
          names[a.method],
          a.method.endsWith('perceptron') ? null : a.rate,
          a.separated ? a.updates : null,
          a.wrongAtEnd,
          Number.isFinite(a.bound) ? a.bound : null,
          Number.isFinite(p.margin) ? p.margin : null,
          p.radius,
        ]),
      ),
    },
    curve(
      worst,
      'Training accuracy',
      { label: 'Accuracy', unit: 'fraction', max: 1 },
      (a) => a.accuracy,
      'The problem that is separated last, or not at all. It ends at 1 where every row is on its side.',
    ),
    curve(
      worst,
      'Logistic loss',
      { label: 'Loss', unit: 'nats', scale: 'log' },
      (a) => a.loss,
      'A loss that rises at a large rate is no reason to lower the rate: before separation it says little about how many rows are right.',
    ),
    curve(
      worst,
      'Gradient norm',
      { label: 'Length of the gradient', unit: 'none', scale: 'log' },
      (a) => a.gradientNorm,
      'Nor is a gradient that does not shrink.',
    ),
    {
      kind: 'table',
      title: 'Hard rows',
      caption: 'Rows most often on the wrong side, over all updates of all methods.',
      columns: [
        { name: 'row', label: 'Row', type: 'row' },
        { name: 'class', label: 'Class', type: 'text' },
        { name: 'share', label: 'Share of updates on the wrong side', type: 'number', unit: 'fraction' },
      ],
      rows: hard.map((h) => [h.row, h.name, h.share]),
    },
    ...(contradictions.length > 0
      ? [
          {
            kind: 'table' as const,
            title: 'Rows that nothing separates',
            caption: 'The same features with different labels.',
            columns: [
              { name: 'row', label: 'Row', type: 'row' as const },
              { name: 'twin', label: 'The same features, another label', type: 'row' as const },
            ],
            rows: contradictions.map(([a, b]) => [b, a]),
          },
        ]
      : []),
  ];
};

export const separabilityGuide = (found: Separability, maxIterations: number): string => {
  const { problems, contradicting, contradictions } = found;
  const left = problems.filter((p) => !separated(p));
  const fewest = (p: Problem): number => Math.min(...p.attempts.map((a) => a.wrongAtEnd));
  const verdict =
    contradicting > 0
      ? `The features are not linearly separable: ${contradicting} ${contradicting === 1 ? 'row has' : 'rows have'} the features of another row and another label, such as rows ${contradictions[0][0]} and ${contradictions[0][1]}. Look at these labels first.`
      : left.length === 0
        ? `A linear head separates ${problems.length === 1 ? 'these rows' : 'every class from the rest'} of ${found.layer}: a wrong answer of the model on them is a matter of how it was trained and not of the features. The hardest took ${quickest(hardest(problems))} updates, with a margin of ${number(hardest(problems).margin)}.`
        : `Not separated within ${maxIterations} updates: ${left
            .slice(0, 5)
            .map((p) => `${p.name} (${fewest(p)} misclassified at the end, best accuracy ${percent(bestAccuracy(p))})`)
            .join(
              ', ',
            )}${left.length > 5 ? ', …' : ''}. Methods of this kind cannot tell that no line separates them; more updates may. Look at the hard rows: they are wrongly labelled, or the features do not tell them apart.`;
  return `${verdict} Judge the rate by the updates and the accuracy, not by the loss: with the normalized method large rates are safe. Separating the rows seen says nothing about others, least of all with more features than rows; other rows, a deeper layer, or standardised features would change the answer.`;
};
