import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixtures } from '../graph/run.ts';
import { onSoftwareVulkan, skipped } from './software-vulkan.ts';
import type { Compared } from './webgpu-models-child.ts';

/** Arithmetic on shapes, which ONNX Runtime keeps beside the host on any device, and whole numbers, for which WebGPU has few kernels. */
const onHost = ['Shape', 'Size', 'Cast', 'Gather', 'Unsqueeze', 'Concat', 'ConstantOfShape', 'Reshape', 'Where', 'Equal'];
/** Besides: recurrent cells are scans, the dropout of the training file draws its masks, overlapping pools of few channels ask for indices. */
const besides: Readonly<Record<string, readonly string[]>> = {
  gru_digits: ['Scan'],
  lstm_digits: ['Scan'],
  'lenet_mnist.train': ['Dropout'],
  squeezenet: ['MaxPool', 'ScatterElements'],
};

const skip = skipped('tests/runtime/webgpu-models.full.test.ts');
/** Those with rows that no kink lies on; the others are MLPs like mlp_digits. */
const compared = fixtures.filter((name) => !name.startsWith('few_digits'));
for (const name of [...compared, 'squeezenet']) {
  test(`${name}: gradients by inputs and parameters are on WebGPU what they are on the CPU`, { skip }, async (t) => {
    const figures = JSON.parse(await onSoftwareVulkan('webgpu-models-child.ts', [name])) as readonly Compared[];
    for (const { wrt, excess, output, actual, reason } of figures) {
      t.diagnostic(`${name} by ${wrt}: ${reason}`);
      assert.equal(actual, 'webgpu');
      // |a − b| ≤ 1e-4·max|b| + 1e-5·G for gradients, 1e-5·max|b| for what they are made of, as for PyTorch's (autodiff/goldens.test.ts).
      assert.ok(excess <= 1e-5, `${wrt}: '${output}' is off by ${excess}`);
      const [, here, all, rest = ''] = /(\d+) of (\d+) nodes on webgpu(?:, \d+ on the CPU \(([^)]*)\))?/.exec(reason) ?? [];
      assert.ok(Number(here) >= 0.8 * Number(all), reason);
      const allowed = [...onHost, ...(besides[name] ?? besides[name.split('.')[0]] ?? [])];
      const unexpected = rest.split(', ').filter((op) => op !== '' && op !== '…' && !allowed.includes(op));
      assert.deepEqual(unexpected, [], reason);
    }
  });
}
