import { normalQuantile } from '../../base/maths/normal.ts';
import type { Card, Interval, NumberCard, TableCard } from '../../report/report.ts';
import { selection } from '../selection.ts';
import { number, percent } from '../wording.ts';
import { type PromptEnsemble, type Score, ways } from './prompt-run.ts';
import type { Debias } from './prompt-scores.ts';

const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);
const byName = (p: PromptEnsemble, name: string): Score =>
  p.ways.find((w) => w.name === name)?.accuracy ?? { value: Number.NaN, interval: null };

const accuracies = (p: PromptEnsemble): readonly (readonly [name: string, label: string, score: Score])[] => [
  ['accuracy', 'Accuracy with the weights chosen', p.answer.accuracy],
  ['accuracy_equal', 'Accuracy of the equal average', p.equal.accuracy],
  ['accuracy_softmax', 'Accuracy with softmax weights', byName(p, ways['softmax-weights'])],
  ['accuracy_scores', 'Accuracy with scores as weights', byName(p, ways.scores)],
  ['accuracy_selected', 'Accuracy with the prompts selected', byName(p, ways.select)],
  ['accuracy_single', 'Accuracy of the prompt of highest score alone', byName(p, 'Prompt of highest score alone')],
  ['accuracy_name', 'Accuracy of the class’s name alone', byName(p, 'Name of the class alone')],
];

export const promptHeadline = (p: PromptEnsemble): Record<string, number> => ({
  ...Object.fromEntries(accuracies(p).map(([name, , score]) => [name, score.value])),
  gain: p.gain.value,
  changed: p.answer.changed,
  prompts: p.e.prompts,
  effective_prompts: p.effective,
  selected: p.chosen.kept.length,
  classes: p.e.classes,
  rows: p.e.images.rows,
});

export const promptIntervals = (p: PromptEnsemble, level: number): Record<string, Interval> =>
  Object.fromEntries(
    [
      ...accuracies(p).map(([name, , { interval }]) => [name, interval, 'Wilson'] as const),
      ['gain', p.gain.interval, 'Agresti–Min, paired'] as const,
    ].flatMap(([name, interval, method]) => (interval ? [[name, { low: interval[0], high: interval[1], level, method }] as const] : [])),
  );

const numbers = (p: PromptEnsemble, level: number): NumberCard => {
  const intervals = promptIntervals(p, level);
  return {
    kind: 'number',
    title: 'Scores',
    caption: 'No label was used to weight the prompts; accuracies are shown where labels are known.',
    values: [
      ...accuracies(p)
        .filter(([, , score]) => Number.isFinite(score.value))
        .map(([name, label, { value }]) => ({
          name,
          label,
          value,
          unit: 'fraction' as const,
          ...(intervals[name] ? { interval: intervals[name] } : {}),
          ...(name === 'accuracy' ? { reference: p.equal.accuracy.value } : {}),
        })),
      ...(Number.isFinite(p.gain.value)
        ? [
            {
              name: 'gain',
              label: 'Accuracy gained over the equal average',
              value: p.gain.value,
              unit: 'fraction' as const,
              ...(intervals.gain ? { interval: intervals.gain } : {}),
              reference: 0,
            },
          ]
        : []),
      { name: 'changed', label: 'Images answered otherwise than by the equal average', value: p.answer.changed, unit: 'count' },
      { name: 'effective_prompts', label: 'Effective number of prompts, 1/Σw²', value: p.effective, unit: 'none' },
      { name: 'selected', label: 'Prompts above the line of selection', value: p.chosen.kept.length, unit: 'count' },
      { name: 'prompts', label: 'Prompts', value: p.e.prompts, unit: 'count' },
      { name: 'rows', label: 'Images', value: p.e.images.rows, unit: 'count' },
    ],
  };
};

const DRAWN = 60;

const ranked = ({ scored, debias }: PromptEnsemble): number[] => {
  const scores = scored.of.get(debias)?.scores ?? new Float64Array();
  return Array.from(scores, (_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
};

const scoreCards = (p: PromptEnsemble, level: number, threshold: number): Card[] => {
  const found = p.scored.of.get(p.debias);
  if (!found) return [];
  const order = ranked(p);
  const shown = order.slice(0, DRAWN);
  const z = normalQuantile((1 + level) / 2);
  const some = order.length > shown.length ? ` The best ${shown.length} of ${order.length} are drawn.` : '';
  const categories = shown.map((i) => p.e.templates[i]);
  const prompt = { label: 'Prompt', unit: 'none' as const };
  return [
    {
      kind: 'bars',
      title: 'Scores of the prompts',
      caption: `Mean over images of the largest logit after what the prompt says of all images alike was taken off.${some}`,
      x: prompt,
      y: { label: 'Score', unit: 'none' },
      categories,
      series: [
        {
          name: 'Score',
          values: shown.map((i) => found.scores[i]),
          intervals: shown.map((i) =>
            p.e.images.rows > 1 ? ([found.scores[i] - z * found.errors[i], found.scores[i] + z * found.errors[i]] as const) : null,
          ),
        },
      ],
    },
    ...(p.chosen.z
      ? [
          {
            kind: 'bars' as const,
            title: 'Distance from the median',
            caption: `(score − median)/MAD; prompts above the line at ${threshold} are selected.${some}`,
            x: prompt,
            y: { label: 'MAD z-score', unit: 'none' as const },
            categories,
            series: [{ name: 'z-score', values: shown.map((i) => finite(p.chosen.z?.[i] ?? Number.NaN)) }],
            marks: [{ name: 'Line of selection', values: shown.map(() => threshold) }],
          },
        ]
      : []),
  ];
};

const promptTable = (p: PromptEnsemble): TableCard => {
  const found = p.scored.of.get(p.debias);
  const kept = new Set(p.chosen.kept);
  return {
    kind: 'table',
    title: 'Prompts',
    caption: 'By score. Weights sum to 1.',
    columns: [
      { name: 'prompt', label: 'Prompt', type: 'text' },
      { name: 'score', label: 'Score', type: 'number' },
      { name: 'z', label: 'z-score', type: 'number' },
      { name: 'weight', label: 'Weight', type: 'number', unit: 'fraction' },
      { name: 'selected', label: 'Selected', type: 'text' },
      ...(p.labelled > 0 ? [{ name: 'accuracy', label: 'Accuracy alone', type: 'number' as const, unit: 'fraction' as const }] : []),
    ],
    rows: ranked(p).map((i) => [
      p.e.templates[i],
      found?.scores[i] ?? null,
      p.chosen.z ? p.chosen.z[i] : null,
      p.chosen.weights[i],
      kept.has(i) ? 'yes' : '',
      ...(p.labelled > 0 ? [p.scored.hits[i] / p.labelled] : []),
    ]),
  };
};

const debiasNames: Readonly<Record<Debias, string>> = {
  none: 'Nothing',
  test: 'The mean over these images',
  pretrain: 'The mean over reference images',
  both: 'Half of each mean',
};

const comparison = (p: PromptEnsemble): Card[] => {
  const labelled = p.labelled > 0;
  const accuracy = [
    { name: 'accuracy', label: 'Accuracy', type: 'number' as const, unit: 'fraction' as const },
    { name: 'interval', label: 'Interval', type: 'interval' as const, unit: 'fraction' as const },
  ];
  return [
    {
      kind: 'table',
      title: 'Ways to answer',
      caption: 'All from the same embeddings.',
      columns: [
        { name: 'way', label: 'Way', type: 'text' },
        ...(labelled ? accuracy : []),
        { name: 'changed', label: 'Answered otherwise than by the equal average', type: 'number', unit: 'count' },
      ],
      rows: p.ways.map((w) => [w.name, ...(labelled ? [finite(w.accuracy.value), w.accuracy.interval] : []), w.changed]),
    },
    {
      kind: 'table',
      title: 'What is taken off the logits',
      caption: 'Weights from scores after each of these was taken off, for each way to use them.',
      columns: [
        { name: 'debias', label: 'Taken off', type: 'text' },
        { name: 'way', label: 'Way', type: 'text' },
        ...(labelled ? accuracy : []),
        { name: 'changed', label: 'Answered otherwise than by the equal average', type: 'number', unit: 'count' },
      ],
      rows: p.terms.flatMap(({ debias, ways: found }) =>
        found.map((w) => [debiasNames[debias], w.name, ...(labelled ? [finite(w.accuracy.value), w.accuracy.interval] : []), w.changed]),
      ),
    },
  ];
};

const changes = (p: PromptEnsemble): Card[] => {
  if (p.changes.length === 0) return [];
  const { classNames } = p.e;
  const found = selection('Answered otherwise', p.answer.changed, p.changedRows);
  const same = p.e.images.rows - p.answer.changed;
  return [
    {
      kind: 'bars',
      title: 'Images answered otherwise',
      x: { label: 'Answer', unit: 'none' },
      y: { label: 'Images', unit: 'count', min: 0 },
      categories: ['As the equal average', 'Otherwise'],
      series: [{ name: 'Images', values: [same, p.answer.changed], selections: [null, found] }],
    },
    {
      kind: 'table',
      title: 'Changed answers',
      caption: `The first ${p.changes.length} of ${p.answer.changed}.`,
      columns: [
        { name: 'row', label: 'Sample', type: 'row' },
        { name: 'from', label: 'Equal average', type: 'text' },
        { name: 'to', label: 'Weighted', type: 'text' },
        ...(p.labelled > 0 ? [{ name: 'label', label: 'Label', type: 'text' as const }] : []),
      ],
      rows: p.changes.map((c) => [c.row, classNames[c.from], classNames[c.to], ...(p.labelled > 0 ? [classNames[c.label] ?? ''] : [])]),
    },
  ];
};

export const promptCards = (p: PromptEnsemble, level: number, threshold: number): Card[] => [
  numbers(p, level),
  ...scoreCards(p, level, threshold),
  ...comparison(p),
  promptTable(p),
  ...changes(p),
];

const FEW = 30;

export const promptNotes = (p: PromptEnsemble): string[] => {
  const { fallback } = p.chosen;
  return [
    ...p.e.notes,
    ...(p.e.images.rows < FEW ? [`Scores from ${p.e.images.rows} images are unreliable: give at least ${FEW}.`] : []),
    ...(fallback === 'mad' ? ['Scores of the prompts are alike (MAD 0), so none can be selected; all were weighted.'] : []),
    ...(fallback === 'empty' ? ['No prompt lies above the line of selection, so all were weighted.'] : []),
    ...(fallback === 'negative' ? ['No score is above 0, so all prompts weigh the same.'] : []),
    ...(p.scored.of.get(p.debias)?.scores.some((s) => s < 0) ? ['Scores below 0 count as 0 where scores are weights.'] : []),
    ...(p.saved.length > 0
      ? [`The model was saved with logits of the ${p.e.classes} classes in its new output ${p.saved.map((o) => `'${o}'`).join(', ')}.`]
      : []),
  ];
};

/** What the numbers say here, and what would change the decision. */
export const promptGuide = (p: PromptEnsemble): string => {
  const [best] = ranked(p);
  const least = ranked(p).at(-1) ?? best;
  const weights = `Without any label the scores put ${percent(p.chosen.weights[best])} of the weight on '${p.e.templates[best]}' and ${percent(p.chosen.weights[least])} on '${p.e.templates[least]}', as if ${number(p.effective)} of ${p.e.prompts} prompts had a vote; ${p.answer.changed} of ${p.e.images.rows} images are answered otherwise than by the equal average.`;
  if (p.labelled === 0)
    return `${weights} There are no labels to judge by: look at the images answered otherwise, or label some of them. More images make the scores firmer; other prompts change the pool.`;
  const { gain } = p;
  const [low, high] = gain.interval ?? [0, 0];
  const verdict =
    low > 0
      ? ` Accuracy rises from ${percent(p.equal.accuracy.value)} to ${percent(p.answer.accuracy.value)}, by ${percent(low)} to ${percent(high)}: use these weights on data like these.`
      : high < 0
        ? ` Accuracy falls from ${percent(p.equal.accuracy.value)} to ${percent(p.answer.accuracy.value)}: keep the equal average here, or choose the prompts by labels.`
        : ` Accuracy goes from ${percent(p.equal.accuracy.value)} to ${percent(p.answer.accuracy.value)}, which these labels cannot tell from no change: the equal average is as good.`;
  return `${weights}${verdict} More images make the scores firmer; a reference set takes off what prompts say of any image (see What is taken off the logits); other prompts change the pool.`;
};
