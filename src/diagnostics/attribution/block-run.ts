import { Fault } from '../../base/fault.ts';
import { type ImageAxes, imageAxes } from '../../base/image.ts';
import type { Job } from '../../base/job.ts';
import { argmax } from '../../base/maths/argmax.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { Matrix, Tools } from '../../evidence/evidence.ts';
import type { FreshAsk, FreshModel, LabelledRows, TrainedModel } from '../../evidence/fresh.ts';
import { trainAndTest } from '../train-and-test.ts';
import { type Estimate, estimateOf } from './audit-statistics.ts';
import { type Blocks, doubled, inSignal, stacked } from './block-images.ts';

export interface BlockOptions {
  readonly arch: 'mlp' | 'cnn';
  readonly hidden: string;
  readonly channels: string;
  readonly trained: string;
  readonly references: boolean;
  readonly image: string;
  readonly test: string;
  readonly runs: number;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly norm: 'l2' | 'linf';
  readonly epsilon: number;
  readonly attackSteps: number;
  readonly shown: number;
}

export type Order = 'random' | 'top';
/** Models of one training on images of one kind, over runs and test rows. */
export interface BlockModel {
  readonly order: Order;
  /** `given` was trained elsewhere. */
  readonly training: 'standard' | 'robust' | 'given';
  readonly accuracy: number;
  readonly attacked: number;
  readonly mass: Estimate;
  readonly top: number;
}
export interface BlockLeak {
  readonly models: readonly BlockModel[];
  readonly axes: ImageAxes;
  readonly train: number;
  readonly test: number;
  /** How the models were trained, if they were. */
  readonly how?: string;
  readonly parameters?: number;
  /** File of the model that was trained elsewhere. */
  readonly given?: string;
  /** The first test rows with the gradients of the standard and the robust model of the first run, picture and null in random order. */
  readonly examples: readonly {
    readonly row: number;
    readonly label: number;
    readonly x: Float32Array;
    readonly maps: readonly { readonly training: BlockModel['training']; readonly values: Float64Array; readonly mass: number }[];
  }[];
  readonly range: readonly [number, number];
}

const accuracyOf = ({ rows, cols, data }: Matrix, labels: Int32Array): number =>
  labels.reduce((sum, y, i) => sum + Number(argmax(data, i * cols, cols) === y), 0) / rows;

/** Rows in the shape that `image` names, HxW or CxHxW, or in their own. */
const shaped = (data: LabelledRows, image: string): LabelledRows => {
  const dims = image === '' ? data.dims : image.split('x').map(Number);
  if (dims.some((n) => !Number.isInteger(n) || n < 1))
    throw new Fault('option/value', { name: 'image', value: image, expected: 'HxW or CxHxW, whole numbers' });
  const pictured = dims.length === 2 ? [1, ...dims] : dims;
  if (sizeOf(pictured) !== sizeOf(data.dims) || !imageAxes(pictured))
    throw new Fault('diagnostic/block-images', { dims: data.dims, image });
  return { ...data, dims: pictured };
};

/** Gradients of the label's logit at rows, [rows, d]. */
const gradientsOf = async (model: TrainedModel | FreshModel, { x, labels }: Blocks, job: Job): Promise<Float64Array> => {
  const { gradient } = await (await model.gradient()).sum({ rows: labels.length, points: x, weights: [1], targets: labels }, job.signal);
  return gradient;
};

/** Trains models on images stacked with a null block, and measures where their gradients lie. */
export const blockRun = async ({ fresh }: Pick<Tools, 'fresh'>, chosen: BlockOptions, job: Job): Promise<BlockLeak> => {
  job.progress(0, 'reading rows');
  const [train, test] = (await trainAndTest(fresh, chosen.test, job)).map((data) => shaped(data, chosen.image));
  const axes = imageAxes(train.dims);
  const tall = doubled(train.dims);
  if (!axes || !tall) throw new Fault('diagnostic/block-images', { dims: train.dims, image: chosen.image });
  if (new Set(train.labels).size < 2) throw new Fault('diagnostic/one-class', { title: 'The block test', rows: train.labels.length });
  const range = train.x.reduce<[number, number]>(([l, h], v) => [Math.min(l, v), Math.max(h, v)], [Infinity, -Infinity]);
  const { norm, epsilon, attackSteps, epochs, batch, rate } = chosen;
  const attack = { norm, epsilon, steps: attackSteps, randomStart: false, range };
  const source =
    chosen.arch === 'mlp'
      ? ({ kind: 'mlp', hidden: chosen.hidden } as const)
      : ({ kind: 'cnn', channels: chosen.channels, hidden: chosen.hidden } as const);
  const ask: FreshAsk = { source, epochs, batch, rate };
  const like = { dims: tall.dims, rows: train.labels.length, classes: Math.max(train.classes, test.classes) };
  if (!chosen.references && chosen.trained === '') throw new Fault('diagnostic/block-alone', {});
  const given = chosen.trained === '' ? undefined : await fresh.trained(chosen.trained, tall.dims);
  const trainers = chosen.references
    ? { standard: await fresh.open(ask, like), robust: await fresh.open({ ...ask, adversarial: attack }, like) }
    : undefined;
  const asked: readonly BlockModel['training'][] = [
    ...(trainers ? (['standard', 'robust'] as const) : []),
    ...(given ? (['given'] as const) : []),
  ];
  const models: BlockModel[] = [];
  const examples: {
    row: number;
    label: number;
    x: Float32Array;
    maps: { training: BlockModel['training']; values: Float64Array; mass: number }[];
  }[] = [];
  const parts = 2 * ((trainers ? 2 * chosen.runs : 0) + (given ? 1 : 0));
  let done = 0;
  for (const order of ['random', 'top'] as const) {
    const [rows, tested] = [train, test].map((data, i) => stacked(data, axes, range, order, job.random(`order/${order}/${i}`)));
    for (const training of asked) {
      const [right, attacked, tops]: [number[], number[], number[]] = [[], [], []];
      const masses: Float64Array[] = [];
      for (let r = 0; r < (training === 'given' ? 1 : chosen.runs); r++) {
        const name = `${training} model, ${order === 'top' ? 'picture on top' : 'random order'}, run ${r + 1} of ${chosen.runs}`;
        const told = (share: number): void => job.progress((done + 0.9 * share) / parts, name);
        told(0);
        const model =
          training === 'given' ? given : await trainers?.[training].train(rows, job.random(`run/${r}`).below(2 ** 32), { told });
        if (!model) continue;
        const g = await gradientsOf(model, tested, job);
        const found = Array.from(tested.labels, (_, i) => inSignal(g, i, tested, tall.axes));
        masses.push(Float64Array.from(found, ({ mass }) => mass));
        tops.push(found.reduce((sum, { top }) => sum + top, 0) / found.length);
        right.push(accuracyOf(await model.scores(tested.x), tested.labels));
        attacked.push(accuracyOf(await model.scores(await model.attacked(tested, attack)), tested.labels));
        if (r === 0 && order === 'random')
          for (let i = 0; i < Math.min(chosen.shown, found.length); i++) {
            const d = sizeOf(tall.dims);
            examples[i] ??= { row: tested.rows[i], label: tested.labels[i], x: tested.x.slice(i * d, (i + 1) * d), maps: [] };
            examples[i].maps.push({ training, values: g.slice(i * d, (i + 1) * d), mass: found[i].mass });
          }
        done++;
      }
      const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
      models.push({ order, training, accuracy: mean(right), attacked: mean(attacked), mass: estimateOf(masses), top: mean(tops) });
    }
  }
  return {
    models,
    axes: tall.axes,
    train: train.labels.length,
    test: test.labels.length,
    ...(trainers ? { how: trainers.standard.how, parameters: trainers.standard.parameters } : {}),
    ...(given ? { given: given.name } : {}),
    examples,
    range,
  };
};
