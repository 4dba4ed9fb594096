import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CudaSupport } from '../../src/jobs/cuda/support.ts';
import type { DeviceFound } from '../../src/report/tasks.ts';
import { installCuda, removeCuda } from '../../src/vscode/commands/cuda.ts';
import type { Host } from '../../src/vscode/define.ts';
import { scripted } from './scripted-host.ts';

const wanted = {
  name: 'Microsoft.ML.OnnxRuntime.Gpu.Linux',
  version: '1.30.0',
  url: 'https://packages.example/gpu.nupkg',
  bytes: 300e6,
  algorithm: 'sha512',
  digest: '',
} as const;
const cpu: DeviceFound = { provider: 'cpu', ok: true, reason: '' };
const lacking: DeviceFound = { provider: 'cuda', ok: false, reason: 'none', missing: ['cuDNN 9 (libcudnn.so.9) is missing: install it.'] };

const play = async (command: typeof installCuda, over: Partial<CudaSupport>, devices: readonly DeviceFound[], agrees = true) => {
  const said: string[] = [];
  const asked: string[] = [];
  const done: string[] = [];
  const cuda: CudaSupport = {
    installed: async () => undefined,
    plan: async () => ({ wanted, have: 100e6, disk: 900e6 }),
    install: async () => {
      done.push('install');
      return { version: '1.30.0', files: [] };
    },
    link: async () => void done.push('link'),
    remove: async () => 0,
    ...over,
  };
  const host: Partial<Host> = {
    cuda,
    devices: async () => devices,
    say: async (sentence) => {
      said.push(sentence);
      return undefined;
    },
    confirm: async (question) => {
      asked.push(question);
      return agrees;
    },
    renewJobs: () => void done.push('renew'),
  };
  await command.run(scripted([], host).host, {});
  return { said, asked, done };
};

const here = process.platform === 'linux' && process.arch === 'x64';

test('size, source, disk and what is missing are told before the download', { skip: !here }, async () => {
  const { asked, done, said } = await play(installCuda, {}, [cpu, lacking]);
  assert.match(asked[0], /Download 200 MB of 300 MB from packages\.example .*1\.30\.0.*900 MB of disk.*checksum.*removed/);
  assert.match(asked[0], /cuDNN 9 \(libcudnn\.so\.9\) is missing/);
  assert.deepEqual(done, ['install', 'renew']);
  assert.match(said[0], /^CUDA support is installed\. cuDNN 9/);
});

test('nothing is fetched without consent', { skip: !here }, async () => {
  const { done, said } = await play(installCuda, {}, [cpu], false);
  assert.deepEqual([done, said], [[], []]);
});

test('what is installed already is linked again and said', { skip: !here }, async () => {
  const { done, said, asked } = await play(installCuda, { installed: async () => ({ version: '1.30.0', files: [] }) }, [cpu]);
  assert.deepEqual([done, asked], [['link'], []]);
  assert.match(said[0], /installed\. Nothing that it needs is missing/);
});

for (const [platform, arch] of [
  ['darwin', 'arm64'],
  ['win32', 'x64'],
  ['linux', 'arm64'],
] as const)
  test(`on ${platform}-${arch} the devices that are used instead are named`, async (t) => {
    const own = { platform: process.platform, arch: process.arch };
    const become = (as: { readonly platform: string; readonly arch: string }): void => {
      for (const [name, value] of Object.entries(as)) Object.defineProperty(process, name, { value });
    };
    t.after(() => become(own));
    become({ platform, arch });
    const { said, asked } = await play(installCuda, {}, [cpu, { provider: 'webgpu', ok: true, reason: '' }]);
    assert.deepEqual(asked, []);
    assert.match(said[0], new RegExp(`Linux on x64 only; this is ${platform}-${arch}.* Here models run on: the processor, WebGPU\\.$`));
  });

test('removal says how much became free, or that there was nothing', async () => {
  assert.match((await play(removeCuda, { remove: async () => 5e8 }, [])).said[0], /removed; 500 MB are free again/);
  assert.match((await play(removeCuda, {}, [])).said[0], /was not installed/);
});
