import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Answer } from './webgpu-child.ts';

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
const skip =
  icd || (here && process.env.CI === 'true')
    ? false
    : 'SKIPPED: no SwiftShader here; install Chromium (apt-get install chromium) to test WebGPU';
if (skip) process.stderr.write(`tests/runtime/webgpu.test.ts ${skip}\n`);

let answer: Answer;
const home = mkdtempSync(join(tmpdir(), 'assay-xdg-'));
after(() => rmSync(home, { recursive: true, force: true }));

before(async () => {
  if (skip) return;
  assert.ok(icd, "Chromium's software Vulkan driver must be there where CI=true");
  const env = { ...process.env, VK_ICD_FILENAMES: icd, VK_DRIVER_FILES: icd, XDG_RUNTIME_DIR: home, LD_LIBRARY_PATH: dirname(icd) };
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'webgpu-child.ts')], {
    env,
  });
  answer = JSON.parse(stdout) as Answer;
});

test('WebGPU is offered, and said to be a software one', { skip }, () => {
  const webgpu = answer.devices.find((d) => d.provider === 'webgpu');
  assert.deepEqual(webgpu, { provider: 'webgpu', ok: true, reason: 'its only Vulkan driver is a software one' });
});

test('models give on WebGPU what they give on the CPU', { skip }, () => {
  for (const [name, { gap, size, reason, actual }] of Object.entries(answer.models)) {
    // float32 sums of at most a few hundred terms in another order: some 1e-7 of the largest value each.
    assert.ok(gap <= 1e-5 * size, `${name}: ${gap} of ${size}`);
    assert.equal(actual, 'webgpu');
    assert.match(reason, /asked for; \d+ of \d+ nodes on webgpu/, name);
  }
});

test('a node that WebGPU claims and cannot run is left to the CPU', { skip }, () => {
  assert.match(answer.models.pooling.reason, /2 of 3 nodes on webgpu, 1 on the CPU \(MaxPool\)/);
});

test('auto never takes a software adapter', { skip }, () => {
  assert.equal(answer.auto.actual, 'cpu');
  assert.match(answer.auto.reason, /webgpu: its only Vulkan driver is a software one/);
});

test('a graph without a kernel on the device is said to run on the CPU', { skip }, () => {
  assert.deepEqual([answer.unsupported.actual, answer.unsupported.provider], ['cpu', 'cpu']);
  assert.match(answer.unsupported.reason, /webgpu opened, but has no kernel for any node of this graph: 0 of \d+ nodes/);
  // exp(1) in float64 by another library than JavaScript's: a few units in the last place.
  assert.ok(Math.abs(answer.unsupported.y - Math.E) < 1e-14);
});

test('the profiler leaves no files behind', { skip }, () => {
  assert.deepEqual(answer.left, []);
});
