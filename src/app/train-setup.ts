import { Fault } from '../base/fault.ts';
import type { DataRef, Device } from '../base/request.ts';
import { sizeOf } from '../base/tensor.ts';
import type { Target } from '../data/preprocess.ts';
import type { Bound } from '../evidence/bound.ts';
import type { TrainRequest } from '../report/tasks.ts';
import type { DeviceChoice } from '../runtime/session.ts';
import type { TargetKind } from '../training/define.ts';
import type { Vocabulary } from '../training/define-layers.ts';
import { type Recipe, readRecipe } from '../training/recipe.ts';
import { bind } from './binding.ts';
import type { AppJob, Ports } from './ports.ts';
import { teacherLogits } from './teacher.ts';
import type { Identity } from './train-checkpoint.ts';
import { absentNote, classMeansKept, withClassMeans } from './train-class-means.ts';
import { domainsOf, indicesOf } from './train-columns.ts';
import { absentClasses, divided, type Held, type Rows, readRows, type Targets, wholeOf } from './train-data.ts';
import { diagnosedBy, diagnoseRows } from './train-diagnose.ts';
import { hashFiles } from './train-files.ts';
import type { HostRows } from './train-host.ts';
import type { Run } from './train-loop.ts';
import type { Counts } from './train-parts.ts';
import { openTraining } from './train-sessions.ts';
import { type Opened, openRecipeModel, type Subject } from './train-subject.ts';

/** Everything a run is made of, before its first step. */
export interface Setup {
  readonly recipe: Recipe;
  readonly opened: Opened;
  readonly subject: Subject;
  /** The subject before class means of the training rows went into it. */
  readonly drawn: Subject;
  readonly identity: Identity;
  readonly classNames?: readonly string[];
  readonly train: Held;
  readonly validation?: Held;
  readonly test?: Held;
  readonly run: Omit<Run, 'save'>;
  readonly choice: DeviceChoice;
  /** Of the CPU; absent for as many as ONNX Runtime takes. */
  readonly threads?: number;
  close(): Promise<void>;
}

const hex = async (text: string): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, '0')).join('');
};

/** Keys in one order, so that equal settings have one text. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, canonical(v)]),
  );
};

export const readFile = async (path: string, ports: Ports, signal: AbortSignal): Promise<string> => {
  const source = await ports.source(path);
  return new TextDecoder().decode(await source.read(0, source.size, signal));
};

/** Paths of a recipe are relative to its file. */
const located = (ref: DataRef, recipe: string, ports: Ports): DataRef => ({
  ...ref,
  path: ports.resolve(recipe, ref.path),
  ...(ref.labels === undefined ? {} : { labels: ports.resolve(recipe, ref.labels) }),
  ...(ref.preprocess?.tokenizer === undefined
    ? {}
    : { preprocess: { ...ref.preprocess, tokenizer: ports.resolve(recipe, ref.preprocess.tokenizer) } }),
});

/** Rows with their labels: several of 0 and 1 where the data have them, or one; or the scores that `y` names. */
const bindLabels = async (
  ref: DataRef,
  kind: TargetKind,
  ports: Ports,
  job: AppJob,
  target: Target,
  aside: readonly string[],
  bag: string | undefined,
): Promise<Bound> => {
  const own = { target, aside, groups: aside, ...(bag === undefined ? {} : { bag }) };
  if (kind === 'class' || kind === 'value') return bind(ref, ports, job, own);
  const several = await bind(ref, ports, job, { ...own, marks: kind === 'scores' ? 'scores' : true });
  if (several.labelled || kind === 'scores') return several;
  await several.close();
  return bind(ref, ports, job, own);
};

/** What training writes must be none of what it reads. */
const checkOut = ({ source, data }: Recipe, ask: TrainRequest, ports: Ports): void => {
  const refs = [data.train, data.val, data.test].flatMap((ref) => (ref ? [ref.path, ...(ref.labels ? [ref.labels] : [])] : []));
  const read = [...('model' in source ? [source.model] : []), ...refs].map((path) => ports.resolve(ask.recipe, path));
  const whole = (path: string): string => ports.resolve('', path);
  const input = [ask.recipe, ...read].find((path) => whole(path) === whole(ask.out));
  if (input !== undefined) throw new Fault('file/overwrites', { option: '-o', path: ask.out, input });
};

/** Ones of every class or label among the training rows. */
const countsOf = ({ rows, positions }: Held, classes: number, width: number): Counts => {
  const counts = new Float64Array(width);
  for (const p of positions) {
    if (classes > 0) counts[rows.labels[p]]++;
    else for (let c = 0; c < width; c++) counts[c] += rows.labels[p * width + c];
  }
  return { counts, rows: positions.length };
};

/** Tokens of a new model: as many as the recipe says, or the tokenizer has, or one more than the largest of the training rows. */
const vocabularyOf = ({ bound, range }: Rows, given: number): Vocabulary => ({
  size: given || (bound.text?.size ?? range[1] + 1),
  padding: bound.text?.padding ?? 0,
});
const checkTokens = ({ bound, range }: Rows, size: number): void => {
  const token = range[0] < 0 ? range[0] : range[1];
  if (token < 0 || token >= size) throw new Fault('training/token', { path: bound.path, token, size });
};

/** What the host knows of the rows: their labels, domains by the order of their names, numbers, and the word of a teacher. */
const factsOf = async (recipe: Recipe, rows: Rows, classes: number, ports: Ports, job: AppJob): Promise<HostRows> => {
  const [domains, indices] = [domainsOf(recipe, rows, classes, job), indicesOf(recipe, rows)];
  const { targets } = recipe.extra;
  const teacher = targets?.part.table?.teacher?.(targets.chosen);
  if (teacher === '')
    throw new Fault('training/part', { path: recipe.path, key: 'targets', part: targets?.part.id ?? '', reason: 'needs a model' });
  return {
    labels: rows.labels,
    classes,
    ...(domains ? { domains } : {}),
    ...(indices ? { indices } : {}),
    ...(teacher === undefined ? {} : { logits: await teacherLogits(ports.resolve(recipe.path, teacher), rows, classes, ports, job) }),
  };
};

/** Reads recipe (`text` in place of its file), data and model, compiles the steps and opens sessions for them. */
export const setUp = async (
  ask: TrainRequest & { readonly text?: string },
  residentBytes: number,
  ports: Ports,
  job: AppJob,
): Promise<Setup> => {
  job.progress(0, 'Opening');
  const recipe = readRecipe(ask.text ?? (await readFile(ask.recipe, ports, job.signal)), ask.recipe);
  checkOut(recipe, ask, ports);
  const opened = await openRecipeModel(recipe, ports, job);
  const { loss } = recipe;
  const targets: Targets = {
    kind: loss.part.target,
    loss: loss.part.id,
    classes: opened.classes,
    dims: opened.valueDims ?? [1],
    double: opened.target.dtype === 'float64',
    ...(loss.part.scores === undefined ? {} : { scores: loss.part.scores }),
    ...(loss.part.marks ? { marks: loss.part.marks(loss.chosen) } : {}),
  };
  const aside = [recipe.data.domainKey, recipe.data.indexKey].filter((name) => name !== undefined);
  const open: Rows[] = [];
  const close = async (): Promise<void> => {
    for (const { bound } of open) await bound.close();
  };
  try {
    const load = async (ref: DataRef, classes: number, target = opened.target): Promise<Rows> => {
      const bound = await bindLabels(located(ref, ask.recipe, ports), targets.kind, ports, job, target, aside, recipe.data.bagKey);
      const rows = await readRows(bound, { ...targets, classes }, residentBytes, job);
      open.push(rows);
      const due = opened.valueDims ?? open[0].labelDims;
      if (rows.labelDims.join() !== due.join())
        throw new Fault('training/label-width', { path: bound.path, loss: loss.part.id, found: sizeOf(rows.labelDims), due: sizeOf(due) });
      return rows;
    };
    const all = await load(recipe.data.train, opened.classes);
    for (const key of ['domainKey', 'indexKey'] as const) {
      const name = recipe.data[key];
      if (name !== undefined && !all.beside[name])
        throw new Fault('training/column', { path: all.bound.path, key, name, known: all.bound.known });
    }
    if (all.count === 0) throw new Fault('data/no-rows', { path: all.bound.path });
    const names = all.bound.classNames;
    const classes = targets.kind !== 'class' ? 0 : opened.classes || Math.max(names?.length ?? 0, all.classes);
    const rowTarget = { ...opened.target, dims: all.bound.inputDims };
    const { train, held } = recipe.data.val
      ? { train: wholeOf(all), held: wholeOf(await load(recipe.data.val, classes, rowTarget)) }
      : divided(all, recipe.split);
    const validation = held.positions.length > 0 ? held : undefined;
    const test = recipe.data.test && wholeOf(await load(recipe.data.test, classes, rowTarget));
    const diagnosing = diagnosedBy(recipe);
    const watching =
      diagnosing.length > 0
        ? 'diagnoses every epoch'
        : recipe.earlyStop
          ? 'stops early'
          : recipe.schedule.part.watches
            ? 'lowers its rate'
            : undefined;
    if (watching && !validation) throw new Fault('training/no-validation', { path: ask.recipe, what: watching });
    if (validation && classes > 0) {
      const absent = absentClasses(validation, classes);
      if (absent.length > 0)
        job.note(
          `The validation rows hold no example of ${absent.length === 1 ? 'class' : 'classes'} ${absent.join(', ')}, so their metrics say nothing about ${absent.length === 1 ? 'it' : 'them'}.`,
        );
    }
    const rows = train.positions.length;
    const batch = recipe.batch.size === 'full' ? rows : recipe.batch.size;
    if (batch > rows) throw new Fault('training/batch', { path: ask.recipe, batch, rows });

    const width = classes || sizeOf(all.labelDims);
    const vocabulary = opened.tokens === undefined ? undefined : vocabularyOf(all, opened.tokens);
    if (vocabulary) for (const rows of open) checkTokens(rows, vocabulary.size);
    const counts = countsOf(train, classes, width);
    const only = Array.from(counts.counts).flatMap((n, c) => (n > 0 ? [c] : []));
    if (classes > 0 && only.length === 1)
      job.note(
        `All ${rows} training rows are of class ${only[0]}, so a model learns to say that whatever it is given: add rows of others.`,
      );
    const drawn = await opened.finish(all.bound.inputDims, width, counts, vocabulary);
    const device: Device = ask.device === 'auto' ? recipe.provider : ask.device;
    const without = absentNote(drawn, absentClasses(train, classes));
    if (without !== undefined) job.note(without);
    const resumed = ask.resume && !recipe.extra.regime?.part.run && classMeansKept(drawn);
    const subject = resumed ? drawn : await withClassMeans(drawn, train, { recipe, device }, ports, job);
    const plan = { ...subject.plan, data: all.resident ? ('resident' as const) : ('streamed' as const) };
    if (!all.resident) job.note(`The data are too large to keep in memory: rows are read from '${all.bound.name}' as they are needed.`);
    if (recipe.adversarial)
      job.note(
        'Loss and accuracy of training are those on adversarial rows; validation and test rows are measured as they are in the data.',
      );
    if (recipe.augment && Object.keys(recipe.augment).length > 0)
      job.note('Loss and accuracy of training are those on changed rows; validation and test rows are measured as they are in the data.');
    const { part: optimizer, chosen } = plan.optimizer;
    if (!('iterate' in optimizer))
      for (const remark of optimizer.remarks?.(
        plan.groups.flatMap((g) => g.parameters),
        chosen,
      ) ?? [])
        job.note(remark);
    if (recipe.ema) job.note('Validated, tested and saved is the running mean of the parameters, not the last ones.');
    const facts = await factsOf(recipe, all, classes, ports, job);
    const settings = canonical(recipe.settings) as Readonly<Record<string, unknown>>;
    const dataSha256 = await ports.sha256(ports.resolve(ask.recipe, recipe.data.train.path));
    const { modelSha256 } = opened.facts;
    const files = { ...(modelSha256 === undefined ? {} : { model: modelSha256 }), ...(await hashFiles(recipe, ports)) };
    const opening = await openTraining(plan, recipe, train, batch, device, ports, job);
    const { choice, threads, ...run } = opening;
    return {
      recipe,
      opened,
      subject: { ...subject, plan },
      drawn,
      identity: { recipe: settings, recipeSha256: await hex(JSON.stringify(settings)), dataSha256, files },
      ...(names && names.length === classes ? { classNames: names } : {}),
      train,
      ...(validation ? { validation } : {}),
      ...(test ? { test } : {}),
      run: {
        ...run,
        recipe,
        plan,
        facts,
        ...(validation && diagnosing.length > 0
          ? { diagnose: (state, brief) => diagnoseRows(diagnosing, { ...run, plan, recipe, facts, job }, state, validation, brief) }
          : {}),
        train,
        ...(validation ? { validation } : {}),
        batch,
        job,
      },
      choice,
      ...(threads === undefined ? {} : { threads }),
      async close() {
        await run.session.release();
        await run.evaluator.release();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
};
