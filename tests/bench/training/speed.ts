import { middle, rested } from '../engine/interleave.ts';
import { sharesOf } from '../engine/profile.ts';
import { threads } from '../engine/subject.ts';
import { round } from '../measure.ts';
import { openTorchRun } from './peer.ts';
import { callOf, type Slice, stepperOf } from './slices.ts';
import { subjects, trainerOf } from './subjects.ts';

const rounds = 10;
/** Seconds of a slice of ours, and of the peer's. */
const share = 0.3;
/** Losses of ours and the peer's are compared over the first steps: later ones part by rounding alone. */
const compared = 10;

const least = (values: readonly number[]): number => Math.min(...values);

/** Largest relative gap between the losses of the first steps: that both do the same. */
const gap = (ours: readonly number[], theirs: readonly number[]): number =>
  Math.max(...theirs.slice(0, compared).map((loss, i) => Math.abs(loss - ours[i]) / Math.max(1e-3, Math.abs(loss))));

/** The call that the middle step is in, of those neither the first of a slice, whose length is not known yet, nor cut short by its end. */
const callFigures = (slices: readonly Slice[]): Readonly<Record<string, number>> => {
  const whole = slices.flatMap(({ calls }) => calls.slice(1, -1)).toSorted((a, b) => a.steps - b.steps);
  const steps = whole.reduce((n, c) => n + c.steps, 0);
  let before = 0;
  const call = whole.find((c) => {
    before += c.steps;
    return 2 * before >= steps;
  });
  return call ? { callSeconds: round(call.seconds), stepsPerCall: call.steps } : {};
};

/**
 * Steps per second of a run as `assay train` makes it, all that the host does included, beside PyTorch eager's, in turns: least
 * times and their ratio, the median of the ratios, and what the host takes of the time. The peer trains with the tightest loop there is,
 * and, beside it, with the loop that its tutorials teach. With ASSAY_BENCH_THREADS=1 also the ratio of
 * processor time, which a busy machine distorts least.
 */
export const speedOf = async (name: string): Promise<Readonly<Record<string, unknown>>> => {
  const { target, ...subject } = subjects[name];
  const trainer = await trainerOf(subject);
  const peer = await openTorchRun(trainer, threads);
  try {
    const stepper = stepperOf(trainer);
    const first = await stepper.more(compared);
    const theirs = await peer?.train(first.rows);
    let steps = Math.max(
      20,
      (await stepper.more(50)).calls.reduce((n, c) => n + c.steps, 0),
    );
    // Short stretches of small steps are mostly beginning: twice to their true length.
    for (let i = 0; i < 2; i++) {
      const warm = await stepper.more(steps);
      steps = Math.max(20, Math.round((share * steps) / warm.seconds));
    }
    let peerSteps = compared;
    let peerSeconds = theirs?.seconds ?? 0;
    const slices: Slice[] = [];
    const times: { ours: number; theirs: number; loader: number }[] = [];
    const busy: { ours: number; theirs: number }[] = [];
    for (let i = 0; i < rounds; i++) {
      await rested();
      const slice = await stepper.more(steps);
      slices.push(slice);
      await rested();
      const count = Math.max(10, Math.min(slice.rows.length, Math.round((share * peerSteps) / Math.max(peerSeconds, 1e-3))));
      const made = await peer?.train(slice.rows.slice(0, count));
      [peerSteps, peerSeconds] = [count, made?.seconds ?? 0];
      await rested();
      const drawn = Math.max(10, Math.round(count / 2));
      const loaded = (await peer?.loader(drawn, subject.batch))?.seconds ?? Number.NaN;
      times.push({ ours: slice.seconds / slice.rows.length, theirs: (made?.seconds ?? Number.NaN) / count, loader: loaded / drawn });
      busy.push({ ours: slice.cpuSeconds / slice.rows.length, theirs: (made?.cpuSeconds ?? Number.NaN) / count });
    }
    const within = slices.map(({ calls, seconds }) => 1 - calls.reduce((n, c) => n + c.seconds, 0) / seconds);
    const ours = least(times.map((t) => t.ours));
    return {
      data: trainer.drawn ? 'drawn' : 'real',
      batch: subject.batch,
      parameters: trainer.setup.run.compiled.layout.size,
      stepsPerSecond: round(1 / ours),
      ...(peer
        ? {
            peerStepsPerSecond: round(1 / least(times.map((t) => t.theirs))),
            ratio: round(least(times.map((t) => t.theirs)) / ours),
            medianRatio: round(middle(times.map((t) => t.theirs / t.ours))),
            peer: 'a hand-written loop over batches whose rows are listed beforehand: what the target is measured by',
            peerLoaderStepsPerSecond: round(1 / least(times.map((t) => t.loader))),
            loaderRatio: round(least(times.map((t) => t.loader)) / ours),
            peerLoader: "the loop of PyTorch's tutorials: DataLoader(TensorDataset(x, y), batch_size, shuffle=True), no workers",
            // With more threads, time that they wait for work counts as busy.
            ...(threads === 1 ? { cpuRatio: round(least(busy.map((t) => t.theirs)) / least(busy.map((t) => t.ours))) } : {}),
            target,
            lossGap: round(gap(first.losses, theirs?.losses ?? [])),
          }
        : {}),
      hostShare: round(least(within)),
      ...callFigures(slices),
      ...(process.env.ASSAY_BENCH_PROFILE ? { profile: await sharesOf(callOf(trainer, 10), threads) } : {}),
    };
  } finally {
    peer?.close();
    await trainer.close();
  }
};
