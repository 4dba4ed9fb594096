import type { Random } from '../../base/random.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { Net } from '../define-layers.ts';
import type { Parameter } from '../parameters.ts';

/** U(±1/√fan in), a bias as the weight before it. */
export const fresh = (dims: readonly number[], fanIn: number, chance: Random): Float64Array =>
  Float64Array.from({ length: sizeOf(dims) }, () => (2 * chance.next() - 1) / Math.sqrt(fanIn));

export const parameter = (name: string, dims: readonly number[], fanIn: number): Parameter => ({
  name,
  dims,
  role: dims.length > 1 ? 'weight' : 'bias',
  fanIn,
  fanOut: dims[0],
});

/** A net whose parameters are drawn as they are made, and listed. */
export const drawnNet = (net: Net, chance: Random, parameters: Parameter[]): Net => {
  let fanIn = 1;
  return {
    ...net,
    parameter(name, dims) {
      if (dims.length > 1) fanIn = sizeOf(dims.slice(1));
      parameters.push(parameter(name, dims, fanIn));
      return net.parameter(name, dims, fresh(dims, fanIn, chance));
    },
  };
};
