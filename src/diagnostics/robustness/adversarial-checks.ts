import { number, percent } from '../wording.ts';
import { type AttackAsk, type Attacked, type SignAttack, signAttacks } from './adversarial-run.ts';

/** What tells real robustness from gradients that only hide (Athalye et al. 2018, Carlini et al. 2019). */
export interface Check {
  readonly name: string;
  readonly found: string;
  readonly wanted: string;
  /** undefined where the attacks chosen do not tell. */
  readonly passes?: boolean;
}

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
/** Share of the rows that keep their class under an attack, by radius. */
export const accuracies = ({ struck, epsilons, rows }: Attacked, kind: SignAttack): readonly number[] | undefined => {
  const right = struck[kind]?.right;
  return right && epsilons.map((_, e) => sum(right.map((r) => r[e])) / rows.length);
};
/** … under all of them. */
export const worstAccuracies = ({ struck, epsilons, rows, clean }: Attacked): readonly number[] =>
  epsilons.map((_, e) => {
    const stays = rows.filter(
      (_row, i) => clean[i] === 1 && signAttacks.every((k) => struck[k] === undefined || struck[k].right[i][e] === 1),
    );
    return stays.length / rows.length;
  });

/** Accuracy that another attack may take from FGSM before its gradient is doubted; rounding and chance of a few rows. */
const LESS = 0.1;
const FEW = 0.01;
const SILENT = 0.05;

/** Of the rows where an attack by signs found an adversarial one, the share for which the search found one no farther away. */
export const beatsSigns = ({ nearest }: Attacked): number => {
  const both = nearest.filter((d) => d.bySigns < Infinity);
  return both.filter((d) => d.distance <= d.bySigns).length / both.length;
};

/** How much more accuracy an attack takes than another does, at the radius where that is most. */
const gain = (weaker: readonly number[], stronger: readonly number[], epsilons: readonly number[]): readonly [number, number] =>
  weaker.reduce<readonly [number, number]>(
    (best, w, e) => (w - stronger[e] > best[0] ? [w - stronger[e], epsilons[e]] : best),
    [-Infinity, epsilons[0]],
  );

export const checksOf = (r: Attacked, { targeted, nearestSamples }: Pick<AttackAsk, 'targeted' | 'nearestSamples'>): readonly Check[] => {
  const n = r.rows.length;
  const fgsm = accuracies(r, 'fgsm') ?? [];
  const untargeted = targeted === 'none';
  const none = { found: untargeted ? 'not run' : 'not told by attacks toward a class' };
  const beside = (name: string, kind: SignAttack, wanted: string, passes: (more: number) => boolean, absent?: string): Check => {
    const other = accuracies(r, kind);
    if (!other || !untargeted) return { name, wanted, ...none, ...(absent && untargeted ? { found: absent, passes: true } : {}) };
    const [more, at] = gain(fgsm, other, r.epsilons);
    return {
      name,
      wanted,
      found: `${percent(Math.abs(more))} ${more < 0 ? 'less' : 'more'} at radius ${number(at)}`,
      passes: passes(more),
    };
  };
  const pgd = accuracies(r, 'pgd');
  const weaker = pgd && untargeted ? gain(pgd, fgsm, r.epsilons) : undefined;
  const succeeded = r.nearest.filter((d) => d.distance < Infinity);
  const chance = 1 / r.classes;
  const atHalf = r.rightAtHalf / n;
  return [
    {
      name: 'The loss has a gradient',
      found: `none in ${percent(r.silent / n)} of the rows`,
      wanted: `none in at most ${percent(SILENT)}`,
      passes: r.silent / n <= SILENT,
    },
    beside('FGSM on the margin of the logits takes no more', 'margin', `at most ${percent(LESS)} more`, (more) => more <= LESS),
    beside(
      `FGSM on logits cooled to a gap of 3 takes no more`,
      'cooled',
      `at most ${percent(LESS)} more`,
      (more) => more <= LESS,
      `logits have a mean gap of ${number(r.gap)} and need no cooling`,
    ),
    ...(r.struck.transfer
      ? [beside('FGSM made on another model takes no more', 'transfer', `at most ${percent(LESS)} more`, (more) => more <= LESS)]
      : []),
    {
      name: 'Without a bound every row has an adversarial one',
      found: nearestSamples === 0 || r.nearest.length === 0 ? 'not run' : `${succeeded.length} of ${r.nearest.length}`,
      wanted: 'all',
      ...(nearestSamples === 0 || r.nearest.length === 0 ? {} : { passes: succeeded.length === r.nearest.length }),
    },
    {
      name: 'Half the range leaves no more than chance',
      wanted: `at most ${percent(chance + 0.05)} right`,
      ...(untargeted ? { found: `${percent(atHalf)} right`, passes: atHalf <= chance + 0.05 } : none),
    },
    weaker
      ? {
          name: 'Several steps are at least as strong as one',
          found: `PGD takes ${percent(Math.max(0, weaker[0]))} less at radius ${number(weaker[1])}`,
          wanted: `at most ${percent(FEW)} less`,
          passes: weaker[0] <= FEW,
        }
      : { name: 'Several steps are at least as strong as one', wanted: `at most ${percent(FEW)} less`, ...none },
  ];
};
