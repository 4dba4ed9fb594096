import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { toldApart } from '../../base/told-apart.ts';
import type { Evidence, Matrix, Noun } from '../evidence.ts';
import type { PairTool, ValueDifferences } from '../pair.ts';
import { classesOf, type Passage, type Passed } from '../plan.ts';
import { inStep } from './in-step.ts';

/** Class k of the first is class order[k] of the other; undefined where they stand in the same order. */
const orderOf = (names: readonly string[], first: readonly string[], other: readonly string[]): readonly number[] | undefined => {
  if (first.length !== other.length)
    throw new Fault('data/pair-classes', { names, classes: [first, other].map((c) => `${c.slice(0, 12).join(', ')} (${c.length})`) });
  if (first.every((name, k) => name === other[k])) return undefined;
  const order = first.map((name) => other.indexOf(name));
  if (!order.includes(-1)) return order;
  // Names that are only the class numbers say nothing against the other's.
  const numbered = (of: readonly string[]): boolean => of.every((name, k) => name === String(k));
  if (numbered(first) || numbered(other)) return undefined;
  throw new Fault('data/pair-classes', { names, classes: [first, other].map((c) => c.slice(0, 12).join(', ')) });
};

const reordered = ({ rows, cols, data }: Matrix, order: readonly number[] | undefined): Matrix => {
  if (!order) return { rows, cols, data };
  const out = new Float64Array(data.length);
  for (let r = 0; r < rows; r++) for (let k = 0; k < cols; k++) out[r * cols + k] = data[r * cols + order[k]];
  return { rows, cols, data: out };
};

export interface PairSide {
  readonly passage: Passage;
  /** What tells it from the other: the path of its model, or of its table. */
  readonly path: string;
}

export interface OpenPair {
  readonly tool: PairTool;
  /** What the passes have told, once they were made. */
  passed(): readonly [Passed, Passed] | undefined;
}

/** Column that names rows, where a table has it. */
export const rowName = 'id';

/** Both sides on the same rows: as many, with the same labels or targets and, where both name their rows, the same names. */
export const openPair = (
  id: string,
  first: PairSide,
  other: PairSide,
  numbers: boolean,
  values: (rows: number) => Promise<ValueDifferences | undefined>,
  job: Job,
): OpenPair => {
  const names = toldApart(first.path, other.path);
  const [a, b] = [first.passage.bound, other.passage.bound];
  let passed: readonly [Passed, Passed] | undefined;
  const differ = (position: number, column: string, found: readonly string[]): never => {
    throw new Fault('data/pair-order', { names, position, column, values: found });
  };
  /** Reads `truth` and what is said of both in step; `visit` has all that it asked for, and compares the truths of the two. */
  const walk = async (
    truth: 'labels' | 'targets',
    said: readonly Noun[],
    visit: (one: Partial<Evidence>, two: Partial<Evidence>, seen: number) => void,
  ): Promise<void> => {
    if (!a.labelled) throw new Fault('evidence/no-labels', { id, path: a.path, known: a.known });
    if (a.count !== b.count) throw new Fault('data/pair-rows', { names, rows: [a.count, b.count] });
    const ids: readonly Noun[] = a.groups.includes(rowName) && b.groups.includes(rowName) ? ['groups'] : [];
    let seen = 0;
    passed = await inStep(
      [
        { passage: first.passage, needs: ['rows', truth, ...said, ...ids] },
        { passage: other.passage, needs: ['rows', ...said, ...(b.labelled ? [truth] : []), ...ids] },
      ],
      (one, two) => {
        const [mine, theirs] = [one.groups?.[rowName], two.groups?.[rowName]];
        mine?.forEach((name, i) => {
          if (theirs && name !== theirs[i]) differ(seen + i, rowName, [name, theirs[i]]);
        });
        visit(one, two, seen);
        seen += one.rows?.length ?? 0;
      },
      job,
    );
  };
  const tool: PairTool = {
    names,
    numbers,
    values,
    async each(visit) {
      let order: readonly number[] | undefined;
      let classes: readonly string[] | undefined;
      const settle = (one: Evidence['probs'], two: Evidence['probs']): readonly string[] => {
        const [mine, theirs] = [classesOf(a, one.cols), classesOf(b, two.cols)];
        order = orderOf(names, mine, theirs);
        return mine.every((name, k) => name === String(k)) && !order ? theirs : mine;
      };
      await walk('labels', ['probs', 'logProbs'], (one, two, seen) => {
        const { rows, labels, probs, logProbs } = one;
        if (!rows || !labels || !probs || !logProbs || !two.probs || !two.logProbs) return;
        classes ??= settle(probs, two.probs);
        const known = classes;
        const say = (label: number): string => known[label] ?? String(label);
        for (let i = 0; i < labels.length; i++) {
          const label = two.labels && order ? order.indexOf(two.labels[i]) : two.labels?.[i];
          if (label !== undefined && label !== labels[i]) differ(seen + i, 'the label', [say(labels[i]), say(label)]);
        }
        visit({ rows, labels, probs, logProbs, other: { probs: reordered(two.probs, order), logProbs: reordered(two.logProbs, order) } });
      });
      return classes ?? [];
    },
    eachNumber: (visit) =>
      walk('targets', ['predictions'], ({ rows, targets, predictions }, two, seen) => {
        if (!rows || !targets || !predictions || !two.predictions) return;
        two.targets?.forEach((target, i) => {
          if (!Object.is(target, targets[i]) && target !== targets[i])
            differ(
              seen + i,
              'the target',
              [targets[i], target].map((v) => (Number.isNaN(v) ? 'missing' : String(v))),
            );
        });
        visit({ rows, targets, predictions, other: { predictions: two.predictions } });
      }),
  };
  return { tool, passed: () => passed };
};
