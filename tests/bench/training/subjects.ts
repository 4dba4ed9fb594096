import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppJob, Ports } from '../../../src/app/ports.ts';
import { type Setup, setUp } from '../../../src/app/train-setup.ts';
import { quietJob } from '../../../src/base/job.ts';
import { random } from '../../../src/base/random.ts';
import { float32, int64, type Tensor } from '../../../src/base/tensor.ts';
import { writeNpz } from '../../../src/data/npz-write.ts';
import { world } from '../../../src/jobs/world.ts';
import { threads } from '../engine/subject.ts';
import { digitsPath } from '../recipes/entry.ts';

/** Where data too large for the repository are read from: mnist/ with the files of MNIST, sms_spam.npz, cifar10_small.npz. */
const folder = process.env.ASSAY_BENCH_DATA;
const under = (name: string): string | undefined => {
  const path = folder && join(folder, name);
  return path && existsSync(path) ? path : undefined;
};
const draw = random(0, 'bench/training');

interface Source {
  readonly train: object;
  readonly test?: object;
  /** Where the data are not there, rows of the same shape: times do not depend on their values. */
  readonly drawn: boolean;
}
type Place = (name: string) => string;

const pixels = { preprocess: { scale: 1 / 255 } };
const digits = (): Source => ({
  train: { path: digitsPath, split: 'train', preprocess: { scale: 0.0625 } },
  test: { path: digitsPath, split: 'test', preprocess: { scale: 0.0625 } },
  drawn: false,
});
const noise = (at: Place, row: readonly number[], count: number): Source => {
  const size = count * row.reduce((n, d) => n * d, 1);
  const x = float32(
    [count, ...row],
    Float32Array.from({ length: size }, () => draw.next()),
  );
  const y = int64(
    [count],
    Array.from({ length: count }, () => draw.below(10)),
  );
  writeFileSync(at('drawn.npz'), writeNpz({ x, y }));
  return { train: { path: at('drawn.npz') }, drawn: true };
};
const mnist = (at: Place): Source => {
  const part = (name: string): object | undefined => {
    const [path, labels] = [under(`mnist/${name}-images-idx3-ubyte.gz`), under(`mnist/${name}-labels-idx1-ubyte.gz`)];
    return path && labels ? { path, labels, ...pixels } : undefined;
  };
  const [train, test] = [part('train'), part('t10k')];
  return train && test ? { train, test, drawn: false } : noise(at, [1, 28, 28], 12_800);
};
const cifar = (at: Place): Source => {
  const path = under('cifar10_small.npz');
  return path ? { train: { path, x: 'x_train', y: 'y_train', ...pixels }, drawn: false } : noise(at, [3, 32, 32], 1280);
};
const texts = (at: Place): Source => {
  const path = under('sms_spam.npz');
  if (path) return { train: { path, x: 'ids', y: 'y', split: '@train_idx' }, drawn: false };
  const count = 4480;
  const ids = int64(
    [count, 32],
    Array.from({ length: count * 32 }, (_, i) => (i % 32 < 20 ? 1 + draw.below(999) : 0)),
  );
  const y = int64(
    [count],
    Array.from({ length: count }, () => draw.below(2)),
  );
  writeFileSync(at('drawn.npz'), writeNpz({ x: ids, y }));
  return { train: { path: at('drawn.npz') }, drawn: true };
};

interface Subject {
  readonly data: (at: Place) => Source;
  readonly arch: Readonly<Record<string, unknown>>;
  readonly optimizer: Readonly<Record<string, unknown>>;
  readonly batch: number;
  /** How many times PyTorch eager's steps per second are due. */
  readonly target: number;
}
const momentum = { kind: 'sgd', lr: 0.05, momentum: 0.9 };

export const subjects: Readonly<Record<string, Subject>> = {
  softmax: { data: digits, arch: { kind: 'linear' }, optimizer: { kind: 'sgd', lr: 0.1 }, batch: 64, target: 20 },
  mlp: { data: digits, arch: { kind: 'mlp', hidden: '64,64' }, optimizer: { kind: 'sgd', lr: 0.1 }, batch: 64, target: 20 },
  cnn: {
    data: mnist,
    arch: { kind: 'cnn', input: [1, 28, 28], channels: '8,16', kernel: 5, hidden: '84', batchNorm: true },
    optimizer: momentum,
    batch: 128,
    target: 1.5,
  },
  transformer: {
    data: texts,
    arch: { kind: 'text-transformer', width: 64, depth: 2, heads: 4, hidden: 256, vocabulary: 1000 },
    optimizer: { kind: 'adam', lr: 1e-3 },
    batch: 64,
    target: 1.5,
  },
  vit: {
    data: mnist,
    arch: { kind: 'vit-tiny', input: [1, 28, 28], patch: 7, width: 64, depth: 2, heads: 4, hidden: 128 },
    optimizer: { kind: 'adam', lr: 1e-3 },
    batch: 64,
    target: 1.5,
  },
  resnet8: {
    data: cifar,
    arch: { kind: 'resnet', depth: 8, width: 12, shortcut: 'projection' },
    optimizer: momentum,
    batch: 128,
    target: 1.2,
  },
};

const made = await world();
/** With as many threads as PyTorch has. */
const ports: Ports = {
  ...made,
  runtime: { ...made.runtime, open: (model, options, job) => made.runtime.open(model, { threads, ...options }, job) },
};

/** A recipe set up as `assay train` does it, and a folder of its own. */
export interface Trainer {
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly setup: Setup;
  readonly drawn: boolean;
  readonly at: Place;
  close(): Promise<void>;
}

export const trainerOf = async (
  { data, arch, optimizer, batch }: Omit<Subject, 'target'>,
  more: Readonly<Record<string, unknown>> = {},
  job: AppJob = { ...quietJob(), live: () => {} },
): Promise<Trainer> => {
  const home = mkdtempSync(join(tmpdir(), 'assay-bench-'));
  const at: Place = (name) => join(home, name);
  const { train, test, drawn } = data(at);
  const recipe = {
    arch,
    data: { train, ...(test ? { test } : {}) },
    split: { val: 0 },
    init: 'torch-default',
    loss: 'cross-entropy',
    optimizer,
    batch: { size: batch, dropLast: true },
    steps: 1,
    seed: 0,
    ...more,
  };
  const text = JSON.stringify(recipe);
  const setup = await setUp(
    { recipe: at('bench.train.json'), out: at('bench.onnx'), device: 'cpu', resume: false, force: false, text },
    2 ** 30,
    ports,
    job,
  );
  return {
    recipe,
    setup,
    drawn,
    at,
    async close() {
      await setup.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
};

/** The rows and first parameters of a trainer, for its peer. */
export const writeRows = ({ setup, at }: Trainer): void => {
  const { train, test, run } = setup;
  const { layout, start } = run.compiled;
  const theta = start.theta.data as Float32Array;
  const parameters = Object.fromEntries(
    layout.entries.map(({ name, dims, offset, size }): [string, Tensor] => [name, float32(dims, theta.slice(offset, offset + size))]),
  );
  const { x, y } = train.rows.resident ?? {};
  const { x: xTest, y: yTest } = test?.rows.resident ?? {};
  writeFileSync(at('rows.npz'), writeNpz({ ...(x && y ? { x, y } : {}), ...(xTest && yTest ? { xTest, yTest } : {}) }));
  writeFileSync(at('start.npz'), writeNpz(parameters));
};
