import { castLike } from '../../autodiff/shapes.ts';
import { defineMonitor, type Monitor } from '../define.ts';

export const batchSize: Monitor = defineMonitor({
  id: 'batch-size',
  title: 'Batch size',
  source: 'card 30-adadagrad',
  about: 'Rows of each step, for runs whose batch changes.',
  formula: ['b'],
  unit: 'count',
  options: {},
  build: (emit, { perExample, gathered }) => ({ '': gathered?.rows ?? castLike(emit, emit.call('Size', [perExample]), perExample) }),
});
