import { random } from '../../src/base/random.ts';
import { sizeOf } from '../../src/base/tensor.ts';
import { integratedGradients } from '../../src/diagnostics/attribution/method-path.ts';
import { openGradient } from '../../src/evidence/providers/gradient.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import { interleaved, told } from './engine/interleave.ts';
import { resetPeak, resident } from './engine/memory.ts';
import { openPeer, type Peer } from './engine/peer.ts';
import { subjectOf } from './engine/subject.ts';
import { round } from './measure.ts';

/** CNN, residual network, transformer, and two of mobile size. */
const models = ['lenet_mnist', 'resnet8_cifar10', 'vit_mnist', 'squeezenet1_1', 'mobilenet_v2_035'];
const batches = [1, 32];
const share = 200;
const signal = new AbortController().signal;

/** 50-step Integrated Gradients of `batch` pictures, as a report makes them: from the points of the path to one map a picture. */
const modelFigures = async (name: string, peer: Peer | undefined): Promise<Readonly<Record<string, unknown>>> => {
  const { prep } = await subjectOf(name);
  const { model } = prep;
  const [input, output] = [model.graph.inputs[0], model.graph.outputs[0]];
  const dims = input.type?.kind === 'tensor' ? (input.type.dims ?? []).slice(1).map(Number) : [];
  const ends = { input: { name: input.name, dtype: 'float32' as const, dims }, output: output.name, hint: 'linear' as const };
  const subject = { name, folder: '.', ends, prepared: async () => prep };
  const gradient = await openGradient(subject, dims, { runtime: onnxruntime(), device: 'cpu' }, { note: () => {}, signal });
  const out: Record<string, unknown> = {};
  for (const batch of batches) {
    process.stderr.write(`  ${name} × ${batch}\n`);
    const draw = random(batch, 'bench');
    const x = Float32Array.from({ length: batch * sizeOf(dims) }, () => draw.next());
    const question = { x, targets: Int32Array.from({ length: batch }, () => draw.below(gradient.tool.targets)) };
    const zero = [new Float32Array(x.length)];
    const run = () => integratedGradients(gradient.tool, question, zero, 'riemann_middle', 50, signal);
    const kinds = peer ? await peer.open(name, batch) : [];
    const linux = process.platform === 'linux';
    if (linux) resetPeak();
    const before = linux ? resident().now : 0;
    const at = peer && kinds.includes('integrated') ? { of: peer, kind: 'integrated' } : undefined;
    const pair = await interleaved({ steps: 1, run }, at, share);
    out[`batch ${batch}`] = {
      ...told(pair),
      perImageMs: round(pair.ms / batch),
      ...(linux ? { memoryMb: round(Math.max(0, resident().peak - before)) } : {}),
    };
  }
  await gradient.release();
  return out;
};

/** `attribution[:MODEL…]`: Integrated Gradients beside PyTorch eager, in turns; ratios below 0.5 are twice as fast. */
export const attributionFigures = async (words: readonly string[]): Promise<unknown> => {
  const peer = await openPeer(2);
  try {
    const out: Record<string, unknown> = peer ? { peer: `PyTorch ${await peer.version()} eager` } : {};
    for (const name of models.filter((m) => words.length === 0 || words.includes(m))) out[name] = await modelFigures(name, peer);
    return out;
  } finally {
    peer?.close();
  }
};
