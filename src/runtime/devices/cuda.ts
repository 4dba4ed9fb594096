import { type Env, loadable } from './libraries.ts';

/** What ONNX Runtime's CUDA 12 provider is linked to, and who supplies it. */
const needed: readonly { readonly library: string; readonly sentence: string }[] = [
  { library: 'libcuda.so.1', sentence: 'The NVIDIA driver (libcuda.so.1) is missing: install the driver of the GPU.' },
  { library: 'libcudart.so.12', sentence: 'The CUDA 12 runtime (libcudart.so.12) is missing: install the CUDA 12 toolkit.' },
  { library: 'libcublas.so.12', sentence: 'cuBLAS of CUDA 12 (libcublas.so.12) is missing: install the CUDA 12 toolkit.' },
  { library: 'libcublasLt.so.12', sentence: 'cuBLASLt of CUDA 12 (libcublasLt.so.12) is missing: install the CUDA 12 toolkit.' },
  { library: 'libcurand.so.10', sentence: 'cuRAND of CUDA 12 (libcurand.so.10) is missing: install the CUDA 12 toolkit.' },
  { library: 'libcufft.so.11', sentence: 'cuFFT of CUDA 12 (libcufft.so.11) is missing: install the CUDA 12 toolkit.' },
  { library: 'libcudnn.so.9', sentence: 'cuDNN 9 (libcudnn.so.9) is missing: install cuDNN 9 for CUDA 12.' },
];

/** What of CUDA and cuDNN the loader would not find here, one sentence each. */
export const missingForCuda = async (env: Env = process.env, cacheFile?: string): Promise<readonly string[]> => {
  const has = await loadable(env, cacheFile);
  return needed.filter(({ library }) => !has(library)).map(({ sentence }) => sentence);
};
