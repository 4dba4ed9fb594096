import { readFileSync } from 'node:fs';
import { finished, recording } from '../../src/autodiff/differentiate.ts';
import { crossEntropy } from '../../src/autodiff/loss.ts';
import { gradients } from '../../src/autodiff/reverse.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64, sizeOf, type Tensor } from '../../src/base/tensor.ts';
import { parse } from '../../src/graph/parse.ts';
import { prepare } from '../../src/graph/prepare.ts';
import type { Model, ValueInfo } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import type { Session } from '../../src/runtime/session.ts';
import { median, round } from './measure.ts';

const runtime = onnxruntime();
const open = async (model: Model, name: string): Promise<Session> => (await runtime.open(write(model), { device: 'cpu', name })).session;

export interface GradientFigure {
  readonly model: string;
  readonly batch: number;
  readonly forwardMs: number;
  readonly inputGradientMs: number;
  readonly parameterGradientMs: number;
  readonly inputRatio: number;
  readonly parameterRatio: number;
}

/** Forward pass and gradients of the mean cross-entropy, weights constant, 2 threads, CPU; ratios to the forward pass. */
export const gradientFigures = async (file: string, batches: readonly number[]): Promise<readonly GradientFigure[]> => {
  const bytes = readFileSync(new URL(`../fixtures/models/${file}`, import.meta.url));
  const { model, probed } = await prepare(parse(bytes, file), async (graph, feeds, wanted) => {
    const { session } = await runtime.open(graph, { device: 'cpu', name: file, optimize: 'off' });
    const out = await session.run(feeds, wanted);
    await session.release();
    return out;
  });
  const [x] = model.graph.inputs;
  const [output] = model.graph.outputs;
  const parameters = [...model.graph.initializers].filter(([, c]) => c.dtype === 'float32' && c.dims.length > 0).map(([name]) => name);
  const gradientOf = (wrt: readonly string[]): { model: Model; target: string } => {
    const emit = recording(model.graph, probed);
    const target = emit.typed(emit.fresh('target'), { kind: 'tensor', dtype: 'int64', dims: ['N'] });
    const { loss } = crossEntropy(emit, output.name, target);
    const found = gradients(emit, loss, wrt, { missing: 'omit' });
    const info = (name: string): ValueInfo => ({ name, type: emit.type(name) ?? { kind: 'tensor', dtype: 'float32' } });
    return { model: finished(model, emit, [x, info(target)], [info(loss), ...[...found.values()].map(info)]), target };
  };
  const [toInput, toParameters] = [gradientOf([x.name]), gradientOf(parameters)];
  const sessions = {
    forward: await open(model, file),
    input: await open(toInput.model, file),
    parameters: await open(toParameters.model, file),
  };
  const figures: GradientFigure[] = [];
  for (const batch of batches) {
    const dims = (x.type?.kind === 'tensor' ? (x.type.dims ?? []) : []).map((d, i) => (i === 0 ? batch : Number(d)));
    const draw = random(0, 'bench');
    const inputs: Tensor = float32(
      dims,
      Float32Array.from({ length: sizeOf(dims) }, () => draw.next()),
    );
    const target = int64(
      [batch],
      Array.from({ length: batch }, (_, i) => i % 10),
    );
    const forwardMs = await median(() => sessions.forward.run({ [x.name]: inputs }));
    const inputGradientMs = await median(() => sessions.input.run({ [x.name]: inputs, [toInput.target]: target }));
    const parameterGradientMs = await median(() => sessions.parameters.run({ [x.name]: inputs, [toParameters.target]: target }));
    figures.push({
      model: file,
      batch,
      forwardMs: round(forwardMs),
      inputGradientMs: round(inputGradientMs),
      parameterGradientMs: round(parameterGradientMs),
      inputRatio: round(inputGradientMs / forwardMs),
      parameterRatio: round(parameterGradientMs / forwardMs),
    });
  }
  for (const session of Object.values(sessions)) await session.release();
  return figures;
};
