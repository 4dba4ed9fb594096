import { Fault } from '../../base/fault.ts';
import { choice, int } from '../../base/option.ts';
import { sizeOf } from '../../base/tensor.ts';
import { type Architecture, defineArchitecture, type Net } from '../define-layers.ts';
import { along, dense, drop, dropout, type Flow, integers, number, reshape } from './layers.ts';
import { FAR } from './transformer.ts';

const operators = { gelu: 'Gelu', tanh: 'Tanh', relu: 'Relu' } as const;
const whole = (value: number): { readonly type: 'int'; readonly value: number } => ({ type: 'int', value });
const each = (net: Net, op: string, name: string, { value, row }: Flow): Flow => ({ value: net.layer(op, name, [value], {}, row), row });

/** One number per instance: w₂·act(W₁h), or w₂·(tanh(V h) ⊙ σ(U h)) where gated. No biases. */
const attentionLogits = (net: Net, h: Flow, gated: boolean, size: number, activation: keyof typeof operators): Flow => {
  const inner = along(net, h, 'attention.1', size, false);
  const moved = each(net, gated ? 'Tanh' : operators[activation], 'attention.active', inner);
  if (!gated) return along(net, moved, 'attention.2', 1, false);
  const gate = each(net, 'Sigmoid', 'attention.open', along(net, h, 'attention.gate', size, false));
  const both = { value: net.layer('Mul', 'attention.gated', [moved.value, gate.value], {}, inner.row), row: inner.row };
  return along(net, both, 'attention.2', 1, false);
};

export const milAttention: Architecture = defineArchitecture({
  id: 'mil-attention',
  source: 'Ilse et al. 2018, arXiv:1802.04712; sizes and activation of MHIM-MIL, arXiv:2307.15254 (card 47-mhim-mil)',
  about:
    'Multiple-instance learning: a row is a bag of instances, [instances, …features], with one label; `data.bagKey` gathers a table of instances into bags. Instances whose values are all zero are padding and count as nothing. Order does not matter.',
  formula: ['h_i = relu(W_f x_i + b_f)', 'a = softmax_i(w₂ · act(W₁ h_i))', 'z = W_c Σ_i a_i h_i + b_c'],
  options: {
    aggregator: choice({
      default: 'attention',
      of: ['attention', 'gated', 'mean', 'max'],
      help: 'How instances become one bag: weighed by attention, by gated attention, their mean, or the largest of each feature.',
    }),
    features: int({ default: 512, min: 1, max: 65_536, help: 'Size of an instance after the first layer.' }),
    attention: int({ default: 128, min: 1, max: 65_536, help: 'Hidden size of the attention.' }),
    activation: choice({ default: 'gelu', of: ['gelu', 'tanh', 'relu'], help: 'Non-linearity of the attention that is not gated.' }),
    dropout: {
      ...dropout,
      help: 'Share of the features of instances that each training step sets to 0, the others being scaled up; 0 for none.',
    },
  },
  build(net, x, row, classes, { aggregator, features, attention, activation, dropout: share }) {
    if (row.length < 2)
      throw new Fault('training/architecture', {
        arch: 'mil-attention',
        reason: `it needs rows that are bags, of shape instances × features, not [${row}]; set arch.input or data.bagKey`,
      });
    const [count] = row;
    const flat: Flow = row.length === 2 ? { value: x, row } : reshape(net, { value: x, row }, 'instances', [count, sizeOf(row.slice(1))]);
    const axis = integers(net, 'presence.axis', [2]);
    const sizes = net.layer('Abs', 'presence.sizes', [flat.value], {}, flat.row);
    const largest = net.layer('ReduceMax', 'presence.largest', [sizes, axis], { keepdims: whole(1) }, [count, 1]);
    const present = net.layer('Greater', 'presence', [largest, number(net, 'presence.zero', 0)], {}, [count, 1], 'bool');
    const h = drop(net, each(net, 'Relu', 'features', along(net, flat, 'feature', features)), share);
    const far = number(net, 'presence.far', FAR);
    const over = integers(net, 'bag.axis', [1]);
    const bagged = (op: string, value: string): Flow => ({
      value: net.layer(op, 'bag', [value, over], { keepdims: whole(0) }, [features]),
      row: [features],
    });
    const summed = (weights: string): Flow => bagged('ReduceSum', net.layer('Mul', 'weighed', [h.value, weights], {}, h.row));
    const bag = (): Flow => {
      if (aggregator === 'max') return bagged('ReduceMax', net.layer('Where', 'features.present', [present, h.value, far], {}, h.row));
      const plain =
        aggregator === 'mean'
          ? number(net, 'attention.equal', 0)
          : attentionLogits(net, h, aggregator === 'gated', attention, activation).value;
      const logits = net.layer('Where', 'attention.logits', [present, plain, far], {}, [count, 1]);
      return summed(net.layer('Softmax', 'attention', [logits], { axis: whole(1) }, [count, 1]));
    };
    return dense(net, bag(), 'fc', classes).value;
  },
});
