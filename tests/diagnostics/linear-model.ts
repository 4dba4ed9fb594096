import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constantOf } from '../../src/graph/constant.ts';
import { emitter } from '../../src/graph/emit.ts';
import { write } from '../../src/graph/write.ts';
import { modelOf } from '../../src/training/plan.ts';

/** Writes logits = scale · (Wx + b) to a file of a folder; `row` is the shape of x, flattened before. Returns the path. */
export const linearIn =
  (folder: string) =>
  (
    name: string,
    weights: readonly (readonly number[])[],
    biases: readonly number[],
    row: readonly number[],
    scale = 1,
    input = 'float32',
  ): string => {
    const emit = emitter({});
    const size = row.reduce((a, b) => a * b, 1);
    const dtype = input === 'int64' ? 'int64' : 'float32';
    const type = { kind: 'tensor', dtype, dims: ['N', ...row] } as const;
    emit.typed('x', type);
    const floats = dtype === 'int64' ? emit.Cast('x', { to: 1 }) : 'x';
    const flat = row.length === 1 ? floats : emit.Reshape(floats, emit.ints([-1, size]));
    const w = emit.hold(
      'W',
      constantOf(
        'float32',
        [weights.length, size],
        weights.flat().map((v) => scale * v),
      ),
    );
    const b = emit.hold(
      'b',
      constantOf(
        'float32',
        [weights.length],
        biases.map((v) => scale * v),
      ),
    );
    const y = emit.call('Gemm', [flat, w, b], { transB: 1 });
    const graph = emit.graph(
      'linear',
      [{ name: 'x', type }],
      [{ name: y, type: { kind: 'tensor', dtype: 'float32', dims: ['N', weights.length] } }],
    );
    const path = join(folder, name);
    writeFileSync(path, write(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph)));
    return path;
  };
