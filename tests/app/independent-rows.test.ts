import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { grad } from '../../src/app/grad.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import { floatConstant, graph, int, ints, model, node, value } from '../graph/build.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-rows-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const job = { ...quietJob(), live: () => {} };
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/models/${name}.onnx`, import.meta.url));
const out = join(folder, 'out.onnx');
const asked = { out, of: 'cross-entropy', wrt: ['parameters'] } as const;
const mixed = (words: RegExp) => (e: unknown) => e instanceof Fault && e.code === 'grad/mixed' && words.test(e.message);

test('statistics of the batch make examples depend on each other: refused with the node, gradients of the mean are not', async () => {
  const path = fixture('lenet_mnist.train');
  const words = /Per-example gradients .* node '\/bn1\/BatchNormalization' \(BatchNormalization\), in training mode, mixes the rows/;
  for (const perExample of ['norms', 'gradients'] as const)
    await assert.rejects(grad({ model: path, ...asked, perExample }, ports, job), mixed(words));
  await assert.rejects(
    grad({ model: path, ...asked, of: 'logits', wrt: ['inputs'], jacobian: true }, ports, job),
    mixed(/Jacobians of single rows .* mixes the rows/),
  );
  assert.ok((await grad({ model: path, ...asked }, ports, job)).outputs.includes('grad/fc2.weight'));
});

test('any other operator that looks across rows is found by running', async () => {
  // y = x·w less its mean over the batch.
  const m = model(
    graph(
      [value('x', ['N', 3])],
      [
        node('MatMul', ['x', 'w'], ['h']),
        node('ReduceMean', ['h'], ['centre'], { axes: ints(0), keepdims: int(1) }),
        node('Sub', ['h', 'centre'], ['y']),
      ],
      [value('y', ['N', 4])],
      { w: floatConstant([3, 4], 0.3) },
    ),
    13,
  );
  const path = join(folder, 'centred.onnx');
  writeFileSync(path, write(m));
  await assert.rejects(grad({ model: path, ...asked, perExample: 'norms' }, ports, job), mixed(/node 'n_y' \(Sub\) mixes the rows/));
});

for (const name of ['lenet_mnist.raw', 'gru_digits', 'vit_digits', 'text_sms'])
  test(`${name} keeps its rows apart`, async () => {
    assert.ok((await grad({ model: fixture(name), ...asked, perExample: 'norms' }, ports, job)).outputs.includes('norm/example'));
  });
