import type { Interval } from '../../report/report.ts';
import type { Findings } from '../define.ts';
import { number, percent } from '../wording.ts';
import { generationCards } from './generation-cards.ts';
import type { Compared, GenerationConfidence } from './generation-confidence.ts';
import type { GenerationOptions } from './generation-options.ts';
import type { Judged, Ranged } from './generation-scores.ts';

const named = (of: Judged, suffix: string): Record<string, number> => ({
  [`ece${suffix}`]: of.ece,
  [`brier${suffix}`]: of.brier.value,
  [`skill_score${suffix}`]: of.skill.value,
  [`auroc${suffix}`]: of.auroc,
});

const headline = ({ units, base, measures, best }: GenerationConfidence): Record<string, number> => {
  const { raw, after } = measures[best];
  const policy = (after ?? raw).policy;
  return {
    units,
    base_rate: base.value,
    ...named(raw, ''),
    ...(after ? named(after, '_rescaled') : {}),
    accepted: policy?.accepted ?? 0,
    ...(policy ? { accepted_wrong: policy.wrong, accept_from: policy.threshold } : {}),
    ...Object.fromEntries(
      measures.flatMap((m) =>
        Object.entries({ ...named(m.raw, ''), ...(m.after ? named(m.after, '_rescaled') : {}) }).map(([name, v]) => [`${m.id}_${name}`, v]),
      ),
    ),
  };
};

const intervals = (r: GenerationConfidence, { confidenceLevel: level, bootstrap }: GenerationOptions): Record<string, Interval> => {
  const together = r.groups === null ? 'over units' : `over groups of '${r.groupColumn}'`;
  const normal = ({ range: [low, high] }: Ranged): Interval => ({ low, high, level, method: `normal, delta method, ${together}` });
  const of = (prefix: string, judged: Judged, suffix: string): Record<string, Interval> => ({
    [`${prefix}brier${suffix}`]: normal(judged.brier),
    [`${prefix}skill_score${suffix}`]: normal(judged.skill),
    ...(judged.aurocRange
      ? {
          [`${prefix}auroc${suffix}`]: {
            low: judged.aurocRange[0],
            high: judged.aurocRange[1],
            level,
            method: 'DeLong, on the logit scale, units taken as independent',
          },
        }
      : {}),
    ...(judged.eceRange
      ? {
          [`${prefix}ece${suffix}`]: {
            low: judged.eceRange[0],
            high: judged.eceRange[1],
            level,
            method: `bootstrap of the debiased ECE, ${bootstrap} resamples of units`,
          },
        }
      : {}),
  });
  const both = (prefix: string, { raw, after }: Compared): Record<string, Interval> => ({
    ...of(prefix, raw, ''),
    ...(after ? of(prefix, after, '_rescaled') : {}),
  });
  return {
    base_rate: normal(r.base),
    ...both('', r.measures[r.best]),
    ...Object.assign({}, ...r.measures.map((m) => both(`${m.id}_`, m))),
  };
};

/** Calibrated because every confidence is about the base rate (card 48, pitfall). */
const uninformative = ({ skill, spread }: Judged): boolean => skill.value < 0.05 && spread < 0.05;

const verdict = (judged: Judged, title: string, rescaled: boolean): string => {
  const [low] = judged.skill.range;
  const form = rescaled ? `${title}, rescaled,` : title;
  if (uninformative(judged))
    return `${form} is calibrated but uninformative: nearly every unit gets about the same confidence, so none can be accepted on the strength of it.`;
  if (low > 0) return `${form} tells more than the base rate does.`;
  return `${form} tells no more than the base rate beyond noise, so nothing should be accepted on the strength of it.`;
};

const guide = (r: GenerationConfidence, { failRate, confidenceLevel }: GenerationOptions): string => {
  const { title, raw, after } = r.measures[r.best];
  const shown = after ?? raw;
  const { what } = r;
  const { policy } = shown;
  const facts = `${percent(r.base.value)} of ${r.units} ${what} are correct. ${title} has a skill score of ${number(raw.skill.value)} as it is${after ? ` and ${number(after.skill.value)} rescaled out of fold (${percent(confidenceLevel)} interval ${number(after.skill.range[0])} to ${number(after.skill.range[1])})` : ''}.`;
  const cheap = r.measures.length > 1 ? ' It is the highest of the confidences compared.' : '';
  const review = policy
    ? ` With at most ${percent(failRate)} wrong among the accepted, ${percent(policy.accepted)} could be accepted, those with ${after ? 'a rescaled confidence' : 'confidence'} from ${number(policy.threshold)} on; the threshold was chosen on these same ${what}, so try it on others first.`
    : ` No threshold lets at most ${percent(failRate)} wrong through: keep reviewing all of them.`;
  const scale = after
    ? ` ${raw.skill.value < 0 && after.skill.value > 0 ? 'As it is the confidence misleads; use it only rescaled.' : 'Compare the two tables to see whether the rescaling is worth its upkeep.'} Off the diagonal of the grid, if there is one, a skill score far below the diagonal’s says that the rescaling must be fitted anew for each ${r.taskColumn === '' ? 'task or project' : r.taskColumn}.`
    : '';
  return `${facts}${cheap} ${verdict(shown, title, after !== undefined)}${review}${scale} ECE alone can be small for a confidence that always says the base rate; the skill score cannot. Outcomes from other projects, prompts or models would change the answer: measure there.`;
};

const notes = (r: GenerationConfidence): string[] => [
  ...r.notes,
  ...r.measures.flatMap(({ title, raw, after }) =>
    uninformative(after ?? raw)
      ? [`${title} is calibrated but uninformative${after ? ' once rescaled' : ''}: its skill score is below 0.05 and it hardly varies.`]
      : [],
  ),
  ...(r.transfer && r.transfer.left.length > 0
    ? [
        `Left out of the grid, for fewer than 10 of either outcome or as the smallest: ${r.transfer.left.slice(0, 10).join(', ')}${r.transfer.left.length > 10 ? ', …' : ''}.`,
      ]
    : []),
];

export const generationFindings = (r: GenerationConfidence, options: GenerationOptions): Findings => ({
  headline: headline(r),
  intervals: intervals(r, options),
  cards: generationCards(r, options),
  guide: guide(r, options),
  notes: notes(r),
});
