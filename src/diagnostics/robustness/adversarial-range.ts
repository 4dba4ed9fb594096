import { Fault } from '../../base/fault.ts';
import { imageAxes } from '../../base/image.ts';
import type { Job } from '../../base/job.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { SamplesTool } from '../../evidence/evidence.ts';
import { inputValues } from '../attribution/samples.ts';
import { number } from '../wording.ts';

/** Between which values attacks may move every number of an input row. */
export interface InputRange {
  /** As the model takes them, [row]. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** In words, in units of the data before mean and standard deviation. */
  readonly words: string;
  /** Found from the rows, and so to be confirmed. */
  readonly guessed: boolean;
}

/** Two numbers, the first below the second. */
const givenRange = (text: string): readonly [number, number] | undefined => {
  if (text.trim() === '') return undefined;
  const [low, high, ...more] = text.split(/[\s,;]+/).map(Number);
  if (more.length > 0 || !Number.isFinite(low) || !Number.isFinite(high) || !(low < high))
    throw new Fault('option/value', { name: 'range', value: text, expected: 'the least and the greatest input value, such as 0, 1' });
  return [low, high];
};

/** What pictures are scaled to by custom. */
const customs: readonly (readonly [number, number])[] = [
  [0, 1],
  [-1, 1],
  [0, 16],
  [0, 255],
];

/** Least and greatest value of every number of a row. */
interface Extremes {
  readonly least: Float64Array;
  readonly most: Float64Array;
}
const extremes = (size: number): Extremes => ({
  least: new Float64Array(size).fill(Infinity),
  most: new Float64Array(size).fill(-Infinity),
});
const widen = ({ least, most }: Extremes, values: ArrayLike<number>): void => {
  for (let i = 0; i < values.length; i++) {
    const k = i % least.length;
    least[k] = Math.min(least[k], values[i]);
    most[k] = Math.max(most[k], values[i]);
  }
};
const ends = ({ least, most }: Extremes): readonly [number, number] => [
  least.reduce((a, b) => Math.min(a, b), Infinity),
  most.reduce((a, b) => Math.max(a, b), -Infinity),
];

/**
 * The range of these rows: as given, by custom for pictures and for numbers from 0 to 1, else by column. Values before mean and
 * standard deviation are read where they can be had; what the model takes follows from them line by line.
 */
export const rangeOf = async (
  samples: SamplesTool,
  blocks: readonly (readonly number[])[],
  text: string,
  { signal }: Pick<Job, 'signal'>,
): Promise<InputRange> => {
  const given = givenRange(text);
  const size = sizeOf(samples.inputDims);
  const [plain, fed] = [extremes(size), extremes(size)];
  for (const positions of blocks) {
    const { x, rows } = await samples.take(positions, signal);
    const values = inputValues(x.data);
    widen(fed, values);
    const before = await samples.plain?.(rows, signal);
    widen(plain, before && before.values.length === values.length ? before.values : values);
  }
  const [least, most] = ends(plain);
  const fits = ([low, high]: readonly [number, number]): boolean => least >= low && most <= high;
  const picture = imageAxes(samples.inputDims) !== undefined;
  const custom = picture ? customs.find(fits) : least === 0 && most <= 1 && most > 0.9 ? customs[0] : undefined;
  const range = given ?? custom;
  if (given && !fits(given)) throw new Fault('diagnostic/input-range', { low: given[0], high: given[1], least, most });
  if (!range && picture) throw new Fault('diagnostic/unknown-range', { least, most });
  if (!range)
    return { low: fed.least, high: fed.most, words: 'the least to the greatest value of each column among the rows', guessed: true };
  // x = a·plain + b, one line for each number of a row; a number that never changes has the line of the whole.
  const [fedLeast, fedMost] = ends(fed);
  const slope = most > least ? (fedMost - fedLeast) / (most - least) : 1;
  const line = (k: number): readonly [number, number] => {
    const a = plain.most[k] > plain.least[k] ? (fed.most[k] - fed.least[k]) / (plain.most[k] - plain.least[k]) : slope;
    return [a, fed.least[k] - a * plain.least[k]];
  };
  const place = (v: number): Float64Array =>
    Float64Array.from({ length: size }, (_, k) => {
      const [a, b] = line(k);
      return a * v + b;
    });
  return { low: place(range[0]), high: place(range[1]), words: `${number(range[0])} to ${number(range[1])}`, guessed: given === undefined };
};
