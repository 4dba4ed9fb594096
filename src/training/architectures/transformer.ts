import { Fault } from '../../base/fault.ts';
import { type IntOption, int } from '../../base/option.ts';
import type { Net } from '../define-layers.ts';
import { along, drop, type Flow, number, reshape } from './layers.ts';

/** In place of −∞ among attention logits: finite, so that a row without any words has no NaN. */
export const FAR = -1e9;

export const depth = (size: number): IntOption => int({ default: size, min: 1, max: 96, help: 'Encoder layers.' });
export const heads = (size: number): IntOption => int({ default: size, min: 1, max: 128, help: 'Attention heads; they divide the width.' });
export const width = (size: number): IntOption => int({ default: size, min: 1, max: 8192, help: 'Numbers that stand for a token.' });
export const hidden = (size: number): IntOption =>
  int({ default: size, min: 1, max: 32768, help: 'Hidden size of the dense layers after each attention.' });

export const layerNorm = (net: Net, { value, row }: Flow, name: string, epsilon: number): Flow => {
  const size = [row[row.length - 1]];
  const inputs = [value, net.parameter(`${name}.weight`, size), net.parameter(`${name}.bias`, size)];
  const attributes = { axis: { type: 'int', value: -1 }, epsilon: { type: 'float', value: epsilon } } as const;
  return { value: net.layer('LayerNormalization', name, inputs, attributes, row), row };
};

export const added = (net: Net, a: Flow, b: Flow, name: string): Flow => ({
  value: net.layer('Add', name, [a.value, b.value], {}, a.row),
  row: a.row,
});

const turned = (net: Net, { value, row }: Flow, name: string, perm: readonly number[]): Flow => {
  const next = perm.map((p) => row[p - 1]);
  return { value: net.layer('Transpose', name, [value], { perm: { type: 'ints', value: [0, ...perm] } }, next), row: next };
};

/** softmax(q·kᵀ/√d + mask)·v of every head, k and v of `from`; `mask` ([N, 1, 1, T]) is 0, or far below for tokens to leave out. */
export const attention = (net: Net, flow: Flow, name: string, count: number, mask?: string, from: Flow = flow): Flow => {
  const [tokens, size] = flow.row;
  const each = size / count;
  const split = (of: Flow, what: string, perm: readonly number[]): Flow =>
    turned(net, reshape(net, of, `${name}.${what}.heads`, [of.row[0], count, each]), `${name}.${what}.turned`, perm);
  const query = along(net, flow, `${name}.query`, size);
  const scaled = net.layer('Mul', `${name}.scaled`, [query.value, number(net, `${name}.scale`, 1 / Math.sqrt(each))], {}, query.row);
  const q = split({ value: scaled, row: query.row }, 'query', [2, 1, 3]);
  const k = split(along(net, from, `${name}.key`, size), 'key', [2, 3, 1]);
  const v = split(along(net, from, `${name}.value`, size), 'value', [2, 1, 3]);
  const row = [count, tokens, from.row[0]];
  const plain = net.layer('MatMul', `${name}.logits`, [q.value, k.value], {}, row);
  const logits = mask === undefined ? plain : net.layer('Add', `${name}.masked`, [plain, mask], {}, row);
  const shares = net.layer('Softmax', `${name}.softmax`, [logits], { axis: { type: 'int', value: -1 } }, row);
  const read = { value: net.layer('MatMul', `${name}.read`, [shares, v.value], {}, [count, tokens, each]), row: [count, tokens, each] };
  return along(net, reshape(net, turned(net, read, `${name}.joined`, [2, 1, 3]), `${name}.flat`, [tokens, size]), `${name}.out`, size);
};

/** x + Attention(LN(x)), then x + W₂·gelu(W₁·LN(x)): normalisation first, rows [tokens, width]. */
const encoderLayer = (net: Net, flow: Flow, name: string, sizes: Sizes, mask: string | undefined): Flow => {
  const { epsilon } = sizes;
  const read = attention(net, layerNorm(net, flow, `${name}.norm1`, epsilon), `${name}.attention`, sizes.heads, mask);
  const middle = added(net, flow, drop(net, read, sizes.dropout), `${name}.middle`);
  const inner = along(net, layerNorm(net, middle, `${name}.norm2`, epsilon), `${name}.dense1`, sizes.hidden);
  const gelu = { value: net.layer('Gelu', `${name}.gelu`, [inner.value], {}, inner.row), row: inner.row };
  return added(net, middle, drop(net, along(net, gelu, `${name}.dense2`, flow.row[1]), sizes.dropout), name);
};

interface Sizes {
  readonly depth: number;
  readonly heads: number;
  readonly hidden: number;
  readonly epsilon: number;
  /** Of what each attention and each pair of dense layers adds. */
  readonly dropout: number;
}

/** Encoder layers one after the other, and a last normalisation. */
export const encoder = (net: Net, flow: Flow, arch: string, sizes: Sizes, mask?: string): Flow => {
  if (flow.row[1] % sizes.heads !== 0)
    throw new Fault('training/architecture', { arch, reason: `${sizes.heads} heads do not divide its width of ${flow.row[1]}` });
  let next = flow;
  for (let i = 0; i < sizes.depth; i++) next = encoderLayer(net, next, `layers.${i}`, sizes, mask);
  return layerNorm(net, next, 'norm', sizes.epsilon);
};
