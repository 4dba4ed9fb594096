import type { Known } from '../autodiff/differentiate.ts';
import { gradientGraph } from '../autodiff/gradient-graph.ts';
import { Fault } from '../base/fault.ts';
import { breathe } from '../base/job.ts';
import { openModel } from '../evidence/model.ts';
import { loadExternal } from '../graph/external.ts';
import type { Probed } from '../graph/probe.ts';
import type { Model } from '../graph/types.ts';
import { mustVerify } from '../graph/verify.ts';
import { checkGradient } from './grad-check.ts';
import { mustKeepRowsApart } from './independent-rows.ts';
import type { AppJob, Ports, UseCase } from './ports.ts';
import { saveModel } from './save-model.ts';

const opened = async (
  path: string,
  ports: Ports,
  job: AppJob,
): Promise<{ readonly model: Model; readonly known: Probed; readonly notes: readonly string[] }> => {
  const { model, probed, notes } = await (await openModel({ path }, ports, job)).prepared('any length');
  return { model, known: probed, notes };
};

/** A model with the weights that lie beside it in memory. */
export const loadedModel = (model: Model, path: string, ports: Ports, job: AppJob): Promise<Model> =>
  loadExternal(model, async (location, offset, length) =>
    (await ports.source(ports.resolve(path, location))).read(offset, offset + length, job.signal),
  );

/** A loss, which may lie in another folder than the model. */
const whole = async (path: string, ports: Ports, job: AppJob): Promise<{ readonly model: Model; readonly known: Known }> => {
  const { model, known } = await opened(path, ports, job);
  return { model: await loadedModel(model, path, ports, job), known };
};

/** Writes a model's gradients as an ONNX file that any ONNX Runtime runs. */
export const grad: UseCase<'grad'> = async (ask, ports, job) => {
  if (ask.wrt.length === 0) throw new Fault('option/missing', { name: '--wrt', usage: '--wrt inputs|parameters|NAME,…' });
  job.progress(0, 'reading');
  const { model, known, notes } = await opened(ask.model, ports, job);
  const loss = ask.loss === undefined ? undefined : await whole(ask.loss, ports, job);
  const { of, wrt, product, perExample, jacobian } = ask;
  if (perExample) await mustKeepRowsApart(model, known, 'Per-example gradients', ask.model, ports);
  if (jacobian) await mustKeepRowsApart(model, known, 'Jacobians of single rows', ask.model, ports);
  await breathe(job);
  job.progress(0.4, 'differentiating');
  const built = gradientGraph(model, known, {
    of,
    wrt,
    ...(loss ? { loss } : {}),
    ...(product ? { product } : {}),
    ...(perExample ? { perExample } : {}),
    ...(jacobian ? { jacobian } : {}),
  });
  const result = mustVerify({ ...built.model, producerVersion: ports.versions.assay ?? '' }, ask.out);
  await breathe(job);
  job.progress(0.7, 'opening the result');
  const saved = await saveModel(result, ask.out, ports, job);
  const { check } = ask;
  const own = new Set(model.graph.outputs.map((o) => o.name));
  if (check !== undefined) job.progress(0.9, 'checking');
  const checked = check === undefined ? undefined : await checkGradient(result, own, { model: ask.model, out: ask.out, check }, ports, job);
  job.progress(1, 'written');
  const { graph } = built.model;
  return {
    out: ask.out,
    nodes: graph.nodes.length,
    inputs: graph.inputs.map((i) => i.name),
    outputs: graph.outputs.map((o) => o.name),
    notes: [...notes, ...built.notes, ...saved],
    ...(checked ? { check: checked } : {}),
  };
};
