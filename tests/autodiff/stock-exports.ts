import { readFileSync } from 'node:fs';
import { type GradientAsk, gradientGraph } from '../../src/autodiff/gradient-graph.ts';
import { float32, sizeOf, type Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { parse } from '../../src/graph/parse.ts';
import { prepare } from '../../src/graph/prepare.ts';
import type { Model } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { run } from '../graph/run.ts';

/** What `assay grad` is asked for, of a model of tests/fixtures. */
export interface Export {
  readonly name: string;
  readonly model: string;
  readonly ask: GradientAsk;
}
const of = 'cross-entropy';
const parameters = ['parameters'];
export const exports: readonly Export[] = [
  { name: 'mlp-inputs', model: 'mlp_digits', ask: { of, wrt: ['inputs'] } },
  { name: 'lenet-parameters', model: 'lenet_mnist.raw', ask: { of, wrt: parameters } },
  { name: 'resnet-parameters', model: 'resnet8_cifar10.raw', ask: { of, wrt: parameters } },
  { name: 'resnet-train', model: 'resnet8_cifar10.train', ask: { of, wrt: parameters } },
  { name: 'mobilenet-inputs', model: 'mobilenet_v2_035', ask: { of, wrt: ['inputs'] } },
  { name: 'vit-norms', model: 'vit_digits', ask: { of, wrt: parameters, perExample: 'norms' } },
  { name: 'gru-hvp', model: 'gru_digits', ask: { of, wrt: parameters, product: 'hvp' } },
  { name: 'lstm-norms', model: 'lstm_digits', ask: { of, wrt: parameters, perExample: 'norms' } },
  { name: 'text-ggn', model: 'text_sms', ask: { of, wrt: parameters, product: 'ggn' } },
  { name: 'softmax-jacobian', model: 'softmax_digits', ask: { of: 'logits', wrt: ['inputs'], jacobian: true } },
  { name: 'diabetes-fisher', model: 'mlp_diabetes', ask: { of: 'mse', wrt: parameters, product: 'fisher' } },
];

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
/** The graph, and rows of the model's golden with vectors cos(i). */
export const exported = async ({ model: file, ask }: Export): Promise<{ model: Model; feeds: Record<string, Tensor> }> => {
  const read = parse(readFileSync(at(`fixtures/models/${file}.onnx`)), file);
  const { model, probed } = await prepare(read, run, { anyLength: true });
  const made = mustVerify(gradientGraph(model, probed, ask).model);
  const golden = readNpz(readFileSync(at(`golden/autodiff/${file.split('.')[0]}.npz`)));
  const feeds: Record<string, Tensor> = {};
  for (const { name, type } of made.graph.inputs) {
    if (name === 'target') feeds[name] = golden.y;
    else if (!name.startsWith('vec/')) feeds[name] = golden.x;
    else {
      const dims = type?.kind === 'tensor' ? (type.dims ?? []).map(Number) : [];
      feeds[name] = float32(
        dims,
        Float32Array.from({ length: sizeOf(dims) }, (_, i) => Math.cos(i)),
      );
    }
  }
  return { model: made, feeds };
};
