import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import type { Bound } from '../evidence/bound.ts';
import type { CalibratedTool, Subject, Tools } from '../evidence/evidence.ts';
import type { Declared, Meaning } from '../evidence/interpret.ts';
import type { Passage, Passed } from '../evidence/plan.ts';
import { columns } from '../evidence/providers/columns.ts';
import { readOutputs } from '../evidence/providers/outputs.ts';
import { readScores } from '../evidence/providers/scores.ts';
import { loadExternal } from '../graph/external.ts';
import { mustVerify } from '../graph/verify.ts';
import { write } from '../graph/write.ts';
import { calibratedModel } from './calibrated-model.ts';
import type { Ports } from './ports.ts';
import type { OpenSubject, RunnableModel } from './subject.ts';

export const passageOf = (bound: Bound, model: RunnableModel | undefined, declared: Declared): Passage => ({
  bound,
  ...(model ? { model: { name: model.name, output: model.ends.output, hint: model.ends.hint, score: model.score } } : {}),
  declared,
});

export interface OpenScores {
  readonly tools: Pick<Tools, 'scores' | 'calibrated'>;
  readonly subject: Subject;
  readonly meaning: Meaning;
  readonly range?: Passed['range'];
}

/** Writes the subject's model with a calibrator; the file runs on the CPU before it is written. */
const calibrated = (
  { model: runnable, modelSha256, dataSha256 }: OpenSubject,
  { subject, meaning }: Passed,
  ask: RunRequest,
  ports: Ports,
  job: Job,
): CalibratedTool => ({
  async open(path) {
    const from = ask.model?.path;
    if (!runnable || from === undefined) throw new Fault('option/without-model', { names: ['save'] });
    for (const input of [from, ask.data.path]) if (path === input) throw new Fault('file/overwrites', { option: 'save', path, input });
    return async (calibration, facts) => {
      const { model, ends, folder, name } = runnable;
      const whole = await loadExternal(model, async (location, offset, length) =>
        (await ports.source(ports.resolve(from, location))).read(offset, offset + length, job.signal),
      );
      const provenance = { ...facts, model: name, modelSha256, dataSha256, seed: ask.seed, assay: ports.versions.assay };
      const metadata = new Map([['assay.calibration', JSON.stringify(provenance)]]);
      const made = calibratedModel(whole, ends.output, meaning, subject.classes.length, calibration, metadata);
      const bytes = write(mustVerify(made, path));
      const { session } = await ports.runtime.open(bytes, { device: 'cpu', name: path, folder });
      await session.release();
      await ports.write(path, bytes);
      const others = model.graph.outputs.map((o) => o.name).filter((o) => o !== ends.output);
      if (others.length > 0)
        job.note(`In '${path}' only output '${ends.output}' is calibrated; ${others.map((o) => `'${o}'`).join(', ')} stay as they were.`);
    };
  },
});

export interface OpenOutputs {
  readonly tools: Pick<Tools, 'columns' | 'outputs'>;
  /** What reading the outputs has told. */
  seen(): { readonly subject?: Subject; readonly meaning?: Meaning };
}

/** The columns of the data, and what is said about its rows, read when asked. */
export const openOutputs = ({ bound, model }: OpenSubject, declared: Declared, ports: Ports, job: Job): OpenOutputs => {
  let seen: ReturnType<OpenOutputs['seen']> = {};
  return {
    seen: () => seen,
    tools: {
      columns: columns(bound, (path, signal) => ports.dataset(path, signal)),
      outputs: {
        given: model !== undefined || bound.unscored === undefined,
        async read(as) {
          const { table, subject, meaning } = await readOutputs(passageOf(bound, model, declared), as, {
            ...job,
            progress: (f, text) => job.progress(0.5 * f, text),
          });
          seen = { subject, meaning };
          return table;
        },
      },
    },
  };
};

/** Reads all scores of the split at once, and of others when asked. */
export const openScores = async (open: OpenSubject, declared: Declared, ask: RunRequest, ports: Ports, job: Job): Promise<OpenScores> => {
  const { passed, table } = await readScores(passageOf(open.bound, open.model, declared), ask.id, {
    ...job,
    progress: (f, text) => job.progress(0.3 * f, text),
  });
  return {
    ...passed,
    tools: {
      scores: {
        shown: table,
        async split(name) {
          const bound = await open.split(name);
          try {
            return (await readScores(passageOf(bound, open.model, declared), ask.id, { ...job, progress: () => {} })).table;
          } finally {
            await bound.close();
          }
        },
      },
      calibrated: calibrated(open, passed, ask, ports, job),
    },
  };
};
