import { Fault } from '../base/fault.ts';
import type { Tensor } from '../base/tensor.ts';
import { readNpy } from '../data/npy.ts';
import { readNpz } from '../data/npz.ts';
import type { Head, HeadArray, HeadFiles } from '../training/define-layers.ts';
import type { Picked } from '../training/plan.ts';
import type { Recipe } from '../training/recipe.ts';
import type { Ports } from './ports.ts';

const numbersOf = (tensor: Tensor): HeadArray | undefined =>
  tensor.dtype === 'string' || tensor.dtype === 'float16' || tensor.dtype === 'bfloat16'
    ? undefined
    : { dims: tensor.dims, data: Float64Array.from(tensor.data as ArrayLike<number | bigint>, Number) };

/** The one matrix of numbers in an `.npz`, or that of an `.npy`. */
const matrixOf = (bytes: Uint8Array, path: string): HeadArray => {
  const arrays = path.endsWith('.npz') ? Object.values(readNpz(bytes, path)) : [readNpy(bytes, path)];
  const matrices = arrays.flatMap((a) => (a.dims.length === 2 ? [numbersOf(a)] : [])).filter((m) => m !== undefined);
  if (matrices.length === 1) return matrices[0];
  throw new Fault('data/corrupt', {
    path,
    where: 'its arrays',
    reason: `one matrix of numbers is due, and there are ${matrices.length}`,
  });
};

/** The files that options of a head name, read. */
export const headFiles = async (recipe: Recipe, { part, chosen }: Picked<Head>, ports: Ports, signal: AbortSignal): Promise<HeadFiles> => {
  const arrays: Record<string, HeadArray> = {};
  const texts: Record<string, string> = {};
  for (const [option, as] of Object.entries(part.files ?? {})) {
    const named = String(chosen[option]);
    if (named === '') continue;
    const path = ports.resolve(recipe.path, named);
    const source = await ports.source(path);
    const bytes = await source.read(0, source.size, signal);
    if (as === 'array') arrays[option] = matrixOf(bytes, path);
    else texts[option] = new TextDecoder().decode(bytes);
  }
  return { arrays, texts };
};
