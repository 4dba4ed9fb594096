import { Fault } from '../base/fault.ts';
import { defaults } from '../base/option.ts';
import type { DataRef, Device } from '../base/request.ts';
import type { Adversarial } from './adversarial.ts';
import type { Augment } from './augment.ts';
import type { Loss, LossScaling, Monitor, Optimizer, Regularizer, Schedule, ScheduleUnit } from './define.ts';
import type { Architecture, Head } from './define-layers.ts';
import type { BatchSchedule, BiasInit, Regime, Sampler, Targets } from './define-run.ts';
import type { Initialisation } from './initialise.ts';
import type { Picked, Plan } from './plan.ts';
import { refuseAbsent } from './recipe-absent.ts';
import { recipeKeys } from './recipe-keys.ts';
import { readShape } from './recipe-shape.ts';
import { constant } from './schedules/constant.ts';

export interface GroupRule {
  readonly match: string;
  readonly lrScale: number;
  readonly weightDecay?: number;
}
export interface EarlyStop {
  readonly metric: 'val_loss' | 'val_accuracy';
  readonly patience: number;
  readonly minDelta: number;
  readonly restoreBest: boolean;
}

/** Parts that are absent unless a recipe names them. */
export interface Extra {
  readonly head?: Picked<Head>;
  readonly biasInit?: Picked<BiasInit>;
  readonly lossScaling?: Picked<LossScaling>;
  readonly regularizers?: readonly Picked<Regularizer>[];
  readonly targets?: Picked<Targets>;
  readonly regime?: Picked<Regime>;
  readonly sampler?: Picked<Sampler>;
  readonly batchSchedule?: Picked<BatchSchedule>;
  readonly monitor?: readonly Picked<Monitor>[];
  readonly diagnose?: readonly string[];
}

/** A recipe file with every default filled in. Paths are as written: relative to the file. */
export interface Recipe {
  readonly path: string;
  /** The file's name without `.train.json`. */
  readonly id: string;
  /** A file to train further, or an architecture and the shape of its rows (that of the data where absent). */
  readonly source: { readonly model: string } | { readonly arch: Picked<Architecture>; readonly input?: readonly number[] };
  readonly data: {
    readonly train: DataRef;
    readonly val?: DataRef;
    readonly test?: DataRef;
    readonly domainKey?: string;
    readonly indexKey?: string;
    /** Rows with equal values of it are instances of one bag. */
    readonly bagKey?: string;
  };
  readonly split: { readonly val: number; readonly seed: number; readonly stratified: boolean };
  readonly init: Initialisation;
  /** Names or patterns; absent for all that the gradient reaches. */
  readonly trainable?: readonly string[];
  readonly statistics: Plan['statistics'];
  readonly loss: Picked<Loss>;
  /** What a recipe may say beside the rest; absent where it says nothing. */
  readonly extra: Extra;
  readonly optimizer: Picked<Optimizer>;
  readonly groups: readonly GroupRule[];
  readonly decayExclude: readonly ('bias' | 'norm')[];
  readonly schedule: Picked<Schedule> & { readonly unit: ScheduleUnit };
  readonly batch: { readonly size: number | 'full'; readonly dropLast: boolean; readonly accumulate?: number };
  readonly length: { readonly epochs: number } | { readonly steps: number };
  readonly clip?: NonNullable<Plan['clip']>;
  /** The running mean of the parameters is what is validated and saved. */
  readonly ema?: { readonly decay: number };
  readonly augment?: Augment;
  readonly adversarial?: Adversarial;
  readonly seed: number;
  readonly evalEvery: number;
  readonly earlyStop?: EarlyStop;
  readonly checkpointEvery: number;
  readonly nonfinite: 'stop' | 'skip' | 'halve-lr';
  readonly provider: Device;
  /** By key, as a file could say it with nothing left out: what decides the numbers of a run, and what a resumed one is compared with. */
  readonly settings: Readonly<Record<string, unknown>>;
}

type Read<P, M = Readonly<Record<never, never>>> = Picked<P> & { readonly more: Partial<M> };
/** What `readShape` gives for the table of keys. */
interface Raw {
  readonly model?: string;
  readonly arch?: Read<Architecture, { readonly input: readonly number[] }>;
  readonly data: {
    readonly train: string | DataRef;
    readonly val?: string | DataRef;
    readonly test?: string | DataRef;
    readonly labelKey?: string;
    readonly domainKey?: string;
    readonly indexKey?: string;
    readonly bagKey?: string;
  };
  readonly split?: Recipe['split'];
  readonly init?: Initialisation;
  readonly trainable?: readonly string[];
  readonly statistics: Plan['statistics'];
  readonly loss: Read<Loss, { readonly reduction: 'mean' }>;
  readonly optimizer: Read<Optimizer, Pick<Recipe, 'groups' | 'decayExclude'>>;
  readonly schedule?: Read<Schedule, { readonly unit: ScheduleUnit }>;
  readonly batch?: number | 'full' | (Recipe['batch'] & { readonly schedule?: Read<BatchSchedule> });
  readonly head?: Read<Head>;
  readonly biasInit?: Read<BiasInit>;
  readonly lossScaling?: Read<LossScaling>;
  readonly regularizers?: readonly Read<Regularizer>[];
  readonly targets?: Read<Targets>;
  readonly regime?: Read<Regime>;
  readonly sampler?: Read<Sampler>;
  readonly monitor?: readonly Read<Monitor>[];
  readonly diagnose?: readonly string[];
  readonly epochs?: number;
  readonly steps?: number;
  readonly ema?: { readonly decay: number };
  readonly clip?: { readonly norm?: number; readonly value?: number };
  readonly augment?: Augment;
  readonly adversarial?: Omit<Adversarial, 'range'> & { readonly range?: readonly number[] };
  readonly seed: number;
  readonly evalEvery: number;
  readonly earlyStop?: boolean | EarlyStop;
  readonly checkpoint?: { readonly every: number };
  readonly nonfinite: Recipe['nonfinite'];
  readonly provider: Device;
}

const plain = ({ part, chosen }: Picked<{ readonly id: string }>): Readonly<Record<string, unknown>> => ({ kind: part.id, ...chosen });
const picked = <P>({ part, chosen }: Read<P>): Picked<P> => ({ part, chosen });

const extraOf = (raw: Raw): Extra => {
  const one = <P>(read: Read<P> | undefined): Picked<P> | undefined => read && picked(read);
  const many = <P>(read: readonly Read<P>[] | undefined): readonly Picked<P>[] | undefined =>
    read && read.length > 0 ? read.map(picked) : undefined;
  const all = {
    head: one(raw.head),
    biasInit: one(raw.biasInit),
    lossScaling: one(raw.lossScaling),
    regularizers: many(raw.regularizers),
    targets: one(raw.targets),
    regime: one(raw.regime),
    sampler: one(raw.sampler),
    batchSchedule: one(typeof raw.batch === 'object' ? raw.batch.schedule : undefined),
    // An empty list leaves out the optimizer's own.
    monitor: raw.monitor?.map(picked),
    diagnose: raw.diagnose && raw.diagnose.length > 0 ? raw.diagnose : undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
};

/** What decides the numbers of a run: not what is only shown. */
const plainExtra = ({ monitor: _, diagnose: __, ...extra }: Extra): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(extra).map(([key, value]) => [key, Array.isArray(value) ? value.map(plain) : plain(value as Picked<Head>)]),
  );

/** Parts written as in a file: `{ kind, options }`. */
const plainParts = (recipe: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(recipe).flatMap(([key, value]) => {
      if (typeof value !== 'object' || value === null || !('part' in value)) return [];
      const { part, chosen, ...beside } = value as Picked<{ readonly id: string }>;
      return [[key, { kind: part.id, ...chosen, ...beside }]];
    }),
  );

/** With the length of a step filled in: Madry et al. take 2.5·ε/steps, which reaches the edge of the ball from anywhere in it. */
const attackOf = ({ range, ...given }: NonNullable<Raw['adversarial']>, refuse: (where: string, reason: string) => never): Adversarial => {
  const { epsilon, steps } = given;
  const step = given.step > 0 ? given.step : steps === 1 ? epsilon : (2.5 * epsilon) / steps;
  if (!range) return { ...given, step };
  const [low, high] = range;
  if (range.length !== 2 || !(low < high)) return refuse('adversarial.range', 'give the least and the greatest value, e.g. [0, 1]');
  return { ...given, step, range: [low, high] };
};

const batchOf = (batch: NonNullable<Raw['batch']>): Recipe['batch'] => {
  if (typeof batch !== 'object') return { size: batch, dropLast: false };
  const { schedule: _, ...rest } = batch;
  return rest;
};

const stem = (path: string): string => (path.split(/[\\/]/).at(-1) ?? path).replace(/(\.train)?\.json$/, '');

const parsed = (text: string, path: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Fault('training/recipe', {
      path,
      where: 'the file',
      reason: `it is not JSON (${error instanceof Error ? error.message : error})`,
    });
  }
};

/** Reads and checks a recipe file. Throws `training/recipe` and `training/key`, naming file and key. */
export const readRecipe = (text: string, path: string): Recipe => {
  const given = parsed(text, path);
  refuseAbsent(given, path);
  const raw = readShape(recipeKeys, given, '', path) as Raw;
  const refuse = (where: string, reason: string): never => {
    throw new Fault('training/recipe', { path, where, reason });
  };
  const { labelKey } = raw.data;
  const ref = (given: string | DataRef): DataRef => {
    const from = typeof given === 'string' ? { path: given } : given;
    const { scale: _, ...idle } = from.preprocess ?? {};
    if (raw.data.bagKey !== undefined && Object.keys(idle).length > 0)
      return refuse(
        'data.bagKey',
        `instances of bags can only be scaled, not changed by ${Object.keys(idle).join(', ')}, as zeros fill bags up`,
      );
    return labelKey === undefined || from.y !== undefined ? from : { ...from, y: labelKey };
  };
  if (raw.model !== undefined && raw.arch) return refuse('model', "give either 'model' or 'arch'");
  if (raw.epochs !== undefined && raw.steps !== undefined) return refuse('steps', "give either 'epochs' or 'steps'");
  const { norm, value } = raw.clip ?? {};
  const clip = norm !== undefined ? { norm } : value !== undefined ? { value } : undefined;
  if (raw.clip && (norm === undefined) === (value === undefined)) return refuse('clip', "give either 'norm' or 'value'");

  const adversarial = raw.adversarial && attackOf(raw.adversarial, refuse);
  if (adversarial && raw.augment?.mixup !== undefined)
    return refuse('augment.mixup', "an attack climbs the loss of one target; leave out either it or 'adversarial'");

  const { more, ...optimizer } = raw.optimizer;
  const { groups = [], decayExclude = [] } = more;
  if ('stepAll' in optimizer.part && groups.length > 0)
    return refuse('optimizer.groups', `'${optimizer.part.id}' treats all parameters alike; remove the groups`);
  if ('iterate' in optimizer.part) {
    const { regularizers, lossScaling, targets, sampler, monitor } = extraOf(raw);
    const asks = {
      clip: raw.clip,
      ema: raw.ema,
      augment: raw.augment,
      adversarial: raw.adversarial,
      'arch.dropout': raw.arch?.chosen.dropout || undefined,
      regularizers,
      lossScaling,
      monitor: monitor?.length ? monitor : undefined,
    };
    const idle = {
      ...asks,
      'optimizer.groups': groups.length > 0 || undefined,
      'optimizer.decayExclude': decayExclude.length > 0 || undefined,
    };
    const parts = { targets: targets?.part.table, sampler: sampler?.part.weighs ?? sampler?.part.tell };
    const size = typeof raw.batch === 'object' ? raw.batch.size : raw.batch;
    if (optimizer.part.whole && size !== 'full')
      return refuse('batch', `'${optimizer.part.id}' compares the loss before and after a step, on the same rows: set it to "full"`);
    const [key] = Object.entries({ ...idle, ...parts }).flatMap(([name, given]) => (given === undefined ? [] : [name]));
    if (key !== undefined)
      return refuse(
        key,
        `'${optimizer.part.id}' moves the parameters from outside the compiled steps, which alone read it; remove the key`,
      );
  }
  const decays = 'weightDecay' in optimizer.part.options;
  if (!decays && (decayExclude.length > 0 || groups.some((g) => g.weightDecay !== undefined)))
    return refuse('optimizer', `'${optimizer.part.id}' has no weight decay`);

  const arch = raw.arch && { part: raw.arch.part, chosen: raw.arch.chosen };
  const input = raw.arch?.more.input;
  const source: Recipe['source'] | undefined = arch
    ? { arch, ...(input ? { input } : {}) }
    : raw.model !== undefined
      ? { model: raw.model }
      : undefined;
  if (!source) return refuse('model', "give either 'model' or 'arch'");
  const init = raw.init ?? ('model' in source ? 'keep' : 'torch-default');
  if (init === 'keep' && 'arch' in source) return refuse('init', "a new 'arch' has no values to keep");
  const schedule: NonNullable<Raw['schedule']> = raw.schedule ?? { part: constant, chosen: defaults({}), more: {} };
  const extra = extraOf(raw);
  const early: EarlyStop = { metric: 'val_loss', patience: 10, minDelta: 0, restoreBest: true };
  const what = {
    data: {
      train: ref(raw.data.train),
      ...(raw.data.val === undefined ? {} : { val: ref(raw.data.val) }),
      ...(raw.data.test === undefined ? {} : { test: ref(raw.data.test) }),
      ...(raw.data.domainKey === undefined ? {} : { domainKey: raw.data.domainKey }),
      ...(raw.data.indexKey === undefined ? {} : { indexKey: raw.data.indexKey }),
      ...(raw.data.bagKey === undefined ? {} : { bagKey: raw.data.bagKey }),
    },
    split: raw.split ?? { val: 0.1, seed: 0, stratified: true },
    init,
    ...(raw.trainable ? { trainable: raw.trainable } : {}),
    statistics: raw.statistics,
    loss: { part: raw.loss.part, chosen: raw.loss.chosen },
    optimizer,
    groups,
    decayExclude,
    schedule: { part: schedule.part, chosen: schedule.chosen, unit: schedule.more.unit ?? schedule.part.unit },
    batch: batchOf(raw.batch ?? 32),
    ...(raw.ema ? { ema: raw.ema } : {}),
    ...(clip ? { clip } : {}),
    ...(raw.augment ? { augment: raw.augment } : {}),
    ...(adversarial ? { adversarial } : {}),
    seed: raw.seed,
    evalEvery: raw.evalEvery,
    ...(raw.earlyStop ? { earlyStop: raw.earlyStop === true ? early : raw.earlyStop } : {}),
    nonfinite: raw.nonfinite,
  };
  const length = raw.steps !== undefined ? { steps: raw.steps } : { epochs: raw.epochs ?? 10 };
  const model = 'arch' in source ? { arch: source.arch, input } : source;
  return {
    ...what,
    extra,
    path,
    id: stem(path),
    source,
    length,
    checkpointEvery: raw.checkpoint?.every ?? 1,
    provider: raw.provider,
    settings: { ...model, ...what, ...length, ...plainParts({ ...model, ...what }), ...plainExtra(extra) },
  };
};

/** Paths of keys at which two recipes differ, e.g. `optimizer.lr`. */
export const differences = (a: unknown, b: unknown, where = ''): string[] => {
  const both = [a, b].every((v) => typeof v === 'object' && v !== null);
  if (!both) return a === b ? [] : [where];
  const [left, right] = [a, b] as Readonly<Record<string, unknown>>[];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) =>
    differences(left[key], right[key], where ? `${where}.${key}` : key),
  );
};
