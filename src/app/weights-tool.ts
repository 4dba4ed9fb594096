import { Fault } from '../base/fault.ts';
import { breathe, type Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import { int64, type Tensor } from '../base/tensor.ts';
import { fromFloats, toFloats } from '../data/values.ts';
import type { WeightsTool, WeightTensor } from '../evidence/weights.ts';
import { nodesWithin } from '../graph/walk.ts';
import { write } from '../graph/write.ts';
import type { DeviceChoice } from '../runtime/session.ts';
import { vector } from '../training/layout.ts';
import { readRecipe } from '../training/recipe.ts';
import { compilePoint } from '../training/sums.ts';
import type { Ports } from './ports.ts';
import { openRecipeModel } from './train-subject.ts';

const normalising = /Normalization$/;

export interface OpenWeights {
  readonly tool: WeightsTool;
  device(): DeviceChoice | undefined;
  release(): Promise<void>;
}

/** The diagnosed model with its parameters as inputs of one graph. Sessions stay open until the study ends. */
export const weightsTool = (request: RunRequest, ports: Ports, job: Job): OpenWeights => {
  const opened: { release(): Promise<void> }[] = [];
  let device: DeviceChoice | undefined;
  return {
    tool: {
      async open({ x, dims, labels, classes }, { statistics }) {
        if (!request.model) throw new Fault('evidence/no-model', { id: request.id, tool: 'weights' });
        const recipe = readRecipe(
          JSON.stringify({
            model: request.model.path,
            data: { train: '-' },
            loss: 'cross-entropy',
            optimizer: 'sgd',
            batch: 1,
            epochs: 1,
            statistics,
          }),
          'options',
        );
        const source = await openRecipeModel(recipe, ports, job);
        if (source.classes > 0 && source.classes < classes)
          throw new Fault('training/recipe', {
            path: request.data.path,
            where: 'labels',
            reason: `the model tells ${source.classes} classes apart, and the data have ${classes}`,
          });
        const { plan } = await source.finish(dims, source.classes || classes).catch((error: unknown) => {
          throw Fault.is(error, 'training/frozen') ? new Fault('diagnostic/no-weights', {}) : error;
        });
        const point = compilePoint(plan);
        const { layout, inputs, outputs } = point;
        const dtype = plan.precision;
        const rows = labels.length;
        const theta = Float64Array.from(point.theta.data as Float64Array);
        const feeds = (at: Float64Array): Record<string, Tensor> => ({
          ...point.hyper,
          [inputs.x]: { dtype, dims: [rows, ...dims], data: fromFloats(x, dtype) },
          [inputs.y]: int64([rows], labels),
          [inputs.theta]: vector(dtype, at),
        });
        const name = `${request.model.path} with its parameters as inputs`;
        const { session, choice } = await ports.runtime.open(
          write(point.model),
          { device: request.device, name, probe: feeds(theta) },
          job,
        );
        device = choice;
        opened.push(session);
        const known = new Map(plan.groups.flatMap((g) => g.parameters.map((p) => [p.name, p] as const)));
        const numbers = (t: Tensor): Float64Array => Float64Array.from(toFloats(t));
        const tensors = layout.entries.map(
          ({ name: of, dims: shape, offset, size }): WeightTensor => ({
            name: of,
            dims: shape,
            channels: known.get(of)?.channels ?? 0,
            values: theta.slice(offset, offset + size),
          }),
        );
        const normalisations: Record<string, number> = {};
        for (const { op } of nodesWithin(plan.graph)) if (normalising.test(op)) normalisations[op] = (normalisations[op] ?? 0) + 1;
        return {
          tensors,
          normalisations,
          async gradient() {
            await breathe(job);
            const out = await session.run(feeds(theta), [outputs.loss, outputs.gradient]);
            const all = numbers(out[outputs.gradient]);
            return {
              loss: numbers(out[outputs.loss])[0],
              gradients: layout.entries.map(({ offset, size }) => all.slice(offset, offset + size)),
            };
          },
          async scores(change) {
            await breathe(job);
            const at = theta.slice();
            if (change) at.set(change.values, layout.entries[change.at].offset);
            const out = await session.run(feeds(at), [outputs.scores]);
            const data = numbers(out[outputs.scores]);
            return { rows, cols: data.length / rows, data };
          },
        };
      },
    },
    device: () => device,
    async release() {
      for (const session of opened) await session.release();
    },
  };
};
