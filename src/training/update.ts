import type { Emit } from '../graph/emit.ts';
import type { Optimizer, StepView, Update } from './define.ts';
import { type Layout, layoutOf, pack, unpack } from './layout.ts';
import type { Group, Plan } from './plan.ts';

type Names = Readonly<Record<string, string>>;

/** What an optimizer carries: vectors laid out as the parameters, and scalars. */
export interface Carried {
  readonly theta: string;
  readonly slots: Names;
  readonly scalars: Names;
}

/** Global gradient norm before clipping, and the gradient after: g·min(1, c/(‖g‖ + 1e-6)), or each entry within ±v. */
export const emitClip = (emit: Emit, grad: string, clip: Plan['clip'], limit: string): { readonly grad: string; readonly norm: string } => {
  const norm = emit.call('ReduceL2', [grad], { keepdims: 0 });
  if (!clip) return { grad, norm };
  if ('value' in clip) return { grad: emit.Clip(grad, emit.Neg(limit), limit), norm };
  const factor = emit.Min(emit.scalar(1), emit.Div(limit, emit.Add(norm, emit.scalar(1e-6))));
  return { grad: emit.Mul(grad, factor), norm };
};

/** e ← d·e + (1 − d)·θ. */
export const emitAverage = (emit: Emit, average: string, theta: string, decay: string): string =>
  emit.Add(emit.Mul(decay, average), emit.Mul(emit.Sub(emit.scalar(1), decay), theta));

/**
 * The mean gradient of the batches since the last update, this one included; `due` where they are `batches`, and what is
 * carried on: their sum and number, both 0 after an update.
 */
export const emitAccumulation = (
  emit: Emit,
  grad: string,
  carried: Names,
  batches: number,
): { readonly mean: string; readonly due: string; readonly next: Names } => {
  const sum = emit.Add(carried.gradient, grad);
  const filled = emit.Add(carried.filled, emit.scalar(1));
  const due = emit.GreaterOrEqual(filled, emit.scalar(batches));
  const zero = emit.scalar(0);
  return { mean: emit.Div(sum, filled), due, next: { gradient: emit.Where(due, zero, sum), filled: emit.Where(due, zero, filled) } };
};

interface Micro {
  /** Of what is descended. */
  readonly grad: string;
  /** Of the mean of the rows' own losses: without what else is descended, and without class weights over their sum. */
  readonly own: string;
  /** Sum of the weights of rows over their number, where they are weighed by class: of so much the gradient counts. */
  readonly weight?: string;
  /** ‖gᵢ‖² and ⟨gᵢ, v⟩, [N] or one number. */
  readonly squares: string;
  readonly along?: (vector: string) => string;
}

/**
 * The mean gradient of the micro-batches so far, in shares of all rows of the update, and the mean of `squares` alike; `due` with the last
 * one, after which both begin at 0. Gone through again, they add up what is along the mean and across it. Nothing here is left out for not
 * being finite: the whole update is.
 */
export const emitMicro = (
  emit: Emit,
  { grad, own, weight, squares, along }: Micro,
  carried: Names,
  fed: Names,
): { readonly mean: string; readonly due: string; readonly next: Names; readonly gathered: NonNullable<StepView['gathered']> } => {
  const mean = (v: string): string => emit.ReduceMean(v, { keepdims: 0 });
  const gather = (so: string, value: string): string => emit.Add(so, emit.Mul(fed['micro/share'], value));
  const gradient = gather(carried.gradient, weight === undefined ? grad : emit.Mul(weight, grad));
  const weights = gather(carried.weights, weight ?? emit.scalar(1));
  const ownMean = gather(carried.own, own);
  const sums: Record<string, string> = { gradient, weights, own: ownMean, squares: gather(carried.squares, mean(squares)) };
  const zero = emit.scalar(0);
  const squaredNorm = emit.call('ReduceSumSquare', [ownMean], { keepdims: 0 });
  const again = along && emit.Greater(fed['micro/again'], zero);
  if (along && again) {
    const t = along(ownMean);
    const off = emit.Sub(t, squaredNorm);
    const rest = emit.Sub(squares, emit.Div(emit.Mul(t, t), emit.Max(squaredNorm, emit.scalar(1e-37))));
    const add = (so: string, values: string): string => emit.Where(again, emit.Add(so, emit.Mul(fed['micro/again'], mean(values))), so);
    sums.alongSquares = add(carried.alongSquares, emit.Mul(off, off));
    sums.acrossSquares = add(carried.acrossSquares, emit.Max(rest, zero));
  }
  const due = emit.Greater(fed['micro/last'], zero);
  return {
    mean: weight === undefined ? gradient : emit.Div(gradient, weights),
    due,
    next: Object.fromEntries(Object.entries(sums).map(([key, sum]) => [key, emit.Where(due, zero, sum)])),
    gathered: {
      ...{ meanSquare: sums.squares, squaredNorm, spread: fed['micro/spread'], rows: fed['micro/rows'] },
      ...(again ? { parts: { along: sums.alongSquares, across: sums.acrossSquares, known: again } } : {}),
    },
  };
};

/** Of a vector laid out as the parameters: whether the path of the step reads each of its elements. */
export const emitOnPath = (emit: Emit, { entries }: Layout, { gates, chances, places }: NonNullable<Plan['paths']>): string => {
  const all = chances.flat().length;
  const at = entries.flatMap(({ name, size }) => new Array<number>(size).fill(places.get(name) ?? all));
  const open = emit.Concat(gates, emit.Unsqueeze(emit.scalar(1), emit.ints([0])), { axis: 0 });
  return emit.Greater(emit.Gather(open, emit.ints(at)), emit.scalar(0));
};

export const slotsOf = ({ part, chosen }: Plan['optimizer']): readonly string[] =>
  'iterate' in part ? [] : typeof part.slots === 'function' ? part.slots(chosen) : part.slots;

/** The pieces that an optimizer updates one by one: whole groups where elements are independent, else parameters. */
const unitsOf = (
  part: Optimizer,
  groups: readonly Group[],
): {
  readonly layout: Layout;
  readonly groupOf: readonly number[];
  readonly facts: readonly Pick<Update, 'name' | 'role' | 'channels'>[];
} => {
  const whole = 'step' in part && part.elementwise;
  type Unit = Pick<Update, 'name' | 'role' | 'channels'> & { readonly dims: readonly number[]; readonly g: number };
  const units = groups.flatMap((group, g): Unit[] => {
    const { size } = layoutOf(group.parameters);
    if (whole) return [{ name: '', role: '', channels: 0, dims: [size], g }];
    return group.parameters.map(({ name, role, channels = 0, dims }) => ({ name, role, channels, dims, g }));
  });
  const facts = units.map(({ name, role, channels }) => ({ name, role, channels }));
  return { layout: layoutOf(units), groupOf: units.map((u) => u.g), facts };
};

const transpose = (slots: Readonly<Record<string, readonly string[]>>, at: number): Names =>
  Object.fromEntries(Object.entries(slots).map(([name, list]) => [name, list[at]]));

/** One update of all parameters. `scales` and `decays` name, per group, the inputs that differ from the optimizer's own ('' where none does). */
export const emitUpdate = (
  emit: Emit,
  { optimizer: { part, chosen }, groups }: Pick<Plan, 'optimizer' | 'groups'>,
  state: Carried,
  grad: string,
  hyper: Names,
  own: { readonly scales: readonly string[]; readonly decays: readonly string[] },
  t: string,
): Carried => {
  const { layout, groupOf, facts } = unitsOf(part, groups);
  const split = (vector: string): string[] => unpack(emit, layout, vector);
  const params = split(state.theta);
  const grads = split(grad);
  const slots = Object.fromEntries(Object.entries(state.slots).map(([name, vector]) => [name, split(vector)]));
  const updates: Update[] = params.map((param, i) => ({ ...facts[i], param, grad: grads[i], slots: transpose(slots, i) }));

  // A host optimizer moves them from outside.
  if ('iterate' in part) return state;
  if ('stepAll' in part) {
    const { updated, scalars } = part.stepAll(emit, updates, state.scalars, hyper, chosen, t);
    return join(emit, updated, Object.keys(slots), scalars);
  }
  const updated = updates.map((update, i) => {
    const g = groupOf[i];
    const lr = own.scales[g] ? emit.Mul(hyper.lr, own.scales[g]) : hyper.lr;
    const decay = groups[g].weightDecay;
    if (decay === undefined) return part.step(emit, update, { ...hyper, lr }, chosen, t);
    return part.step(emit, update, { ...hyper, lr, weightDecay: own.decays[g] }, { ...chosen, weightDecay: decay }, t);
  });
  return join(emit, updated, Object.keys(slots), {});
};

const join = (emit: Emit, updated: readonly Pick<Update, 'param' | 'slots'>[], slots: readonly string[], scalars: Names): Carried => ({
  theta: pack(
    emit,
    updated.map((u) => u.param),
  ),
  slots: Object.fromEntries(
    slots.map((name) => [
      name,
      pack(
        emit,
        updated.map((u) => u.slots[name]),
      ),
    ]),
  ),
  scalars,
});
