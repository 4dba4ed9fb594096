import { Fault } from '../base/fault.ts';
import { defaults } from '../base/option.ts';
import { random } from '../base/random.ts';
import { int64, sizeOf, type Tensor } from '../base/tensor.ts';
import type { Compiled } from '../training/compile.ts';
import type { Moment } from '../training/define.ts';
import type { EpochMoment, Kept, RowFacts, RowOutput, Told } from '../training/define-run.ts';
import { vector } from '../training/layout.ts';
import type { Plan } from '../training/plan.ts';
import type { Recipe } from '../training/recipe.ts';
import { shuffle } from '../training/samplers/shuffle.ts';
import { hostInputs } from '../training/step-inputs.ts';

/** What the host knows of the rows of a dataset, by position: labels, and the columns that a recipe names. */
export interface HostRows {
  readonly labels: ArrayLike<number>;
  readonly classes: number;
  readonly domains?: ArrayLike<number>;
  readonly indices?: ArrayLike<number>;
  /** Of a teacher, [rows · classes]. */
  readonly logits?: Float64Array;
}

interface Order {
  readonly places: ArrayLike<number>;
  readonly weights?: ArrayLike<number>;
}

/** The parts of a run that the host drives between calls. What they keep is arrays, saved with the run. */
export interface Host {
  /** The rows of an epoch, by their places among the training rows. */
  order(moment: EpochMoment): Order;
  /** What the steps are fed besides rows and labels: `count` steps of `size` rows from `at` on in the epoch's order. */
  feeds(of: {
    readonly order: Order;
    readonly moment: EpochMoment;
    readonly at: number;
    readonly size: number;
    readonly steps: readonly [first: number, count: number];
    readonly momentOf: (step: number) => Omit<Moment, 'validation'>;
  }): Record<string, Tensor>;
  /** What the steps gave of these rows. */
  tell(places: ArrayLike<number>, out: Readonly<Record<string, Tensor>>, moment: EpochMoment): void;
  kept(): Readonly<Record<string, Float64Array>>;
}

const picked = (values: ArrayLike<number>, places: Iterable<number>): number[] => Array.from(places, (p) => values[p]);
const under = (prefix: string, all: Readonly<Record<string, Float64Array>>): Kept =>
  Object.fromEntries(
    Object.entries(all).flatMap(([key, v]) => (key.startsWith(`${prefix}/`) ? [[key.slice(prefix.length + 1), v.slice()]] : [])),
  );

/** Classes that have rows, none of which is at the places of an epoch. */
const undrawn = ({ classes, labels }: RowFacts, places: ArrayLike<number>): number[] => {
  const [there, drawn] = [new Uint8Array(classes), new Uint8Array(classes)];
  if (classes === 0) return [];
  for (let i = 0; i < labels.length; i++) there[labels[i]] = 1;
  for (let i = 0; i < places.length; i++) drawn[labels[places[i]]] = 1;
  return Array.from(there, (_, c) => c).filter((c) => there[c] > drawn[c]);
};

export const hostOf = (
  recipe: Recipe,
  { plan, compiled }: { readonly plan: Plan; readonly compiled: Compiled },
  rows: HostRows,
  positions: ArrayLike<number>,
  from: Readonly<Record<string, Float64Array>> = {},
  step = 0,
  note: (text: string) => void = () => {},
): Host => {
  const all = Array.from(positions);
  const facts: RowFacts = {
    count: all.length,
    classes: rows.classes,
    labels: picked(rows.labels, all),
    ...(rows.domains ? { domains: picked(rows.domains, all) } : {}),
  };
  const indices = rows.indices ? picked(rows.indices, all) : undefined;
  const sampler = recipe.extra.sampler ?? { part: shuffle, chosen: defaults(shuffle.options) };
  const { targets } = recipe.extra;
  const table = targets?.part.table;
  const logits = rows.logits && { all: rows.logits, width: rows.classes };
  const own =
    logits &&
    Float64Array.from(
      { length: all.length * logits.width },
      (_, i) => logits.all[all[Math.floor(i / logits.width)] * logits.width + (i % logits.width)],
    );
  const resumed = Object.keys(from).length > 0;
  const sampling: Kept = resumed ? under('sampler', from) : (sampler.part.start?.(facts, sampler.chosen) ?? {});
  const targeted: Kept = !table ? {} : resumed ? under('targets', from) : table.start(facts, own, targets.chosen);
  if (table && step > 0)
    for (const [name, { length }] of Object.entries(table.start(facts, own, targets.chosen)))
      if (!resumed || targeted[name]?.length !== length)
        throw new Fault('training/resumed-store', {
          path: recipe.path,
          targets: targets.part.id,
          name,
          found: targeted[name]?.length ?? 0,
          due: length,
        });
  let current: { readonly epoch: number; readonly order: Order } | undefined =
    from.places && from.epoch
      ? { epoch: from.epoch[0], order: { places: from.places, ...(from.weights ? { weights: from.weights } : {}) } }
      : undefined;
  const { each } = compiled.inputs;
  const toldOf = new Set<string>();

  return {
    order(moment) {
      if (current?.epoch !== moment.epoch) {
        const chance = random(recipe.seed, `shuffle/${moment.epoch}`);
        current = { epoch: moment.epoch, order: sampler.part.epoch(facts, moment, sampling, chance, sampler.chosen) };
        const missed = undrawn(facts, current.order.places);
        // Once for the same classes: a class of one row may be missed in every epoch.
        if (missed.length > 0 && !toldOf.has(missed.join()))
          note(
            `Sampler '${sampler.part.id}' drew no row of ${missed.length === 1 ? 'class' : 'classes'} ${missed.join(', ')} in epoch ${moment.epoch + 1}, so nothing was learnt of ${missed.length === 1 ? 'it' : 'them'} there. Later epochs that miss the same are not told.`,
          );
        toldOf.add(missed.join());
      }
      return current.order;
    },
    feeds({ order, moment, at, size, steps, momentOf }) {
      const [, count] = steps;
      if (Object.keys(each).length === 0) return {};
      const places = Array.from({ length: count * size }, (_, i) => order.places[at + i]);
      const shape = [count, size];
      const numbers = (values: ArrayLike<number>, dims: readonly number[]): Tensor => ({ ...vector(compiled.precision, values), dims });
      const made: Record<string, Tensor> = hostInputs(plan, recipe.seed, steps, size, momentOf);
      if (each.weights)
        made.weights = numbers(
          Array.from(places, (_, i) => order.weights?.[at + i] ?? 1),
          shape,
        );
      if (each.domains && facts.domains) made.domains = int64(shape, picked(facts.domains, places));
      if (each.indices) made.indices = int64(shape, indices ? picked(indices, places) : places);
      if (each.soft && table) made.soft = numbers(table.shares(targeted, places, facts, moment, targets.chosen), [...shape, facts.classes]);
      return Object.fromEntries(Object.entries(made).flatMap(([key, tensor]) => (each[key] ? [[each[key], tensor]] : [])));
    },
    tell(places, out, moment) {
      const named = Object.entries(compiled.outputs.rows) as [RowOutput, string][];
      // Rows that were gone through again are told once.
      const once = ({ dims, data }: Tensor): Float32Array => (data as Float32Array).subarray(0, places.length * sizeOf(dims.slice(2)));
      const told: Told = Object.fromEntries(named.map(([key, name]) => [key, once(out[name])]));
      if (named.length === 0) return;
      sampler.part.tell?.(sampling, places, told, facts, sampler.chosen, moment);
      if (table) table.tell?.(targeted, places, told, facts, targets.chosen, moment);
    },
    kept() {
      const copies = (prefix: string, values: Kept): [string, Float64Array][] =>
        Object.entries(values).map(([key, v]) => [`${prefix}/${key}`, v.slice()]);
      const order: [string, Float64Array][] =
        sampler.part.tell && current
          ? [
              ['epoch', Float64Array.of(current.epoch)],
              ['places', Float64Array.from(current.order.places)],
              ...(current.order.weights ? [['weights', Float64Array.from(current.order.weights)] as [string, Float64Array]] : []),
            ]
          : [];
      return Object.fromEntries([...copies('sampler', sampling), ...copies('targets', targeted), ...order]);
    },
  };
};
