import { constantOf } from '../../graph/constant.ts';
import type { Model } from '../../graph/types.ts';
import { dense } from '../architectures/layers.ts';
import { buildModel } from '../build.ts';
import type { Architecture } from '../define-layers.ts';

export interface TemperatureNet {
  /** Features of a row, and classes of its logits, which follow them in `x`. */
  readonly width: number;
  readonly classes: number;
  readonly hidden: number;
  readonly low: number;
  readonly high: number;
}

/** logits/τ with τ = clamp(W₂·relu(W₁f + b₁) + b₂, low, high): a temperature of each row's own (Liu et al. 2024). */
export const temperatureNet = ({ width, classes, hidden, low, high }: TemperatureNet): Model => {
  const net: Architecture = {
    id: 'temperature-net',
    source: 'arXiv:2404.13016',
    options: {},
    build(layers, x) {
      const part = (name: string, from: number, count: number): string => {
        const places = constantOf(
          'int64',
          [count],
          Array.from({ length: count }, (_, k) => from + k),
        );
        return layers.layer('Gather', name, [x, layers.buffer(`${name}.places`, places)], { axis: { type: 'int', value: 1 } }, [count]);
      };
      const first = dense(layers, { value: part('features', 0, width), row: [width] }, 'first', hidden);
      const rectified = layers.layer('Relu', 'rectified', [first.value], {}, [hidden]);
      const raw = dense(layers, { value: rectified, row: [hidden] }, 'second', 1);
      const bound = (name: string, value: number): string => layers.buffer(name, constantOf('float32', [], [value]));
      const tau = layers.layer('Clip', 'temperature', [raw.value, bound('low', low), bound('high', high)], {}, [1]);
      return layers.layer('Div', 'scaled', [part('given', width, classes), tau], {}, [classes]);
    },
  };
  return buildModel(net, [width + classes], classes, {});
};
