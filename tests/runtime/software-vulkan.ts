import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Chromium brings SwiftShader, a Vulkan driver that draws on the CPU: the WebGPU provider runs on it as on a card. */
const driver = (): string | undefined => {
  const cache = process.env.PLAYWRIGHT_BROWSERS_PATH ?? join(homedir(), '.cache/ms-playwright');
  const installed = existsSync(cache) ? readdirSync(cache).map((d) => join(cache, d, 'chrome-linux')) : [];
  return ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome', ...installed]
    .map((folder) => join(folder, 'vk_swiftshader_icd.json'))
    .find((path) => existsSync(path) && existsSync(join(dirname(path), 'libvulkan.so.1')));
};

const here = process.platform === 'linux' && process.arch === 'x64';
const icd = here ? driver() : undefined;

/** Why tests of WebGPU are skipped, said on stderr as well; false where they run. Where CI=true a driver must be there. */
export const skipped = (file: string): string | false => {
  if (icd || (here && process.env.CI === 'true')) return false;
  const reason = 'SKIPPED: no SwiftShader here; install Chromium (apt-get install chromium) to test WebGPU';
  process.stderr.write(`${file} ${reason}\n`);
  return reason;
};

/** What a script of this folder prints, run with the driver: the loader reads its environment when a process starts. */
export const onSoftwareVulkan = async (script: string, args: readonly string[] = []): Promise<string> => {
  if (!icd) throw new Error("Chromium's software Vulkan driver must be there where CI=true");
  const home = mkdtempSync(join(tmpdir(), 'assay-xdg-'));
  const env = { ...process.env, VK_ICD_FILENAMES: icd, VK_DRIVER_FILES: icd, XDG_RUNTIME_DIR: home, LD_LIBRARY_PATH: dirname(icd) };
  try {
    return (await promisify(execFile)(process.execPath, ['--import', 'tsx', join(import.meta.dirname, script), ...args], { env })).stdout;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
};
