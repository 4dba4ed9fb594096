import { Fault } from '../base/fault.ts';
import type { Check, DataRef, ModelRef, Suite } from '../base/request.ts';
import { storesSplit } from '../data/split.ts';
import type { Bound } from '../evidence/bound.ts';
import { type Ends, endsOf } from '../evidence/model.ts';
import type { DraftRequest } from '../report/tasks.ts';
import { bind } from './binding.ts';
import { listedNames, recipeData } from './draft-files.ts';
import { openHeaders } from './model-headers.ts';
import { outlineOfModel } from './outline.ts';
import type { AppJob, Ports, UseCase } from './ports.ts';

/** Rows that are looked at to learn what labels and inputs are, and how many files are looked at. */
const rowsSeen = 64;
const mostModels = 20;
const mostData = 40;

interface FoundModel {
  readonly name: string;
  readonly path: string;
  readonly folder: string;
  readonly ends: Ends;
  /** Columns of the output; absent where the file does not say. */
  readonly width: number | undefined;
}
interface Pair {
  readonly model: FoundModel | undefined;
  readonly data: string;
  readonly goal: Goal;
}
/** What labels say about the task. */
type Goal = { readonly kind: 'classes'; readonly count: number } | { readonly kind: 'numbers' } | { readonly kind: 'none' };

/** A name for an entry: the file's without its ending, numbered where it is taken. */
const nameOf = (path: string, taken: Iterable<string>): string => {
  const stem = path
    .replace(/[\\/]$/, '')
    .replace(/^.*[\\/]/, '')
    .replace(/(\.(onnx|npz|npy|csv|tsv|parquet|jsonl|ndjson|idx|gz))+$/i, '');
  const names = new Set(taken);
  for (let n = 1; ; n++) {
    const name = n === 1 ? stem : `${stem}-${n}`;
    if (!names.has(name)) return name;
  }
};

/** As seen from the folder of the `assay.json`, where the file lies under it. */
const relativeTo = (suite: string, path: string): string => {
  const folder = suite.replace(/[^\\/]*$/, '');
  return path.startsWith(folder) ? path.slice(folder.length).replaceAll('\\', '/') : path;
};

const sentenceOf = (error: unknown): string => {
  if (error instanceof Fault && error.code !== 'job/stopped') return error.message;
  throw error;
};

const openModels = async (paths: readonly string[], ports: Ports, job: AppJob, notes: string[]): Promise<FoundModel[]> => {
  const found: FoundModel[] = [];
  for (const path of paths.slice(0, mostModels)) {
    try {
      const { outputs } = await outlineOfModel(path, ports, job);
      // The product's own gradient graphs are no models to diagnose.
      if (outputs.some(({ name }) => /^(grad|hvp|ggn|fisher|jac)\//.test(name))) continue;
      const ends = endsOf(await openHeaders(path, ports, job), { path }, { note: () => {} });
      const dims = outputs.find(({ name }) => name === ends.output)?.dims;
      const last = dims?.at(-1);
      const width = dims?.length === 1 ? 1 : typeof last === 'number' ? last : undefined;
      const name = nameOf(
        path,
        found.map((m) => m.name),
      );
      found.push({ name, path, folder: path.replace(/[^\\/]*$/, '') || '.', ends, width });
    } catch (error) {
      notes.push(`Left out: ${sentenceOf(error)}`);
    }
  }
  return found;
};

const goalOf = (labels: Float64Array | undefined, width: number | undefined): Goal => {
  const known = labels?.filter((v) => !Number.isNaN(v)) ?? new Float64Array();
  if (known.length === 0) return { kind: 'none' };
  const most = known.reduce((m, v) => Math.max(m, v), 0);
  const whole = known.every((v) => Number.isInteger(v) && v >= 0);
  if (width === undefined) return whole ? { kind: 'classes', count: Math.max(2, most + 1) } : { kind: 'numbers' };
  if (width === 1) return whole && most <= 1 ? { kind: 'classes', count: 2 } : { kind: 'numbers' };
  return whole && most < width ? { kind: 'classes', count: width } : { kind: 'none' };
};

/** Values of the first rows as the model would get them, where they are far from what networks are trained on. */
const rangeNote = (name: string, x: Float32Array | undefined): string | undefined => {
  let [low, high] = [Infinity, -Infinity];
  for (const v of x ?? []) [low, high] = [Math.min(low, v), Math.max(high, v)];
  return high > 10 || low < -10
    ? `Inputs of '${name}' run from ${Number(low.toPrecision(4))} to ${Number(high.toPrecision(4))}: where the model was trained on scaled inputs, give the dataset a preprocess.scale.`
    : undefined;
};

interface Seen {
  readonly goal: Goal;
  readonly range: string | undefined;
}
const look = async (bound: Bound, name: string, width: number | undefined, job: AppJob): Promise<Seen> => {
  try {
    for await (const { x, labels } of bound.batches(rowsSeen, job.signal)) {
      const own = bound.table === undefined ? width : (bound.predictionNames?.length ?? 1);
      const goal = goalOf(labels, own);
      return {
        goal: bound.table === 'values' && goal.kind === 'classes' ? { kind: 'numbers' } : goal,
        range: x?.data instanceof Float32Array ? rangeNote(name, x.data) : undefined,
      };
    }
    return { goal: { kind: 'none' }, range: undefined };
  } finally {
    await bound.close();
  }
};

/** Gates that a useful model passes easily: better than guessing, not grossly over-confident. */
const checksFor = (goal: Goal, subject: Pick<Check, 'model' | 'data'>, suffix: string): readonly Check[] => {
  const of = (name: string, run: string, expect: NonNullable<Check['expect']>): Check => ({
    name: `${name}${suffix}`,
    run,
    ...subject,
    expect,
  });
  switch (goal.kind) {
    case 'classes':
      return [
        of('better than guessing', 'confusion-matrix', {
          accuracy: { min: Math.ceil(100 / goal.count) / 100, bound: 'lower', level: 0.95 },
        }),
        of('calibrated', 'reliability', { ece: { max: 0.1 } }),
      ];
    case 'numbers':
      return [of('better than the mean', 'regression-report', { r2: { min: 0 } })];
    case 'none':
      return [];
  }
};

/** The ways a dataset may be read for a model: as it is, else with one of the tokenizers found. */
const readings = (ref: DataRef, tokenizers: readonly string[]): readonly DataRef[] => [
  ref,
  ...tokenizers.map((tokenizer) => ({ ...ref, preprocess: { ...ref.preprocess, tokenizer } })),
];

/** A dataset as the recipe that names it reads it, else as the file itself says. */
const described = async (path: string, ask: DraftRequest, ports: Ports, job: AppJob): Promise<DataRef> => {
  const own = await recipeData(path, ask.recipes, ports, job);
  if (own) return own;
  const dataset = await ports.dataset(path, job.signal);
  try {
    return { path, ...(storesSplit(dataset) ? { split: 'test' } : {}) };
  } finally {
    await dataset.close();
  }
};

interface Matched extends Seen {
  readonly ref: DataRef;
}
/** Whether rows bind to a model's input, or are predictions; undefined where they do not and are not. */
const matched = async (
  name: string,
  ways: readonly DataRef[],
  model: FoundModel | undefined,
  ports: Ports,
  job: AppJob,
): Promise<Matched | undefined> => {
  const options = { limit: rowsSeen, ...(model ? { target: model.ends.input, beside: model.folder } : {}) };
  for (const ref of ways) {
    try {
      return { ref, ...(await look(await bind(ref, ports, { ...job, note: () => {} }, options), name, model?.width, job)) };
    } catch (error) {
      sentenceOf(error);
    }
  }
  return undefined;
};

const refOf = (suite: string, ref: DataRef): DataRef => {
  const tokenizer = ref.preprocess?.tokenizer;
  return {
    ...ref,
    path: relativeTo(suite, ref.path),
    ...(ref.labels === undefined ? {} : { labels: relativeTo(suite, ref.labels) }),
    ...(tokenizer === undefined ? {} : { preprocess: { ...ref.preprocess, tokenizer: relativeTo(suite, tokenizer) } }),
  };
};

const suiteOf = (
  ask: DraftRequest,
  models: readonly FoundModel[],
  datasets: ReadonlyMap<string, DataRef>,
  pairs: readonly Pair[],
  lists: readonly (readonly string[])[],
): Suite => {
  const many = pairs.length > 1;
  const found = pairs.flatMap(({ model, data, goal }) =>
    checksFor(goal, { ...(model ? { model: model.name } : {}), data }, many ? ` (${model ? `${model.name} on ` : ''}${data})` : ''),
  );
  const first = pairs.find(({ model }) => model);
  const checks =
    found.length > 0 || !first?.model
      ? found
      : [{ name: 'attributions', run: 'saliency', model: first.model.name, data: first.data, options: { samples: 16 } }];
  return {
    models: Object.fromEntries(
      models.map(({ name, path, width }): [string, ModelRef] => {
        const labels = lists.find(({ length }) => length === width);
        return [name, { path: relativeTo(ask.path, path), ...(labels ? { labels } : {}) }];
      }),
    ),
    datasets: Object.fromEntries(Array.from(datasets, ([name, ref]) => [name, refOf(ask.path, ref)])),
    checks,
  };
};

/**
 * An `assay.json` for the files that were found: a dataset goes with a model where its rows bind to the model's input, and is read as
 * the recipe that names it reads it. Gates are wide; what is to be looked at, and what was left out, is noted.
 */
export const draft: UseCase<'draft'> = async (ask, ports, job) => {
  const notes: string[] = [];
  const models = await openModels(ask.models, ports, job, notes);
  const lists = await Promise.all(ask.labels.map((path) => listedNames(path, ports, job)));
  const datasets = new Map<string, DataRef>();
  const pairs: Pair[] = [];
  // Label files of IDX are found beside their images.
  const paths = ask.data.filter((path) => !/labels[-.]idx1/.test(path)).slice(0, mostData);
  for (const [i, path] of paths.entries()) {
    job.progress(i / paths.length, path);
    const name = nameOf(path, datasets.keys());
    try {
      const ref = await described(path, ask, ports, job);
      // Predictions need no model, and would bind to one of text.
      const table = await matched(name, [ref], undefined, ports, job);
      for (const model of table ? [undefined] : models) {
        const fits = table ?? (await matched(name, readings(ref, ask.tokenizers), model, ports, job));
        if (!fits) continue;
        datasets.set(name, datasets.get(name) ?? fits.ref);
        pairs.push({ model, data: name, goal: fits.goal });
        if (fits.range !== undefined && !notes.includes(fits.range)) notes.push(fits.range);
      }
      if (!datasets.has(name)) notes.push(`Left out: '${relativeTo(ask.path, path)}' fits no model and is no table of predictions.`);
    } catch (error) {
      notes.push(`Left out: ${sentenceOf(error)}`);
    }
  }
  return { suite: suiteOf(ask, models, datasets, pairs, lists), notes };
};
