import { unzipSync } from 'fflate';
import type { Tensor } from '../base/tensor.ts';
import { readNpy } from './npy.ts';

/** Every array of an `.npz` held in memory, by name without the `.npy`. Files are read lazily through readers/npz.ts. */
export const readNpz = (bytes: Uint8Array, path = 'memory.npz'): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(unzipSync(bytes)).map(([member, body]) => {
      const name = member.replace(/\.npy$/, '');
      return [name, readNpy(body, path, name)];
    }),
  );
