import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onSoftwareVulkan, skipped } from './software-vulkan.ts';
import type { Answer } from './webgpu-child.ts';

const skip = skipped('tests/runtime/webgpu.test.ts');
let answer: Answer;

before(async () => {
  if (!skip) answer = JSON.parse(await onSoftwareVulkan('webgpu-child.ts')) as Answer;
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

test('nodes whose kernel is missing or wrong there are written in others', { skip }, () => {
  for (const [name, { gap, size, reason, actual }] of Object.entries(answer.nodes)) {
    // As above; the shaders' exponentials and logarithms are good to about 1e-6.
    assert.ok(gap <= 1e-5 * size, `${name}: ${gap} of ${size}`);
    assert.equal(actual, 'webgpu', name);
    assert.doesNotMatch(reason, /Conv|Slice|BatchNormalization|LogSoftmax|Sign|Sum/, name);
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
