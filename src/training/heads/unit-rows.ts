import { constantOf } from '../../graph/constant.ts';
import type { Attributes } from '../../graph/types.ts';
import type { Net } from '../define-layers.ts';

const keep: Attributes = { keepdims: { type: 'int', value: 1 } };

/** Rows of the batch ([N, width]), or of a table of `rows` parameters, brought to length 1, the length floored at 1e-12. */
export const lengthened = (net: Net, value: string, name: string, width: number, rows?: number): string => {
  const record = (op: string, as: string, inputs: readonly string[], attributes: Attributes, last: number): string =>
    rows === undefined ? net.layer(op, as, inputs, attributes, [last]) : net.tensor(op, as, inputs, attributes, [rows, last]);
  const axes = net.buffer(`${name}.axes`, constantOf('int64', [1], [-1]));
  const least = net.buffer(`${name}.least`, constantOf('float32', [], [1e-12]));
  const length = record('ReduceL2', `${name}.length`, [value, axes], keep, 1);
  return record('Div', name, [value, record('Max', `${name}.floored`, [length, least], {}, 1)], {}, width);
};
