import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import type { Evidence, Matrix, Noun } from '../evidence.ts';
import { type Passage, type Passed, pass } from '../plan.ts';

/** Rows [from, to) of what a pass gives. */
type Part = Partial<Evidence>;

const matrixPart = ({ cols, data }: Matrix, from: number, to: number): Matrix => ({
  rows: to - from,
  cols,
  data: data.subarray(from * cols, to * cols),
});
const part = ({ rows, labels, targets, probs, logProbs, predictions, groups }: Part, from: number, to: number): Part => ({
  ...(rows ? { rows: rows.subarray(from, to) } : {}),
  ...(labels ? { labels: labels.subarray(from, to) } : {}),
  ...(targets ? { targets: targets.subarray(from, to) } : {}),
  ...(predictions ? { predictions: matrixPart(predictions, from, to) } : {}),
  ...(probs ? { probs: matrixPart(probs, from, to) } : {}),
  ...(logProbs ? { logProbs: matrixPart(logProbs, from, to) } : {}),
  ...(groups ? { groups: Object.fromEntries(Object.entries(groups).map(([name, values]) => [name, values.slice(from, to)])) } : {}),
});

interface Side {
  readonly passage: Passage;
  readonly needs: readonly Noun[];
}

/**
 * Two passes over as many rows, each waiting for the other, so that neither is held in memory: `visit` is given the same rows of
 * both. Where one fails, the other is let through to its end unheard, and the first failure is thrown.
 */
export const inStep = async (
  sides: readonly [Side, Side],
  visit: (first: Part, second: Part) => void,
  job: Job,
): Promise<readonly [Passed, Passed]> => {
  interface Waiting {
    readonly batch: Part;
    readonly rows: number;
    at: number;
    go(): void;
  }
  const waiting: [Waiting | undefined, Waiting | undefined] = [undefined, undefined];
  const failures: unknown[] = [];
  const fail = (error: unknown): void => {
    failures.push(error);
    for (const w of waiting) w?.go();
    waiting.fill(undefined);
  };
  /** Visits what both sides hold, and lets those go on that hold no more. */
  const pump = (): void => {
    const [a, b] = waiting;
    if (!a || !b || failures.length > 0) return;
    const n = Math.min(a.rows - a.at, b.rows - b.at);
    try {
      visit(part(a.batch, a.at, a.at + n), part(b.batch, b.at, b.at + n));
    } catch (error) {
      fail(error);
      return;
    }
    for (const [s, w] of [a, b].entries()) {
      w.at += n;
      if (w.at < w.rows) continue;
      waiting[s] = undefined;
      w.go();
    }
  };
  const run = async ({ passage, needs }: Side, s: 0 | 1): Promise<Passed> => {
    try {
      return await pass(
        passage,
        [
          {
            needs,
            begin() {},
            add: (batch) =>
              failures.length > 0
                ? undefined
                : new Promise<void>((go) => {
                    waiting[s] = { batch, rows: batch.rows?.length ?? 0, at: 0, go };
                    pump();
                  }),
            fail,
          },
        ],
        s === 0 ? job : { ...job, progress: () => {} },
      );
    } catch (error) {
      fail(error);
      throw error;
    }
  };
  const [first, second] = await Promise.allSettled([run(sides[0], 0), run(sides[1], 1)]);
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  if (first.status === 'rejected' || second.status === 'rejected') throw new Fault('job/stopped', {});
  return [first.value, second.value];
};
