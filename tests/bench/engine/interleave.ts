import type { Peer } from './peer.ts';
import type { Task } from './subject.ts';

/** Least milliseconds of one call: a busy machine only ever adds to it. */
export interface Pair {
  readonly ms: number;
  readonly peerMs?: number;
}

const rounds = 3;
/** Threads of either side go on spinning for a while after a call; the other side begins when they sleep. */
export const rested = (): Promise<void> => new Promise((done) => setTimeout(done, 300));
const least = (times: readonly number[]): number | undefined => (times.length > 0 ? Math.min(...times) : undefined);

/** Ours and the peer's in turn, so that what else the machine does meets both. Each round lasts about `share` ms a side. */
export const interleaved = async (
  task: Task,
  peer: { readonly of: Peer; readonly kind: string } | undefined,
  share: number,
): Promise<Pair> => {
  const [ours, theirs]: [number[], number[]] = [[], []];
  await task.run();
  for (let round = 0; round < rounds; round++) {
    if (peer) await rested();
    const until = performance.now() + share;
    do {
      const from = performance.now();
      await task.run();
      ours.push((performance.now() - from) / task.steps);
    } while (performance.now() < until);
    if (peer) await rested();
    if (peer) theirs.push(...(await peer.of.time(peer.kind, Math.max(1, Math.min(500, Math.floor(share / (least(theirs) ?? share)))))));
  }
  const peerMs = least(theirs);
  return { ms: Math.min(...ours), ...(peerMs === undefined ? {} : { peerMs }) };
};
