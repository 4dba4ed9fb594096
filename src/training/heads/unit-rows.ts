import { constantOf } from '../../graph/constant.ts';
import type { Net } from '../define.ts';

/** Rows brought to length 1, the length floored at 1e-12. */
export const lengthened = (net: Net, value: string, name: string, row: readonly number[]): string => {
  const axes = net.buffer(`${name}.axes`, constantOf('int64', [1], [-1]));
  const least = net.buffer(`${name}.least`, constantOf('float32', [], [1e-12]));
  const length = net.layer('ReduceL2', `${name}.length`, [value, axes], { keepdims: { type: 'int', value: 1 } }, [1]);
  return net.layer('Div', name, [value, net.layer('Max', `${name}.floored`, [length, least], {}, [1])], {}, row);
};
