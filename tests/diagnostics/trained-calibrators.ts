import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { softmaxInPlace } from '../../src/base/maths/softmax-regression.ts';
import type { Aid, TrainOptions } from '../../src/diagnostics/calibration/recalibration-define.ts';
import { trainer } from '../../src/evidence/providers/trainer.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';

const read = (name: string) => JSON.parse(readFileSync(new URL(`../golden/diagnostics/${name}.json`, import.meta.url), 'utf8'));
export const golden = read('trained-calibrators');
const file: { readonly logits: number[]; readonly labels: number[] } = read('digits');
export const digits = { classes: 10, scores: Float64Array.from(file.logits, Math.fround), labels: Int32Array.from(file.labels) };

export const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void => {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++)
    assert.ok(Math.abs(actual[i] - expected[i]) <= tolerance, `[${i}] ${actual[i]} is not ${expected[i]} ± ${tolerance}`);
};
export const softmaxRows = (scores: ArrayLike<number>, classes: number): Float64Array => {
  const out = Float64Array.from(scores);
  for (let at = 0; at < out.length; at += classes) softmaxInPlace(out.subarray(at, at + classes));
  return out;
};
export const logRows = (scores: ArrayLike<number>, classes: number): Float64Array => {
  const out = Float64Array.from(scores);
  for (let at = 0; at < out.length; at += classes) {
    const whole = softmaxInPlace(out.slice(at, at + classes));
    for (let j = at; j < at + classes; j++) out[j] -= whole;
  }
  return out;
};
/** Ten digits are printed in the cards. */
export const PRINTED = 1.01e-10;

export const options: TrainOptions = {
  mapping: 'temperature-ensemble',
  temperatures: 16,
  segments: 100,
  window: 200,
  epsilon: 1e-20,
  clusters: 15,
  epochs: 120,
  select: 'classwise',
  weighting: 'none',
  hidden: 5,
  steps: 100,
  rate: 0,
  batch: 0,
};
const job = quietJob();
export const notes: string[] = [];
export const traces = new Map<string, readonly number[]>();
export const aid: Aid = {
  random: job.random,
  pause: async () => {},
  note: (text) => void notes.push(text),
  trace: (name, of) => void traces.set(name, of),
  trainer: trainer(onnxruntime(), job),
};

export const refused = (work: Promise<unknown>, code: string, words: RegExp): Promise<void> =>
  assert.rejects(work, (error: unknown) => error instanceof Fault && error.code === code && words.test(error.message));
