import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import { argmax } from '../../base/maths/argmax.ts';
import { largest } from '../../base/perturbation.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { OpenAttacks, UnitRows } from '../../evidence/attack.ts';
import type { Matrix, Subject, Tools } from '../../evidence/evidence.ts';
import { inputValues } from '../attribution/samples.ts';
import { classNamed } from '../class-option.ts';
import { type InputRange, rangeOf } from './adversarial-range.ts';

export interface AttackAsk {
  readonly samples: number;
  readonly epsilons: string;
  readonly pgdSteps: number;
  readonly nearestSamples: number;
  readonly confidence: number;
  readonly rounds: number;
  readonly steps: number;
  readonly rate: number;
  readonly constant: number;
  readonly targeted: 'none' | 'least-likely' | 'class';
  readonly class: string;
  readonly range: string;
  readonly surrogate: string;
  readonly pictures: number;
  readonly confidenceLevel: number;
}

/** Attacks by the sign of a slope: of the loss, of the margin of the logits, of the loss of cooled logits, several steps of the first, and of the loss of another model. */
export const signAttacks = ['fgsm', 'margin', 'cooled', 'pgd', 'transfer'] as const;
export type SignAttack = (typeof signAttacks)[number];

/** One row per row attacked, one column per radius. */
export interface Struck {
  /** 1 where the class is still the right one, and where it is among the first five. */
  readonly right: readonly Uint8Array[];
  readonly among: readonly Uint8Array[];
  /** 1 where the target was reached. */
  readonly reached: readonly Uint8Array[];
}
export interface NearestRow {
  readonly row: number;
  readonly label: number;
  readonly becomes: number;
  readonly before: number;
  readonly after: number;
  /** In L2 and L∞, as shares of the range; Infinity where none was found. */
  readonly distance: number;
  readonly furthest: number;
  /** L2 of the nearest adversarial point that an attack by signs found; Infinity where none did. */
  readonly bySigns: number;
}
export interface Example {
  readonly row: number;
  readonly label: number;
  readonly becomes: number;
  readonly before: number;
  readonly after: number;
  readonly u: Float32Array;
  readonly moved: Float32Array;
}
export interface Attacked {
  readonly range: InputRange;
  readonly classes: number;
  readonly rows: readonly number[];
  readonly labels: Int32Array;
  readonly clean: Uint8Array;
  readonly cleanAmong: Uint8Array;
  readonly epsilons: readonly number[];
  readonly struck: Readonly<Partial<Record<SignAttack, Struck>>>;
  /** Rows right at half the range, by the stronger of FGSM and PGD. */
  readonly rightAtHalf: number;
  /** T′ of the cooled logits, and the mean gap between a row's two largest. */
  readonly temperature: number;
  readonly gap: number;
  /** Rows whose largest |slope of the loss| is below 1e-30. */
  readonly silent: number;
  /** Rows of the search, and those of them left out as their class is wrong already, or is the target. */
  readonly nearest: readonly NearestRow[];
  readonly left: number;
  readonly examples: readonly Example[];
  /** Rows with a probability of exactly 0, where the model gives no logits. */
  readonly zeros: number;
}

/** Numbers held at once of a block of rows. */
const HELD = 2 ** 22;
const SILENT = 1e-30;
/** The mean gap that logits are cooled to where it is larger than ten. */
const GAP = 3;
const WIDE = 10;
const FIVE = 5;
const HALF = 0.5;

const byCustom = [1, 2, 4, 8, 16, 32].map((n) => n / 255);
/** Shares of the range, rising. */
export const radii = (text: string): readonly number[] => {
  if (text.trim() === '') return byCustom;
  const found = text
    .split(/[\s,;]+/)
    .filter((t) => t !== '')
    .map((t) => {
      const [n, of = '1'] = t.split('/');
      return n === '' ? Number.NaN : Number(n) / Number(of);
    });
  if (found.length === 0 || found.length > 20 || found.some((e) => !(e >= 0 && e <= 1)))
    throw new Fault('option/value', {
      name: 'epsilons',
      value: text,
      expected: 'up to 20 shares of the range from 0 to 1, such as 0.05, 0.1 or 8/255',
    });
  return [...new Set(found)].toSorted((a, b) => a - b);
};

/** u moved by at most ε in every number, toward where the slope points, within [0, 1]. */
export const stepped = (u: Float32Array, from: Float32Array, slope: Float32Array, step: number, epsilon: number): Float32Array =>
  u.map((v, k) => Math.min(1, Math.max(0, Math.min(from[k] + epsilon, Math.max(from[k] - epsilon, v + step * Math.sign(slope[k]))))));

const shares = ({ data, cols }: Matrix, i: number): Float64Array => data.slice(i * cols, (i + 1) * cols);
const distance = (a: Float32Array, b: Float32Array, i: number, size: number): readonly [number, number] => {
  let [sum, most] = [0, 0];
  for (let k = i * size; k < (i + 1) * size; k++) {
    const d = Math.abs(a[k] - b[k]);
    sum += d * d;
    most = Math.max(most, d);
  }
  return [Math.sqrt(sum), most];
};

/** Every attack on rows drawn by the seed, a block of them at a time. */
export const attackRun = async (
  { samples, attacks }: Pick<Tools, 'samples' | 'attacks'>,
  ask: AttackAsk,
  job: Job,
  subject: Subject,
): Promise<Attacked> => {
  if (subject.scores !== 'logits' && subject.scores !== 'probabilities') throw new Fault('diagnostic/attack-scores', {});
  const epsilons = radii(ask.epsilons);
  const size = sizeOf(samples.inputDims);
  const order = job
    .random('rows')
    .shuffle(Array.from({ length: samples.count }, (_, i) => i))
    .slice(0, ask.samples);
  const perBlock = Math.max(1, Math.min(256, Math.floor(HELD / size)));
  const blocks = Array.from({ length: Math.ceil(order.length / perBlock) }, (_, b) =>
    order.slice(b * perBlock, (b + 1) * perBlock).toSorted((p, q) => p - q),
  );
  const range = await rangeOf(samples, blocks, ask.range, job);
  const attack = await attacks.open({ low: range.low, high: range.high, probabilities: subject.scores === 'probabilities' });
  const surrogate = ask.surrogate === '' ? undefined : await attacks.other(ask.surrogate, range);
  if (surrogate && surrogate.classes !== attack.classes)
    throw new Fault('diagnostic/surrogate', { path: ask.surrogate, found: surrogate.classes, classes: attack.classes });
  const target = ask.targeted === 'class' ? classNamed(ask.class, subject.classes, attack.classes) : -1;
  if (ask.targeted === 'class' && target < 0) throw new Fault('diagnostic/attack-target', {});

  const n = order.length;
  const place = (x: Float32Array): Float32Array =>
    x.map((v, i) => {
      const k = i % size;
      const span = range.high[k] - range.low[k];
      return span === 0 ? 0 : Math.min(1, Math.max(0, (v - range.low[k]) / span));
    });
  const taken = async (
    positions: readonly number[],
  ): Promise<{ readonly u: Float32Array; readonly labels: Int32Array; readonly rows: readonly number[] }> => {
    const { x, rows, labels } = await samples.take(positions, job.signal);
    if (!labels) throw new Fault('diagnostic/attack-labels', {});
    const wrong = labels.findIndex((y) => y < 0 || y >= attack.classes);
    if (wrong >= 0) throw new Fault('diagnostic/attack-label', { row: rows[wrong], label: labels[wrong], classes: attack.classes });
    return { u: place(inputValues(x.data)), labels, rows };
  };

  const rows: number[] = [];
  const labels = new Int32Array(n);
  const goals = new Int32Array(n);
  const [clean, cleanAmong] = [new Uint8Array(n), new Uint8Array(n)];
  const before = new Float64Array(n);
  let [gaps, zeros] = [0, 0];
  for (const [b, positions] of blocks.entries()) {
    const block = await taken(positions);
    const scores = await attack.scores(block.u, job.signal);
    rows.push(...block.rows);
    labels.set(block.labels, b * perBlock);
    block.labels.forEach((y, i) => {
      const at = b * perBlock + i;
      const z = shares(scores, i);
      const [first, second] = largest(z, 0, attack.classes, Math.min(FIVE, attack.classes));
      gaps += z[first] - z[second];
      clean[at] = Number(first === y);
      cleanAmong[at] = Number(largest(z, 0, attack.classes, Math.min(FIVE, attack.classes)).includes(y));
      before[at] = Math.exp(z[y]);
      goals[at] =
        ask.targeted === 'none'
          ? y
          : ask.targeted === 'class'
            ? target
            : argmax(
                z.map((v) => -v),
                0,
                z.length,
              );
      if (attack.bare && z.some((v) => v <= Math.log(1.1e-12))) zeros++;
    });
  }
  const gap = gaps / n;
  const temperature = gap > WIDE ? gap / GAP : 1;

  const sign = ask.targeted === 'none' ? 1 : -1;
  const kinds = signAttacks.filter((k) =>
    k === 'pgd' ? ask.pgdSteps > 0 : k === 'cooled' ? temperature > 1 : k === 'transfer' ? surrogate !== undefined : true,
  );
  const table = (): Uint8Array[] => Array.from({ length: n }, () => new Uint8Array(epsilons.length));
  const struck: Partial<Record<SignAttack, { right: Uint8Array[]; among: Uint8Array[]; reached: Uint8Array[] }>> = {};
  for (const k of kinds) struck[k] = { right: table(), among: table(), reached: table() };
  const bySigns = new Float64Array(n).fill(Infinity);
  const half = { fgsm: 0, pgd: ask.pgdSteps > 0 ? 0 : n };
  let silent = 0;

  const searchRows = new Set(order.slice(0, ask.nearestSamples));
  const nearest: NearestRow[] = [];
  const examples: Example[] = [];
  let left = 0;
  const total = n * (epsilons.length * kinds.length + 4) + Math.min(n, ask.nearestSamples) * ask.rounds * 10;
  let done = 0;
  const advance = (count: number, text: string): void => {
    done += count;
    job.progress(Math.min(1, done / total), text);
  };

  for (const [b, positions] of blocks.entries()) {
    await breathe(job);
    const { u, labels: own } = await taken(positions);
    const first = b * perBlock;
    const goal = goals.slice(first, first + own.length);
    const unit: UnitRows = { u, labels: goal };
    const slopeOf = (at: Float32Array, kind: SignAttack): Promise<Float32Array> =>
      (kind === 'transfer' && surrogate ? surrogate : attack).slopes(
        { u: at, labels: goal },
        kind === 'margin' ? { kind } : { kind: 'loss', temperature: kind === 'cooled' ? temperature : 1 },
        job.signal,
      );
    const climbed = (slope: Float32Array): Float32Array => (sign === 1 ? slope : slope.map((g) => -g));
    const strike = async (kind: SignAttack, epsilon: number, slope: Float32Array): Promise<Float32Array> => {
      if (kind !== 'pgd') return stepped(u, u, slope, epsilon, epsilon);
      let at = u;
      for (let k = 0; k < ask.pgdSteps; k++)
        at = stepped(at, u, k === 0 ? slope : climbed(await slopeOf(at, kind)), (2.5 * epsilon) / ask.pgdSteps, epsilon);
      return at;
    };
    const rightOf = (scores: Matrix, i: number): boolean => argmax(scores.data, i * scores.cols, scores.cols) === own[i];
    for (const kind of kinds) {
      const slope = climbed(await slopeOf(u, kind));
      if (kind === 'fgsm')
        own.forEach((_, i) => {
          let most = 0;
          for (let k = i * size; k < (i + 1) * size; k++) most = Math.max(most, Math.abs(slope[k]));
          if (most < SILENT) silent++;
        });
      const found = struck[kind];
      for (const [e, epsilon] of epsilons.entries()) {
        const moved = await strike(kind, epsilon, slope);
        const scores = await attack.scores(moved, job.signal);
        own.forEach((y, i) => {
          const at = first + i;
          const best = largest(scores.data, i * scores.cols, scores.cols, Math.min(FIVE, scores.cols));
          if (found) {
            found.right[at][e] = Number(best[0] === y);
            found.among[at][e] = Number(best.includes(y));
            found.reached[at][e] = Number(best[0] === goal[i]);
          }
          if (ask.targeted === 'none' ? best[0] !== y : best[0] === goal[i])
            bySigns[at] = Math.min(bySigns[at], distance(moved, u, i, size)[0]);
        });
        advance(own.length, `${kind}, radius ${epsilon.toPrecision(3)}`);
      }
      if (ask.targeted === 'none' && (kind === 'fgsm' || kind === 'pgd')) {
        const scores = await attack.scores(await strike(kind, HALF, slope), job.signal);
        own.forEach((_, i) => {
          half[kind] += Number(rightOf(scores, i));
        });
      }
    }
    const places = positions.flatMap((p, i) => (searchRows.has(p) ? [i] : []));
    const able = places.filter((i) => clean[first + i] === 1 && (ask.targeted === 'none' || goal[i] !== own[i]));
    left += places.length - able.length;
    if (able.length > 0) {
      const chosen: UnitRows = {
        u: Float32Array.from(able.flatMap((i) => Array.from(unit.u.subarray(i * size, (i + 1) * size)))),
        labels: Int32Array.from(able, (i) => goal[i]),
      };
      nearest.push(
        ...(await search(attack, chosen, able, { first, rows, labels, before, bySigns, size, examples }, ask, job, (share) => {
          job.progress(Math.min(1, (done + share * able.length * ask.rounds * 10) / total), 'the nearest adversarial rows');
        })),
      );
      done += able.length * ask.rounds * 10;
    }
  }
  return {
    range,
    classes: attack.classes,
    rows,
    labels,
    clean,
    cleanAmong,
    epsilons,
    struck,
    rightAtHalf: ask.targeted === 'none' ? Math.min(half.fgsm, half.pgd) : Number.NaN,
    temperature,
    gap,
    silent,
    nearest,
    left,
    examples,
    zeros,
  };
};

interface Known {
  readonly first: number;
  readonly rows: readonly number[];
  readonly labels: Int32Array;
  readonly before: Float64Array;
  readonly bySigns: Float64Array;
  readonly size: number;
  /** Filled up to the number asked for. */
  readonly examples: Example[];
}

/** Carlini and Wagner's search on rows of a block, at these places of it. What it finds is looked at once more. */
const search = async (
  attack: OpenAttacks,
  chosen: UnitRows,
  able: readonly number[],
  { first, rows, labels, before, bySigns, size, examples }: Known,
  ask: AttackAsk,
  job: Job,
  told: (share: number) => void,
): Promise<NearestRow[]> => {
  const targeted = ask.targeted !== 'none';
  const found = await attack.carliniWagner(chosen, { ...ask, targeted }, job.signal, told);
  const scores = await attack.scores(found.u, job.signal);
  return able.map((i, k) => {
    const at = first + i;
    const becomes = argmax(scores.data, k * scores.cols, scores.cols);
    const adversarial = found.distances[k] < Infinity && (targeted ? becomes === chosen.labels[k] : becomes !== labels[at]);
    const [d, furthest] = distance(found.u, chosen.u, k, size);
    const facts = {
      row: rows[at],
      label: labels[at],
      becomes,
      before: before[at],
      after: Math.exp(scores.data[k * scores.cols + becomes]),
    };
    if (adversarial && examples.length < ask.pictures)
      examples.push({ ...facts, u: chosen.u.slice(k * size, (k + 1) * size), moved: found.u.slice(k * size, (k + 1) * size) });
    return { ...facts, distance: adversarial ? d : Infinity, furthest: adversarial ? furthest : Infinity, bySigns: bySigns[at] };
  });
};
