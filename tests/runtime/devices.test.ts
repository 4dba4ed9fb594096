import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { write } from '../../src/graph/write.ts';
import { agreement } from '../../src/runtime/agreement.ts';
import { missingForCuda } from '../../src/runtime/devices/cuda.ts';
import { vulkan } from '../../src/runtime/devices/vulkan.ts';
import { adaptersOf, realAdapters } from '../../src/runtime/devices.ts';
import { sentenceOf } from '../../src/runtime/message.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import { placementOf, placementSentence } from '../../src/runtime/placement.ts';
import { product } from './models.ts';

// No Vulkan driver is found through these, whatever this machine has: asked once, before the first session.
process.env.VK_DRIVER_FILES = '/nowhere.json';
const runtime = onnxruntime();
const bytes = write(product(8));
const probe = { x: float32([1, 8], new Float32Array(8).fill(1)) };
const folder = mkdtempSync(join(tmpdir(), 'assay-devices-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('every provider is listed with the reason why it is or is not there', async () => {
  const devices = await runtime.devices();
  assert.deepEqual(devices.map((d) => d.provider).sort(), ['coreml', 'cpu', 'cuda', 'dml', 'webgpu']);
  assert.ok(devices.find((d) => d.provider === 'cpu')?.ok);
  for (const { reason } of devices) assert.match(reason, /\w/);
});

test('what of CUDA the loader does not find is said in a sentence each; its cache and LD_LIBRARY_PATH are looked at', async () => {
  const at = join(folder, 'cuda');
  mkdirSync(at);
  writeFileSync(join(at, 'libcudnn.so.9'), '');
  const cache = join(folder, 'ld.so.cache');
  writeFileSync(cache, '\0/usr/lib/libcublas.so.12\0/usr/lib/libcublasLt.so.12\0/usr/lib/libcuda.so.1\0');
  const missing = await missingForCuda({ LD_LIBRARY_PATH: at }, cache);
  assert.deepEqual(
    missing.map((sentence) => /\((.*?)\)/.exec(sentence)?.[1]),
    ['libcudart.so.12', 'libcurand.so.10', 'libcufft.so.11'],
  );
  for (const sentence of missing) assert.match(sentence, /^[^.]*\(lib[\w.]+\) is missing: install .*\.$/);
  const all = await missingForCuda({}, join(folder, 'no cache'));
  assert.ok(all.some((sentence) => /cuDNN 9 .*install cuDNN 9 for CUDA 12/.test(sentence)));
});

test('a device that was asked for and is not there is a fault with the reason and what there is', async () => {
  const absent = process.platform === 'darwin' ? 'dml' : 'coreml';
  await assert.rejects(runtime.open(bytes, { device: absent, name: 'm' }), (e) => {
    assert.ok(Fault.is(e, 'runtime/device'));
    assert.match(e.message, new RegExp(`Device '${absent}' cannot be used here: it is not part of ONNX Runtime on .*Available: .*cpu`));
    return true;
  });
});

test('without a GPU auto is the CPU, says why, and does not try', { skip: process.platform !== 'linux' }, async () => {
  const { session, choice } = await runtime.open(bytes, { device: 'auto', name: 'm', probe });
  assert.deepEqual([session.provider, choice.requested, choice.actual, choice.tried.length], ['cpu', 'auto', 'cpu', 0]);
  assert.match(choice.reason, /no GPU is usable here \(.*webgpu: .*Vulkan/);
  await assert.rejects(runtime.open(bytes, { device: 'webgpu', name: 'm' }), (e) => Fault.is(e, 'runtime/device'));
});

test('the CPU is the CPU when it was asked for', async () => {
  const { choice } = await runtime.open(bytes, { device: 'cpu', name: 'm', probe });
  assert.deepEqual(choice, { requested: 'cpu', actual: 'cpu', reason: 'asked for', tried: [] });
});

test('Vulkan: a loader without a driver, a software driver, a driver without a card', { skip: process.platform !== 'linux' }, async () => {
  const lib = join(folder, 'lib');
  mkdirSync(lib);
  writeFileSync(join(lib, 'libvulkan.so.1'), '');
  const manifest = (name: string): string => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify({ ICD: { library_path: `lib${name}.so` } }));
    return path;
  };
  const env = { LD_LIBRARY_PATH: lib };
  const none = await vulkan({ ...env, VK_DRIVER_FILES: join(folder, 'none.json') });
  assert.deepEqual([none.ok, none.software], [false, false]);
  const software = `${manifest('lvp_icd.x86_64.json')}:${manifest('vk_swiftshader_icd.json')}`;
  assert.deepEqual(await vulkan({ ...env, VK_ICD_FILENAMES: software }), {
    ok: true,
    software: true,
    reason: 'its only Vulkan driver is a software one',
  });
  const real = await vulkan({ ...env, VK_ICD_FILENAMES: software, VK_ADD_DRIVER_FILES: manifest('intel_icd.x86_64.json') });
  assert.ok(real.ok && (!real.software || real.reason === 'no graphics card is visible here'));
});

test('Windows: adapters of the registry, without those that draw on the CPU', () => {
  const registry = [
    'HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}\\0000',
    '    DriverDesc    REG_SZ    Microsoft Basic Render Driver',
    'HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}\\0001',
    '    DriverDesc    REG_SZ    NVIDIA GeForce RTX 4070',
    '    DriverDesc    REG_SZ    Microsoft Remote Display Adapter',
  ].join('\r\n');
  const names = adaptersOf(registry);
  assert.equal(names.length, 3);
  assert.deepEqual(realAdapters(names), ['NVIDIA GeForce RTX 4070']);
});

test('agreement: within 1e-3 of the largest value; NaN, shapes and whole numbers exactly', () => {
  const cpu = { y: float32([2], [100, 1]) };
  const near = agreement({ y: float32([2], [100, 1.05]) }, cpu);
  assert.ok(near.agrees);
  // 0.05 of 100, in float32.
  assert.ok(Math.abs(near.difference - 5e-4) < 1e-7);
  const far = agreement({ y: float32([2], [100, 1.2]) }, cpu);
  assert.ok(!far.agrees && far.reason.includes("'y'"));
  assert.ok(!agreement({ y: float32([2], [100, Number.NaN]) }, cpu).agrees);
  assert.ok(agreement({ y: float32([1], [Number.NaN]) }, { y: float32([1], [Number.NaN]) }).agrees);
  assert.ok(agreement({ y: float32([1], [Infinity]) }, { y: float32([1], [Infinity]) }).agrees);
  assert.ok(!agreement({ y: float32([1], [-Infinity]) }, { y: float32([1], [Infinity]) }).agrees);
  assert.ok(!agreement({}, cpu).agrees);
  assert.ok(!agreement({ y: float32([1, 2], [100, 1]) }, cpu).agrees);
  assert.ok(!agreement({ i: int64([1], [3]) }, { i: int64([1], [4]) }).agrees);
  const half = (bits: number) => ({ y: { dtype: 'float16', dims: [1], data: Uint16Array.of(bits) } }) as const;
  assert.ok(agreement(half(0x3c01), half(0x3c00)).agrees && !agreement(half(0x3c20), half(0x3c00)).agrees);
});

const event = (name: string, op: string, index: number, provider: string): string =>
  `{"cat" : "Node","dur" :50,"name" :"${name}_kernel_time","args" : {"node_index" : "${index}","op_name" : "${op}","provider" : "${provider}"}},`;

test('placement: nodes by provider, each once, copies apart', () => {
  const profile = [
    '[',
    '{"cat" : "Session","name" :"model_run","args" : {}},',
    event('c', 'Conv', 0, 'WebGpuExecutionProvider'),
    event('c', 'Conv', 0, 'WebGpuExecutionProvider'),
    event('s', 'Shape', 1, 'CPUExecutionProvider'),
    event('t', 'Shape', 2, 'CPUExecutionProvider'),
    event('l', 'Loop', 3, 'CPUExecutionProvider'),
    event('m', 'MemcpyToHost', 4, 'WebGpuExecutionProvider'),
    '{"cat" : "Node","name" :"cut_kernel_ti',
  ].join('\n');
  const placement = placementOf(profile);
  assert.deepEqual(placement, { nodes: { webgpu: 1, cpu: 3 }, copies: 1, onCpu: ['Shape', 'Loop'] });
  assert.equal(placementSentence('webgpu', placement), '1 of 4 nodes on webgpu, 3 on the CPU (Shape, Loop)');
});

const messages: readonly (readonly [string, string])[] = [
  [
    '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n',
    'Failed to get a WebGPU adapter: No supported adapters',
  ],
  [
    '[ONNXRuntimeError] : 1 : FAIL : Load model from /home/me/m.onnx failed:Node (mm) Op (MatMul) [ShapeInferenceError] Incompatible dimensions for matrix multiplication',
    'Node (mm) Op (MatMul) [ShapeInferenceError] Incompatible dimensions for matrix multiplication',
  ],
  [
    "Non-zero status code returned while running Gather node. Name:'' Status Message: indices element out of data bounds, idx=9 must be within the inclusive range [-3,2]",
    'node of type Gather: indices element out of data bounds, idx=9 must be within the inclusive range [-3,2]',
  ],
  ['', 'no reason was given'],
];
test('what ONNX Runtime says is cut to what helps', () => {
  for (const [given, expected] of messages) assert.equal(sentenceOf(new Error(given)), expected);
  assert.ok(sentenceOf(new Error('word '.repeat(500))).length <= 301);
  assert.equal(sentenceOf(new Error('cannot find /home/me/models/w.bin'), ['/home/me/models']), 'cannot find w.bin');
});
