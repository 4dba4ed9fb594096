import { Fault } from '../../base/fault.ts';
import { choice, int } from '../../base/option.ts';
import { type Architecture, defineArchitecture, type Net } from '../define-layers.ts';
import { activate, batchNorm, conv, dense, type Flow, flatten, imageRow, integers } from './layers.ts';

/** Every other row and column, and channels of zeros after the others (option A of the paper). */
const padded = (net: Net, { value, row }: Flow, name: string, out: number, stride: number): Flow => {
  const next = [out, Math.ceil(row[1] / stride), Math.ceil(row[2] / stride)];
  const four = ['starts', 'ends', 'axes', 'steps'].map((what, i) =>
    integers(net, `${name}.${what}`, [[0, 0], row.slice(1), [2, 3], [stride, stride]][i]),
  );
  const fewer = net.layer('Slice', `${name}.slice`, [value, ...four], {}, [row[0], ...next.slice(1)]);
  if (out === row[0]) return { value: fewer, row: next };
  return {
    value: net.layer('Pad', name, [fewer, integers(net, `${name}.pads`, [0, 0, 0, 0, 0, out - row[0], 0, 0])], {}, next),
    row: next,
  };
};

/** 1 × 1 convolution and normalisation (option B). */
const projected = (net: Net, flow: Flow, name: string, out: number, stride: number): Flow =>
  batchNorm(net, conv(net, flow, `${name}.0`, out, 1, { stride, bias: false }), `${name}.1`);

/** Two 3 × 3 convolutions, and the input added before the last non-linearity. */
const block = (net: Net, flow: Flow, name: string, out: number, stride: number, shortcut: 'padding' | 'projection'): Flow => {
  const first = batchNorm(net, conv(net, flow, `${name}.conv1`, out, 3, { stride, bias: false }), `${name}.bn1`);
  const second = conv(net, activate(net, first, 'relu'), `${name}.conv2`, out, 3, { bias: false });
  const { value, row } = batchNorm(net, second, `${name}.bn2`);
  const same = stride === 1 && out === flow.row[0];
  const beside = same ? flow : (shortcut === 'padding' ? padded : projected)(net, flow, `${name}.downsample`, out, stride);
  return activate(net, { value: net.layer('Add', `${name}.add`, [value, beside.value], {}, row), row }, 'relu');
};

export const resnet: Architecture = defineArchitecture({
  id: 'resnet',
  source: 'He et al. 2016, arXiv:1512.03385, section 4.2 (the CIFAR form)',
  about:
    'Residual network of 6k + 2 layers: a convolution, three stages of k blocks at full, half and quarter resolution, the mean over places, a dense layer.',
  formula: ['x_{l+1} = relu(x_l + BN(W₂ * relu(BN(W₁ * x_l))))', 'z = W · mean_hw(x_L) + b'],
  options: {
    depth: int({ default: 20, min: 8, max: 1202, help: 'Layers with weights, 6k + 2: 8, 14, 20, 26, 32, 44, 56, 110.' }),
    width: int({ default: 16, min: 1, max: 1024, help: 'Channels of the first stage; each further one doubles them.' }),
    shortcut: choice({
      default: 'padding',
      of: ['padding', 'projection'],
      help: "Where channels grow: zeros beside every other pixel (the paper's option A, no weights), or a 1 × 1 convolution (B).",
    }),
  },
  build(net, x, row, classes, { depth, width, shortcut }) {
    imageRow('resnet', row);
    if ((depth - 2) % 6 !== 0) {
      const near = 6 * Math.round((depth - 2) / 6) + 2;
      throw new Fault('option/value', { name: 'depth', value: String(depth), expected: `6k + 2, such as ${near}` });
    }
    let flow: Flow = { value: x, row };
    flow = activate(net, batchNorm(net, conv(net, flow, 'conv1', width, 3, { bias: false }), 'bn1'), 'relu');
    for (const stage of [1, 2, 3])
      for (let k = 0; k < (depth - 2) / 6; k++)
        flow = block(net, flow, `layer${stage}.${k}`, width * 2 ** (stage - 1), stage > 1 && k === 0 ? 2 : 1, shortcut);
    const pooled = { value: net.layer('GlobalAveragePool', 'pool', [flow.value], {}, [flow.row[0], 1, 1]), row: [flow.row[0], 1, 1] };
    return dense(net, flatten(net, pooled), 'fc', classes).value;
  },
});
