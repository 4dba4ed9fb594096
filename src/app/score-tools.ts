import { Fault } from '../base/fault.ts';
import { breathe, type Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import { sizeOf } from '../base/tensor.ts';
import { fromFloats } from '../data/values.ts';
import type { BiasTool } from '../evidence/biases.ts';
import type { Bound } from '../evidence/bound.ts';
import type { CalibratedTool, OutputHeadTool, Subject, Tools, Values } from '../evidence/evidence.ts';
import type { Declared, Meaning } from '../evidence/interpret.ts';
import { endsOf, openModel } from '../evidence/model.ts';
import type { Passage, Passed } from '../evidence/plan.ts';
import { columns } from '../evidence/providers/columns.ts';
import { layerValue } from '../evidence/providers/features.ts';
import { readOutputs } from '../evidence/providers/outputs.ts';
import { perturbed } from '../evidence/providers/perturbed.ts';
import { readScores } from '../evidence/providers/scores.ts';
import { trainer } from '../evidence/providers/trainer.ts';
import { scorer } from '../evidence/scorer.ts';
import { classWeights } from '../graph/class-weights.ts';
import { loadExternal } from '../graph/external.ts';
import { scoreBiases, withBiases } from '../graph/score-bias.ts';
import type { Model } from '../graph/types.ts';
import { mustVerify } from '../graph/verify.ts';
import { write } from '../graph/write.ts';
import { calibratedModel } from './calibrated-model.ts';
import { modelWithHead } from './head-model.ts';
import type { Ports } from './ports.ts';
import type { OpenSubject, RunnableModel } from './subject.ts';

export const passageOf = (bound: Bound, model: RunnableModel | undefined, declared: Declared): Passage => ({
  bound,
  ...(model ? { model: { name: model.name, output: model.ends.output, hint: model.ends.hint, score: model.score } } : {}),
  declared,
});

export interface OpenScores {
  readonly tools: Pick<Tools, 'scores' | 'calibrated' | 'trainer' | 'perturbed'>;
  readonly subject: Subject;
  readonly meaning: Meaning;
  readonly range?: Passed['range'];
}

/** The model with the weights that lie beside its file. */
const wholeOf = ({ model }: RunnableModel, from: string, ports: Ports, job: Job): Promise<Model> =>
  loadExternal(model, async (location, offset, length) =>
    (await ports.source(ports.resolve(from, location))).read(offset, offset + length, job.signal),
  );

/** Writes the subject's model changed; the file runs on the CPU before it is written. */
const rewritten = async (
  { model: runnable, modelSha256, dataSha256 }: OpenSubject,
  ask: RunRequest,
  ports: Ports,
  job: Job,
  path: string,
): Promise<{
  readonly runnable: RunnableModel;
  write(
    change: (whole: Model, metadata: ReadonlyMap<string, string>) => Model,
    of: string,
    facts: Readonly<Record<string, string | number>>,
  ): Promise<void>;
}> => {
  const from = ask.model?.path;
  if (!runnable || from === undefined) throw new Fault('option/without-model', { names: ['save'] });
  for (const input of [from, ask.data.path]) if (path === input) throw new Fault('file/overwrites', { option: 'save', path, input });
  const { folder, name } = runnable;
  return {
    runnable,
    async write(change, of, facts) {
      const whole = await wholeOf(runnable, from, ports, job);
      const provenance = { ...facts, model: name, modelSha256, dataSha256, seed: ask.seed, assay: ports.versions.assay };
      const metadata = new Map([[of, JSON.stringify(provenance)]]);
      const bytes = write(mustVerify(change(whole, metadata), path));
      const { session } = await ports.runtime.open(bytes, { device: 'cpu', name: path, folder });
      await session.release();
      await ports.write(path, bytes);
    },
  };
};

const calibrated = (open: OpenSubject, { subject, meaning }: Passed, ask: RunRequest, ports: Ports, job: Job): CalibratedTool => ({
  async open(path) {
    const { runnable, write } = await rewritten(open, ask, ports, job, path);
    return async (calibration, facts, views) => {
      const { model, ends } = runnable;
      const seen = views && { ...views, input: ends.input.name, row: sizeOf(open.bound.inputDims) };
      await write(
        (whole, metadata) => calibratedModel(whole, ends.output, meaning, subject.classes.length, calibration, metadata, seen),
        'assay.calibration',
        facts,
      );
      const others = model.graph.outputs.map((o) => o.name).filter((o) => o !== ends.output);
      if (others.length > 0)
        job.note(`In '${path}' only output '${ends.output}' is calibrated; ${others.map((o) => `'${o}'`).join(', ')} stay as they were.`);
    };
  },
});

/** `meaning` is that of the outputs as they were read. */
const headed = (open: OpenSubject, meaning: () => Meaning | undefined, ask: RunRequest, ports: Ports, job: Job): OutputHeadTool => ({
  async classWeights() {
    const from = ask.model?.path;
    if (!open.model || from === undefined) throw new Fault('evidence/no-model', { id: ask.id, tool: 'class weights' });
    const { output } = open.model.ends;
    const found = classWeights((await wholeOf(open.model, from, ports, job)).graph, output);
    if (!found) throw new Fault('evidence/class-weights', { output });
    return { dims: [found.classes, found.width], data: found.data };
  },
  async open(path) {
    const { runnable, write } = await rewritten(open, ask, ports, job, path);
    return async (head, facts) => {
      let added: readonly string[] = [];
      const known = meaning() ?? { scores: 'values', binary: false };
      await write(
        (whole, metadata) => {
          const { model, outputs } = modelWithHead(whole, runnable.ends.output, known, head, metadata);
          added = outputs;
          return model;
        },
        'assay.head',
        facts,
      );
      return added;
    };
  },
});

/** Biases of the scores, and the model with others. */
const biased = (open: OpenSubject, ask: RunRequest, ports: Ports, job: Job): BiasTool => ({
  async read(tensor) {
    const from = ask.model?.path;
    if (!open.model || from === undefined) throw new Fault('evidence/no-model', { id: ask.id, tool: 'biases' });
    const { graph } = await wholeOf(open.model, from, ports, job);
    return scoreBiases(graph, tensor === '' ? open.model.ends.output : layerValue(graph, tensor, open.model.ends.output));
  },
  async open(path) {
    const { write } = await rewritten(open, ask, ports, job, path);
    return (values, facts) =>
      write(
        (whole, metadata) => ({ ...whole, metadata: new Map([...whole.metadata, ...metadata]), graph: withBiases(whole.graph, values) }),
        'assay.biases',
        facts,
      );
  },
});

/** Rows that another model runs at a time. */
const ENCODED = 256;

const encode = async (path: string, { dims, data }: Values, { device }: RunRequest, ports: Ports, job: Job): Promise<Values> => {
  const opened = await openModel({ path }, ports, job);
  const ends = endsOf(opened, { path }, job);
  const { session } = await ports.runtime.open(path, { device, name: opened.name, folder: opened.folder }, job);
  try {
    const score = scorer(session, ends, job);
    const [rows, ...rest] = dims;
    const width = sizeOf(rest);
    const parts: Float64Array[] = [];
    let cols = 0;
    for (let at = 0; at < rows; at += ENCODED) {
      await breathe(job);
      const to = Math.min(rows, at + ENCODED);
      const values = fromFloats(data.subarray(at * width, to * width), ends.input.dtype);
      const made = await score({ dtype: ends.input.dtype, dims: [to - at, ...rest], data: values });
      cols = made.cols;
      parts.push(made.data);
    }
    const all = new Float64Array(rows * cols);
    for (const [i, part] of parts.entries()) all.set(part, i * ENCODED * cols);
    return { dims: [rows, cols], data: all };
  } finally {
    await session.release();
  }
};

export interface OpenOutputs {
  readonly tools: Pick<Tools, 'columns' | 'outputs' | 'outputHead' | 'biases'>;
  /** What reading the outputs has told. */
  seen(): { readonly subject?: Subject; readonly meaning?: Meaning };
}

/** The columns of the data, and what is said about its rows, read when asked. */
export const openOutputs = (open: OpenSubject, declared: Declared, ask: RunRequest, ports: Ports, job: Job): OpenOutputs => {
  const { bound, model } = open;
  let seen: ReturnType<OpenOutputs['seen']> = {};
  return {
    seen: () => seen,
    tools: {
      columns: columns(bound, (path, signal) => ports.dataset(path, signal)),
      biases: biased(open, ask, ports, job),
      outputHead: headed(open, () => seen.meaning, ask, ports, job),
      outputs: {
        given: model !== undefined || bound.unscored === undefined,
        async read(as, path) {
          const from = path === undefined ? bound : await open.other(path);
          const { table, subject, meaning } = await readOutputs(passageOf(from, model, declared), as, {
            ...job,
            progress: (f, text) => job.progress(0.5 * f, text),
          });
          if (path === undefined) seen = { subject, meaning };
          else await from.close();
          return table;
        },
        encode: (path, inputs) => encode(path, inputs, ask, ports, job),
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
      trainer: trainer(ports.runtime, job),
      perturbed: perturbed(
        {
          id: ask.id,
          shown: open.bound,
          split: (name) => open.split(name),
          meaning: passed.meaning,
          ...(open.model ? { model: { score: open.model.score, input: open.model.ends.input } } : {}),
        },
        job,
      ),
    },
  };
};
