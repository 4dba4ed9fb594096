import { normalQuantile } from '../../base/maths/normal.ts';
import type { Subject } from '../../evidence/evidence.ts';
import { number, percent, pValue, range } from '../wording.ts';
import { wordsOf } from './reliability-words.ts';
import type { Reliability, ReliabilityOptions } from './scores.ts';

/** Bins whose accuracy leaves the consistency band above and below. */
const outside = (r: Reliability): { readonly over: number; readonly under: number; readonly used: number } => {
  const used = r.bins.filter((b) => b.accuracy !== null && b.band);
  return {
    over: used.filter((b) => (b.accuracy ?? 0) < (b.band?.[0] ?? 0)).length,
    under: used.filter((b) => (b.accuracy ?? 0) > (b.band?.[1] ?? 1)).length,
    used: used.length,
  };
};

const remedy = (r: Reliability): string => {
  const { over, under } = outside(r);
  if (over > 0 && under > 0)
    return `Some bins claim too much and others too little (${over} and ${under} outside their band), which a single temperature cannot repair: try isotonic or vector recalibration`;
  return `${r.positive < 0 ? 'Answers' : 'Probabilities'} claim too ${r.confidence > r.accuracy ? 'much' : 'little'} throughout, the pattern that one temperature repairs without changing any prediction`;
};

/** What the diagram says here, and what would change the decision. */
export const reliabilityGuide = (
  r: Reliability,
  { binning, confidenceLevel: level, nullDraws }: ReliabilityOptions,
  subject: Pick<Subject, 'classes'>,
): string => {
  const words = wordsOf(r, subject);
  if (r.rows === 0) return 'There are no rows to judge: choose a split that holds some.';
  const width = binning === 'width';
  const [ece, floor, p] = width ? [r.ece, r.floor, r.p] : [r.eceMass, r.floorMass, r.pMass];
  const gap = r.confidence - r.accuracy;
  const direction =
    Math.abs(gap) < 5e-4
      ? 'on average as confident as it is right'
      : r.positive < 0
        ? `${gap > 0 ? 'over' : 'under'}confident by ${percent(Math.abs(gap))} on average`
        : `giving too ${gap > 0 ? 'much' : 'little'} probability, ${percent(Math.abs(gap))} on average`;
  const facts = `ECE is ${number(ece)} on ${r.rows} ${r.rows === 1 ? 'row' : 'rows'}; a perfectly calibrated model with the same confidences would score ${number(floor.mean)} ± ${number(floor.sd)} by sampling alone (${pValue(p, nullDraws)}). The model is ${direction}: ${words.meanClaim.toLowerCase()} ${percent(r.confidence)}, ${words.share === 'Accuracy' ? 'accuracy' : words.share.toLowerCase()} ${percent(r.accuracy)}.`;
  const { over, under, used } = outside(r);
  const leaving = over + under;
  const bins = `${leaving} of ${used} bins leave the shaded band, where about ${number(used * (1 - level))} would by chance.`;
  const decision =
    p > 1 - level
      ? `So there is no evidence of miscalibration beyond noise, and recalibrating on these rows would fit noise. These rows can show an ECE from about ${number(r.critical)} on: if a smaller error matters to you, measure on more rows.`
      : `So the confidences are off by more than noise. ${remedy(r)}; fit it on other rows and compare there.${r.eceInterval ? ` The true error lies in ${range(r.eceInterval)} (${percent(level)} interval): whether that is tolerable decides if recalibration is worth its step.` : ''}`;
  const order =
    r.positive < 0 && Number.isFinite(r.auroc)
      ? ` For refusing uncertain answers the order of confidences counts instead: a right answer outranks a wrong one with probability ${number(r.auroc)}, and recalibration hardly changes that.`
      : '';
  // So many groups are looked at that chance alone would lift some: the bar is higher for more of them.
  const bar = normalQuantile(1 - (1 - level) / Math.max(1, r.groups.length));
  const worst = [...r.groups]
    .filter((g) => g.ece > g.floor.mean + bar * g.floor.sd)
    .sort((a, b) => b.ece - b.floor.mean - (a.ece - a.floor.mean))[0];
  const groups =
    r.groups.length > 1
      ? worst
        ? ` Among the groups, ‘${worst.name}’ stands out most (ECE ${number(worst.ece)} against a noise floor of ${number(worst.floor.mean)}): one calibrator for all rows need not repair it.`
        : ' No group is miscalibrated beyond its own noise.'
      : '';
  return `${facts} ${bins} ${decision}${order}${groups}`;
};
