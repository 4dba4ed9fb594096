import { float } from '../../../src/graph/emit.ts';
import { type Case, c, f, held, weight } from './case.ts';

const batch = () => [f([3, 2, 2, 2]), weight([2], 0.5, 1.5), weight([2]), weight([2]), weight([2], 0.5, 1.5)];

export const normalisation: readonly Case[] = [
  c('BatchNormalization', batch()),
  c('BatchNormalization', [f([4, 3]), weight([3]), weight([3]), weight([3]), weight([3], 0.4, 1)], { epsilon: float(0.01) }),
  c(
    'BatchNormalization',
    [...batch().slice(0, 3), held([0.1, 0.2]), held([1, 2])],
    { training_mode: 1 },
    { outputs: [true, false, false] },
  ),
  c('BatchNormalization', batch(), { training_mode: 1, momentum: float(0.8) }, { outputs: [true, true, true] }),
  c(
    'BatchNormalization',
    [...batch().slice(0, 3), held([0.3, 0.7]), held([1.1, 1.9])],
    { training_mode: 1, momentum: float(0) },
    { outputs: [true, false, false] },
  ),
  c('InstanceNormalization', [f([2, 2, 3, 2]), weight([2]), weight([2])]),
  c('InstanceNormalization', [f([2, 2, 5]), weight([2]), weight([2])], { epsilon: float(0.1) }),
  c('LayerNormalization', [f([3, 4]), weight([4]), weight([4])]),
  c('LayerNormalization', [f([2, 3, 2]), weight([3, 2])], { axis: 1, epsilon: float(0.1) }),
  c('LayerNormalization', [f([2, 4]), weight([4]), weight([4])], {}, { outputs: [true, true, true] }),
  c('GroupNormalization', [f([2, 4, 3]), weight([4]), weight([4])], { num_groups: 2 }, { single: true }),
  c('RMSNormalization', [f([3, 4]), weight([4])], {}, { opset: 23 }),
  c('RMSNormalization', [f([2, 3, 2]), weight([3, 2])], { axis: 1, epsilon: float(0.1) }, { opset: 23 }),
  c('MeanVarianceNormalization', [f([2, 2, 2, 3])]),
  c('MeanVarianceNormalization', [f([3, 2, 4])], { axes: [0, 2] }),
  c('LpNormalization', [f([3, 4])]),
  c('LpNormalization', [f([3, 2])], { axis: 0, p: 1 }),
];
