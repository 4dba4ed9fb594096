import type { Subject } from '../../evidence/evidence.ts';
import { number, percent, rowCount } from '../wording.ts';
import type { GroupRanking } from './ranking-groups.ts';
import { prevalence } from './ranking-headline.ts';
import type { AllRankings, Measured, OneRanking, Ranking, RankingOptions } from './ranking-scores.ts';

const withRange = ({ value, interval }: Measured, level: number): string =>
  interval ? `${number(value)} (${percent(level)} interval ${number(interval[0])} to ${number(interval[1])})` : number(value);

/** Who gains most from a fix under AUPRC, where two groups differ. */
const groupVerdict = (groups: readonly GroupRanking[]): string => {
  const rated = groups
    .filter((g) => g.mistakes > 0)
    .sort((a, b) => b.gain / b.mistakes - a.gain / a.mistakes || (a.name < b.name ? -1 : 1));
  const [most, least] = [rated[0], rated[rated.length - 1]];
  if (rated.length < 2) return '';
  const ratio = most.gain / most.mistakes / (least.gain / least.mistakes);
  return ` AUPRC rewards group ${most.name} (prevalence ${number(prevalence(most))}) ${number(ratio)} times more per mistake than group ${least.name} (${number(prevalence(least))}); AUROC rewards both alike.`;
};

const one = (r: OneRanking, { confidenceLevel: level, falsePositiveCost, falseNegativeCost }: RankingOptions, name: string): string => {
  if (r.positives === 0 || r.negatives === 0)
    return `There are no ${r.positives === 0 ? `positives: none of ${rowCount(r.rows)} is` : `negatives: all of ${rowCount(r.rows)} are`} of class ${name}, so nothing can be ranked: choose a split that holds both.`;
  if (r.constant)
    return `All ${r.rows} scores are equal, so nothing is ranked: AUROC is ½ and average precision the prevalence, ${number(prevalence(r))}, whatever the model has learned. Look at which output or column gives the score before anything else.`;
  const [least] = r.thresholds;
  const chance = r.auroc.interval && r.auroc.interval[0] <= 0.5 && r.auroc.interval[1] >= 0.5;
  const opening = `A row of class ${name} outranks another row with probability ${withRange(r.auroc, level)}, the AUROC; average precision is ${withRange(r.auprc, level)}, where chance would score the prevalence, ${number(prevalence(r))}.`;
  const informed = chance
    ? ' The interval of AUROC holds ½: these rows do not show that the scores rank at all; more of them would tell.'
    : '';
  const which =
    ' Both average the same false-positive rates, and AUPRC divides each by the share of rows raised: it counts mistakes at the top of the ranking. Decide by AUPRC or precision at k where only the rows scored highest are looked at, by AUROC where the threshold is open or groups must be served alike; that positives are rare is no reason for AUPRC.';
  const cut =
    least.threshold === null
      ? ' At the costs given it is cheapest to raise no row at all.'
      : ` At ${number(falsePositiveCost)} a false positive and ${number(falseNegativeCost)} a false negative the cheapest threshold here is ${number(least.threshold)}; other costs or another prevalence move it.`;
  return `${opening}${informed}${which}${cut}${r.grouped ? groupVerdict(r.groups) : ''}`;
};

const all = (r: AllRankings, { confidenceLevel: level }: RankingOptions, names: readonly string[]): string => {
  const defined = r.classes.flatMap((k, i) => (Number.isFinite(k.auroc.value) ? [{ ...k, name: names[i] ?? String(i) }] : []));
  if (defined.length === 0) return 'All rows are of one class, so nothing can be ranked: choose a split that holds several.';
  const worst = defined.reduce((low, k) => (k.auroc.value < low.auroc.value ? k : low));
  return `Each class is ranked against the rest; a row of the class outranks another row with probability ${withRange(r.macroAuroc, level)} in the mean over classes, and average precision is ${withRange(r.macroAuprc, level)}. The class ranked worst is ${worst.name} (AUROC ${withRange(worst.auroc, level)} on ${worst.positives} of its rows). Averages hide such classes: read the table before trusting one number, and choose the class with the option positive for its thresholds, its mistakes and its groups.`;
};

/** What the ranking says here, and what would change the decision. */
export const rankingGuide = (r: Ranking, options: RankingOptions, { classes }: Pick<Subject, 'classes'>): string => {
  if (r.rows === 0) return 'There are no rows to judge: choose a split that holds some.';
  return r.kind === 'all' ? all(r, options, classes) : one(r, options, classes[r.positive] ?? String(r.positive));
};
