import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import { choose } from '../base/option.ts';
import { random } from '../base/random.ts';
import { sizeOf } from '../base/tensor.ts';
import { constantOf } from '../graph/constant.ts';
import type { Constant, Graph } from '../graph/types.ts';
import type { Loss } from '../training/define.ts';
import { type Headed, lastLayer } from '../training/head-surgery.ts';
import { monitors } from '../training/monitors/index.ts';
import type { Picked, Plan } from '../training/plan.ts';
import type { Recipe } from '../training/recipe.ts';
import { ownParameters, sizesOf } from '../training/step-inputs.ts';
import { isTerm } from '../training/terms.ts';

type Rest = Omit<Plan, 'groups'>;

/** What the classes of the training rows are, for first values of biases. */
export interface Counts {
  readonly counts: ArrayLike<number>;
  readonly rows: number;
}

const refused = (recipe: Recipe, key: string, part: string, reason: string): Fault =>
  new Fault('training/part', { path: recipe.path, key, part, reason });

/** Monitors that the recipe names, or its optimizer and its head where it names none, and those that its batch schedule reads. */
const monitorsOf = ({ extra: { monitor, batchSchedule, head }, optimizer: { part } }: Recipe): Plan['monitors'] => {
  const wanted = batchSchedule?.part.decide?.monitors?.(batchSchedule.chosen) ?? [];
  const usual = monitor || 'iterate' in part ? [] : [...(part.monitors ?? []), ...(head?.part.monitors ?? [])];
  const asked = [...wanted, ...usual].map((m) => (typeof m === 'string' ? { id: m } : m));
  const missing = asked.filter(({ id }) => !monitor?.some((m) => m.part.id === id));
  const added = missing.flatMap(({ id, ...given }) =>
    monitors.flatMap((one) => (one.id === id ? [{ part: one, chosen: choose(`monitor '${id}'`, one.options, given) }] : [])),
  );
  return [...(monitor ?? []), ...added];
};

const checkParts = (recipe: Recipe, rest: Rest): void => {
  const { extra, loss, data, augment } = recipe;
  const all = [
    ['loss', loss.part] as const,
    ...(extra.regularizers ?? []).map((r) => ['regularizers', r.part] as const),
    ...(rest.monitors ?? []).map((m) => ['monitor', m.part] as const),
  ];
  for (const [key, { id, reads = [] }] of all) {
    if (reads.includes('features') && !rest.layer)
      throw refused(recipe, key, id, 'reads features, but the model does not end in a dense layer; give it a head');
    if (reads.includes('domains') && data.domainKey === undefined)
      throw refused(recipe, key, id, 'reads the domain of every row; name its column in data.domainKey');
  }
  const { part: optimizer } = recipe.optimizer;
  for (const { part } of rest.monitors ?? []) {
    if (part.of && !part.of.includes(optimizer.id))
      throw refused(
        recipe,
        'monitor',
        part.id,
        `watches ${part.of.map((id) => `'${id}'`).join(' and ')}, and the optimizer is '${optimizer.id}'`,
      );
  }
  if ('step' in optimizer && optimizer.surrogate) {
    const idle =
      loss.part.target !== 'class' && loss.part.target !== 'marks'
        ? `loss '${loss.part.id}' has none`
        : extra.targets?.part.table
          ? `targets '${extra.targets.part.id}' give shares of them`
          : rest.weighs
            ? `sampler '${extra.sampler?.part.id}' gives rows weights of its own`
            : augment?.mixup === undefined
              ? ''
              : 'augment.mixup mixes them';
    if (idle) throw refused(recipe, 'optimizer', optimizer.id, `goes by the labels of the rows, and ${idle}`);
  }
  const { target, embeds } = loss.part;
  const unlike = extra.regularizers?.find((r) => r.part.labels && ((target !== 'class' && target !== 'marks') || embeds));
  if (unlike) throw refused(recipe, 'regularizers', unlike.part.id, `reads scores of classes, which loss '${loss.part.id}' does not have`);
  if (extra.sampler?.part.reads?.includes('score') && embeds)
    throw refused(recipe, 'sampler', extra.sampler.part.id, `reads scores of classes, which loss '${loss.part.id}' does not have`);
  const needs = extra.sampler?.part.needs ?? [];
  if (needs.includes('domains') && data.domainKey === undefined)
    throw refused(recipe, 'sampler', extra.sampler?.part.id ?? '', 'chooses rows by their domain; name its column in data.domainKey');
  if ((needs.includes('classes') || extra.targets?.part.table) && loss.part.target !== 'class')
    throw refused(
      recipe,
      needs.includes('classes') ? 'sampler' : 'targets',
      (needs.includes('classes') ? extra.sampler?.part.id : extra.targets?.part.id) ?? '',
      `needs classes, which loss '${loss.part.id}' does not have`,
    );
  if (extra.targets?.part.table && !loss.part.soft)
    throw refused(recipe, 'targets', extra.targets.part.id, `gives shares of classes, which loss '${loss.part.id}' does not take`);
  if (extra.targets?.part.table && augment?.mixup !== undefined)
    throw refused(recipe, 'targets', extra.targets.part.id, "cannot be mixed; leave out 'augment.mixup'");
  if (extra.lossScaling?.part.guide && (rest.regularizers ?? []).length === 0 && !rest.head?.part.term && !loss.part.twofold)
    throw refused(recipe, 'lossScaling', extra.lossScaling.part.id, 'brings the loss to the size of other terms, but there are none');
};

/** Refuses parts that cannot work with the sizes of the plan; what others say of them is noted. */
const checkSizes = (recipe: Recipe, plan: Rest, job: Pick<Job, 'note'>): void => {
  const { head, regularizers = [] } = recipe.extra;
  const sized = [
    { key: 'loss', ...recipe.loss },
    ...regularizers.map((r) => ({ key: 'regularizers', ...r })),
    ...(head ? [{ key: 'head', ...head }] : []),
  ];
  const sizes = sizesOf(plan);
  for (const { key, part, chosen } of sized) {
    const reason = part.refuses?.(sizes, chosen);
    if (reason !== undefined) throw refused(recipe, key, part.id, reason);
    for (const remark of part.remarks?.(sizes, chosen) ?? []) job.note(remark);
  }
};

/** Terms that compare domains see those alone that the rows of a step are of. */
const noteUnmixed = ({ extra: { regularizers, sampler }, batch }: Recipe, job: Pick<Job, 'note'>): void => {
  const compares = regularizers?.find((r) => r.part.reads?.includes('domains'));
  if (!compares || sampler?.part.needs?.includes('domains') || batch.size === 'full') return;
  job.note(
    `Regularizer '${compares.part.id}' compares the domains that each step has rows of, and rows are drawn without regard to them; sampler 'domains' brings every domain into every step.`,
  );
};

/** What the parts of a recipe add to its plan. Throws `training/part` where they do not fit. */
export const withParts = (recipe: Recipe, rest: Rest, headed: Headed | undefined, job: Pick<Job, 'note'>): Rest => {
  const { head, lossScaling, regularizers, sampler, targets, batchSchedule } = recipe.extra;
  const micro = batchSchedule?.part.decide?.micro?.(batchSchedule.chosen);
  if (micro && (recipe.batch.accumulate ?? 1) > 1)
    throw refused(recipe, 'batch.schedule', batchSchedule?.part.id ?? '', "gathers micro-batches itself; leave out 'batch.accumulate'");
  const monitors = monitorsOf(recipe);
  const rowOutputs = [...new Set([...(sampler?.part.reads ?? []), ...(targets?.part.table?.reads ?? [])])];
  const layer = lastLayer(rest.graph, rest.output);
  const uses = head && headed && (head.part.term !== undefined || Object.keys(headed.given).length > 0);
  const full: Rest = {
    ...rest,
    ...(layer ? { layer } : {}),
    ...(regularizers ? { regularizers } : {}),
    ...(lossScaling?.part.guide ? { lossScaling } : {}),
    ...(uses ? { head: { ...head, given: headed.given } } : {}),
    ...(targets?.part.table ? { soft: { temperature: targets.part.table.temperature?.(targets.chosen) ?? 1 } } : {}),
    ...(micro ? { micro: { variance: micro.variance, along: micro.along } } : {}),
    ...(sampler?.part.weighs?.(sampler.chosen) ? { weighs: true as const } : {}),
    ...(monitors && monitors.length > 0 ? { monitors } : {}),
    ...(rowOutputs.length > 0 ? { rowOutputs } : {}),
  };
  checkParts(recipe, full);
  checkSizes(recipe, full, job);
  noteUnmixed(recipe, job);
  return full;
};

const BY_FREQUENCY = 'inverse-frequency';
/** The loss with weights N/(C·N_k) where it asks for those of the inverse frequency. */
export const withClassWeights = (recipe: Recipe, counts: Counts | undefined): Picked<Loss> => {
  const { loss } = recipe;
  if (loss.chosen.classWeights !== BY_FREQUENCY || !counts) return loss;
  const own = Array.from(counts.counts);
  const absent = own.indexOf(0);
  if (absent >= 0) throw new Fault('training/class-weight', { path: recipe.path, class: absent });
  return { ...loss, chosen: { ...loss.chosen, classWeights: own.map((n) => counts.rows / (own.length * n)).join(',') } };
};

/** The plan with the parameters that its parts own. */
export const withOwnParameters = (plan: Plan, seed: number): Plan => {
  const own = ownParameters(plan, seed);
  if (own.length === 0) return plan;
  const initializers = new Map([...plan.graph.initializers, ...own.map((p) => [p.name, constantOf('float32', p.dims, p.values)] as const)]);
  const parameters = own.map(({ name, dims }) => ({ name, dims, role: 'other' as const, fanIn: 1, fanOut: 1 }));
  return { ...plan, graph: { ...plan.graph, initializers }, groups: [...plan.groups, { parameters, lrScale: 1 }] };
};

/** First values of a parameter, by its name. */
export interface FirstValue {
  readonly name: string;
  readonly values: ArrayLike<number>;
}

/** First values of the last layer by the names of its parameters; none where the recipe keeps them. */
export const firstValues = (recipe: Recipe, plan: Plan, counts: Counts | undefined, job: Pick<Job, 'note'>): readonly FirstValue[] => {
  const { biasInit } = recipe.extra;
  if (!biasInit) return [];
  const { part, chosen } = biasInit;
  const refuse = (reason: string): Fault => refused(recipe, 'biasInit', part.id, reason);
  const { target, id } = recipe.loss.part;
  const leading = recipe.loss.part.marks?.(recipe.loss.chosen);
  if (!counts || (target !== 'class' && target !== 'marks' && leading === undefined))
    throw refuse(`needs classes, which loss '${id}' does not have`);
  const all = Array.from(counts.counts);
  const facts = { ...counts, counts: all.slice(0, leading), loss: id, marks: target !== 'class' };
  const own = part.values(facts, chosen);
  if (!own) return [];
  // Numbers that are no classes begin at 0.
  const values = all.map((_, i) => own[i] ?? 0);
  const reason = part.refuses?.(facts, chosen);
  if (reason !== undefined) throw refuse(reason);
  const { layer, graph } = plan;
  const size = layer?.bias ? graph.initializers.get(layer.bias)?.dims.at(-1) : undefined;
  if (!layer || size !== values.length) throw refuse('needs a last layer with one bias per class, which the model does not have');
  if (graph.nodes.filter((n) => n.inputs.includes(layer.bias)).length > 1)
    throw refuse(`would change '${layer.bias}', which more than one node reads`);
  for (const remark of part.remarks?.(facts, chosen) ?? []) job.note(remark);
  const deviation = part.deviation?.(chosen) ?? 0;
  const old = deviation > 0 ? graph.initializers.get(layer.weight) : undefined;
  if (!old) return [{ name: layer.bias, values }];
  const chance = random(recipe.seed, `biasInit/${part.id}`);
  const drawn = Float64Array.from({ length: sizeOf(old.dims) }, () => deviation * chance.normal());
  return [
    { name: layer.bias, values },
    { name: layer.weight, values: drawn },
  ];
};

export const withValue = (graph: Graph, name: string, values: ArrayLike<number>): Graph => {
  const old = graph.initializers.get(name);
  if (!old) return graph;
  const next: Constant = constantOf(old.dtype, old.dims, values);
  return { ...graph, initializers: new Map([...graph.initializers, [name, next]]) };
};

/** What the factors of a scaled loss say of the run, from the numbers of its steps. */
export const scalingRemarks = ({ lossScaling }: Plan, monitors: Readonly<Record<string, readonly number[]>>): readonly string[] => {
  const factor = monitors['term/loss-scale'] ?? [];
  const terms = Object.entries(monitors).flatMap(([line, steps]) => (isTerm(line) ? [steps] : []));
  const other = factor.map((_, k) => terms.reduce((sum, steps) => sum + steps[k], 0));
  return lossScaling?.part.guide?.remarks?.({ factor, other }) ?? [];
};
