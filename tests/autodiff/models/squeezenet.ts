import { emitter } from '../../../src/graph/emit.ts';
import { dialect } from '../../../src/graph/passes/normalise.ts';
import type { Model, TensorType } from '../../../src/graph/types.ts';
import { filled, weights } from './weights.ts';

/** SqueezeNet 1.1 (Iandola et al. 2016, as torchvision has it), 1.2 million parameters, on pictures of `side` by `side`. */
export const squeezenet = (side = 64, classes = 1000): Model => {
  const emit = emitter();
  const x: TensorType = { kind: 'tensor', dtype: 'float32', dims: ['N', 3, side, side] };
  emit.typed(emit.fresh('x'), x);
  let seed = 0;
  const layer = (from: string, name: string, [ci, co]: readonly [number, number], k: number, stride = 1, pad = 0): string => {
    seed++;
    const w = emit.hold(`${name}.weight`, weights([co, ci, k, k], ci * k * k, seed));
    const b = emit.hold(`${name}.bias`, filled(co, 0));
    return emit.Relu(emit.Conv(from, w, b, { kernel_shape: [k, k], strides: [stride, stride], pads: [pad, pad, pad, pad] }));
  };
  const pool = (from: string): string => emit.call('MaxPool', [from], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 });
  let h = pool(layer('x', 'first', [3, 64], 3, 2));
  let channels = 64;
  for (const [i, [squeezed, wide]] of [16, 16, 32, 32, 48, 48, 64, 64].map((s) => [s, 4 * s] as const).entries()) {
    const narrow = layer(h, `fire${i}.squeeze`, [channels, squeezed], 1);
    const one = layer(narrow, `fire${i}.expand1x1`, [squeezed, wide], 1);
    h = emit.Concat(one, layer(narrow, `fire${i}.expand3x3`, [squeezed, wide], 3, 1, 1), { axis: 1 });
    if (i === 1 || i === 3) h = pool(h);
    channels = 2 * wide;
  }
  const pooled = emit.call('GlobalAveragePool', [layer(h, 'classifier', [channels, classes], 1)]);
  const logits = emit.rename(emit.Flatten(pooled, { axis: 1 }), emit.fresh('logits'));
  return {
    irVersion: dialect.ir,
    opsets: new Map([['', dialect.opset]]),
    producer: '',
    producerVersion: '',
    domain: '',
    version: 0,
    metadata: new Map(),
    functions: [],
    graph: {
      ...emit.graph(
        'squeezenet1_1',
        [{ name: 'x', type: x }],
        [{ name: logits, type: { kind: 'tensor', dtype: 'float32', dims: ['N', classes] } }],
      ),
      values: new Map(),
    },
  };
};
