import type { Emit } from '../../../src/graph/emit.ts';
import { emitter, float } from '../../../src/graph/emit.ts';
import { dialect } from '../../../src/graph/passes/normalise.ts';
import type { Model, TensorType } from '../../../src/graph/types.ts';
import { filled, weights } from './weights.ts';

/** He et al. 2016, table 1: 50 layers of bottleneck blocks, 25.6 million parameters, batch normalisation unfolded. */
export const resnet50 = (side = 224, classes = 1000): Model => {
  const emit: Emit = emitter();
  const x: TensorType = { kind: 'tensor', dtype: 'float32', dims: ['N', 3, side, side] };
  emit.typed(emit.fresh('x'), x);
  let seed = 0;
  const convolution = (from: string, name: string, [ci, co]: readonly [number, number], k: number, stride: number): string => {
    seed++;
    const w = emit.hold(`${name}.weight`, weights([co, ci, k, k], ci * k * k, seed));
    const pad = (k - 1) / 2;
    const y = emit.Conv(from, w, { kernel_shape: [k, k], strides: [stride, stride], pads: [pad, pad, pad, pad] });
    const bn = (
      [
        ['weight', 1],
        ['bias', 0],
        ['running_mean', 0],
        ['running_var', 1],
      ] as const
    ).map(([part, value]) => emit.hold(`${name}.bn.${part}`, filled(co, value)));
    return emit.call('BatchNormalization', [y, ...bn], { epsilon: float(1e-5) });
  };
  let h = emit.Relu(convolution('x', 'stem', [3, 64], 7, 2));
  h = emit.call('MaxPool', [h], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let channels = 64;
  for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
    const width = 64 * 2 ** stage;
    for (let block = 0; block < blocks; block++) {
      const name = `layer${stage + 1}.${block}`;
      const stride = block === 0 && stage > 0 ? 2 : 1;
      let y = emit.Relu(convolution(h, `${name}.conv1`, [channels, width], 1, 1));
      y = emit.Relu(convolution(y, `${name}.conv2`, [width, width], 3, stride));
      y = convolution(y, `${name}.conv3`, [width, 4 * width], 1, 1);
      const shortcut = block === 0 ? convolution(h, `${name}.downsample`, [channels, 4 * width], 1, stride) : h;
      h = emit.Relu(emit.Add(y, shortcut));
      channels = 4 * width;
    }
  }
  const pooled = emit.Flatten(emit.call('GlobalAveragePool', [h]), { axis: 1 });
  const w = emit.hold('fc.weight', weights([classes, channels], channels, 99));
  const b = emit.hold('fc.bias', filled(classes, 0));
  const logits = emit.rename(emit.Gemm(pooled, w, b, { transB: 1 }), emit.fresh('logits'));
  return {
    irVersion: dialect.ir,
    opsets: new Map([['', dialect.opset]]),
    producer: '',
    producerVersion: '',
    domain: '',
    version: 0,
    metadata: new Map(),
    graph: {
      ...emit.graph(
        'resnet50',
        [{ name: 'x', type: x }],
        [{ name: logits, type: { kind: 'tensor', dtype: 'float32', dims: ['N', classes] } }],
      ),
      values: new Map(),
    },
    functions: [],
  };
};
