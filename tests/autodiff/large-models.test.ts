import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradientGraph } from '../../src/autodiff/gradient-graph.ts';
import { sizeOf } from '../../src/base/tensor.ts';
import { parse } from '../../src/graph/parse.ts';
import { prepare } from '../../src/graph/prepare.ts';
import type { RunGraph } from '../../src/graph/probe.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import { resnet50 } from './models/resnet50.ts';
import { open } from './ort.ts';

test('the gradient of 25 million parameters is compiled without a copy of them', async () => {
  const file = write(resnet50(32));
  const sessions = new Map<Uint8Array, Awaited<ReturnType<typeof open>>>();
  const run: RunGraph = async (bytes, feeds, wanted) => {
    const session = sessions.get(bytes) ?? (await open(bytes, false));
    sessions.set(bytes, session);
    return session(feeds, wanted);
  };
  const { model, probed } = await prepare(parse(file, 'resnet50.onnx'), run);
  const made = gradientGraph(model, probed, { of: 'cross-entropy', wrt: ['parameters'] });
  const bytes = write(mustVerify(made.model));
  const count = made.wrt.reduce((n, name) => n + sizeOf(model.graph.initializers.get(name)?.dims ?? []), 0);
  assert.equal(count, 25_557_032);
  // Weights are held once: the result is larger than the file by its nodes only.
  assert.ok(bytes.length < file.length + 2 ** 20, `${bytes.length} bytes for a file of ${file.length}`);
  for (const [name, constant] of model.graph.initializers)
    if (sizeOf(constant.dims) > 1000) assert.equal(constant.bytes?.buffer, file.buffer, `'${name}' was copied`);
  const outputs = new Set(made.model.graph.outputs.map((o) => o.name));
  assert.ok(made.wrt.every((name) => outputs.has(`grad/${name}`)));
});
