import type { Node } from './types.ts';

const WORDS = /^Dropout in training: each number is 0 with probability ([\d.e-]+),/;

/** In the doc of an Identity: training draws what of it becomes 0, and divides the rest by the share that stays. */
export const dropoutDoc = (share: number): string =>
  `Dropout in training: each number is 0 with probability ${share}, else divided by ${1 - share}.`;

/** That probability; undefined for every other node. */
export const dropoutOf = ({ op, doc }: Node): number | undefined => {
  const [, share] = (op === 'Identity' && doc !== undefined && WORDS.exec(doc)) || [];
  return share === undefined ? undefined : Number(share);
};
