import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import type { EnsembleTool } from '../evidence/evidence.ts';
import { layerValue } from '../evidence/providers/features.ts';
import { readOutputs } from '../evidence/providers/outputs.ts';
import { loadExternal } from '../graph/external.ts';
import { normalise } from '../graph/passes/normalise.ts';
import { sort } from '../graph/passes/sort.ts';
import type { Model } from '../graph/types.ts';
import { mustVerify } from '../graph/verify.ts';
import { ensembleModel, type Member } from './ensemble-model.ts';
import type { Ports } from './ports.ts';
import { saveModel } from './save-model.ts';
import { passageOf } from './score-tools.ts';
import { type OpenSubject, openSubject, type RunnableModel } from './subject.ts';

/** A member in the one dialect, its weights in memory. */
const standalone = async (model: Model, from: string, ports: Ports, job: Job): Promise<Model> =>
  normalise(
    mustVerify(
      sort(
        await loadExternal(model, async (location, offset, length) =>
          (await ports.source(ports.resolve(from, location))).read(offset, offset + length, job.signal),
        ),
      ),
    ),
  );

const whole = /^u?int(8|16|32|64)$/;

/** Reads members one after the other, each closed before the next is opened; writes them as one model. */
export const ensembleTool = (open: OpenSubject, ask: RunRequest, ports: Ports, job: Job): EnsembleTool => {
  const members: Member[] = [];
  const take = async (of: Pick<RunnableModel, 'run' | 'ends'>, path: string, rest: Pick<Member, 'value' | 'meaning'>): Promise<Member> => {
    const { input } = of.ends;
    if (!whole.test(input.dtype))
      throw new Fault('evidence/ensemble-input', { reason: `input '${input.name}' of '${path}' takes ${input.dtype}, no token ids` });
    return { model: await standalone(of.run, path, ports, job), input: input.name, ...rest };
  };
  let saving = false;
  return {
    async read(paths) {
      const tables = [];
      for (const [i, path] of paths.entries()) {
        const model = /\.onnx$/i.test(path);
        const tell = { ...job, note: (text: string) => job.note(`'${path}': ${text}`), progress: () => {} };
        const member = await openSubject(
          {
            ...(model
              ? { model: { path, ...(ask.model?.labels ? { labels: ask.model.labels } : {}) }, data: ask.data }
              : { data: { path } }),
            device: ask.device,
            bare: true,
            ...(ask.limit === undefined ? {} : { limit: ask.limit }),
          },
          ports,
          tell,
        );
        try {
          if (member.bound.count !== open.bound.count)
            throw new Fault('data/member-rows', { path, found: member.bound.count, rows: open.bound.count });
          const { table, meaning } = await readOutputs(passageOf(member.bound, member.model, 'auto'), 'probabilities', tell);
          tables.push(table);
          if (saving) {
            if (!member.model) throw new Fault('evidence/ensemble-input', { reason: `'${path}' is a table of predictions` });
            members.push(await take(member.model, path, { value: member.model.ends.output, meaning }));
          }
        } finally {
          await member.close();
        }
        job.progress((0.5 * (i + 1)) / paths.length, `${i + 1} of ${paths.length} models read`);
      }
      return tables;
    },
    async open(path, voters) {
      for (const input of [ask.model?.path, ask.data.path])
        if (path === input) throw new Fault('file/overwrites', { option: 'save', path, input });
      saving = true;
      const { model } = open;
      if (voters === 'features' && (!model || !whole.test(model.ends.input.dtype)))
        throw new Fault('evidence/ensemble-input', {
          reason: model ? `the model takes ${model.ends.input.dtype}, no token ids` : 'features are columns of the data',
        });
      return async (ensemble, facts) => {
        const from = ask.model?.path;
        const { voters: own } = ensemble;
        const parts =
          own.kind === 'features' && model && from !== undefined
            ? [await take(model, from, { value: layerValue(model.run.graph, own.layer, model.ends.output) })]
            : members;
        for (const input of own.kind === 'models' ? own.paths : [])
          if (path === input) throw new Fault('file/overwrites', { option: 'save', path, input });
        const metadata = new Map([
          [
            'assay.ensemble',
            JSON.stringify({
              ...facts,
              domains: ensemble.domains,
              dataSha256: open.dataSha256,
              seed: ask.seed,
              assay: ports.versions.assay,
            }),
          ],
          ['classes', JSON.stringify(ensemble.classes)],
        ]);
        const made = ensembleModel(ensemble, parts, metadata);
        for (const note of await saveModel(mustVerify(made, path), path, ports, job)) job.note(note);
      };
    },
  };
};
