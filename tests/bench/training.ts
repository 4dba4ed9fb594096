import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { liveOf } from '../../src/app/train-live.ts';
import { moves } from '../../src/app/train-moves.ts';
import { bundle } from '../../src/build/bundle.ts';
import { root } from '../../src/build/root.ts';
import { supervisor } from '../../src/jobs/supervisor.ts';
import type { Live } from '../../src/report/tasks.ts';
import { threads } from './engine/subject.ts';
import { round } from './measure.ts';
import { accuracyFigures } from './training/accuracy.ts';
import { memoryFigures, stopFigures } from './training/behaviour.ts';
import { loopFigures } from './training/loop.ts';
import { speedOf } from './training/speed.ts';
import { subjects } from './training/subjects.ts';

/**
 * What telling a run costs, by the second of training: steps as fast as the smallest models make them, put into points, sent to
 * the extension (as the structured clone of the channel), and moves of a million parameters within their budget.
 */
const panelShare = (stepsPerSecond: number, seconds: number): number => {
  const sent: Live[] = [];
  const live = liveOf({ live: (event) => sent.push(event) });
  const move = moves();
  const theta = (from: number) => ({ dtype: 'float32', dims: [2 ** 20], data: new Float32Array(2 ** 20).fill(from) }) as const;
  const [before, after] = [theta(1), theta(1.01)];
  const callSize = Math.round(stepsPerSecond / 4);
  const values = Array.from({ length: callSize }, (_, i) => 1 / (i + 1));
  const totalSteps = stepsPerSecond * seconds;
  const place = { epoch: 1, epochs: 1, totalSteps, stepsPerSecond };
  const from = performance.now();
  for (let call = 1; call <= 4 * seconds; call++) {
    move.tell(before, after, callSize, call / 4);
    const columns = { loss: values, accuracy: values, learningRate: values, gradientNorm: values, monitors: {} };
    live.add((call - 1) * callSize, columns, { ...place, seconds: call / 4, epochsMade: call / (4 * seconds), ...move.last() });
    // In a run every call ends a message.
    live.send(place);
  }
  for (const event of sent) serialize(event);
  return (performance.now() - from) / 1000 / seconds;
};

/** The sample recipe, whole: what the main job trains. */
const sampleFigures = async (): Promise<Readonly<Record<string, number>>> => {
  await bundle({ production: true, only: ['process'] });
  const home = mkdtempSync(join(tmpdir(), 'assay-bench-'));
  cpSync(join(root, 'media/sample'), home, { recursive: true });
  const jobs = supervisor({ entry: join(root, 'dist/process.js') });
  try {
    const from = performance.now();
    const { report } = await jobs.submit('train', {
      recipe: join(home, 'digits.train.json'),
      out: join(home, 'digits.onnx'),
      device: 'cpu',
      resume: false,
      force: false,
    });
    return { ...report.headline, wholeSeconds: round((performance.now() - from) / 1000) };
  } finally {
    await jobs.dispose();
    rmSync(home, { recursive: true, force: true });
  }
};

const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  ...Object.fromEntries(Object.keys(subjects).map((name) => [name, () => speedOf(name)])),
  accuracy: accuracyFigures,
  stop: stopFigures,
  memory: memoryFigures,
  loop: loopFigures,
  panel: async () => ({ shareOfTime: round(panelShare(20_000, 60)) }),
  sample: sampleFigures,
};

/**
 * The trainer beside PyTorch eager, where `/usr/bin/python3` has it: `ratio` is its time of a step divided by ours. `words` are names of
 * parts or how they begin; none means all. ASSAY_BENCH_DATA names the folder of the data that are too large for the repository,
 * ASSAY_BENCH_PROFILE=1 adds the operators that the time goes to.
 */
export const trainingFigures = async (words: readonly string[]): Promise<Readonly<Record<string, unknown>>> => {
  const unknown = words.find((w) => !Object.keys(parts).some((name) => name.startsWith(w)));
  if (unknown !== undefined) throw new Error(`Unknown figure '${unknown}' of training. Figures: ${Object.keys(parts).join(', ')}.`);
  const out: Record<string, unknown> = { threads };
  for (const [name, measure] of Object.entries(parts)) {
    if (words.length > 0 && !words.some((w) => name.startsWith(w))) continue;
    process.stderr.write(`  ${name}\n`);
    out[name] = await measure();
  }
  return out;
};
