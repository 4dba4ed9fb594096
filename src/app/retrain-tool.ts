import { Fault } from '../base/fault.ts';
import { breathe, type Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import { sizeOf } from '../base/tensor.ts';
import { toFloats } from '../data/values.ts';
import type { Retraining, RetrainTool } from '../evidence/retrain.ts';
import type { DeviceFacts } from '../report/report.ts';
import { gathered } from '../training/layout.ts';
import type { AppJob, Ports } from './ports.ts';
import { withClassMeans } from './train-class-means.ts';
import type { Held } from './train-data.ts';
import { lengthOf, trainLoop } from './train-loop.ts';
import { fresh, startingAt } from './train-progress.ts';
import { type Setup, setUp } from './train-setup.ts';
import { redrawn } from './train-subject.ts';

/** Inputs of more bytes are read as they are needed. */
const RESIDENT = 2 ** 30;
const CHUNK = 1024;

/** Two 32-bit FNV-1a hashes of the bytes of a row. */
const keyOf = (bytes: Uint8Array): string => {
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x85ebca6b);
  }
  return `${a >>> 0} ${b >>> 0}`;
};

async function* keys({ rows, positions }: Held, job: Job): AsyncGenerator<string, void, undefined> {
  const width = sizeOf(rows.bound.inputDims);
  for (let at = 0; at < positions.length; at += CHUNK) {
    await breathe(job);
    const part = positions.subarray(at, at + CHUNK);
    const values = toFloats((await rows.take(part, [part.length], job.signal)).x);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const size = bytes.length / part.length;
    for (let i = 0; i < part.length; i++) yield keyOf(width === 0 ? bytes : bytes.subarray(i * size, (i + 1) * size));
  }
}

const repeatedRows = async (train: Held, validation: Held, job: Job): Promise<number> => {
  const known = new Set<string>();
  for await (const key of keys(train, job)) known.add(key);
  let found = 0;
  for await (const key of keys(validation, job)) if (known.has(key)) found++;
  return found;
};

const retraining = async (setup: Setup, validation: Held, ports: Ports, job: AppJob): Promise<Retraining> => {
  const { recipe, drawn, run, train } = setup;
  const { rows, positions } = train;
  return {
    rows: Float64Array.from(positions, (p) => rows.bound.rowAt(p)),
    labels: Float64Array.from(positions, (p) => rows.labels[p]),
    classes: drawn.plan.classes,
    validation: validation.positions.length,
    repeated: await repeatedRows(train, validation, job),
    parameters: run.compiled.layout.size,
    steps: lengthOf(recipe, positions.length, run.batch).steps,
    async train(places, { seed, rate = 1, steps, patience }) {
      const { layout, start, precision } = run.compiled;
      const subset = Float64Array.from({ length: places.length }, (_, i) => positions[places[i]]);
      const device = setup.choice.actual;
      const first = await withClassMeans(redrawn(drawn, recipe, seed), { rows, positions: subset }, { recipe, device }, ports, job);
      const theta = gathered(first.plan.graph, layout, precision);
      const { optimizer } = recipe;
      const { why, snapshot } = await trainLoop(
        {
          ...run,
          recipe: {
            ...recipe,
            seed,
            evalEvery: 1,
            optimizer: { ...optimizer, chosen: { ...optimizer.chosen, lr: rate * Number(optimizer.chosen.lr) } },
            ...(steps === undefined ? {} : { length: { steps } }),
            ...(patience === undefined ? {} : { earlyStop: { metric: 'val_loss', patience, minDelta: 0, restoreBest: false } as const }),
          },
          train: { rows, positions: subset },
          validation,
          batch: Math.min(run.batch, subset.length),
          job,
          save: async () => {},
        },
        fresh(startingAt(start, theta)),
      );
      if (why === 'stopped') throw new Fault('job/stopped', {});
      const { history, step, epoch } = snapshot.progress;
      const losses = history.flatMap((h) => (h.valLoss !== undefined && Number.isFinite(h.valLoss) ? [h.valLoss] : []));
      const accuracies = history.flatMap((h) => h.valAccuracy ?? []);
      return {
        loss: losses.length > 0 ? Math.min(...losses) : Number.NaN,
        ...(accuracies.length > 0 ? { accuracy: Math.max(...accuracies) } : {}),
        epochs: epoch,
        steps: step,
      };
    },
  };
};

export interface OpenRetrain {
  readonly tool: RetrainTool;
  /** Where the last recipe opened was trained, if any was. */
  device(): { readonly device?: DeviceFacts };
  release(): Promise<void>;
}

/** Recipes opened for a study stay open until it ends. */
export const retrainTool = (ask: RunRequest, dataSha256: string, ports: Ports, outer: Job): OpenRetrain => {
  const open: Setup[] = [];
  // Of many runs only the study tells how far they are.
  const job: AppJob = { ...outer, progress: () => {}, live: () => {} };
  return {
    tool: {
      async open(recipe) {
        const setup = await setUp({ recipe, out: '', device: ask.device, resume: false, force: false }, RESIDENT, ports, job);
        open.push(setup);
        const { validation, identity } = setup;
        if (identity.dataSha256 !== dataSha256)
          throw new Fault('training/other-data', { path: recipe, data: setup.recipe.data.train.path, given: ask.data.path });
        if (!validation) throw new Fault('training/no-held-out', { path: recipe });
        return retraining(setup, validation, ports, job);
      },
    },
    device() {
      const last = open.at(-1);
      return last ? { device: last.choice } : {};
    },
    async release() {
      for (const setup of open) await setup.close();
    },
  };
};
