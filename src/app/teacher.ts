import { Fault } from '../base/fault.ts';
import { breathe } from '../base/job.ts';
import { endsOf, openModel } from '../evidence/model.ts';
import { producers } from '../graph/walk.ts';
import { write } from '../graph/write.ts';
import type { AppJob, Ports } from './ports.ts';
import type { Rows } from './train-data.ts';

const CHUNK = 256;

/** Logits of another model on rows, [rows · classes]: what a last Softmax reads where there is one. */
export const teacherLogits = async (path: string, rows: Rows, classes: number, ports: Ports, job: AppJob): Promise<Float64Array> => {
  const file = await openModel({ path }, ports, job);
  const ends = endsOf(file, { path }, job);
  const { model } = file;
  const last = producers(model.graph).get(ends.output);
  const output = last && /^(Log)?Softmax$/.test(last.op) ? last.inputs[0] : ends.output;
  const { session } = await ports.runtime.open(
    write({ ...model, graph: { ...model.graph, outputs: [{ name: output }] } }),
    { device: 'cpu', name: `the teacher ${file.name}` },
    job,
  );
  try {
    const all = new Float64Array(rows.count * classes);
    for (let from = 0; from < rows.count; from += CHUNK) {
      await breathe(job);
      const places = Array.from({ length: Math.min(CHUNK, rows.count - from) }, (_, i) => from + i);
      const { x } = await rows.take(places, [places.length], job.signal);
      const given = (await session.run({ [ends.input.name]: x }))[output];
      const width = given.data.length / places.length;
      if (width !== classes) throw new Fault('training/teacher', { model: file.name, found: width, due: classes });
      all.set(given.data as Float32Array, from * classes);
      job.progress(0, `asking the teacher: ${from + places.length} of ${rows.count} rows`);
    }
    return all;
  } finally {
    await session.release();
  }
};
