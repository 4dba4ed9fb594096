import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DType, sizeOf } from '../../src/base/tensor.ts';
import { elementBytes } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import { feedsOf, planOf } from '../../src/graph/probe-feeds.ts';
import { dtypes } from '../../src/graph/schema.ts';
import type { Attribute, Constant, FunctionDef, Graph, Model, Node, ValueInfo, ValueType } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { writeExternal } from '../../src/graph/write-external.ts';
import { fixture, fixtureBytes, fixtures, run } from './run.ts';

const name = fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' });
const dtype = fc.constantFrom<DType>(...dtypes.filter((d) => d !== 'undefined'));
const dims = fc.array(fc.nat(3), { maxLength: 3 });
const packed = (d: DType, shape: readonly number[]): fc.Arbitrary<Uint8Array> => {
  const length = Math.ceil(sizeOf(shape) * elementBytes[d]);
  return fc.uint8Array({ minLength: length, maxLength: length });
};
const constant: fc.Arbitrary<Constant> = fc.tuple(dtype, dims).chain(([d, shape]): fc.Arbitrary<Constant> => {
  const base = { dtype: d, dims: shape };
  if (d === 'string')
    return fc
      .array(fc.uint8Array({ maxLength: 4 }), { minLength: sizeOf(shape), maxLength: sizeOf(shape) })
      .map((strings) => ({ ...base, strings }));
  const external = fc.record({ location: fc.constantFrom('w.bin', 'a/b.data'), offset: fc.nat(), length: fc.nat() });
  return fc.oneof(
    { weight: 4, arbitrary: packed(d, shape).map((bytes) => ({ ...base, bytes })) },
    { weight: 1, arbitrary: external.map((e) => ({ ...base, external: e })) },
  );
});
const dim = fc.oneof(fc.nat(9), name, fc.constant(undefined));
const shape = fc.oneof(
  fc.constant({}),
  fc.array(dim, { maxLength: 3 }).map((d) => ({ dims: d })),
);
const type: fc.Arbitrary<ValueType> = fc.letrec<{ type: ValueType }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(dtype, shape).map(([d, s]): ValueType => ({ kind: 'tensor', dtype: d, ...s })),
    fc.tuple(dtype, shape).map(([d, s]): ValueType => ({ kind: 'sparse', dtype: d, ...s })),
    tie('type').map((of): ValueType => ({ kind: 'sequence', of })),
    tie('type').map((of): ValueType => ({ kind: 'optional', of })),
    fc.tuple(dtype, tie('type')).map(([key, of]): ValueType => ({ kind: 'map', key, of })),
  ),
})).type;
const info: fc.Arbitrary<ValueInfo> = fc.record({ name, type, doc: name }, { requiredKeys: ['name'] });
const mapOf = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<ReadonlyMap<string, T>> =>
  fc.uniqueArray(fc.tuple(name, arbitrary), { selector: ([k]) => k, maxLength: 3 }).map((entries) => new Map(entries));
const sparse = fc.record({ values: constant, indices: constant, dims });
const single = fc.float({ noDefaultInfinity: false });
const int = fc.maxSafeInteger();

const parts = fc.letrec<{ attribute: Attribute; node: Node; graph: Graph }>((tie) => ({
  attribute: fc.oneof(
    { depthSize: 'small' },
    int.map((value): Attribute => ({ type: 'int', value })),
    single.map((value): Attribute => ({ type: 'float', value })),
    name.map((value): Attribute => ({ type: 'string', value })),
    fc.array(int).map((value): Attribute => ({ type: 'ints', value })),
    fc.array(single).map((value): Attribute => ({ type: 'floats', value })),
    fc.array(name).map((value): Attribute => ({ type: 'strings', value })),
    constant.map((value): Attribute => ({ type: 'tensor', value })),
    fc.array(constant, { maxLength: 2 }).map((value): Attribute => ({ type: 'tensors', value })),
    sparse.map((value): Attribute => ({ type: 'sparse', value })),
    fc.array(sparse, { maxLength: 2 }).map((value): Attribute => ({ type: 'sparses', value })),
    type.map((value): Attribute => ({ type: 'type', value })),
    fc.array(type, { maxLength: 2 }).map((value): Attribute => ({ type: 'types', value })),
    name.map((value): Attribute => ({ type: 'reference', value })),
    tie('graph').map((value): Attribute => ({ type: 'graph', value })),
    fc.array(tie('graph'), { maxLength: 2 }).map((value): Attribute => ({ type: 'graphs', value })),
  ),
  node: fc.record(
    {
      op: name,
      domain: fc.constantFrom('', 'com.microsoft'),
      name,
      inputs: fc.array(fc.oneof(name, fc.constant('')), { maxLength: 3 }),
      outputs: fc.array(name, { maxLength: 2 }),
      attributes: mapOf(tie('attribute')).map((m) => Object.fromEntries(m)),
      doc: name,
      overload: name,
    },
    { requiredKeys: ['op', 'domain', 'name', 'inputs', 'outputs', 'attributes'] },
  ),
  graph: fc.record(
    {
      name,
      inputs: fc.array(info, { maxLength: 2 }),
      outputs: fc.array(info, { maxLength: 2 }),
      nodes: fc.array(tie('node'), { maxLength: 3 }),
      initializers: mapOf(constant),
      sparseInitializers: mapOf(sparse).filter((m) => m.size > 0),
      values: mapOf(type),
      doc: name,
    },
    { requiredKeys: ['name', 'inputs', 'outputs', 'nodes', 'initializers', 'values'] },
  ),
}));
const opsets = mapOf(fc.integer({ min: 1, max: 26 })).map((m) => new Map([['', 17], ...m]));
const functionDef: fc.Arbitrary<FunctionDef> = fc.record(
  {
    name,
    domain: name,
    overload: name,
    inputs: fc.array(name, { maxLength: 2 }),
    outputs: fc.array(name, { maxLength: 2 }),
    attributes: fc.array(name, { maxLength: 2 }),
    defaults: mapOf(parts.attribute).map((m) => Object.fromEntries(m)),
    nodes: fc.array(parts.node, { maxLength: 2 }),
    opsets,
    doc: name,
  },
  { requiredKeys: ['name', 'domain', 'inputs', 'outputs', 'attributes', 'defaults', 'nodes', 'opsets'] },
);
const model: fc.Arbitrary<Model> = fc.record(
  {
    irVersion: fc.integer({ min: 1, max: 13 }),
    opsets,
    producer: fc.string(),
    producerVersion: fc.string(),
    domain: fc.string(),
    version: fc.nat(),
    doc: name,
    metadata: mapOf(fc.string()),
    graph: parts.graph,
    functions: fc.array(functionDef, { maxLength: 2 }),
  },
  { requiredKeys: ['irVersion', 'opsets', 'producer', 'producerVersion', 'domain', 'version', 'metadata', 'graph', 'functions'] },
);

/** fast-check makes records without a prototype. */
const plain = (v: unknown): unknown => {
  if (v instanceof Map) return new Map(Array.from(v, ([k, x]) => [k, plain(x)]));
  if (Array.isArray(v)) return v.map(plain);
  if (typeof v !== 'object' || v === null || v instanceof Uint8Array) return v;
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)]));
};

test('parse ∘ write is the identity on any model', () => {
  fc.assert(
    fc.property(model, (m) => deepEqual(parse(write(m), 'a.onnx'), plain(m))),
    { numRuns: 300 },
  );
});

for (const f of fixtures) {
  test(`${f}: parse ∘ write is the identity, and ONNX Runtime computes the same`, async () => {
    const bytes = fixtureBytes(f);
    const m = parse(bytes, f);
    const again = write(m);
    deepEqual(parse(again, f), m);
    const feeds = feedsOf(planOf(m.graph), 2, 1);
    const wanted = m.graph.outputs.map((o) => o.name);
    // The same nodes in the same order on the same machine: bit for bit.
    deepEqual(await run(again, feeds, wanted), await run(bytes, feeds, wanted));
  });
}

test('large weights move to one external file, on page bounds, and come back equal', () => {
  const m = fixture('lenet_mnist');
  const { model: file, data, length } = writeExternal(m, 'lenet.data');
  const flat = new Uint8Array(length);
  let at = 0;
  for (const chunk of data.filter((part) => part instanceof Uint8Array)) {
    flat.set(chunk, at);
    at += chunk.length;
  }
  equal(at, length);
  let moved = 0;
  for (const [key, c] of parse(file, 'lenet').graph.initializers) {
    const original = m.graph.initializers.get(key);
    if (!c.external) {
      deepEqual(c, original);
      continue;
    }
    moved++;
    equal(c.external.offset % 4096, 0);
    equal(c.external.location, 'lenet.data');
    deepEqual(flat.subarray(c.external.offset, c.external.offset + c.external.length), original?.bytes);
  }
  ok(moved >= 3 && file.length < 10_000);
});
