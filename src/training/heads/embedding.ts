import { int } from '../../base/option.ts';
import { defineHead, type Head } from '../define-layers.ts';
import { lengthened } from './unit-rows.ts';

/** A dense layer whose rows are brought to length 1: what losses of embeddings compare. */
export const embedding: Head = defineHead({
  id: 'embedding',
  source: 'arXiv:1503.03832, section 3 (FaceNet)',
  about: 'The model gives an embedding of each row, not scores of classes: rows of one class should lie close.',
  formula: ['e = (Wφ + b) / ‖Wφ + b‖'],
  options: { dim: int({ default: 64, min: 1, max: 65536, help: 'Width of the embedding.' }) },
  baseline: 'linear',
  outputs: (_, { dim }) => dim,
  build(net, features, { width }, { dim }) {
    const inputs = [features, net.parameter('head.weight', [dim, width]), net.parameter('head.bias', [dim])];
    const raw = net.layer('Gemm', 'head', inputs, { transB: { type: 'int', value: 1 } }, [dim]);
    return { logits: lengthened(net, raw, 'embedding', dim) };
  },
});
