import { text } from '../../base/option.ts';
import { capsuleFormula, capsuleOptions, capsules } from '../capsule-layers.ts';
import { type Architecture, defineArchitecture } from '../define-layers.ts';
import { activate, conv, type Flow, flatten, imageRow, maxPool, sizesOf } from './layers.ts';

export const capsule: Architecture = defineArchitecture({
  id: 'capsule',
  source: 'Sabour, Frosst, Hinton 2017, arXiv:1710.09829; card 35-domain-weighted-capsules (arXiv:2306.17068)',
  about:
    'Capsule network with dynamic routing: the score of a class is the length of its capsule, between 0 and 1, made for the loss `margin`. Without channels the voting capsules read the row itself.',
  formula: capsuleFormula,
  options: {
    channels: text({
      default: '',
      help: 'Channels of convolutions (3 × 3, ReLU, 2 × 2 max pooling) before the capsules, separated by commas; may be empty.',
    }),
    ...capsuleOptions,
  },
  baseline: 'mlp',
  build(net, x, row, classes, chosen, { random }) {
    let flow: Flow = { value: x, row };
    const channels = sizesOf('channels', chosen.channels);
    if (channels.length > 0) imageRow('capsule', row);
    for (const [i, size] of channels.entries())
      flow = maxPool(net, activate(net, conv(net, flow, `conv${i + 1}`, size, 3), 'relu'), `pool${i + 1}`);
    return capsules(net, flatten(net, flow), classes, chosen, random).value;
  },
});
