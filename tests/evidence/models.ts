import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import type { Constant, Graph } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import type { Runtime } from '../../src/runtime/session.ts';
import { model } from '../graph/build.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-evidence-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** A file in a folder that is removed after the tests of this file. */
export const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
export const modelFile = (graph: Graph): string => file(`m${count++}.onnx`, write(model(graph)));

export const floats = (dims: readonly number[], values: readonly number[]): Constant => ({
  dtype: 'float32',
  dims,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

/** ONNX Runtime, but with memory for `most` rows of the first input only. */
export const shortOfMemory = (most: number): Runtime & { readonly sizes: number[] } => {
  const runtime = onnxruntime();
  const sizes: number[] = [];
  return {
    ...runtime,
    sizes,
    async open(bytes, options, job) {
      const { session, choice } = await runtime.open(bytes, options, job);
      const run: typeof session.run = async (feeds, wanted) => {
        const rows = Object.values(feeds)[0].dims[0];
        sizes.push(rows);
        if (rows > most) throw new Fault('runtime/memory', { model: options.name, reason: `no room for ${rows} rows` });
        return session.run(feeds, wanted);
      };
      return { session: { ...session, run }, choice };
    },
  };
};
