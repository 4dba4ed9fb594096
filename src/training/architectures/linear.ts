import { type Architecture, defineArchitecture } from '../define-layers.ts';
import { dense, flatten } from './layers.ts';

export const linear: Architecture = defineArchitecture({
  id: 'linear',
  source: 'softmax regression: multinomial logistic regression with cross-entropy, linear regression with mse',
  about: 'One dense layer on all values of a row: the simplest model there is, and the baseline of every other.',
  formula: ['z = Wx + b'],
  options: {},
  build: (net, x, row, classes) => dense(net, flatten(net, { value: x, row }), 'fc', classes).value,
});
