import { equal, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { constantOf, dataOf } from '../../src/graph/constant.ts';
import { loadExternal } from '../../src/graph/external.ts';
import { headersOf, type ReadRange } from '../../src/graph/headers.ts';
import { parse } from '../../src/graph/parse.ts';
import { write } from '../../src/graph/write.ts';
import { graph, model, node, value } from './build.ts';
import { fixtureBytes, fixtures } from './run.ts';

const counted = (bytes: Uint8Array): { readonly read: ReadRange; readonly total: () => number } => {
  let total = 0;
  return {
    read: async (from, to) => {
      total += to - from;
      return bytes.subarray(from, to);
    },
    total: () => total,
  };
};

for (const name of fixtures)
  test(`${name}: the headers, with what they point to, are the model`, async () => {
    const bytes = new Uint8Array(fixtureBytes(name));
    const { read } = counted(bytes);
    const headers = parse(await headersOf(read, bytes.length, 'm.onnx'), 'm.onnx', '.');
    const whole = await loadExternal(headers, async (location, offset, length) => {
      equal(location, 'm.onnx');
      return bytes.slice(offset, offset + length);
    });
    ok(Buffer.compare(write(whole), write(parse(bytes, 'm.onnx'))) === 0);
  });

test('of a large tensor only the place is read', async () => {
  const big = constantOf(
    'float32',
    [1024, 1024],
    Array.from({ length: 2 ** 20 }, (_, i) => i),
  );
  const bytes = write(
    model(graph([value('x', ['N', 1024])], [node('MatMul', ['x', 'w'], ['y']), node('Relu', ['y'], ['z'])], ['z'], { w: big })),
  );
  const { read, total } = counted(bytes);
  const { graph: found } = parse(await headersOf(read, bytes.length, 'm.onnx'), 'm.onnx', '.');
  ok(total() < 400_000, `${total()} of ${bytes.length} bytes were read`);
  equal(found.nodes.length, 2);
  const { external } = found.initializers.get('w') ?? {};
  equal(external?.length, 4 * 2 ** 20);
  const at = external?.offset ?? 0;
  equal(dataOf({ dtype: 'float32', dims: [2 ** 20], bytes: bytes.subarray(at, at + 4 * 2 ** 20) })[12345], 12345);
});

test('what is cut short, or no protocol buffer, is a range error', async () => {
  const bytes = fixtureBytes('lenet_mnist');
  for (const cut of [7, 1000, bytes.length - 100]) {
    const short = bytes.subarray(0, cut);
    await rejects(headersOf(counted(short).read, cut, 'm.onnx'), RangeError);
  }
  const text = new TextEncoder().encode('# a text file\n'.repeat(20));
  await rejects(headersOf(counted(text).read, text.length, 'm.onnx'), RangeError);
});
