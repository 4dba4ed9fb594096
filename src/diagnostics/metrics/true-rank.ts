/** Where the score of the own class stands in its row: classes above it, and others equal to it. */
export interface TrueRank {
  readonly above: number;
  readonly ties: number;
}

export const trueRank = (scores: ArrayLike<number>, at: number, classes: number, label: number): TrueRank => {
  const own = scores[at + label];
  let [above, ties] = [0, 0];
  for (let c = 0; c < classes; c++) {
    if (scores[at + c] > own) above++;
    else if (c !== label && scores[at + c] === own) ties++;
  }
  return { above, ties };
};

/** Classes above, and half of those equal. */
export const midRank = ({ above, ties }: TrueRank): number => above + ties / 2;

/** Chance that the own class is among the first k where equal scores stand in any order. */
export const chanceAmong = (k: number, { above, ties }: TrueRank): number => Math.min(1, Math.max(0, (k - above) / (ties + 1)));

/** Numbers of first classes that are counted. */
export const firstCounts = (classes: number): number[] => [1, 2, 3, 5, 10, 20, 50].filter((k) => k < classes);
