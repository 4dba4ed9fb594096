import { choice, text } from '../../base/option.ts';
import { type Architecture, defineArchitecture } from '../define-layers.ts';
import { activate, activation, batchNorm, dense, drop, dropout, type Flow, flatten, sizesOf } from './layers.ts';

/** Dense layers with a non-linearity between them; without hidden layers a linear softmax classifier. */
export const mlp: Architecture = defineArchitecture({
  id: 'mlp',
  source: 'Rumelhart, Hinton, Williams 1986',
  options: {
    hidden: text({ default: '64', help: 'Sizes of the hidden layers, separated by commas; empty for a linear model.' }),
    activation,
    norm: choice({ default: 'none', of: ['none', 'batch'], help: 'Normalisation of each hidden layer before its non-linearity.' }),
    dropout,
  },
  build(net, x, row, classes, chosen) {
    let flow: Flow = flatten(net, { value: x, row });
    const sizes = sizesOf('hidden', chosen.hidden);
    for (const [i, size] of sizes.entries()) {
      const layer = dense(net, flow, `dense${i + 1}`, size);
      flow = activate(net, chosen.norm === 'batch' ? batchNorm(net, layer, `norm${i + 1}`) : layer, chosen.activation);
      flow = drop(net, flow, chosen.dropout);
    }
    return dense(net, flow, `dense${sizes.length + 1}`, classes).value;
  },
});
