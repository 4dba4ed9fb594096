import { flag } from '../../base/option.ts';
import { defineHead, type Head } from '../define-layers.ts';

/** W·φ + b with new values. */
export const linear: Head = defineHead({
  id: 'linear',
  source: 'softmax regression on the features',
  about: 'A new last layer, for other classes than those the model was made for.',
  formula: ['z = Wφ + b'],
  options: { bias: flag({ default: true, help: 'Adds b.' }) },
  baseline: null,
  build(net, features, { width, classes }, { bias }) {
    const weight = net.parameter('head.weight', [classes, width]);
    const inputs = [features, weight, ...(bias ? [net.parameter('head.bias', [classes])] : [])];
    return { logits: net.layer('Gemm', 'head', inputs, { transB: { type: 'int', value: 1 } }, [classes]) };
  },
});
