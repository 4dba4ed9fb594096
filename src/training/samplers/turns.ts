import type { Random } from '../../base/random.ts';

interface Turns {
  /** Those that have rows, in order. */
  readonly groups: readonly number[];
  /** A place of this group's. */
  next(group: number): number;
}

/** Goes through each group's own rows in an order drawn anew whenever they are used up. `labels` number the groups. */
export const turnsOf = (labels: ArrayLike<number>, count: number, random: Random): Turns => {
  const rows = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const own = rows.get(labels[i]);
    if (own) own.push(i);
    else rows.set(labels[i], [i]);
  }
  const at = new Map(Array.from(rows, ([group, own]) => [group, own.length]));
  return {
    groups: [...rows.keys()].toSorted((a, b) => a - b),
    next(group: number): number {
      const own = rows.get(group) ?? [];
      let place = at.get(group) ?? 0;
      if (place === own.length) {
        random.shuffle(own);
        place = 0;
      }
      at.set(group, place + 1);
      return own[place];
    },
  };
};
