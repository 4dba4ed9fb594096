import type { Known } from '../autodiff/differentiate.ts';
import { gradientGraph } from '../autodiff/gradient-graph.ts';
import { Fault } from '../base/fault.ts';
import { breathe } from '../base/job.ts';
import { openModel } from '../evidence/model.ts';
import type { Model } from '../graph/types.ts';
import { mustVerify } from '../graph/verify.ts';
import { write } from '../graph/write.ts';
import type { AppJob, Ports, UseCase } from './ports.ts';

const opened = async (
  path: string,
  ports: Ports,
  job: AppJob,
): Promise<{ readonly model: Model; readonly known: Known; readonly notes: readonly string[] }> => {
  const { model, probed, notes } = await (await openModel({ path }, ports, job)).prepared();
  return { model, known: probed, notes };
};

/** Writes a model's gradients as an ONNX file that any ONNX Runtime runs. */
export const grad: UseCase<'grad'> = async (ask, ports, job) => {
  if (ask.wrt.length === 0) throw new Fault('option/missing', { name: '--wrt', usage: '--wrt inputs|parameters|NAME,…' });
  job.progress(0, 'reading');
  const { model, known, notes } = await opened(ask.model, ports, job);
  const loss = ask.loss === undefined ? undefined : await opened(ask.loss, ports, job);
  await breathe(job);
  job.progress(0.4, 'differentiating');
  const { of, wrt, product, perExample, jacobian } = ask;
  const built = gradientGraph(model, known, {
    of,
    wrt,
    ...(loss ? { loss } : {}),
    ...(product ? { product } : {}),
    ...(perExample ? { perExample } : {}),
    ...(jacobian ? { jacobian } : {}),
  });
  const bytes = write(mustVerify({ ...built.model, producerVersion: ports.versions.assay ?? '' }, ask.out));
  await breathe(job);
  job.progress(0.7, 'opening the result');
  const { session } = await ports.runtime.open(bytes, {
    device: 'cpu',
    name: ask.out,
    ...(model.folder === undefined ? {} : { folder: model.folder }),
  });
  await session.release();
  await ports.write(ask.out, bytes);
  job.progress(1, 'written');
  const { graph } = built.model;
  return {
    out: ask.out,
    nodes: graph.nodes.length,
    inputs: graph.inputs.map((i) => i.name),
    outputs: graph.outputs.map((o) => o.name),
    notes: [...notes, ...built.notes],
  };
};
