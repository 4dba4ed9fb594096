import { text } from '../../base/option.ts';
import { type Architecture, defineArchitecture } from '../define.ts';
import { activate, activation, dense, type Flow, flatten, sizesOf } from './layers.ts';

/** Dense layers with a non-linearity between them; without hidden layers a linear softmax classifier. */
export const mlp: Architecture = defineArchitecture({
  id: 'mlp',
  source: 'Rumelhart, Hinton, Williams 1986',
  options: {
    hidden: text({ default: '64', help: 'Sizes of the hidden layers, separated by commas; empty for a linear model.' }),
    activation,
  },
  build(net, x, row, classes, chosen) {
    let flow: Flow = flatten(net, { value: x, row });
    const sizes = sizesOf('hidden', chosen.hidden);
    for (const [i, size] of sizes.entries()) flow = activate(net, dense(net, flow, `dense${i + 1}`, size), chosen.activation);
    return dense(net, flow, `dense${sizes.length + 1}`, classes).value;
  },
});
