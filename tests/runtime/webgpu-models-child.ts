/** Runs in a process with a Vulkan driver: gradients of one model on WebGPU beside those of the CPU, as one line of JSON. */
import { readFileSync } from 'node:fs';
import { gradientGraph } from '../../src/autodiff/gradient-graph.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { parse } from '../../src/graph/parse.ts';
import { prepare } from '../../src/graph/prepare.ts';
import type { Model } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import { run } from '../graph/run.ts';
import { squeezenet } from './squeezenet.ts';

/** Of the gradients by the inputs (of text: by its embedded tokens), and of those by the parameters. */
export interface Compared {
  readonly wrt: 'inputs' | 'parameters';
  /**
   * Largest |a − b| − 1e-4·max|b| over gradients, b from the CPU, in units of G: the largest entry of any gradient. Of other
   * outputs |a − b| in units of the largest of them.
   */
  readonly excess: number;
  readonly output: string;
  readonly actual: string;
  readonly reason: string;
}

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const rows = 2;
/** The last rows of a golden are hard ones: where a model is sure, its gradient is all cancellation. */
const last = ({ dtype, dims, data }: Tensor): Tensor => {
  const size = dims.slice(1).reduce((n, d) => n * d, rows);
  const values = Array.from(data as ArrayLike<number | bigint>, Number).slice(-size);
  return dtype.startsWith('int') ? int64([rows, ...dims.slice(1)], values) : float32([rows, ...dims.slice(1)], values);
};

const name = process.argv[2];
const model: Model = name === 'squeezenet' ? squeezenet() : parse(readFileSync(at(`fixtures/models/${name}.onnx`)), `${name}.onnx`);
/** Rows and labels that no kink lies on, of the same data where a model has no golden of its own. */
const source = name === 'vit_mnist' ? 'lenet_mnist' : name === 'squeezenet' ? 'mobilenet_v2_035' : name.split('.')[0];
const golden = readNpz(readFileSync(at(`golden/autodiff/${source}.npz`)));
const { model: ready, probed } = await prepare(model, run, { anyLength: true });
const [input] = ready.graph.inputs;
const regression = golden.y.dtype.startsWith('float');
const feeds = { [input.name]: last(golden.x), target: last(golden.y) };
const runtime = onnxruntime();

const compare = async (wrt: Compared['wrt']): Promise<Compared> => {
  const tokens = golden.embedding_name ? String((golden.embedding_name.data as string[])[0]) : '';
  const ask = { of: regression ? 'mse' : 'cross-entropy', wrt: [wrt === 'inputs' && tokens ? tokens : wrt] };
  const bytes = write(mustVerify(gradientGraph(ready, probed, ask).model));
  const cpu = (await runtime.open(bytes, { device: 'cpu', name })).session;
  const { session, choice } = await runtime.open(bytes, { device: 'webgpu', name, probe: feeds });
  const [a, b] = [await session.run(feeds), await cpu.run(feeds)];
  const largest = (t: Tensor): number => (t.data as Float32Array).reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const G = Object.entries(b).reduce((m, [o, t]) => (o.startsWith('grad/') ? Math.max(m, largest(t)) : m), 0);
  const values = Object.entries(b).reduce((m, [o, t]) => (o.startsWith('grad/') ? m : Math.max(m, largest(t))), 0);
  const parted = Object.entries(b).map(([output, t]) => {
    const gap = (t.data as Float32Array).reduce((m, v, i) => Math.max(m, Math.abs(v - Number(a[output].data[i]))), 0);
    const nan = (a[output].data as Float32Array).some((v) => Number.isNaN(v));
    return { output, excess: nan ? 1e9 : output.startsWith('grad/') ? (gap - 1e-4 * largest(t)) / G : gap / values };
  });
  const worst = parted.reduce((p, q) => (q.excess > p.excess ? q : p));
  await session.release();
  await cpu.release();
  return { wrt, ...worst, actual: choice.actual, reason: choice.reason };
};
process.stdout.write(`${JSON.stringify([await compare('inputs'), await compare('parameters')])}\n`);
