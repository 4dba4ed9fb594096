import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Tensor } from '../../src/base/tensor.ts';
import { parse } from '../../src/graph/parse.ts';
import type { RunGraph } from '../../src/graph/probe.ts';
import type { Model } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import type { Session } from '../../src/runtime/session.ts';

const folder = new URL('../fixtures/models/', import.meta.url);

/** Names of the shared fixtures, without their ending. */
export const fixtures: readonly string[] = readdirSync(fileURLToPath(folder))
  .filter((f) => f.endsWith('.onnx'))
  .map((f) => f.slice(0, -5));

export const fixtureBytes = (name: string): Uint8Array => readFileSync(new URL(`${name}.onnx`, folder));
export const fixture = (name: string): Model => parse(fixtureBytes(name), `${name}.onnx`);

const runtime = onnxruntime();
const sessions = new WeakMap<Uint8Array, Promise<Session>>();

/** Runs on the CPU with optimisation off; one session for each file held in memory. */
export const run: RunGraph = async (model, feeds, wanted) => {
  let session = sessions.get(model);
  if (!session) {
    session = runtime.open(model, { device: 'cpu', name: 'test', optimize: 'off', threads: 1 }).then((o) => o.session);
    sessions.set(model, session);
  }
  return (await session).run(feeds, wanted);
};

export const runModel = (model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> =>
  run(
    write(model),
    feeds,
    model.graph.outputs.map((o) => o.name),
  );
