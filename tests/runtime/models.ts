import type { DType } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { type Emit, emitter } from '../../src/graph/emit.ts';
import type { Dim, Graph, Model, ValueInfo } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';

export const value = (name: string, dtype: DType, dims?: readonly Dim[]): ValueInfo => ({
  name,
  type: { kind: 'tensor', dtype, ...(dims ? { dims } : {}) },
});

const modelOf = (graph: Graph): Model => ({
  irVersion: 8,
  opsets: new Map([['', 17]]),
  producer: 'tests',
  producerVersion: '',
  domain: '',
  version: 0,
  metadata: new Map(),
  graph,
  functions: [],
});

/** A model recorded by `build`, with these inputs and outputs. */
export const recorded = (inputs: readonly ValueInfo[], outputs: readonly ValueInfo[], build: (emit: Emit) => void): Model => {
  const emit = emitter({ taken: inputs.map((i) => i.name) });
  build(emit);
  return modelOf(emit.graph('test', inputs, outputs));
};

/** y = x. */
export const identity = (dtype: DType, dims: readonly Dim[] | undefined = ['N', 2]): Uint8Array =>
  write(recorded([value('x', dtype, dims)], [value('y', dtype, dims)], (emit) => void emit.rename('x', 'y')));

/** y = x · w with a constant w [width, width] of which entry i is (i mod 7) − 3. */
export const product = (width: number): Model =>
  recorded([value('x', 'float32', ['N', width])], [value('y', 'float32', ['N', width])], (emit) => {
    const w = emit.constant(
      constantOf(
        'float32',
        [width, width],
        Array.from({ length: width * width }, (_, i) => (i % 7) - 3),
      ),
    );
    emit.rename(emit.MatMul('x', w), 'y');
  });
