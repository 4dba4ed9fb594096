import { floatOf } from '../../graph/attribute.ts';
import { type Emit, float } from '../../graph/emit.ts';
import type { Rule, Rules, Site } from '../rule.ts';
import { axisOf, castLike, mean, num, rankOf, sizeAt } from '../shapes.ts';
import { rms } from './normalisation.ts';

/** Layer normalisations that ONNX Runtime fuses with the sum in front of them, and the embedding in front of that. */
const total = (emit: Emit, terms: readonly (string | undefined)[]): string =>
  terms.filter((t) => t !== undefined && t !== '').reduce<string>((a, b) => (a ? emit.Add(a, b ?? '') : (b ?? '')), '');

/** y, mean and deviation⁻¹; those that nothing reads are left out. */
const layer = (emit: Emit, x: string, { node, y }: Site, scale: string, shift = ''): readonly string[] => {
  const made = node.op === 'EmbedLayerNormalization' ? [true] : [true, ...y.slice(1, 3).map((name) => name !== '')];
  return emit.calls('LayerNormalization', [x, scale, shift], made, { epsilon: float(floatOf(node, 'epsilon', 1e-12)) });
};
const skipLayer: Rule = {
  as: (emit, site) => {
    const [x, skip, scale, shift, bias] = site.x;
    const sum = total(emit, [x, skip, bias]);
    const [y, center = '', inverse = ''] = layer(emit, sum, site, scale, shift);
    return [y, center, inverse, sum];
  },
};

/** (mean x² + ε)^{−1/2} */
const inverseRms = (emit: Emit, x: string, axes: readonly number[], epsilon: number): string =>
  emit.Reciprocal(emit.Sqrt(emit.Add(mean(emit, emit.Mul(x, x), axes), num(emit, epsilon, x))));
const skipRms: Rule = {
  as: (emit, { x: [x, skip, scale, bias], y, node }) => {
    const sum = total(emit, [x, skip, bias]);
    const epsilon = floatOf(node, 'epsilon', 1e-12);
    // Output 1, a mean, is never set.
    return [rms(emit, sum, scale, [-1], epsilon), '', y[2] ? inverseRms(emit, sum, [-1], epsilon) : '', sum];
  },
};
const simplified: Rule = {
  as: (emit, site) => {
    const { x, y, node } = site;
    const axis = axisOf(emit, site, -1);
    const axes = Array.from({ length: (rankOf(emit, x[0]) ?? axis + 1) - axis }, (_, i) => axis + i);
    const epsilon = floatOf(node, 'epsilon', 1e-5);
    return [rms(emit, x[0], x[1], axes, epsilon), y[1] ? castLike(emit, inverseRms(emit, x[0], axes, epsilon), y[1]) : ''];
  },
};

/** Word, position and segment embeddings summed, then a layer normalisation. Positions run from 0 where none are given. */
const embedding: Rule = {
  as: (emit, site) => {
    const [ids, segments, words, positions, segmentTable, scale, shift, , positionIds] = site.x;
    const place = positionIds
      ? emit.Gather(positions, positionIds)
      : emit.Slice(positions, emit.ints([0]), sizeAt(emit, ids, 1), emit.ints([0]));
    const sum = total(emit, [emit.Gather(words, ids), place, segments ? emit.Gather(segmentTable, segments) : '']);
    return [layer(emit, sum, site, scale, shift)[0], '', sum];
  },
};

export const contribNormalisation: Rules = {
  'com.microsoft.SkipLayerNormalization': skipLayer,
  'com.microsoft.SkipSimplifiedLayerNormalization': skipRms,
  SimplifiedLayerNormalization: simplified,
  'com.microsoft.EmbedLayerNormalization': embedding,
};
