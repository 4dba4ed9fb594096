import type { Adaptive } from '../../base/calibration-forms.ts';
import { breathe, type Job } from '../../base/job.ts';
import { choose } from '../../base/option.ts';
import { int64, type Tensor } from '../../base/tensor.ts';
import { constantOf, numbersOf } from '../../graph/constant.ts';
import type { Graph } from '../../graph/types.ts';
import { write } from '../../graph/write.ts';
import type { Runtime } from '../../runtime/session.ts';
import { compileSteps } from '../../training/compile.ts';
import { temperatureNet } from '../../training/fitted-heads/temperature-net.ts';
import { scattered, vector } from '../../training/layout.ts';
import { correctnessAware } from '../../training/losses/correctness-aware.ts';
import { adam } from '../../training/optimizers/adam.ts';
import { parametersOf } from '../../training/parameters.ts';
import type { TrainerTool } from '../evidence.ts';

/** Steps of one call. */
const CALL = 100;

const names = { weights: 'first.weight', biases: 'first.bias', out: 'second.weight', offset: 'second.bias' } as const;

const started = (graph: Graph, { weights, biases, out, offset }: Adaptive): Graph => {
  const values: Readonly<Record<string, ArrayLike<number>>> = {
    [names.weights]: weights,
    [names.biases]: biases,
    [names.out]: out,
    [names.offset]: [offset],
  };
  return {
    ...graph,
    initializers: new Map(
      Array.from(graph.initializers, ([name, c]) => [name, values[name] ? constantOf(c.dtype, c.dims, values[name]) : c]),
    ),
  };
};

/** Rows of every step: shuffled anew each epoch, an incomplete last batch left out. */
const batchesOf = function* (rows: number, size: number, steps: number, chance: ReturnType<Job['random']>): Generator<number[]> {
  const order = Array.from({ length: rows }, (_, i) => i);
  for (let step = 0, at = rows; step < steps; step++, at += size) {
    if (at + size > rows) {
      if (size < rows) chance.shuffle(order);
      at = 0;
    }
    yield order.slice(at, at + size);
  }
};

/** Compiled steps in float64: small nets take no longer so, and a run repeats to the last digits. */
export const trainer = (runtime: Runtime, job: Job): TrainerTool => ({
  async temperatureNet({ features, logits, labels, classes, start, weighting, rate, steps, batch, order }) {
    const hidden = start.biases.length;
    const width = start.weights.length / hidden;
    const rows = labels.length;
    const { low, high } = start;
    const model = temperatureNet({ width, classes, hidden, low, high });
    const graph = started(model.graph, start);
    const parameters = parametersOf(graph).filter(({ name }) => Object.values<string>(names).includes(name));
    const compiled = compileSteps({
      graph,
      opsets: model.opsets,
      irVersion: model.irVersion,
      input: 'x',
      output: 'logits',
      classes,
      loss: { part: correctnessAware, chosen: choose('loss', correctnessAware.options, { weighting }) },
      optimizer: { part: adam, chosen: choose('optimizer', adam.options, { lr: rate }) },
      groups: [{ parameters, lrScale: 1 }],
      data: 'resident',
      statistics: 'stored',
      precision: 'float64',
    });
    const x = new Float64Array(rows * (width + classes));
    for (let i = 0; i < rows; i++) {
      x.set(features.subarray(i * width, (i + 1) * width), i * (width + classes));
      for (let j = 0; j < classes; j++) x[i * (width + classes) + width + j] = logits[i * classes + j];
    }
    const { session } = await runtime.open(
      write(compiled.model),
      { device: 'cpu', name: 'the steps of a temperature net', threads: 1 },
      job,
    );
    try {
      const { inputs, outputs, state } = compiled;
      const size = Math.min(rows, batch);
      const losses: number[] = [];
      let carried = compiled.start;
      const plan = batchesOf(rows, size, steps, order);
      for (let done = 0; done < steps; done += CALL) {
        await breathe(job);
        const count = Math.min(CALL, steps - done);
        const chosen = Array.from({ length: count }, () => plan.next().value ?? []);
        const feeds: Record<string, Tensor> = {
          ...compiled.hyper,
          [inputs.x]: { dtype: 'float64', dims: [rows, width + classes], data: x },
          [inputs.y]: int64([rows], labels),
          [inputs.rows]: int64([count, size], chosen.flat()),
          [inputs.lr]: vector('float64', new Array<number>(count).fill(rate)),
          // A batch of one outcome has no loss under balanced weights: its step is left out.
          [inputs.go]: { dtype: 'bool', dims: [], data: Uint8Array.of(1) },
        };
        for (const [key, { input }] of Object.entries(state)) feeds[input] = carried[key];
        const out = await session.run(feeds);
        carried = Object.fromEntries(Object.entries(state).map(([key, { output }]) => [key, out[output]]));
        losses.push(...Array.from(out[outputs.loss].data as Float64Array));
      }
      const { initializers } = scattered(doubled(graph), compiled.layout, carried.theta, new Map());
      const read = (name: string): Float64Array => {
        const found = initializers.get(name);
        return found ? Float64Array.from(numbersOf(found)) : new Float64Array();
      };
      return {
        net: { ...start, weights: read(names.weights), biases: read(names.biases), out: read(names.out), offset: read(names.offset)[0] },
        losses,
      };
    } finally {
      await session.release();
    }
  },
});

/** With room for the digits that steps in float64 have. */
const doubled = (graph: Graph): Graph => ({
  ...graph,
  initializers: new Map(
    Array.from(graph.initializers, ([name, c]) => [name, c.dtype === 'float32' ? constantOf('float64', c.dims, numbersOf(c)) : c]),
  ),
});
