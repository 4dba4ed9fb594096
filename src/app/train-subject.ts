import { inputScaling } from '../autodiff/parameters.ts';
import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { DType } from '../base/tensor.ts';
import type { Target } from '../data/preprocess.ts';
import { endsOf, type OpenedModel, openModel, withSessions } from '../evidence/model.ts';
import { loadExternal } from '../graph/external.ts';
import { foldConstants } from '../graph/passes/fold-constants.ts';
import { asFloat32, withValues } from '../graph/passes/half.ts';
import { dropIdentity } from '../graph/passes/identity.ts';
import { normalise } from '../graph/passes/normalise.ts';
import { prune } from '../graph/passes/prune.ts';
import { shareEqual } from '../graph/passes/share.ts';
import { prepare } from '../graph/prepare.ts';
import type { Probed } from '../graph/probe.ts';
import type { Constant, Dim, Graph, Model, TensorType, ValueType } from '../graph/types.ts';
import { called, nodesWithin, producers } from '../graph/walk.ts';
import { type Augment, ofImages } from '../training/augment.ts';
import { buildModel } from '../training/build.ts';
import type { TargetKind } from '../training/define.ts';
import type { ClassMeans, Vocabulary } from '../training/define-layers.ts';
import { type Headed, withHead } from '../training/head-surgery.ts';
import { initialise, redraws, undrawn } from '../training/initialise.ts';
import { type Parameter, parametersOf, selected } from '../training/parameters.ts';
import { type Plan, rowType } from '../training/plan.ts';
import type { Recipe } from '../training/recipe.ts';
import { groupsOf, receiving } from '../training/trainable.ts';
import { headFiles } from './head-files.ts';
import type { Ports } from './ports.ts';
import { type Counts, type FirstValue, firstValues, withClassWeights, withOwnParameters, withParts, withValue } from './train-parts.ts';

/** A recipe's model before its data are known. */
export interface Opened {
  /** What the data are bound to. */
  readonly target: Target;
  /** Classes, or shape of one predicted value, as far as the model says. */
  readonly classes: number;
  readonly valueDims?: readonly number[];
  readonly facts: { readonly modelPath?: string; readonly modelSha256?: string };
  /** With as many outputs as there are classes, or numbers to predict. */
  finish(row: readonly number[], outputs: number, counts?: Counts, vocabulary?: Vocabulary): Promise<Subject>;
  /** A new model reads tokens: how many the recipe says there are, 0 where the data say it. */
  readonly tokens?: number;
}

/** The model with the first values of its parameters, as it will be saved, and what its steps are compiled from. */
export interface Subject {
  readonly model: Model;
  /** The file in half precision that is trained: parameters are saved in its element types. */
  readonly stored?: Model;
  readonly plan: Plan;
  /** Parameters of a new head that keep their first values where a model is drawn anew. */
  readonly begun?: ReadonlySet<string>;
  /** What begins at class means of the training rows; it has other first values until they are read. */
  readonly classMeans?: ClassMeans;
}

type PlanHead = Pick<Plan, 'graph' | 'opsets' | 'irVersion' | 'input' | 'output' | 'classes'>;

const quantising = /^Q[A-Z]|[Qq]uant|Integer|NBits/;
const narrow: ReadonlySet<string> = new Set<DType>([
  ...(['int8', 'uint8', 'int16', 'uint16', 'int4', 'uint4', 'int2', 'uint2'] as const),
  ...(['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz'] as const),
]);
/** Whether layers of a file have weights that are stored quantised: matrices, as zero points are single numbers or rows of them. */
const isQuantised = (graph: Graph): boolean => {
  const stored = ({ dtype, dims }: Constant): boolean => narrow.has(dtype) && dims.length > 1;
  return [...nodesWithin(graph)].some(
    ({ op, inputs }) =>
      quantising.test(op) &&
      inputs.some((name) => {
        const constant = graph.initializers.get(name);
        return constant !== undefined && stored(constant);
      }),
  );
};

/** All parameters but those that scale the input, which is noted. */
const byDefault = (graph: Graph, candidates: readonly Parameter[], job: Pick<Job, 'note'>): readonly Parameter[] => {
  const scaling = inputScaling(graph);
  const kept = candidates.filter((p) => scaling.has(p.name) && p.role === 'other').map((p) => p.name);
  if (kept.length > 0) job.note(`Not trained, as they only scale the input: ${kept.join(', ')}; name them in 'trainable' to train them.`);
  return candidates.filter((p) => !kept.includes(p.name));
};

/** Those of the parameters that the gradient reaches: all of them where they were `named`. What is left out is noted. */
const within = (
  plan: Omit<Plan, 'groups'>,
  wanted: readonly Parameter[],
  named: boolean,
  model: string,
  job: Pick<Job, 'note'>,
): readonly Parameter[] => {
  const { reached, lost, stops } = receiving(plan, wanted);
  if (lost.length === 0) return wanted;
  if (named || reached.length === 0) {
    // What is added to the loss may reach what the loss does not.
    if (plan.regularizers) return wanted;
    throw new Fault('training/cut-off', { model, parameters: lost, stops });
  }
  job.note(`Not trained, as no gradient reaches them: ${lost.join(', ')}. It stops at ${stops.join(', ')}.`);
  return reached;
};

const planOf = (
  recipe: Recipe,
  head: PlanHead,
  original: Graph,
  name: string,
  job: Pick<Job, 'note'>,
  headed: Headed | undefined,
  counts: Counts | undefined,
): Plan => {
  const { graph } = head;
  const dtypeOf = (parameter: string): string | undefined => original.initializers.get(parameter)?.dtype;
  const all = parametersOf(graph).filter((p) => original.initializers.has(p.name) && !headed?.fixed.includes(p.name));
  const precision = all.length > 0 && all.every((p) => dtypeOf(p.name) === 'float64') ? 'float64' : 'float32';
  const candidates = all.filter((p) => dtypeOf(p.name) === precision);
  const { dtype } = rowType(graph, head.input);
  if (recipe.adversarial && !/float/.test(dtype))
    throw new Fault('training/recipe', {
      path: recipe.path,
      where: 'adversarial',
      reason: `input '${head.input}' of '${name}' is ${dtype}, which has no gradient to attack along; remove the key`,
    });
  if (recipe.augment) checkAugment(recipe, recipe.augment, rowType(graph, head.input), head.input);
  const quantised = isQuantised(original);
  if (candidates.length === 0 || (quantised && !recipe.trainable))
    throw new Fault('training/no-parameters', { model: name, quantised, floats: candidates.length });
  const plain: Omit<Plan, 'groups'> = {
    ...head,
    loss: withClassWeights(recipe, counts),
    optimizer: recipe.optimizer,
    ...(recipe.ema ? { ema: recipe.ema.decay } : {}),
    ...((recipe.batch.accumulate ?? 1) > 1 ? { accumulate: recipe.batch.accumulate } : {}),
    ...(recipe.clip ? { clip: recipe.clip } : {}),
    ...(recipe.augment ? { augment: recipe.augment } : {}),
    ...(recipe.adversarial ? { adversarial: recipe.adversarial } : {}),
    data: 'resident',
    statistics: recipe.statistics,
    precision,
  };
  const rest = withParts(recipe, plain, headed, job);
  for (const note of headed?.notes ?? []) job.note(note);
  for (const { match } of recipe.groups) selected(candidates, [match], recipe.path);
  const { trainable: named } = recipe;
  const wanted = named ? selected(candidates, named, recipe.path) : byDefault(graph, candidates, job);
  if (wanted.length === 0) throw new Fault('training/frozen', { path: recipe.path });
  const chosen = within(rest, wanted, named !== undefined, name, job);
  return withOwnParameters({ ...rest, groups: groupsOf(recipe, chosen) }, recipe.seed);
};

/** Model and plan with the first values of the last layer that the recipe asks for. */
const biased = (recipe: Recipe, subject: Subject, counts: Counts | undefined, job: Pick<Job, 'note'>): Subject => {
  return beginning(subject, firstValues(recipe, subject.plan, counts, job));
};

/** Model and plan with these first values. */
export const beginning = (subject: Subject, found: readonly FirstValue[]): Subject => {
  const { model, plan } = subject;
  const put = (graph: Graph): Graph => found.reduce((g, { name, values }) => withValue(g, name, values), graph);
  return found.length === 0
    ? subject
    : { ...subject, model: { ...model, graph: put(model.graph) }, plan: { ...plan, graph: put(plan.graph) } };
};

/** Model and plan drawn anew from a seed where the recipe's rule draws: what begins at values of its own keeps them. */
export const redrawn = (subject: Subject, { init }: Recipe, seed: number): Subject => {
  if (!redraws(init)) return subject;
  const { model, plan, begun } = subject;
  const graph = initialise(model.graph, init, seed, (name) => !begun?.has(name));
  return { ...subject, model: { ...model, graph }, plan: { ...plan, graph: withValues(plan.graph, graph) } };
};

/** What a new head brings: of its model its one output is saved. */
const withNewHead = ({ model, output, begun, classMeans }: Headed, plan: Plan): Subject => ({
  model: prune({ ...model, graph: { ...model.graph, outputs: model.graph.outputs.filter((o) => o.name === output) } }),
  plan,
  begun: new Set(begun),
  ...(classMeans ? { classMeans } : {}),
});

/** Changes need float rows, and those of images a height and a width. */
const checkAugment = ({ path }: Recipe, augment: Augment, { dtype, dims }: TensorType, input: string): void => {
  const row = dims?.slice(1) ?? [];
  const refuse = (reason: string): never => {
    throw new Fault('training/recipe', { path, where: 'augment', reason });
  };
  if (!/float/.test(dtype)) refuse(`input '${input}' is ${dtype}, which cannot be changed a little; remove the key`);
  if (row.some((d) => typeof d !== 'number')) refuse(`rows of input '${input}' have no fixed shape: ${shown(dims)}`);
  if (ofImages(augment) && row.length !== 2 && row.length !== 3)
    refuse(`only noise and mixup fit rows of shape [${row.join(', ')}]; images are [channels, height, width] (see arch.input)`);
};

const tensorOf = (type: ValueType | undefined): TensorType | undefined => (type?.kind === 'tensor' ? type : undefined);

const zeroed = ({ path }: Recipe): Fault =>
  new Fault('training/recipe', {
    path,
    where: 'init',
    reason: "'zeros' is for a linear model or a new head: hidden layers of zeros never move",
  });

const ofArchitecture = (recipe: Recipe, source: Extract<Recipe['source'], { arch: object }>, ports: Ports, job: Job): Opened => {
  const { part, chosen } = source.arch;
  return {
    target: { name: 'x', dtype: part.tokens ? 'int64' : 'float32', ...(source.input ? { dims: source.input } : {}) },
    ...(part.tokens ? { tokens: Number(chosen.vocabulary) } : {}),
    classes: 0,
    facts: {},
    async finish(row, outputs, counts, vocabulary) {
      const built = buildModel(part, row, outputs, chosen, { seed: recipe.seed, vocabulary });
      const classes = recipe.loss.part.target === 'class' ? outputs : 0;
      const { init, seed } = recipe;
      if (init === 'zeros' && !recipe.extra.head && parametersOf(built.graph).filter((p) => p.dims.length > 1).length > 1)
        throw zeroed(recipe);
      const drawn = { ...built, graph: initialise(built.graph, init === 'zeros' && recipe.extra.head ? 'torch-default' : init, seed) };
      const typeOf = (value: string) => tensorOf(drawn.graph.values.get(value));
      const { head } = recipe.extra;
      const files = head && (await headFiles(recipe, head, ports, job.signal));
      const more = { name: part.id, output: 'logits', typeOf, classes: outputs, init, seed, ...(files ? { files } : {}) };
      const headed = head && withHead(drawn, head, more);
      const trained = headed?.model ?? drawn;
      const { graph, opsets, irVersion } = normalise(trained);
      const plan = planOf(
        recipe,
        { graph, opsets, irVersion, input: 'x', output: 'logits', classes },
        trained.graph,
        part.id,
        job,
        headed,
        counts,
      );
      return biased(recipe, headed ? withNewHead(headed, plan) : { model: drawn, plan }, counts, job);
    },
  };
};

const shown = (dims: readonly Dim[] | undefined): string => (dims ? `[${dims.map((d) => d ?? '?').join(', ')}]` : 'unknown');

/** Last operators of a model that its loss computes itself. */
const ownOf: Readonly<Record<TargetKind, readonly string[]>> = {
  class: ['Softmax', 'LogSoftmax'],
  value: [],
  marks: ['Sigmoid'],
  scores: ['Softmax', 'LogSoftmax'],
};
const wanted: Readonly<Record<TargetKind, string>> = {
  class: 'logits of shape [N, classes] with at least 2 classes',
  value: 'one predicted value per row',
  marks: 'one score per label, of shape [N, labels]',
  scores: 'logits of shape [N, classes] with at least 2 classes',
};

interface Trainable {
  /** In float32, with its weights. */
  readonly model: Model;
  readonly probed: Probed;
  /** The graph with a free batch axis, where the file has a fixed one. */
  readonly freed?: Model;
  /** The file, where it is in half precision. */
  readonly stored?: Model;
}

/** Half precision is widened and a fixed batch axis freed; both are noted. */
const trainable = async (file: OpenedModel, ports: Ports, job: Job): Promise<Trainable> => {
  const whole = await loadExternal(file.model, async (location, offset, length) =>
    (await ports.source(ports.resolve(file.path, location))).read(offset, offset + length, job.signal),
  );
  const model = asFloat32(whole);
  if (model !== whole) job.note('The file is in half precision: it is trained in float32 and saved in half precision again.');
  const own = model === whole ? await file.probed() : undefined;
  if (own?.batch === 'free') return { model, probed: own };
  const { freedFrom, ...ready } = await withSessions(ports.runtime, file.name, file.folder, (run) =>
    prepare(model, run, { name: file.name }),
  );
  const { batch, batchSize } = ready.probed;
  if (batch !== 'free') throw new Fault('training/fixed-batch', { model: file.name, rows: batchSize ?? 1 });
  const stored = model === whole ? {} : { stored: whole };
  if (freedFrom === undefined) return { model, probed: ready.probed, ...stored };
  job.note(
    `The file is written for batches of ${freedFrom}; it is trained with a free batch axis, with which three batches of rows give equal outputs, and saved as it is written.`,
  );
  return { model, probed: ready.probed, freed: ready.model, ...stored };
};

const ofModel = async (recipe: Recipe, path: string, ports: Ports, job: Job): Promise<Opened> => {
  const file = await openModel({ path }, ports, job);
  const ends = endsOf(file, { path }, job);
  const { model: whole, probed, freed, stored } = await trainable(file, ports, job);
  const { types } = probed;
  // A last Softmax or Sigmoid belongs to the loss.
  const last = producers(file.normal().graph).get(ends.output);
  const kind = recipe.loss.part.target;
  const own = ownOf[kind].includes(last?.op ?? '');
  const output = own && last ? last.inputs[0] : ends.output;
  if (own) job.note(`Output '${ends.output}' is made by a ${last?.op}; the loss reads its input '${output}'.`);
  const dims = types.get(output)?.dims;
  const row = dims?.slice(1).filter((d) => typeof d === 'number') ?? [];
  const { head } = recipe.extra;
  // With a new head, or an embedding, the data say how many classes there are.
  const classes = kind === 'class' && !head && !recipe.loss.part.embeds ? (row[0] ?? 0) : 0;
  const fits = {
    class: dims?.length === 2 && (row[0] ?? 0) >= (recipe.loss.part.embeds ? 1 : 2),
    value: dims !== undefined && row.every((d) => d === 1),
    marks: dims?.length === 2 && row.length === 1,
    scores: dims?.length === 2 && row.length === 1 && row[0] >= 2,
  }[kind];
  if (!fits && !head)
    throw new Fault('training/output', { model: file.name, output, dims: shown(dims), loss: recipe.loss.part.id, wanted: wanted[kind] });
  return {
    target: { ...ends.input, dtype: types.get(ends.input.name)?.dtype ?? ends.input.dtype },
    classes,
    ...(head ? {} : { valueDims: row }),
    facts: { modelPath: file.path, modelSha256: file.sha256 },
    async finish(_row, outputs, counts) {
      if (recipe.init === 'zeros' && !head) throw zeroed(recipe);
      const drawn = redraws(recipe.init) ? { ...whole, graph: initialise(whole.graph, recipe.init, recipe.seed) } : whole;
      const base = freed ? { ...freed, graph: withValues(freed.graph, drawn.graph) } : drawn;
      const files = head && (await headFiles(recipe, head, ports, job.signal));
      const headed =
        head &&
        withHead(base, head, {
          name: file.name,
          output,
          typeOf: (value) => types.get(value),
          classes: outputs,
          init: recipe.init,
          seed: recipe.seed,
          ...(files ? { files } : {}),
        });
      if (headed && stored) job.note('With its new head the model is saved in float32.');
      const run = (model: Model) =>
        withSessions(ports.runtime, file.name, file.folder, (open) => prepare(model, open, { name: file.name }));
      const known = headed ? (await run(headed.model)).probed : probed;
      const model = headed ? headed.model : drawn;
      const { graph, opsets, irVersion } =
        freed && !headed ? base : prune(shareEqual(dropIdentity(foldConstants(normalise(model), known))));
      const typed = (name: string) => {
        const type = known.types.get(name);
        return type ? { name, type } : { name };
      };
      const trained: Graph = {
        ...graph,
        inputs: graph.inputs.map((i) => typed(i.name)),
        outputs: [typed(output)],
        values: new Map([...graph.values, ...known.types]),
      };
      const count = kind === 'class' ? classes || outputs : 0;
      const start = { graph: trained, opsets, irVersion, input: ends.input.name, output, classes: count };
      const plan = planOf(recipe, start, model.graph, file.name, job, headed, counts);
      const names = new Set(plan.groups.flatMap((g) => g.parameters.map((p) => p.name)));
      const without = redraws(recipe.init) ? undrawn(model.graph, names) : undefined;
      if (without) throw new Fault('training/initialisation', { model: file.name, parameter: without.name, node: called(without.node) });
      const subject = headed ? withNewHead(headed, plan) : { model, ...(stored ? { stored } : {}), plan };
      return biased(recipe, subject, counts, job);
    },
  };
};

/** Opens the model that a recipe trains: a new one of an architecture, or a file. `modelPath` is the file's resolved path. */
export const openRecipeModel = (recipe: Recipe, ports: Ports, job: Job): Promise<Opened> =>
  'arch' in recipe.source
    ? Promise.resolve(ofArchitecture(recipe, recipe.source, ports, job))
    : ofModel(recipe, ports.resolve(recipe.path, recipe.source.model), ports, job);
