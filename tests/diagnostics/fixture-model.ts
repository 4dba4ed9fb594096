import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { quietJob } from '../../src/base/job.ts';
import type { Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import type { ModelGradients } from '../../src/evidence/evidence.ts';
import { endsOf, openModel } from '../../src/evidence/model.ts';
import { openGradient } from '../../src/evidence/providers/gradient.ts';
import { world } from '../../src/jobs/world.ts';

const ports = await world();
const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
/** Arrays of a file below tests/. */
export const load = (path: string): Readonly<Record<string, Tensor>> => readNpz(readFileSync(at(path)));

/** The gradients of a fixture model, prepared for rows like those given. */
export const withFixture = async (name: string, x: Tensor, work: (gradient: ModelGradients) => Promise<void>): Promise<void> => {
  const job = quietJob(0);
  const path = at(`fixtures/models/${name}.onnx`);
  const opened = await openModel({ path }, ports, job);
  const ends = endsOf(opened, { path }, job);
  const subject = { name, folder: opened.folder, ends, prepared: () => opened.prepared({ input: ends.input.name, x }) };
  const gradient = await openGradient(subject, x.dims.slice(1), { runtime: ports.runtime, device: 'cpu' }, job);
  try {
    await work(gradient.tool);
  } finally {
    await gradient.release();
  }
};
