import { rested } from '../engine/interleave.ts';
import { threads } from '../engine/subject.ts';
import { round } from '../measure.ts';
import { openTorchRun } from './peer.ts';
import { stepperOf } from './slices.ts';
import { subjects, trainerOf } from './subjects.ts';

const due = 0.985;
/** Test rows are measured after so many steps; no more than so many times. */
const every = 117;
const most = 24;

/**
 * Seconds of training until 98.5 % of MNIST's test rows are right: the same recipe, first parameters and rows in PyTorch eager, both
 * sides a stretch of steps in turn. Measuring test rows is not counted on either side.
 */
export const accuracyFigures = async (): Promise<Readonly<Record<string, unknown>>> => {
  const { target: _, ...subject } = subjects.cnn;
  const trainer = await trainerOf(subject);
  if (trainer.drawn) {
    await trainer.close();
    return { left: 'MNIST is not here: ASSAY_BENCH_DATA names the folder with mnist/' };
  }
  const peer = await openTorchRun(trainer, threads);
  const side = () => ({ seconds: 0, cpuSeconds: 0, steps: 0, accuracy: 0 });
  const [ours, theirs] = [side(), side()];
  try {
    const stepper = stepperOf(trainer);
    for (let k = 0; k < most && (ours.accuracy < due || (peer && theirs.accuracy < due)); k++) {
      process.stderr.write(`    ${every * k} steps: ${round(ours.accuracy, 4)}${peer ? `, PyTorch ${round(theirs.accuracy, 4)}` : ''}\n`);
      await rested();
      // Ours goes on for the rows of the peer's steps, but its clock stops where it has got there.
      const slice = await stepper.more(every);
      if (ours.accuracy < due) {
        ours.seconds += slice.seconds;
        ours.cpuSeconds += slice.cpuSeconds;
        ours.steps += slice.rows.length;
        ours.accuracy = await stepper.accuracy();
      }
      if (!peer || theirs.accuracy >= due) continue;
      await rested();
      const made = await peer.train(slice.rows);
      theirs.seconds += made.seconds;
      theirs.cpuSeconds += made.cpuSeconds;
      theirs.steps += slice.rows.length;
      theirs.accuracy = await peer.accuracy();
    }
    const told = ({ seconds, steps, accuracy }: typeof ours) => ({
      seconds: round(seconds),
      steps,
      accuracy: round(accuracy, 4),
      reached: accuracy >= due,
    });
    const compared = peer && {
      peer: told(theirs),
      ratio: round(theirs.seconds / ours.seconds),
      ...(threads === 1 ? { cpuRatio: round(theirs.cpuSeconds / ours.cpuSeconds) } : {}),
    };
    return { due, batch: subject.batch, ...told(ours), ...compared };
  } finally {
    peer?.close();
    await trainer.close();
  }
};
