import { random } from '../../src/base/random.ts';
import { sizeOf } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import type { Emit } from '../../src/graph/emit.ts';
import type { Model } from '../../src/graph/types.ts';
import { recorded, value } from './models.ts';

/** SqueezeNet (Iandola et al. 2016), version 1.1, with a sixteenth of its channels and 10 classes; weights by chance. */
export const squeezenet = (): Model =>
  recorded([value('x', 'float32', ['N', 3, 64, 64])], [value('logits', 'float32', ['N', 10])], (emit: Emit) => {
    const draw = random(11, 'squeezenet');
    let layer = 0;
    const convolution = (x: string, from: number, to: number, size: number, stride = 1, pad = 0): string => {
      const dims = [to, from, size, size];
      const deviation = Math.sqrt(2 / (from * size * size));
      const w = Array.from({ length: sizeOf(dims) }, () => deviation * draw.normal());
      const [weight, bias] = [`conv${++layer}.weight`, `conv${layer}.bias`];
      emit.hold(weight, constantOf('float32', dims, w));
      emit.hold(
        bias,
        constantOf(
          'float32',
          [to],
          Array.from({ length: to }, () => 0.1 * draw.normal()),
        ),
      );
      const attributes = { kernel_shape: [size, size], strides: [stride, stride], pads: [pad, pad, pad, pad] };
      return emit.Relu(emit.call('Conv', [x, weight, bias], attributes));
    };
    const pool = (x: string): string => emit.call('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 });
    const fire = (x: string, from: number, squeeze: number, expand: number): string => {
      const narrow = convolution(x, from, squeeze, 1);
      return emit.Concat(convolution(narrow, squeeze, expand, 1), convolution(narrow, squeeze, expand, 3, 1, 1), { axis: 1 });
    };
    let x = pool(convolution('x', 3, 4, 3, 2));
    x = pool(fire(fire(x, 4, 1, 4), 8, 1, 4));
    x = pool(fire(fire(x, 8, 2, 8), 16, 2, 8));
    x = fire(fire(x, 16, 3, 12), 24, 3, 12);
    x = fire(fire(x, 24, 4, 16), 32, 4, 16);
    emit.rename(emit.Flatten(emit.call('GlobalAveragePool', [convolution(x, 32, 10, 1)])), 'logits');
  });
