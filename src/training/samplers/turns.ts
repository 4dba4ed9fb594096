import type { Random } from '../../base/random.ts';

interface Turns {
  /** Those that have rows, in order. */
  readonly groups: readonly number[];
  /** Number of rows of this group. */
  size(group: number): number;
  /** `count` places of this group's, each another where it has as many. */
  several(group: number, count: number): readonly number[];
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
  const taken = (group: number, wanted: number): readonly number[] => {
    const own = rows.get(group) ?? [];
    let place = at.get(group) ?? 0;
    if (wanted <= own.length && place + wanted > own.length) {
      random.shuffle(own);
      place = 0;
    }
    return Array.from({ length: wanted }, () => {
      if (place >= own.length) {
        random.shuffle(own);
        place = 0;
      }
      place++;
      at.set(group, place);
      return own[place - 1];
    });
  };
  return {
    groups: [...rows.keys()].toSorted((a, b) => a - b),
    size: (group) => rows.get(group)?.length ?? 0,
    next: (group) => taken(group, 1)[0],
    several: taken,
  };
};
