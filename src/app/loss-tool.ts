import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import { sizeOf } from '../base/tensor.ts';
import type { LossTool } from '../evidence/loss.ts';
import type { DeviceChoice } from '../runtime/session.ts';
import { readRecipe } from '../training/recipe.ts';
import { openProblem } from './open-problem.ts';
import type { AppJob, Ports } from './ports.ts';
import type { OpenSubject } from './subject.ts';
import { readRows } from './train-data.ts';
import { openRecipeModel } from './train-subject.ts';

export interface OpenLossTool {
  readonly tool: LossTool;
  device(): DeviceChoice | undefined;
  release(): Promise<void>;
}

/** Positions of `wanted` of `count` rows, in order. */
const drawn = (count: number, wanted: number, job: Pick<Job, 'random'>): Float64Array => {
  const all = Array.from({ length: count }, (_, i) => i);
  if (wanted === 0 || wanted >= count) return Float64Array.from(all);
  job.random('rows of the loss').shuffle(all);
  return Float64Array.from(all.slice(0, wanted)).toSorted();
};

/** The diagnosed model as its training would see it. Nothing runs before a study asks. */
export const lossTool = (open: OpenSubject, request: RunRequest, ports: Ports, outer: Job): OpenLossTool => {
  const closing: (() => Promise<void>)[] = [];
  let device: DeviceChoice | undefined;
  const job: AppJob = { ...outer, progress: () => {}, live: () => {} };
  return {
    tool: {
      async open({ loss, rows: wanted }) {
        if (!request.model) throw new Fault('evidence/no-model', { id: request.id, tool: 'loss' });
        const text = JSON.stringify({
          model: request.model.path,
          data: { train: '-' },
          init: 'keep',
          loss,
          optimizer: 'sgd',
          batch: 1,
          epochs: 1,
          split: { val: 0 },
          statistics: 'stored',
        });
        const recipe = readRecipe(text, 'options');
        const source = await openRecipeModel(recipe, ports, job);
        const bound = await open.inputs(undefined);
        closing.push(() => bound.close());
        const { part } = recipe.loss;
        const targets = {
          kind: part.target,
          loss,
          classes: source.classes,
          dims: source.valueDims ?? [1],
          double: source.target.dtype === 'float64',
        };
        const rows = await readRows(bound, targets, Number.POSITIVE_INFINITY, job);
        if (rows.count === 0) throw new Fault('data/no-rows', { path: bound.path });
        const { plan } = await source.finish(bound.inputDims, source.classes || sizeOf(rows.labelDims));
        const positions = drawn(rows.count, wanted, outer);
        const problem = await openProblem(plan, { rows, positions }, request.device, ports, job);
        closing.push(problem.release);
        device = problem.choice;
        const { layout, theta } = problem;
        return {
          rows: Float64Array.from(positions, (p) => bound.rowAt(p)),
          of: rows.count,
          tensors: layout.entries.map(({ name, size }) => ({ name, size })),
          theta,
          size: layout.size,
          async gradient(at) {
            const { total, weight, vector } = await problem.sums('gradient', positions, at);
            return { loss: total / weight, gradient: vector.map((g) => g / weight) };
          },
          async product(kind, at, v) {
            const { weight, vector } = await problem.sums(kind, positions, at, v);
            return vector.map((s) => s / weight);
          },
          rowGradients: (at, v) => problem.rows(positions, at, v),
        };
      },
    },
    device: () => device,
    async release() {
      for (const close of closing.toReversed()) await close();
    },
  };
};
