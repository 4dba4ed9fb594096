import { number, percent, range, rowCount } from '../wording.ts';
import { deviating } from './compare-headline.ts';
import type { CompareOptions, Comparison } from './compare-scores.ts';

const signed = (x: number): string => `${x > 0 ? '+' : ''}${number(x)}`;
const words = {
  accuracy: 'accuracy',
  nll: 'log loss',
  brier: 'Brier score',
  ece: 'calibration error',
  macro_f1: 'macro F1',
  auroc: 'AUROC',
  auprc: 'AUPRC',
} as const;

/** Where the values inside part, if they do; '' where they were not compared. */
export const insideSentence = (values: Comparison['values'], options: Pick<CompareOptions, 'deviation'>): string => {
  const far = deviating(values, options);
  return values && values.values.length > 0
    ? far.length > 0
      ? ` Inside, ${far.length} of ${values.values.length} values deviate by more than ${number(options.deviation)} of their size, the first being '${far[0].name}' (${far[0].op}): ${
          far.includes(values.values[values.values.length - 1])
            ? 'look there first if the answers should be the same'
            : 'but the last values agree again, so that these hold other quantities under one name, as where a normalisation was folded into the layer before it'
        }.`
      : ` Inside, all ${values.values.length} values compared agree to within ${number(options.deviation)} of their size.`
    : '';
};

/** What the comparison says here, and what would change the decision. */
export const compareGuide = (c: Comparison, options: CompareOptions): string => {
  const { confidenceLevel: level } = options;
  if (c.rows === 0) return 'There are no rows to compare on: choose a split that holds some.';
  const [first, other] = c.names;
  const [accuracy] = c.compared;
  const [, mine, theirs] = c.right;
  const opening = `On the same ${rowCount(c.rows)} ${first} is right on ${percent(accuracy.of[0])} and ${other} on ${percent(accuracy.of[1])}; they answer ${rowCount(c.different)} differently (${percent(c.different / c.rows)}).`;
  const told = c.mcNemar.p < 1 - level;
  const better = mine > theirs ? first : other;
  const mcnemar =
    mine + theirs === 0
      ? ' No row is answered right by one of them alone, so their accuracies cannot be told apart here.'
      : ` Only rows that one of them alone gets right tell their accuracies apart: ${mine} for ${first}, ${theirs} for ${other} (McNemar, ${c.mcNemar.method}, p = ${number(c.mcNemar.p)}). ${
          told
            ? `Chance alone would rarely give so uneven a split: ${better} is the more accurate on rows like these.`
            : `So uneven a split is within chance: these rows do not show either to be more accurate${accuracy.interval ? `, though a difference of ${range(accuracy.interval)} is compatible with them` : ''}.`
        }`;
  const others = c.compared.slice(1).filter(({ interval }) => interval && (interval[0] > 0 || interval[1] < 0));
  const rest =
    others.length > 0
      ? ` Of the other measures ${others.map(({ name, value }) => `${words[name]} (${signed(value)})`).join(', ')} ${others.length === 1 ? 'differs' : 'differ'} by more than resampling explains; with ${c.compared.length} measures looked at, ask for a wider margin than for one chosen beforehand.`
      : ' None of the other measures differs by more than resampling explains.';
  return `${opening}${mcnemar}${rest}${insideSentence(c.values, options)} More rows narrow every interval; before choosing, read the classes that lose, and the samples of the cells, for what the averages hide.`;
};
