import { Fault } from '../../base/fault.ts';
import { flag, int, text } from '../../base/option.ts';
import { type Architecture, defineArchitecture } from '../define-layers.ts';
import { activate, activation, batchNorm, conv, dense, drop, dropout, type Flow, flatten, imageRow, maxPool, sizesOf } from './layers.ts';

/** Convolution, non-linearity, 2 × 2 max pooling, repeated; then dense layers. */
export const cnn: Architecture = defineArchitecture({
  id: 'cnn',
  source: 'LeCun et al. 1998, doi:10.1109/5.726791',
  options: {
    channels: text({ default: '16,32', help: 'Channels of each convolution, separated by commas.' }),
    kernel: int({ default: 3, min: 1, max: 31, help: 'Height and width of the convolutions.' }),
    hidden: text({ default: '64', help: 'Sizes of the dense layers before the last, separated by commas; may be empty.' }),
    batchNorm: flag({ default: false, help: 'Batch normalisation after each convolution.' }),
    activation,
    dropout: {
      ...dropout,
      help: 'Share of the numbers that dense layers read which each training step sets to 0, the others being scaled up; 0 for none.',
    },
  },
  build(net, x, row, classes, chosen) {
    imageRow('cnn', row);
    let flow: Flow = { value: x, row };
    for (const [i, channels] of sizesOf('channels', chosen.channels).entries()) {
      flow = conv(net, flow, `conv${i + 1}`, channels, chosen.kernel);
      if (chosen.batchNorm) flow = batchNorm(net, flow, `bn${i + 1}`);
      flow = activate(net, flow, chosen.activation);
      if (Math.min(flow.row[1], flow.row[2]) < 2)
        throw new Fault('training/architecture', {
          arch: 'cnn',
          reason: `after ${i} poolings of [${row}] nothing is left to pool; name at most ${i} channels`,
        });
      flow = maxPool(net, flow, `pool${i + 1}`);
    }
    flow = drop(net, flatten(net, flow), chosen.dropout);
    const sizes = sizesOf('hidden', chosen.hidden);
    for (const [i, size] of sizes.entries())
      flow = drop(net, activate(net, dense(net, flow, `dense${i + 1}`, size), chosen.activation), chosen.dropout);
    return dense(net, flow, `dense${sizes.length + 1}`, classes).value;
  },
});
