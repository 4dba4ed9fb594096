import type { Steer } from '../../../src/report/tasks.ts';
import { resident } from '../engine/memory.ts';
import { round } from '../measure.ts';
import { stepperOf } from './slices.ts';
import { subjects, trainerOf } from './subjects.ts';

/** Stop and keep, asked for at chance moments: steps made and not kept, and seconds until the run has ended, beside those of a call. */
export const stopFigures = async (): Promise<Readonly<Record<string, number>>> => {
  const trainer = await trainerOf(subjects.cnn);
  try {
    const stepper = stepperOf(trainer);
    await stepper.more(20);
    let [lost, waited, call] = [0, 0, 0];
    for (const ms of [300, 700, 1100]) {
      // A call holds the thread: the word is heard when it ends.
      const from = performance.now();
      const steer = (): Steer => (performance.now() - from < ms ? 'run' : 'stop');
      const before = stepper.snapshot().progress.step;
      const { calls } = await stepper.more(100_000, { steer });
      waited = Math.max(waited, (performance.now() - from - ms) / 1000);
      call = Math.max(call, ...calls.map((c) => c.seconds));
      lost += calls.reduce((n, c) => n + c.steps, before) - stepper.snapshot().progress.step;
    }
    return { stepsLost: lost, secondsUntilEnded: round(waited), longestCallSeconds: round(call) };
  } finally {
    await trainer.close();
  }
};

/** Resident megabytes after each of some epochs of the sample's network: the middle of the first and last thirds after a warm-up. */
export const memoryFigures = async (epochs = 60): Promise<Readonly<Record<string, unknown>>> => {
  if (process.platform !== 'linux') return {};
  const arch = { kind: 'cnn', input: [1, 8, 8], channels: '16,32', hidden: '64' };
  const trainer = await trainerOf({ ...subjects.mlp, arch, batch: 32 });
  try {
    const stepper = stepperOf(trainer);
    const perEpoch = Math.floor(trainer.setup.train.positions.length / 32);
    const mb: number[] = [];
    for (let i = 0; i < epochs + 20; i++) {
      await stepper.more(perEpoch);
      if (i >= 20) mb.push(resident().now);
    }
    const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];
    const third = Math.floor(epochs / 3);
    const [first, last] = [middle(mb.slice(0, third)), middle(mb.slice(-third))];
    return {
      epochs,
      firstMb: round(first),
      lastMb: round(last),
      growth: round(last / first - 1),
      mb: mb.filter((_, i) => i % 6 === 0).map((v) => round(v)),
    };
  } finally {
    await trainer.close();
  }
};
