import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { type DType, float32, int64, type Tensor, type TensorData } from '../../src/base/tensor.ts';
import { write } from '../../src/graph/write.ts';
import { writeExternal } from '../../src/graph/write-external.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import type { Session } from '../../src/runtime/session.ts';
import { identity, product, recorded, value } from './models.ts';

const runtime = onnxruntime();
const folder = mkdtempSync(join(tmpdir(), 'assay-runtime-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const open = async (model: Uint8Array | string, name = 'm.onnx', where?: string): Promise<Session> =>
  (await runtime.open(model, { device: 'cpu', name, ...(where === undefined ? {} : { folder: where }) })).session;
const says =
  (code: FaultCode, pattern: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof Fault, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    return true;
  };

test('the version is known before anything native is loaded', () => {
  assert.match(runtime.version, /^onnxruntime-node \d+\.\d+\.\d+/);
});

const samples: readonly (readonly [DType, TensorData])[] = [
  ['float32', Float32Array.of(1.5, -2)],
  ['float64', Float64Array.of(1 / 3, -2)],
  ['float16', Uint16Array.of(0x3c00, 0xfbff)],
  ['int8', Int8Array.of(-128, 127)],
  ['int16', Int16Array.of(-32768, 7)],
  ['int32', Int32Array.of(-(2 ** 31), 7)],
  ['int64', BigInt64Array.of(-(2n ** 63n), 2n ** 62n)],
  ['uint8', Uint8Array.of(0, 255)],
  ['uint16', Uint16Array.of(0, 65535)],
  ['uint32', Uint32Array.of(0, 2 ** 32 - 1)],
  ['uint64', BigUint64Array.of(0n, 2n ** 64n - 1n)],
  ['bool', Uint8Array.of(0, 1)],
  ['string', ['é', '']],
];
for (const [dtype, data] of samples) {
  test(`${dtype} passes unchanged: a row, a view, no rows`, async () => {
    const session = await open(identity(dtype));
    assert.deepEqual(session.inputs, [{ name: 'x', dtype, dims: ['N', 2] }]);
    assert.deepEqual(session.outputs, [{ name: 'y', dtype, dims: ['N', 2] }]);
    const back = async (dims: readonly number[], x: TensorData): Promise<Tensor> => (await session.run({ x: { dtype, dims, data: x } })).y;
    assert.deepEqual(await back([1, 2], data), { dtype, dims: [1, 2], data });
    assert.deepEqual(await back([0, 2], data.slice(0, 0)), { dtype, dims: [0, 2], data: data.slice(0, 0) });
    if (!Array.isArray(data)) {
      const Kind = data.constructor as Uint8ArrayConstructor;
      const wide = new Kind(8);
      wide.set(data as Uint8Array, 3);
      assert.deepEqual((await back([1, 2], wide.subarray(3, 5))).data, data);
    }
    await session.release();
  });
}

test('a scalar and an input of unknown rank', async () => {
  const scalar = await open(identity('float32', []));
  assert.deepEqual((await scalar.run({ x: float32([], [3]) })).y, float32([], [3]));
  const free = await open(write(recorded([value('x', 'float32')], [value('y', 'float32')], (emit) => void emit.rename('x', 'y'))));
  assert.deepEqual((await free.run({ x: float32([2, 1, 1], [3, 4]) })).y.dims, [2, 1, 1]);
});

test('a type that the binding cannot pass is named when the model is opened', async () => {
  await assert.rejects(open(identity('bfloat16'), 'b.onnx'), says('runtime/session', /'b\.onnx'.*bfloat16.*Cast/));
});

const wrong: readonly (readonly [string, Record<string, Tensor>, RegExp])[] = [
  ['nothing', {}, /Input 'x' of 'm\.onnx' expects float32 \[N, 2\], but was given nothing\./],
  ['another type', { x: { dtype: 'float64', dims: [1, 2], data: new Float64Array(2) } }, /given float64 \[1, 2\]\./],
  ['another rank', { x: float32([2], [1, 2]) }, /given float32 \[2\]\./],
  ['another width', { x: float32([1, 3], [1, 2, 3]) }, /given float32 \[1, 3\]\./],
  ['too few elements', { x: float32([2, 2], [1, 2, 3]) }, /given float32 \[2, 2\] with 3 elements\./],
  [
    'the wrong array',
    { x: { dtype: 'float32', dims: [1, 2], data: new Float64Array(2) } },
    /held in a Float64Array instead of a Float32Array\./,
  ],
  ['a broken shape', { x: { dtype: 'float32', dims: [0.5, 4], data: new Float32Array(2) } }, /given the shape \[0\.5, 4\]\./],
];
for (const [what, feeds, pattern] of wrong) {
  test(`${what} is refused before native code sees it`, async () => {
    await assert.rejects((await open(identity('float32'))).run(feeds), says('runtime/input', pattern));
  });
}

test('an input or output that is not there is refused with those that are', async () => {
  const session = await open(identity('float32'));
  const x = float32([1, 2], [1, 2]);
  await assert.rejects(session.run({ x, z: x }), says('runtime/feed', /no input 'z'; its inputs are x\./));
  await assert.rejects(session.run({ x }, ['logits']), says('runtime/output', /no output 'logits'.*it has y\./));
});

test('only the outputs wanted come back', async () => {
  const both = recorded([value('x', 'float32', ['N'])], [value('a', 'float32', ['N']), value('b', 'float32', ['N'])], (emit) => {
    emit.rename(emit.Neg('x'), 'a');
    emit.rename(emit.Abs('x'), 'b');
  });
  const session = await open(write(both));
  const x = float32([2], [-1, 2]);
  assert.deepEqual(Object.keys(await session.run({ x })), ['a', 'b']);
  assert.deepEqual(await session.run({ x }, ['b']), { b: float32([2], [1, 2]) });
  assert.deepEqual(await session.run({ x }, []), {});
});

test('outputs that are no tensors are listed, and left out of a run', async () => {
  const model = recorded(
    [value('x', 'float32', ['N'])],
    [{ name: 's', type: { kind: 'sequence', of: { kind: 'tensor', dtype: 'float32' } } }, value('y', 'float32', ['N'])],
    (emit) => {
      emit.node({ op: 'SequenceConstruct', domain: '', name: 'seq', inputs: ['x', 'x'], outputs: ['s'], attributes: {} });
      emit.rename('x', 'y');
    },
  );
  const session = await open(write(model));
  assert.deepEqual(
    session.outputs.map((p) => p.dtype),
    ['undefined', 'float32'],
  );
  assert.deepEqual(Object.keys(await session.run({ x: float32([1], [1]) })), ['y']);
});

test('external data is found beside the file, and in the folder given for bytes', async () => {
  const { model, data } = writeExternal(product(32), 'weights.bin');
  writeFileSync(join(folder, 'm.onnx'), model);
  const path = join(folder, 'weights.bin');
  writeFileSync(path, Buffer.concat(data.filter((part) => part instanceof Uint8Array)));
  const x = float32([1, 32], new Float32Array(32).fill(1));
  const expected = (await (await open(write(product(32)))).run({ x })).y;
  assert.deepEqual((await (await open(join(folder, 'm.onnx'))).run({ x })).y, expected);
  assert.deepEqual((await (await open(model, 'm.onnx', folder)).run({ x })).y, expected);
  rmSync(path);
  await assert.rejects(
    open(join(folder, 'm.onnx'), 'm.onnx'),
    says('runtime/session', /'m\.onnx': its external data file 'weights\.bin' is missing\./),
  );
});

test('a file that is no model, or cut short, or not there, is said in one plain sentence', async () => {
  const whole = write(product(32));
  await assert.rejects(
    open(whole.subarray(0, 500)),
    says('runtime/session', /'m\.onnx': the file is truncated or is not an ONNX model\.$/),
  );
  await assert.rejects(open(new TextEncoder().encode('hello world')), says('runtime/session', /truncated or is not an ONNX model\.$/));
  await assert.rejects(open(new Uint8Array(0)), says('runtime/session', /the file is empty\.$/));
  await assert.rejects(open(join(folder, 'none.onnx')), says('runtime/session', /the file does not exist\.$/));
});

test('an operator that is unknown, and shapes that do not fit, are named', async () => {
  const unknown = recorded([value('x', 'float32', ['N'])], [value('y', 'float32', ['N'])], (emit) =>
    emit.node({ op: 'Frobnicate', domain: '', name: 'f', inputs: ['x'], outputs: ['y'], attributes: {} }),
  );
  await assert.rejects(open(write(unknown)), says('runtime/session', /Frobnicate/));
  const reshape = recorded([value('x', 'float32', ['N']), value('s', 'int64', [2])], [value('y', 'float32')], (emit) =>
    emit.node({ op: 'Reshape', domain: '', name: 'to-grid', inputs: ['x', 's'], outputs: ['y'], attributes: {} }),
  );
  const session = await open(write(reshape));
  await assert.rejects(
    session.run({ x: float32([6], new Float32Array(6)), s: int64([2], [4, 2]) }),
    (error) =>
      says('runtime/run', /node 'to-grid' \(Reshape\): The input tensor cannot be reshaped .*\{6\}.*\{4,2\}\.$/)(error) &&
      // None of ONNX Runtime's own source paths, in front of the sentence or within.
      says('runtime/run', /^(?!.*(onnxruntime_src|\.h:|\.cc:)).*$/)(error),
  );
  assert.equal((await session.run({ x: float32([6], new Float32Array(6)), s: int64([2], [3, 2]) })).y.dims.join(), '3,2');
});

test('memory that runs out is a fault of its own, and the session lives on', async () => {
  const huge = recorded([value('shape', 'int64', [1])], [value('y', 'float32', ['N'])], (emit) =>
    emit.node({ op: 'ConstantOfShape', domain: '', name: 'fill', inputs: ['shape'], outputs: ['y'], attributes: {} }),
  );
  const session = await open(write(huge));
  // 2^46 floats: more than the address space of any machine today.
  await assert.rejects(session.run({ shape: int64([1], [2 ** 46]) }), says('runtime/memory', /not enough memory to run 'm\.onnx'/));
  assert.deepEqual((await session.run({ shape: int64([1], [2]) })).y, float32([2], [0, 0]));
});

test('a released session says so, and may be released again', async () => {
  const session = await open(identity('float32'));
  await session.release();
  await session.release();
  await assert.rejects(session.run({ x: float32([1, 2], [1, 2]) }), says('runtime/run', /disposed/));
});

test('with optimisation off and one thread the numbers are the same', async () => {
  const x = float32(
    [3, 32],
    Float32Array.from({ length: 96 }, (_, i) => i % 5),
  );
  const bytes = write(product(32));
  const { session } = await runtime.open(bytes, { device: 'cpu', name: 'm', optimize: 'off', threads: 1 });
  // Whole numbers below 2^24: every order of summation is exact.
  assert.deepEqual((await session.run({ x })).y, (await (await open(bytes)).run({ x })).y);
});

test('ONNX Runtime writes nothing to the streams, also when it fails', () => {
  const script = `
    import { onnxruntime } from './src/runtime/onnxruntime.ts';
    const model = new Uint8Array(20);
    for (const device of ['auto', 'cpu', 'cuda', 'dml']) await onnxruntime().open(model, { device, name: 'm' }).catch(() => {});`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: join(import.meta.dirname, '..', '..'),
    encoding: 'utf8',
  });
  assert.deepEqual([status, stdout, stderr], [0, '', '']);
});
