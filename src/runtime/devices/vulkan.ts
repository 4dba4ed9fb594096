import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Env, folders, list, loadable } from './libraries.ts';

/** What WebGPU on Linux stands on. `software`: no driver but those that draw on the CPU. */
export interface Vulkan {
  readonly ok: boolean;
  readonly software: boolean;
  readonly reason: string;
}

const loader = 'libvulkan.so.1';

/** Driver manifests, by the loader's rules: VK_DRIVER_FILES (older VK_ICD_FILENAMES) replace the folders, VK_ADD_DRIVER_FILES add. */
const manifests = async (env: Env): Promise<string[]> => {
  const added = folders(env.VK_ADD_DRIVER_FILES);
  const named = folders(env.VK_DRIVER_FILES ?? env.VK_ICD_FILENAMES);
  const bases = [
    env.XDG_CONFIG_HOME ?? join(homedir(), '.config'),
    '/etc/xdg',
    '/etc',
    env.XDG_DATA_HOME ?? join(homedir(), '.local/share'),
    ...folders(env.XDG_DATA_DIRS ?? '/usr/local/share:/usr/share'),
  ].map((base) => join(base, 'vulkan/icd.d'));
  const out: string[] = [];
  for (const path of [...added, ...(named.length ? named : bases)]) {
    if (path.endsWith('.json')) out.push(path);
    else out.push(...(await list(path)).filter((f) => f.endsWith('.json')).map((f) => join(path, f)));
  }
  return out;
};

/** Mesa's lavapipe, Google's SwiftShader, and the validation layers' mock. */
const drawsOnCpu = (manifest: string): boolean => /lvp_icd|libvulkan_lvp|lavapipe|llvmpipe|swiftshader|mock_icd/i.test(manifest);

/** PCI vendors of display adapters that virtual machines pretend to have: QEMU, Red Hat, VMware, VirtualBox, Hyper-V, Cirrus. */
const virtual = new Set(['0x1234', '0x1af4', '0x1b36', '0x15ad', '0x80ee', '0x1414', '0x1013']);

/** Distributions install the drivers of every maker together: a driver counts where a card is there for it. */
const hasCard = async (): Promise<boolean> => {
  const devices = await list('/dev');
  if (devices.some((d) => d === 'nvidiactl' || d === 'dxg' || d === 'mali0' || d === 'kgsl-3d0')) return true;
  for (const node of (await list('/sys/class/drm')).filter((d) => d.startsWith('renderD'))) {
    const vendor = (await readFile(`/sys/class/drm/${node}/device/vendor`, 'utf8').catch(() => '')).trim();
    if (!virtual.has(vendor)) return true;
  }
  return false;
};

export const vulkan = async (env: Env = process.env): Promise<Vulkan> => {
  if (!(await loadable(env))(loader)) {
    return {
      ok: false,
      software: false,
      reason: `the Vulkan loader (${loader}) is not installed; install libvulkan1 and the driver of the GPU`,
    };
  }
  const drivers: string[] = [];
  for (const path of await manifests(env)) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text) drivers.push(`${path} ${text}`);
  }
  if (drivers.length === 0) return { ok: false, software: false, reason: 'no Vulkan driver is installed; install the driver of the GPU' };
  if (drivers.every(drawsOnCpu)) return { ok: true, software: true, reason: 'its only Vulkan driver is a software one' };
  if (!(await hasCard())) return { ok: true, software: true, reason: 'no graphics card is visible here' };
  return { ok: true, software: false, reason: 'a Vulkan driver and a card for it are there' };
};
