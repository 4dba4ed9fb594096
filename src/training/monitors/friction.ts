import { sizeOf } from '../../base/tensor.ts';
import type { Emit } from '../../graph/emit.ts';
import { defineMonitor, type Monitor } from '../define.ts';

/** Percentiles are those of at most so many entries, evenly spaced. */
const MOST = 4096;

/** The smallest entry that at least `share` of them do not exceed. */
const percentile = (emit: Emit, values: string, size: number, share: number): string => {
  const rank = Math.max(1, Math.ceil(share * size));
  const low = rank <= size / 2;
  const k = emit.ints([low ? rank : size - rank + 1]);
  const [found] = emit.calls('TopK', [values, k], 2, { largest: low ? 0 : 1 });
  return low ? emit.ReduceMax(found, { keepdims: 0 }) : emit.ReduceMin(found, { keepdims: 0 });
};

/** ξ = σ(|g_{t−1} − g_t|) of diffGrad by tensor. Its mean is the factor that the rate is multiplied by, as far as m is even. */
export const friction: Monitor = defineMonitor({
  id: 'friction',
  title: 'Friction of diffGrad',
  source: 'arXiv:1909.11015, equation 6 (diffGrad)',
  about:
    'Mean and 5th and 95th percentile of the friction in every layer. 1/2 everywhere is Adam at half the rate. Percentiles are exact for tensors of up to 4,096 entries, and those of as many evenly spaced ones for larger.',
  formula: ['ξ = 1 / (1 + exp(−|g_{t−1} − g_t|))'],
  unit: 'none',
  of: ['diffgrad'],
  options: {},
  build(emit, { parameters, split, optimizer: { before, after } }) {
    const change = split(emit.Abs(emit.Sub(before.previous, after.previous)));
    const many = parameters.some((p) => p.dims.length > 1);
    const lines: Record<string, string> = {};
    for (const [i, { name, dims }] of parameters.entries()) {
      if (many && dims.length < 2) continue;
      const size = sizeOf(dims);
      const stride = Math.ceil(size / MOST);
      const flat = emit.Sigmoid(emit.Reshape(change[i], emit.ints([-1])));
      const some = stride > 1 ? emit.Slice(flat, emit.ints([0]), emit.ints([size]), emit.ints([0]), emit.ints([stride])) : flat;
      const count = Math.ceil(size / stride);
      lines[name] = emit.ReduceMean(flat, { keepdims: 0 });
      lines[`${name} 5 %`] = percentile(emit, some, count, 0.05);
      lines[`${name} 95 %`] = percentile(emit, some, count, 0.95);
    }
    return lines;
  },
  says(lines) {
    const means = Object.entries(lines).flatMap(([line, values]) => {
      const finite = values.filter(Number.isFinite);
      if (/ (5|95) %$/.test(line) || finite.length === 0) return [];
      return [{ name: line.slice('friction/'.length), mean: finite.reduce((s, v) => s + v, 0) / finite.length }];
    });
    if (means.length === 0) return undefined;
    if (means.every(({ mean }) => mean < 0.51))
      return 'Gradient changes are far below 1, friction is ≈ 0.5 everywhere: this run is equivalent to Adam at half the learning rate.';
    return `Mean friction, by which the rate is multiplied: ${means.map(({ name, mean }) => `${name} ${mean.toFixed(3)}`).join(', ')}. Layers near 0.5 move as with Adam at half the rate.`;
  },
});
