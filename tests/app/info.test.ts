import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { info } from '../../src/app/info.ts';
import type { AppJob } from '../../src/app/ports.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import type { Model } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { floatConstant, graph, model, node, value } from '../graph/build.ts';
import { fixtureBytes } from '../graph/run.ts';
import { memoryPorts } from './memory-ports.ts';

const job = (): AppJob => ({ ...quietJob(), live: () => {} });
const facts = (bytes: Uint8Array) => info({ model: { path: 'm.onnx' } }, memoryPorts({ 'm.onnx': bytes }), job());
const made = (m: Model) => facts(write(m));

test('what a trained network is', async () => {
  const bytes = fixtureBytes('lenet_mnist');
  const f = await facts(bytes);
  equal(f.bytes, bytes.length);
  equal(f.sha256, createHash('sha256').update(bytes).digest('hex'));
  deepEqual(f.opsets, { 'ai.onnx': 17 });
  equal(f.producer, 'pytorch 1.13.0');
  deepEqual(f.inputs, [{ name: 'x', dtype: 'float32', dims: ['N', 1, 28, 28] }]);
  deepEqual(f.outputs, [{ name: 'logits', dtype: 'float32', dims: ['N', 10] }]);
  equal(f.nodes, 10);
  equal(f.parameters, 37958);
  // Convolutions 8·28²·25 and 16·10²·200, dense 84·400 and 10·84.
  equal(f.macs, 156800 + 320000 + 33600 + 840);
  deepEqual(
    f.operators.map((o) => [o.op, o.count, o.gradient]),
    [
      ['Relu', 3, true],
      ['Conv', 2, true],
      ['Gemm', 2, true],
      ['MaxPool', 2, true],
      ['Flatten', 1, true],
    ],
  );
  deepEqual(f.withoutGradient, []);
  deepEqual(f.layers[0], {
    name: '/conv1/Conv',
    op: 'Conv',
    output: '/conv1/Conv_output_0',
    dims: ['N', 8, 28, 28],
    parameters: 208,
    macs: 156800,
  });
});

test('nodes without a gradient are named with the reason', async () => {
  const f = await made(
    model(
      graph(
        [value('x', ['N', 3])],
        [node('MatMul', ['x', 'w'], ['a']), node('ArgMax', ['a'], ['class']), node('Bartlett', ['a'], ['y'], {}, 'their.domain')],
        ['class', value('y', ['N', 3])],
        { w: floatConstant([3, 3]) },
      ),
      21,
      [],
      ['their.domain'],
    ),
  );
  const argMax = f.withoutGradient.find((n) => n.op === 'ArgMax');
  equal(argMax?.node, 'n_class');
  ok(argMax.reason.length > 0);
  equal(f.withoutGradient.find((n) => n.op === 'Bartlett')?.node, 'n_y');
  // ONNX Runtime does not know the operator: shapes are missing, the rest is told.
  ok(f.notes.some((n) => /^Shapes are not known: .*Bartlett/.test(n)));
  equal(f.parameters, 9);
  equal(f.macs, null);
});

test('notes name the operator set and the batch', async () => {
  const f = await made(model(graph([value('x', [1, 4])], [node('Softmax', ['x'], ['y'])], ['y']), 9));
  match(f.notes[0], /operator set 21 \(the file: 9\)/);
  ok(f.notes.some((n) => /written for batches of 1; its batch axis was freed/.test(n)));
  deepEqual(f.outputs, [{ name: 'y', dtype: 'float32', dims: ['N', 4] }]);
});

test('a file that is no model is a fault, not a report', async () => {
  await rejects(facts(new TextEncoder().encode('hello world')), /'m.onnx' is not a complete ONNX model: it is a text file/);
  await rejects(info({ model: { path: 'none.onnx' } }, memoryPorts({}), job()), (e: unknown) => Fault.is(e, 'file/missing'));
});
