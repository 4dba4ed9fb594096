import { Fault } from '../../base/fault.ts';
import { int } from '../../base/option.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Constant } from '../../graph/types.ts';
import { type Architecture, defineArchitecture } from '../define-layers.ts';
import { dense, drop, dropout, integers, number } from './layers.ts';
import { depth, encoder, FAR, heads, hidden, width } from './transformer.ts';

const paddingOf = (token: number): Constant => constantOf('int64', [], [token]);
const whole = (value: number): { readonly type: 'int'; readonly value: number } => ({ type: 'int', value });

export const textTransformer: Architecture = defineArchitecture({
  id: 'text-transformer',
  source: 'Vaswani et al. 2017, arXiv:1706.03762 (the encoder); normalisation first as in Xiong et al. 2020, arXiv:2002.04745',
  about:
    'Transformer encoder for texts: token ids in, learned positions, padding left out of the attention and of the mean that the last layer reads. Texts need `preprocess.tokenizer`.',
  formula: ['x₀ = E[token] + positions', 'x ← x + MHSA(LN(x)),  x ← x + W₂·gelu(W₁·LN(x))', 'z = W · mean over words of LN(x_L) + b'],
  options: {
    width: width(64),
    depth: depth(2),
    heads: heads(4),
    hidden: hidden(256),
    dropout: {
      ...dropout,
      help: 'Share of the embedded tokens, and of what each attention and pair of dense layers adds, that each training step sets to 0, the rest being scaled up; 0 for none.',
    },
    vocabulary: int({
      default: 0,
      min: 0,
      max: 10_000_000,
      help: "Number of tokens; 0 for the tokenizer's, or one more than the largest of the training rows.",
    }),
  },
  tokens: true,
  build(net, x, row, classes, chosen, { vocabulary }) {
    const size = chosen.vocabulary || vocabulary.size;
    if (row.length !== 1)
      throw new Fault('training/architecture', {
        arch: 'text-transformer',
        reason: `it needs rows of token ids of one axis, not [${row}]`,
      });
    if (size < 1)
      throw new Fault('training/architecture', { arch: 'text-transformer', reason: 'the number of tokens is not known; set vocabulary' });
    const [length] = row;
    const all = [length, chosen.width];
    const words = net.layer('Gather', 'words', [net.parameter('embedding', [size, chosen.width]), x], {}, all);
    const start = net.layer('Add', 'embedded', [words, net.parameter('positions', all)], {}, all);
    const padding = net.tensor('Constant', 'padding', [], { value: { type: 'tensor', value: paddingOf(vocabulary.padding) } }, []);
    const empty = net.layer('Equal', 'empty', [x, padding], {}, [length], 'bool');
    const kept = net.layer('Not', 'kept', [empty], {}, [length], 'bool');
    const shares = net.layer('Cast', 'shares', [kept], { to: whole(1) }, [length]);
    const one = number(net, 'one', 1);
    const gaps = net.layer('Sub', 'gaps', [shares, one], {}, [length]);
    const far = net.layer('Mul', 'far', [gaps, number(net, 'far.by', -FAR)], {}, [length]);
    const mask = net.layer('Unsqueeze', 'mask', [far, integers(net, 'mask.places', [1, 2])], {}, [1, 1, length]);
    const embedded = drop(net, { value: start, row: all }, chosen.dropout);
    const { value } = encoder(net, embedded, 'text-transformer', { ...chosen, epsilon: 1e-5 }, mask);
    const line = net.layer('Unsqueeze', 'shares.line', [shares, integers(net, 'shares.place', [1])], {}, [1, length]);
    const sum = net.layer('MatMul', 'sum', [line, value], {}, [1, chosen.width]);
    const flat = net.layer('Flatten', 'sum.flat', [sum], { axis: whole(1) }, [chosen.width]);
    const found = net.layer('ReduceSum', 'count', [shares, integers(net, 'count.axes', [1])], { keepdims: whole(1) }, [1]);
    const count = net.layer('Max', 'count.least', [found, one], {}, [1]);
    const mean = net.layer('Div', 'mean', [flat, count], {}, [chosen.width]);
    return dense(net, { value: mean, row: [chosen.width] }, 'fc', classes).value;
  },
});
