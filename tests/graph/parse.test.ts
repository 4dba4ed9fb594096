import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import { Fault } from '../../src/base/fault.ts';
import type { DType } from '../../src/base/tensor.ts';
import { numbersOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import { dtypes } from '../../src/graph/schema.ts';
import type { Attribute, Constant } from '../../src/graph/types.ts';
import { encode, type Sent } from '../../src/graph/wire.ts';
import { write } from '../../src/graph/write.ts';
import { fixtureBytes } from './run.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const reason = (data: Uint8Array): string => {
  try {
    parse(data, 'a.onnx');
  } catch (error) {
    ok(Fault.is(error, 'graph/not-onnx'), String(error));
    return error.detail.reason;
  }
  throw new Error('parsed');
};
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

test('files that are no ONNX model are named for what they are', () => {
  match(reason(new Uint8Array(0)), /empty/);
  match(reason(zipSync({ 'data.pkl': bytes(1, 2, 3) })), /zip.*torch\.onnx\.export/);
  match(reason(bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)), /PNG/);
  match(reason(utf8('# a model card\nLicence: MIT\n')), /text file/);
  match(reason(utf8('<!DOCTYPE html><html></html>')), /web page/);
  match(reason(utf8('{"a": 1}')), /JSON/);
  match(reason(utf8('version https://git-lfs.github.com/spec/v1\noid sha256:00\n')), /git lfs pull/);
  match(reason(bytes(0x80, 2, 0x7d, 0x71)), /pickle/);
  match(reason(bytes(0x1c, 0, 0, 0, ...utf8('TFL3'), 0)), /TensorFlow Lite/);
  match(reason(bytes(0x89, ...utf8('HDF'), 13, 10)), /HDF5/);
});

test('random bytes are refused, whatever they decode to', () => {
  let state = 1;
  for (let round = 0; round < 300; round++) {
    const data = Uint8Array.from({ length: 1 + (round % 64) }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    });
    reason(data);
  }
});

test('a file cut anywhere is refused', () => {
  const whole = fixtureBytes('mlp_diabetes');
  for (let n = 0; n < whole.length; n += 7) ok(reason(whole.subarray(0, n)).length > 0);
  match(reason(whole.subarray(0, whole.length - 1)), /cut short|operator set/);
});

const named = (tensor: Sent<'Tensor'>): Uint8Array =>
  encode('Model', {
    irVersion: 8,
    opsets: [{ domain: '', version: 17 }],
    graph: { name: 'g', initializers: [{ name: 'w', ...tensor }] },
  });
const stored = (tensor: Sent<'Tensor'>): Constant | undefined => parse(named(tensor), 'a.onnx').graph.initializers.get('w');
const code = (dtype: DType): number => dtypes.indexOf(dtype);
const varints = (...values: bigint[]): Uint8Array => {
  const out: number[] = [];
  for (let v of values) {
    v = BigInt.asUintN(64, v);
    for (; v > 127n; v >>= 7n) out.push(Number(v & 127n) | 128);
    out.push(Number(v));
  }
  return Uint8Array.from(out);
};

test('typed fields hold what raw_data would', () => {
  const floats = new Uint8Array(Float32Array.of(1.5, -2, 3).buffer);
  deepEqual(stored({ dims: [3], dtype: code('float32'), floats: [floats] })?.bytes, floats);
  // Unpacked: one element a field.
  deepEqual(stored({ dims: [3], dtype: code('float32'), floats: [floats.subarray(0, 4), floats.subarray(4)] })?.bytes, floats);
  const doubles = new Uint8Array(Float64Array.of(Math.PI).buffer);
  deepEqual(stored({ dims: [], dtype: code('float64'), doubles: [doubles] })?.bytes, doubles);
  const int32s = [varints(-3n, 200n, 0n)];
  const numbers = (dtype: DType): number[] => numbersOf(stored({ dims: [3], dtype: code(dtype), int32s }) ?? { dtype, dims: [0] });
  deepEqual(numbers('int32'), [-3, 200, 0]);
  deepEqual(numbers('int16'), [-3, 200, 0]);
  deepEqual(numbers('int8'), [-3, 200 - 256, 0]);
  deepEqual(numbers('uint8'), [253, 200, 0]);
  deepEqual(numbers('bool'), [253, 200, 0]);
  deepEqual(numbers('uint16'), [65533, 200, 0]);
  // float16 and bfloat16 by their bits: 1.0 is 0x3c00 and 0x3f80.
  deepEqual(stored({ dims: [1], dtype: code('float16'), int32s: [varints(0x3c00n)] })?.bytes, bytes(0, 0x3c));
  deepEqual(stored({ dims: [1], dtype: code('bfloat16'), int32s: [varints(0x3f80n)] })?.bytes, bytes(0x80, 0x3f));
  // Three 4-bit elements in two bytes.
  deepEqual(stored({ dims: [3], dtype: code('int4'), int32s: [varints(0x21n, 0x03n)] })?.bytes, bytes(0x21, 0x03));
  deepEqual(
    stored({ dims: [2], dtype: code('int64'), int64s: [varints(-(2n ** 63n), 2n ** 53n + 1n)] })?.bytes,
    new Uint8Array(BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n).buffer),
  );
  deepEqual(
    stored({ dims: [1], dtype: code('uint64'), uint64s: [varints(2n ** 64n - 1n)] })?.bytes,
    new Uint8Array(BigUint64Array.of(2n ** 64n - 1n).buffer),
  );
  deepEqual(
    numbersOf(stored({ dims: [1], dtype: code('uint32'), uint64s: [varints(4294967295n)] }) ?? { dtype: 'uint32', dims: [0] }),
    [4294967295],
  );
  deepEqual(stored({ dims: [2], dtype: code('string'), strings: [utf8('a'), utf8('')] })?.strings, [utf8('a'), utf8('')]);
});

test('a tensor with too few or too many bytes is refused by name', () => {
  throws(() => stored({ dims: [2, 2], dtype: code('float32'), raw: new Uint8Array(12) }), /'w'.*needs 16 bytes but 12/);
  throws(() => stored({ dims: [2], dtype: 99, raw: new Uint8Array(8) }), /'w' has the unknown element type 99/);
});

test('large tensors are views on the file', () => {
  const file = named({ dims: [1024], dtype: code('float32'), raw: new Uint8Array(4096) });
  const w = parse(file, 'a.onnx').graph.initializers.get('w');
  equal(w?.bytes?.buffer, file.buffer);
});

test('attributes without a type, as before IR version 2, are told by their field', () => {
  const file = encode('Model', {
    irVersion: 1,
    opsets: [{ version: 7 }],
    graph: {
      name: 'g',
      nodes: [
        {
          op: 'Conv',
          attributes: [
            { name: 'pads', ints: [1, 2 ** 62, -1] },
            { name: 'alpha', float: 0.5 },
          ],
        },
      ],
    },
  });
  const { attributes } = parse(file, 'a.onnx').graph.nodes[0];
  deepEqual(attributes, { pads: { type: 'ints', value: [1, 2 ** 62, -1] }, alpha: { type: 'float', value: 0.5 } });
});

test('INT64_MAX, which exporters write for "to the end", survives', () => {
  const value: Attribute = { type: 'ints', value: [2 ** 63, -(2 ** 63)] };
  const model = parse(encode('Model', { irVersion: 8, opsets: [{ version: 9 }], graph: { nodes: [{ op: 'Slice' }] } }), 'a.onnx');
  const [node] = model.graph.nodes;
  const again = parse(write({ ...model, graph: { ...model.graph, nodes: [{ ...node, attributes: { ends: value } }] } }), 'a.onnx');
  deepEqual(again.graph.nodes[0].attributes.ends, value);
});

test('names that are not UTF-8 survive parse and write', () => {
  const odd = bytes(0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82, 0xac);
  const file = encode('Model', { irVersion: 8, opsets: [{ version: 17 }], graph: { name: 'g' } });
  const model = parse(file, 'a.onnx');
  const again = write({ ...model, producer: 'a\udcff\udcc3(€' });
  const at = again.findIndex((_, i) => odd.every((b, k) => again[i + k] === b));
  ok(at > 0);
  equal(parse(again, 'a.onnx').producer, 'a\udcff\udcc3(€');
});

test('a location of external data that leaves the folder is refused', () => {
  for (const location of ['../w.bin', '/etc/passwd', 'C:\\w.bin', 'a/../../w.bin', '']) {
    throws(
      () => stored({ dims: [1], dtype: code('float32'), location: 1, external: [{ key: 'location', value: location }] }),
      (error: unknown) => Fault.is(error, 'graph/external'),
    );
  }
  const { external } = stored({ dims: [3], dtype: code('float32'), location: 1, external: [{ key: 'location', value: 'w.bin' }] }) ?? {};
  deepEqual(external, { location: 'w.bin', offset: 0, length: 12 });
});
