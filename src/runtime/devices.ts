import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { missingForCuda } from './devices/cuda.ts';
import { vulkan } from './devices/vulkan.ts';
import { binaries, load } from './onnxruntime/native.ts';
import type { Provider } from './session.ts';

/** Whether a provider could work here, found without touching its driver: a vain attempt costs time and prints to stderr. */
export interface Possible {
  readonly provider: Provider;
  /** May be asked for by name. */
  readonly ok: boolean;
  /** Real hardware, so `auto` may try it. */
  readonly hardware: boolean;
  readonly reason: string;
  /** What else would have to be installed, one sentence each. */
  readonly missing?: readonly string[];
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Names of display adapters from the registry's class of display adapters. */
export const adaptersOf = (registry: string): string[] =>
  [...registry.matchAll(/DriverDesc\s+REG_SZ\s+(.+?)\s*$/gm)].map(([, name]) => name);

/** Basic Render, Basic Display, Remote Display and Hyper-V Video are Microsoft's drawings on the CPU. */
export const realAdapters = (names: readonly string[]): string[] =>
  names.filter((n) => !/^Microsoft (Basic|Remote|Hyper-V)|virtual|parsec|vmware|virtio|QXL/i.test(n));

const windowsAdapters = async (): Promise<string[]> => {
  const key = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}';
  const { stdout } = await promisify(execFile)('reg', ['query', key, '/s', '/v', 'DriverDesc'], { timeout: 3000, windowsHide: true }).catch(
    () => ({ stdout: '' }),
  );
  return realAdapters(adaptersOf(stdout));
};

type Finding = Omit<Possible, 'provider'>;
const real = (reason: string): Finding => ({ ok: true, hardware: true, reason });
const no = (reason: string): Finding => ({ ok: false, hardware: false, reason });

const graphics = async (): Promise<Finding> => {
  if (process.platform === 'darwin') return real('Metal');
  if (process.platform === 'win32') {
    const names = await windowsAdapters();
    return names.length ? real(names.join(', ')) : { ok: true, hardware: false, reason: 'no graphics card but a software adapter' };
  }
  const { ok, software, reason } = await vulkan();
  return { ok, hardware: ok && !software, reason };
};

const cuda = async (): Promise<Finding> => {
  const library = process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so';
  const missing = process.platform === 'linux' ? await missingForCuda() : [];
  const told = missing.length > 0 ? { missing } : {};
  if (!(await exists(join(binaries(), library)))) return { ...no("ONNX Runtime's CUDA libraries are not installed beside it"), ...told };
  if (process.platform === 'linux' && !(await exists('/dev/nvidiactl')) && !(await exists('/dev/dxg')))
    return { ...no('no NVIDIA driver is loaded'), ...told };
  // They may lie where only the loader knows: asked for by name it is tried all the same.
  if (missing.length > 0) return { ok: true, hardware: false, reason: missing.join(' '), missing };
  return real('CUDA libraries and driver are there');
};

const finders: Readonly<Record<Provider, () => Promise<Finding>>> = {
  cpu: async () => real('always there'),
  cuda,
  webgpu: graphics,
  dml: graphics,
  coreml: async () => real('part of macOS'),
};

let found: Promise<readonly Possible[]> | undefined;

/** Every provider that the product knows, in the order in which `auto` tries them; asked once per process. */
export const possible = (): Promise<readonly Possible[]> => {
  found ??= load().then((ort) => {
    const built = new Set(ort.listSupportedBackends().map((b) => b.name));
    return Promise.all(
      (Object.keys(finders) as Provider[]).map(async (provider): Promise<Possible> => {
        if (!built.has(provider)) return { provider, ...no(`it is not part of ONNX Runtime on ${process.platform}-${process.arch}`) };
        return { provider, ...(await finders[provider]()) };
      }),
    );
  });
  return found;
};
