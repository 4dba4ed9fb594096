import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import type { Tools } from '../evidence/evidence.ts';
import type { HeadTool } from '../evidence/features.ts';
import { layerValue, openFeatures } from '../evidence/providers/features.ts';
import { openObjectives } from '../evidence/providers/softmax-objective.ts';
import { mustVerify } from '../graph/verify.ts';
import { linearModel, withLinearHead } from '../training/fitted-heads/linear.ts';
import type { Ports } from './ports.ts';
import { saveModel } from './save-model.ts';
import type { OpenSubject } from './subject.ts';

/** Writes the subject's model with a new head, or a head alone; ONNX Runtime opens the file before it is written. */
const headTool = ({ model, modelSha256, dataSha256 }: OpenSubject, ask: RunRequest, ports: Ports, job: Job): Pick<HeadTool, 'open'> => ({
  async open(path) {
    for (const input of [ask.model?.path, ask.data.path])
      if (path === input) throw new Fault('file/overwrites', { option: 'save', path, input });
    return async (head, { layer = '', pooling = 'none' }, classNames, facts) => {
      const from = model ? { model: model.name, modelSha256 } : {};
      const metadata = new Map([
        ['assay.head', JSON.stringify({ ...facts, ...from, dataSha256, seed: ask.seed, assay: ports.versions.assay })],
        ['classes', JSON.stringify(classNames)],
      ]);
      const made = model
        ? withLinearHead(
            model.run,
            {
              features: layerValue(model.run.graph, layer, model.ends.output),
              pooling,
              output: model.ends.output,
              softmax: model.ends.hint === 'probabilities',
            },
            head,
            metadata,
          )
        : linearModel(head, metadata);
      for (const note of await saveModel(mustVerify(made, path), path, ports, job)) job.note(note);
    };
  },
});

export interface OpenFeatureTools {
  readonly tools: Pick<Tools, 'features' | 'head'>;
  release(): Promise<void>;
}

/** Features of the subject's rows, and heads on them. Nothing runs before a study asks. */
export const featureTools = (open: OpenSubject, ask: RunRequest, ports: Ports, job: Job): OpenFeatureTools => {
  const { model, inputs } = open;
  const features = openFeatures(
    {
      id: ask.id,
      bind: inputs,
      ...(model ? { model: { name: model.name, folder: model.folder, model: model.run, ends: model.ends } } : {}),
      runtime: ports.runtime,
      device: ask.device,
    },
    job,
  );
  const objectives = openObjectives(ports.runtime);
  return {
    tools: { features: features.tool, head: { ...headTool(open, ask, ports, job), objective: objectives.objective } },
    async release() {
      await features.release();
      await objectives.release();
    },
  };
};
