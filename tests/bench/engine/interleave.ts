import { round } from '../measure.ts';
import type { Peer } from './peer.ts';
import type { Task } from './subject.ts';

export interface Pair {
  /** Least milliseconds of one call: a busy machine only ever adds to it. */
  readonly ms: number;
  readonly peerMs?: number;
  /** Median over the rounds of ours to the peer's: what slows the machine for a while meets both sides of a round. */
  readonly peerRatio?: number;
}

const rounds = 11;
/** Threads of either side go on looking for work for about a millisecond after a call; the other side begins when they sleep. */
export const rested = (): Promise<void> => new Promise((done) => setTimeout(done, 50));
export const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Least times of both sides over all rounds, and the median of the rounds' ratios; a side gives its least time of a round. */
export const inTurns = async (
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<{ readonly least: readonly [number, number]; readonly ratio: number }> => {
  const times: (readonly [number, number])[] = [];
  for (let k = 0; k < rounds; k++) {
    await rested();
    const own = await ours();
    await rested();
    times.push([own, await theirs()]);
  }
  const of = (side: 0 | 1): number => Math.min(...times.map((t) => t[side]));
  return { least: [of(0), of(1)], ratio: middle(times.map(([a, b]) => a / b)) };
};

/** Least milliseconds of a step of `task` in about `share` ms; the first call does not count. */
export const leastOf =
  ({ run, steps }: Task, share: number): (() => Promise<number>) =>
  async () => {
    await run();
    let least = Number.POSITIVE_INFINITY;
    const until = performance.now() + share;
    do {
      const from = performance.now();
      await run();
      least = Math.min(least, (performance.now() - from) / steps);
    } while (performance.now() < until);
    return least;
  };

/** Ours and the peer's in turn. Each round lasts about `share` ms a side, a call at least. */
export const interleaved = async (
  task: Task,
  peer: { readonly of: Peer; readonly kind: string } | undefined,
  share: number,
): Promise<Pair> => {
  const ours = leastOf(task, share);
  if (!peer) return { ms: Math.min(await ours(), await ours(), await ours()) };
  let calls = 1;
  const { least, ratio } = await inTurns(ours, async () => {
    const ms = Math.min(...(await peer.of.time(peer.kind, calls)));
    calls = Math.max(1, Math.min(500, Math.floor(share / ms)));
    return ms;
  });
  return { ms: least[0], peerMs: least[1], peerRatio: ratio };
};

export const told = ({ ms, peerMs, peerRatio }: Pair): Record<'ms', number> & Readonly<Record<string, number>> => ({
  ms: round(ms),
  ...(peerMs === undefined || peerRatio === undefined ? {} : { peerMs: round(peerMs), peerRatio: round(peerRatio) }),
});
