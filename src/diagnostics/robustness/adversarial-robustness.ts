import { choice, int, pick, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { scoresOption } from '../scores-option.ts';
import { number, percent } from '../wording.ts';
import { cardsOf, headlineOf, reachedRows } from './adversarial-cards.ts';
import { type Check, checksOf, worstAccuracies } from './adversarial-checks.ts';
import { type AttackAsk, type Attacked, attackRun } from './adversarial-run.ts';

/** Share of rows below which the search for the nearest was too short. */
const NEARER = 0.95;

const guideOf = (r: Attacked, checks: readonly Check[], headline: Readonly<Record<string, number>>, { targeted }: AttackAsk): string => {
  const worst = worstAccuracies(r);
  const broken = r.epsilons.indexOf(headline.broken_at);
  const reached = reachedRows(r).length;
  const radius =
    broken < 0
      ? `No radius listed takes half of the accuracy: it falls from ${percent(headline.accuracy)} to ${percent(worst[worst.length - 1])} at ${number(r.epsilons[r.epsilons.length - 1])}; list larger ones to see where it breaks.`
      : `Moving every number by ${number(headline.broken_at)} of its range takes more than half of the accuracy, from ${percent(headline.accuracy)} to ${percent(worst[broken])}.`;
  const near =
    r.nearest.length === 0
      ? ''
      : reached === 0
        ? ' The search for a nearest adversarial row found none, which says that it failed, not that there are none.'
        : ` Where an attacker may change a row freely, half of the rows that fall do so within a distance of ${number(headline.nearest_median)}.`;
  const short =
    r.nearest.length > reached
      ? ` For ${r.nearest.length - reached} of ${r.nearest.length} rows the search found none; a short search fails too, so raise steps, rounds or rate before reading anything into it.`
      : '';
  const failed = checks.filter((c) => c.passes === false).length;
  const verdict =
    failed > 0
      ? ` Gradients are masked (${failed} of ${checks.length} checks fail): the curve of FGSM is not evidence of robustness, and a good one alone must never be read as safety. Believe the strongest attack of the report and the distances.`
      : ' No check points to a masked gradient, so the curves may be read as upper bounds of what a stronger attack would leave.';
  const toward =
    targeted === 'none'
      ? ''
      : ' Attacks were toward a class, which is harder than away from the right one: the same radius leaves more rows right.';
  return `${radius}${near}${short}${verdict}${toward} Attacks bound robustness from above only. More steps, rounds and rows, the range that inputs may really have, or training on attacked rows (the recipe key adversarial) change the answer; a smaller radius than matters to you does not.`;
};

/** Goodfellow et al. 2014, Madry et al. 2018, Carlini and Wagner 2017, and what tells whether they can be believed. */
export const adversarialRobustness: Diagnostic = defineStudy({
  id: 'adversarial-robustness',
  title: 'Adversarial Robustness',
  family: 'robustness',
  question: 'How little must an input change for the model to fail, and is what looks like robustness real?',
  source: 'arXiv:1412.6572, arXiv:1608.04644, arXiv:1802.00420; arXiv:2404.04245; card 52-fgsm-cw-distillation',
  uses: ['samples', 'attacks'],
  options: {
    epsilons: text({
      default: '',
      help: 'Radii of FGSM and PGD as shares of the range, such as 0.05, 0.1 or 8/255. Empty: 1, 2, 4, 8, 16 and 32 of 255.',
    }),
    samples: int({ default: 500, min: 1, max: 1_000_000, help: 'Rows attacked at most, drawn by the seed.' }),
    pgdSteps: int({ default: 10, min: 0, max: 1000, help: 'Steps of PGD, each 2.5 radii over their number; 0 leaves it out.' }),
    nearestSamples: int({
      default: 100,
      min: 0,
      max: 1_000_000,
      help: 'Rows for which Carlini and Wagner search the nearest adversarial one; 0 leaves it out.',
    }),
    steps: int({ default: 1000, min: 1, max: 100_000, help: 'Steps of Adam in each round of that search.' }),
    rounds: int({
      default: 9,
      min: 1,
      max: 50,
      help: 'Rounds of that search, each with another weight of the class against the distance.',
    }),
    rate: real({ default: 0.01, min: 1e-6, max: 10, help: 'Rate of Adam in that search.' }),
    constant: real({ default: 1e-3, min: 1e-12, max: 1e12, help: 'Weight of the class in its first round.' }),
    confidence: real({ default: 0, min: 0, max: 1000, help: 'By how much the logit of the wrong class has to lead there.' }),
    targeted: choice({
      default: 'none',
      of: ['none', 'least-likely', 'class'],
      titles: { none: 'away from the right class', 'least-likely': 'toward the least likely class', class: 'toward one class' },
      help: 'Where attacks go.',
    }),
    class: pick({ default: '', from: 'class', help: 'The class that attacks go toward, by name or index.' }),
    range: text({
      default: '',
      help: 'Least and greatest value of an input before mean and standard deviation, such as 0, 1. Empty: by custom for pictures, else from the rows.',
    }),
    surrogate: text({
      default: '',
      help: 'Another ONNX model of the same inputs and classes, such as one trained without distillation: FGSM is made on it too, and tried on this one.',
    }),
    pictures: int({ default: 6, min: 0, max: 100, help: 'Adversarial pictures shown.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.9999, help: 'Level of the intervals.' }),
    logits: scoresOption,
  },
  numbers: [
    'rows',
    'accuracy',
    'fgsm_accuracy_*',
    'margin_accuracy_*',
    'cooled_accuracy_*',
    'pgd_accuracy_*',
    'transfer_accuracy_*',
    'worst_accuracy_*',
    'broken_at',
    'searched',
    'left_out',
    'nearest_success',
    'nearest_median',
    'nearest_mean',
    'nearest_beats_signs',
    'silent_share',
    'failed_checks',
    'masked',
  ],
  async study(tools, ask, job, subject) {
    const found = await attackRun(tools, ask, job, subject);
    const plain = tools.samples.plain && (await tools.samples.plain(found.rows.slice(0, 1), job.signal));
    return { found, dims: plain?.dims ?? tools.samples.inputDims };
  },
  report({ found, dims }, ask, subject) {
    const checks = checksOf(found, ask);
    const numbers = headlineOf(found, checks, ask);
    return {
      ...numbers,
      cards: cardsOf(found, checks, numbers, ask, subject, dims),
      guide: guideOf(found, checks, numbers.headline, ask),
      notes: [
        ...(found.range.guessed
          ? [`Attacks move inputs within ${found.range.words}, which was taken from the rows; confirm or correct it with range.`]
          : []),
        ...(found.zeros > 0
          ? [
              `The model gives probabilities, and in ${found.zeros} ${found.zeros === 1 ? 'row' : 'rows'} one of them is 0, where a logarithm has no slope: attacks see less than they would of its logits.`,
            ]
          : []),
        ...(numbers.headline.nearest_beats_signs < NEARER
          ? [
              `The search for the nearest adversarial row ended farther away than FGSM or PGD in ${percent(1 - numbers.headline.nearest_beats_signs)} of the rows that both changed: raise steps or rate.`,
            ]
          : []),
        ...(found.left > 0
          ? [
              `${found.left} of the rows of the search for the nearest adversarial one were left out, as their class is wrong already or is the target.`,
            ]
          : []),
      ],
    };
  },
});
