import { emitter } from '../../graph/emit.ts';
import { write } from '../../graph/write.ts';
import { openNative } from './native.ts';

/** Four channels come back in a tensor as deep as one block. */
const measured = async (): Promise<number> => {
  const type = { kind: 'tensor', dtype: 'float32', dims: [1, 4, 1, 1] } as const;
  const emit = emitter();
  const x = emit.typed(emit.fresh('x'), type);
  const shape = emit.Shape(emit.call('ReorderInput', [x], {}, 'com.microsoft.nchwc'));
  const bytes = write({
    irVersion: 8,
    opsets: new Map([
      ['', 17],
      ['com.microsoft.nchwc', 1],
    ]),
    producer: 'assay',
    producerVersion: '',
    domain: '',
    version: 0,
    metadata: new Map(),
    functions: [],
    graph: emit.graph('block', [{ name: x, type }], [{ name: shape, type: { kind: 'tensor', dtype: 'int64', dims: [4] } }]),
  });
  try {
    const { session } = await openNative(bytes, 'cpu', { name: 'block', threads: 1 });
    const out = await session.run({ [x]: { dtype: 'float32', dims: [1, 4, 1, 1], data: new Float32Array(4) } });
    await session.release();
    return Number((out[shape].data as BigInt64Array)[1]);
  } catch {
    return 0;
  }
};

let known: Promise<number> | undefined;
/** Channels in a block of the CPU's own convolution layout (8 or 16, by the width of its vectors); 0 where it has none. */
export const convolutionBlock = (): Promise<number> => {
  known ??= measured();
  return known;
};
