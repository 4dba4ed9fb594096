import { Fault } from '../../base/fault.ts';
import { choice, int } from '../../base/option.ts';
import { constantOf } from '../../graph/constant.ts';
import { type Architecture, defineArchitecture } from '../define-layers.ts';
import { conv, dense, drop, dropout, type Flow, imageRow, integers, reshape } from './layers.ts';
import { depth, encoder, heads, hidden, width } from './transformer.ts';

/** Spread of the first class token, as of the positions. */
const SPREAD = 0.02;

export const vitTiny: Architecture = defineArchitecture({
  id: 'vit-tiny',
  source: 'Dosovitskiy et al. 2021, arXiv:2010.11929; sizes of DeiT-Ti, arXiv:2012.12877',
  about:
    'Vision transformer: patches of the image as tokens with learned positions, normalisation first. Smaller sizes train well from nothing on small images.',
  formula: ['x₀ = [cls; E·patches] + positions', 'x ← x + MHSA(LN(x)),  x ← x + W₂·gelu(W₁·LN(x))', 'z = W·LN(x_L)[cls] + b'],
  options: {
    patch: int({ default: 4, min: 1, max: 256, help: 'Height and width of a patch; they divide those of the image.' }),
    width: width(192),
    depth: depth(12),
    heads: heads(3),
    hidden: hidden(768),
    dropout: {
      ...dropout,
      help: 'Share of the embedded tokens, and of what each attention and pair of dense layers adds, that each training step sets to 0, the rest being scaled up; 0 for none.',
    },
    pool: choice({
      default: 'class-token',
      of: ['class-token', 'mean'],
      help: 'What the last layer reads: a token of its own, or the mean of all.',
    }),
  },
  build(net, x, row, classes, chosen, { random }) {
    imageRow('vit-tiny', row);
    const { patch, pool } = chosen;
    if (row.slice(1).some((d) => d % patch !== 0))
      throw new Fault('training/architecture', {
        arch: 'vit-tiny',
        reason: `patches of ${patch} × ${patch} do not divide images of ${row[1]} × ${row[2]}`,
      });
    const patches = conv(net, { value: x, row }, 'patches', chosen.width, patch, { stride: patch, padded: false });
    const count = patches.row[1] * patches.row[2];
    const flat = reshape(net, patches, 'patches.flat', [chosen.width, count]);
    const tokens = net.layer('Transpose', 'tokens', [flat.value], { perm: { type: 'ints', value: [0, 2, 1] } }, [count, chosen.width]);
    const own = pool === 'class-token' ? 1 : 0;
    const all = [count + own, chosen.width];
    const positions = net.parameter('positions', all);
    // The class token is the first row of a table that is added to the positions, its other rows zero.
    const table = (): string => {
      const token = net.parameter(
        'cls',
        [1, chosen.width],
        Float64Array.from({ length: chosen.width }, () => SPREAD * random.normal()),
      );
      const padded = net.tensor('Pad', 'cls.padded', [token, integers(net, 'cls.pads', [0, 0, count, 0])], {}, all);
      return net.tensor('Add', 'table', [positions, padded], {}, all);
    };
    const room = own ? net.layer('Pad', 'tokens.padded', [tokens, integers(net, 'tokens.pads', [0, 1, 0, 0, 0, 0])], {}, all) : tokens;
    const start: Flow = { value: net.layer('Add', 'embedded', [room, own ? table() : positions], {}, all), row: all };
    const { value } = encoder(net, drop(net, start, chosen.dropout), 'vit-tiny', { ...chosen, epsilon: 1e-6 });
    const read = own
      ? net.layer(
          'Gather',
          'first',
          [value, net.buffer('first.index', constantOf('int64', [], [0]))],
          { axis: { type: 'int', value: 1 } },
          [chosen.width],
        )
      : net.layer('ReduceMean', 'mean', [value, integers(net, 'mean.axes', [1])], { keepdims: { type: 'int', value: 0 } }, [chosen.width]);
    return dense(net, { value: read, row: [chosen.width] }, 'fc', classes).value;
  },
});
