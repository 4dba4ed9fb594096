import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diagnose } from '../../src/app/diagnose.ts';
import { quietJob } from '../../src/base/job.ts';
import type { OptionValue } from '../../src/base/option.ts';
import { int64 } from '../../src/base/tensor.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { emitter } from '../../src/graph/emit.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';
import { modelOf } from '../../src/training/plan.ts';

const ports = await world();

/** Card 00-landscape-common: f = tanh(xW1ᵀ+b1)W2ᵀ+b2 in float64, θₖ = sin k, six rows. */
export const smallNet = (): { readonly model: string; readonly data: string; readonly at: (name: string) => string } => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-landscape-'));
  const at = (name: string): string => join(folder, name);
  const emit = emitter({});
  let k = 0;
  const type = (dims: readonly (number | string)[]) => ({ kind: 'tensor', dtype: 'float64', dims }) as const;
  const parameter = (name: string, dims: readonly number[]): string => {
    const size = dims.reduce((a, b) => a * b, 1);
    emit.hold(
      name,
      constantOf(
        'float64',
        dims,
        Array.from({ length: size }, () => Math.sin(++k)),
      ),
    );
    return name;
  };
  emit.typed('x', type(['N', 2]));
  const hidden = emit.Tanh(emit.call('Gemm', ['x', parameter('W1', [3, 2]), parameter('b1', [3])], { transB: 1 }));
  const logits = emit.call('Gemm', [hidden, parameter('W2', [2, 3]), parameter('b2', [2])], { transB: 1 });
  const graph = emit.graph('small', [{ name: 'x', type: type(['N', 2]) }], [{ name: logits, type: type(['N', 2]) }]);
  writeFileSync(at('small.onnx'), write(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph)));
  const x = Float64Array.from(Array.from({ length: 6 }, (_, n) => [Math.cos(n), Math.sin(2 * n)]).flat());
  writeFileSync(at('six.npz'), writeNpz({ x: { dtype: 'float64', dims: [6, 2], data: x }, y: int64([6], [0, 1, 0, 1, 0, 1]) }));
  return { model: at('small.onnx'), data: at('six.npz'), at };
};

export const measure = (id: string, model: string, data: string, options: Record<string, OptionValue> = {}): Promise<Report> =>
  diagnose({ id, model: { path: model }, data: { path: data }, device: 'cpu', seed: 0, options }, ports, { ...quietJob(), live: () => {} });
