import { real } from '../../base/option.ts';
import { constantOf } from '../../graph/constant.ts';
import { defineHead, type Head } from '../define-layers.ts';
import { lengthened } from './unit-rows.ts';

/** Cosines of the features and the class vectors, times a fixed scale. */
export const cosine: Head = defineHead({
  id: 'cosine',
  source: 'arXiv:1804.09458 (cosine classifier); Luo et al., arXiv:1702.05870',
  about: 'Only directions count: no class wins by the length of its weights.',
  formula: ['z_c = scale · ⟨w_c, φ⟩ / (‖w_c‖ ‖φ‖)'],
  options: { scale: real({ default: 16, min: 1e-3, max: 1e4, help: 'Multiplies the cosines.' }) },
  baseline: 'linear',
  build(net, features, { width, classes }, { scale }) {
    const weight = net.parameter('head.weight', [classes, width]);
    const rows = lengthened(net, features, 'head.features', width);
    const vectors = lengthened(net, weight, 'head.vectors', width, classes);
    const angles = net.layer('Gemm', 'head.cosines', [rows, vectors], { transB: { type: 'int', value: 1 } }, [classes]);
    const factor = net.buffer('head.scale', constantOf('float32', [], [scale]));
    return { logits: net.layer('Mul', 'head', [angles, factor], {}, [classes]), given: { embedding: rows, prototypes: vectors } };
  },
});
