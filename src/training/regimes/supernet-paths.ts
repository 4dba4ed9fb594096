import type { Random } from '../../base/random.ts';

/** Of each step in [from, to) and each kind of operation: its score, Σ of norms over the edges that use it by their number; NaN where none does. */
export const pathScores = (
  monitors: Readonly<Record<string, readonly number[]>>,
  kinds: number,
  from: number,
  to: number,
): readonly (readonly number[])[] =>
  Array.from({ length: to - from }, (_, step) =>
    Array.from({ length: kinds }, (__, k) => {
      const edges = monitors[`path/edges${k}`][from + step];
      return edges > 0 ? monitors[`path/sum${k}`][from + step] / edges : Number.NaN;
    }),
  );

/** G ← (G + s)/2 from 0, over the steps that use each operation. */
export const runningScores = (steps: readonly (readonly number[])[], kinds: number): Float64Array => {
  const running = new Float64Array(kinds);
  for (const scores of steps) for (const [k, s] of scores.entries()) if (Number.isFinite(s)) running[k] = (running[k] + s) / 2;
  return running;
};

/** Every choice of one operation in each block. */
export const allPaths = (blocks: readonly (readonly unknown[])[]): readonly (readonly number[])[] =>
  blocks.reduce<readonly (readonly number[])[]>((paths, block) => paths.flatMap((path) => block.map((_, i) => [...path, i])), [[]]);

/** So many of them, each once. */
export const somePaths = (blocks: readonly (readonly unknown[])[], count: number, chance: Random): readonly (readonly number[])[] => {
  const found = new Map<string, readonly number[]>();
  while (found.size < count) {
    const path = blocks.map((block) => chance.below(block.length));
    found.set(path.join(), path);
  }
  return [...found.values()];
};
