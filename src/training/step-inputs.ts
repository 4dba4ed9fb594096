import { type Random, random } from '../base/random.ts';
import { int64, sizeOf, type Tensor } from '../base/tensor.ts';
import { dropoutOf } from '../graph/dropout.ts';
import type { Emit } from '../graph/emit.ts';
import { restrict } from '../graph/passes/prune.ts';
import type { Dim, TensorType, ValueInfo } from '../graph/types.ts';
import type { BatchView, Draw, Moment, Reading, Sizes } from './define.ts';
import type { Precision } from './layout.ts';
import { hyperOf, type Picked, type Plan, rowType, tensorType } from './plan.ts';

/** A part of the objective with the stem of its values' names. */
type Placed = Picked<
  Pick<NonNullable<Plan['regularizers']>[number]['part'], 'id' | 'options' | 'reads' | 'scheduled' | 'draws' | 'parameters'>
> & { readonly stem: string };

/** The loss and what is added to it, in order. */
const objectiveParts = ({ loss, regularizers = [], head }: Pick<Plan, 'loss' | 'regularizers' | 'head'>): readonly Placed[] => [
  { ...loss, stem: 'loss' },
  ...regularizers.map((r, i) => ({ ...r, stem: `regularizer${i}` })),
  ...(head?.part.term ? [{ ...head, stem: 'head' }] : []),
];

/** Name of a part's own parameter in the graph of the plan. */
const ownName = (stem: string, name: string): string => `${stem}/own/${name}`;

export const sizesOf = ({ graph, layer, output, classes }: Pick<Plan, 'graph' | 'layer' | 'output' | 'classes'>): Sizes => {
  const type = layer && graph.values.get(layer.features);
  const widthOf = (dims: readonly Dim[] | undefined): number => Number(dims?.[1] ?? 1);
  return {
    features: widthOf(type?.kind === 'tensor' ? type.dims : undefined),
    outputs: widthOf(rowType(graph, output).dims),
    classes,
  };
};

const reading = (plan: Pick<Plan, 'loss' | 'regularizers' | 'head' | 'monitors'>, what: Reading): boolean =>
  [...objectiveParts(plan), ...(plan.monitors ?? [])].some(({ part }) => part.reads?.includes(what));

/**
 * Of a micro-batch: its share of the rows of its update, 0 where it is gone through again; whether it is the last one; rows of the update;
 * what turns mean squares into a variance; and its share where it is gone through again, else 0.
 */
export const microInputs = ['share', 'last', 'rows', 'spread', 'again'] as const;

/** Values of which training drops some, in order: their rows, and the probability of each number. */
const droppedOf = (
  plan: Pick<Plan, 'graph' | 'output' | 'head'>,
): readonly { readonly value: string; readonly row: readonly Dim[]; readonly share: number }[] =>
  restrict(
    plan.graph,
    outputsOf(plan).map((name) => ({ name })),
  ).nodes.flatMap((node) => {
    const share = dropoutOf(node);
    const [value] = node.outputs;
    const type = plan.graph.values.get(value);
    return share === undefined ? [] : [{ value, row: (type?.kind === 'tensor' ? type.dims?.slice(1) : undefined) ?? [], share }];
  });

/** Types of what every step is fed by key, its first axis being steps: `path`, `micro/…`, `weights`, `domains`, `indices`, `soft`, `dropout/…`, `draw/…`, `scheduled/…`. */
const stepInputTypes = (plan: Omit<Plan, 'groups'>): Readonly<Record<string, TensorType>> => {
  const { precision } = plan;
  const sizes = sizesOf(plan);
  const types: Record<string, TensorType> = {};
  if (plan.paths) types.path = tensorType(precision, ['K', plan.paths.chances.flat().length]);
  for (const key of plan.micro ? microInputs : [])
    if (key !== 'again' || plan.micro?.along) types[`micro/${key}`] = tensorType(precision, ['K']);
  if (plan.weighs) types.weights = tensorType(precision, ['K', 'B']);
  for (const key of ['domains', 'indices'] as const) if (reading(plan, key)) types[key] = tensorType('int64', ['K', 'B']);
  if (plan.soft) types.soft = tensorType(precision, ['K', 'B', plan.classes]);
  for (const { value, row } of droppedOf(plan)) types[`dropout/${value}`] = tensorType(precision, ['K', 'B', ...row]);
  for (const { part, chosen, stem } of objectiveParts(plan)) {
    for (const [name, { dims }] of Object.entries(part.draws?.(sizes, chosen) ?? {}))
      types[`draw/${stem}/${name}`] = tensorType(precision, ['K', ...dims.map((d) => (d === 'rows' ? 'B' : d))]);
    for (const name of Object.keys(part.scheduled ?? {})) types[`scheduled/${stem}/${name}`] = tensorType(precision, ['K']);
  }
  return types;
};

export const stepInputs = (emit: Emit, plan: Plan): Readonly<Record<string, ValueInfo>> =>
  Object.fromEntries(
    Object.entries(stepInputTypes(plan)).map(([key, type]) => [key, { name: emit.typed(emit.fresh(`each/${key}`), type), type }]),
  );

/** What parts read of a batch: `fed` holds the values of this step by key; without them, rows are only measured. */
export const viewOf = (plan: Omit<Plan, 'groups'>, stem: string, fed?: Readonly<Record<string, string>>): BatchView => {
  const placed = objectiveParts(plan).find((p) => p.stem === stem);
  const { part, chosen } = placed ?? { part: undefined, chosen: {} };
  const own = Object.fromEntries(Object.keys(part?.parameters?.(sizesOf(plan), chosen) ?? {}).map((name) => [name, ownName(stem, name)]));
  const drawn = Object.entries(fed ?? {}).flatMap(([key, value]) =>
    key.startsWith(`draw/${stem}/`) ? [[key.slice(`draw/${stem}/`.length), value] as const] : [],
  );
  const features = part?.reads?.includes('features') && plan.layer ? { features: plan.layer.features } : {};
  return {
    ...features,
    ...(fed?.domains ? { domains: fed.domains } : {}),
    ...(fed?.indices ? { indices: fed.indices } : {}),
    own: { ...own, ...Object.fromEntries(drawn) },
    given: plan.head?.given ?? {},
  };
};

/** Real options of every part of the objective by stem. */
export const objectiveHyper = (
  emit: Emit,
  plan: Omit<Plan, 'groups'>,
): { readonly names: Readonly<Record<string, Readonly<Record<string, string>>>>; readonly values: Readonly<Record<string, Tensor>> } => {
  const names: Record<string, Readonly<Record<string, string>>> = {};
  const values: Record<string, Tensor> = {};
  for (const placed of objectiveParts(plan)) {
    const found = hyperOf(emit, placed, placed.stem, plan.precision);
    names[placed.stem] = found.names;
    Object.assign(values, found.values);
  }
  return { names, values };
};

/** Those of the loss where rows are only measured: what changes over the run is as at its end. */
export const measuredHyper = (
  emit: Emit,
  { loss, precision }: Pick<Plan, 'loss' | 'precision'>,
): { readonly names: Readonly<Record<string, string>>; readonly values: Readonly<Record<string, Tensor>> } => {
  const { names, values } = hyperOf(emit, loss, 'loss', precision);
  const last = Object.entries(loss.part.scheduled ?? {}).map(([name, value]) => [
    name,
    emit.scalar(value({ t: 1, total: 1, lr: 0 }, loss.chosen), precision),
  ]);
  return { names: { ...names, ...Object.fromEntries(last) }, values };
};

const sample: Readonly<Record<Draw['of'], (r: Random) => number>> = {
  normal: (r) => r.normal(),
  uniform: (r) => r.next(),
  rademacher: (r) => (r.next() < 0.5 ? -1 : 1),
};
const filled = (precision: Precision, dims: readonly number[]): Tensor & { readonly data: Float32Array | Float64Array } => ({
  dtype: precision,
  dims,
  data: precision === 'float32' ? new Float32Array(sizeOf(dims)) : new Float64Array(sizeOf(dims)),
});

/** Of each step one choice in every block, as gates. */
const pathGates = (
  chances: readonly (readonly number[])[],
  precision: Precision,
  seed: number,
  [first, count]: readonly [number, number],
): Tensor => {
  const width = chances.flat().length;
  const gates = filled(precision, [count, width]);
  for (let k = 0; k < count; k++) {
    const r = random(seed, `path/${first + k}`);
    let at = 0;
    for (const block of chances) {
      let left = r.next() * block.reduce((a, b) => a + b, 0);
      const taken = block.findIndex((p) => {
        left -= p;
        return left < 0;
      });
      gates.data[k * width + at + (taken < 0 ? block.length - 1 : taken)] = 1;
      at += block.length;
    }
  }
  return gates;
};

/** Values that a draw of 32 bits tells two numbers apart by. */
const HALF_DRAW = 65536;
/** 0 with probability `share`, to 16 bits, and else what keeps the mean at 1: two numbers from each draw. */
const drawMask = (mask: Float32Array | Float64Array, share: number, r: Random): void => {
  const limit = Math.min(HALF_DRAW - 1, Math.round(share * HALF_DRAW));
  const kept = HALF_DRAW / (HALF_DRAW - limit);
  for (let i = 0; i < mask.length; i += 2) {
    const both = r.next() * HALF_DRAW;
    const high = Math.floor(both);
    mask[i] = high < limit ? 0 : kept;
    if (i + 1 < mask.length) mask[i + 1] = (both - high) * HALF_DRAW < limit ? 0 : kept;
  }
};

/** Draws and scheduled numbers of `count` steps from number `first` on: a resumed run is fed the same. */
export const hostInputs = (
  plan: Omit<Plan, 'groups'>,
  seed: number,
  [first, count]: readonly [number, number],
  batch: number,
  moment: (step: number) => Omit<Moment, 'validation'>,
): Record<string, Tensor> => {
  const sizes = sizesOf(plan);
  const out: Record<string, Tensor> = {};
  for (const { value, row, share } of droppedOf(plan)) {
    const tensor = filled(plan.precision, [count, batch, ...row.map(Number)]);
    const size = tensor.data.length / count;
    for (let k = 0; k < count; k++) {
      const r = random(seed, `dropout/${value}/${first + k}`);
      drawMask(tensor.data.subarray(k * size, (k + 1) * size), share, r);
    }
    out[`dropout/${value}`] = tensor;
  }
  if (plan.paths) out.path = pathGates(plan.paths.chances, plan.precision, seed, [first, count]);
  for (const { part, chosen, stem } of objectiveParts(plan)) {
    for (const [name, { of, dims }] of Object.entries(part.draws?.(sizes, chosen) ?? {})) {
      const row = dims.map((d) => (d === 'rows' ? batch : d));
      const tensor = filled(plan.precision, [count, ...row]);
      const size = sizeOf(row);
      for (let k = 0; k < count; k++) {
        const r = random(seed, `${stem}/${part.id}/${name}/${first + k}`);
        for (let i = 0; i < size; i++) tensor.data[k * size + i] = sample[of](r);
      }
      out[`draw/${stem}/${name}`] = tensor;
    }
    for (const [name, value] of Object.entries(part.scheduled ?? {})) {
      const tensor = filled(plan.precision, [count]);
      for (let k = 0; k < count; k++) tensor.data[k] = value(moment(first + k), chosen);
      out[`scheduled/${stem}/${name}`] = tensor;
    }
  }
  return out;
};

/** What a value of the graph is multiplied by in this step, where training drops some of it. */
export const masksOf = (fed: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(fed).flatMap(([key, mask]) => (key.startsWith('dropout/') ? [[key.slice('dropout/'.length), mask] as const] : [])),
  );

/** Something to feed one step with, where only its speed is of interest: zeros. */
export const blankInputs = (plan: Omit<Plan, 'groups'>, batch: number): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(stepInputTypes(plan)).map(([key, { dtype, dims = [] }]) => {
      const shape = dims.map((d) => (d === 'B' ? batch : d === 'K' ? 1 : Number(d)));
      return [key, dtype === 'int64' ? int64(shape, new Int32Array(sizeOf(shape))) : filled(plan.precision, shape)];
    }),
  );

/** First values of the parameters that parts own, by their names in the graph. */
export const ownParameters = (
  plan: Omit<Plan, 'groups'>,
  seed: number,
): readonly { readonly name: string; readonly dims: readonly number[]; readonly values: Float64Array }[] => {
  const sizes = sizesOf(plan);
  return objectiveParts(plan).flatMap(({ part, chosen, stem }) =>
    Object.entries(part.parameters?.(sizes, chosen) ?? {}).map(([name, { dims, first }]) => {
      const r = random(seed, `${stem}/${part.id}/${name}`);
      return { name: ownName(stem, name), dims, values: Float64Array.from({ length: sizeOf(dims) }, () => first?.(r) ?? 0) };
    }),
  );
};

/** What the forward pass must compute: the output, and what the head gives beside it. */
export const outputsOf = ({ output, head }: Pick<Plan, 'output' | 'head'>): readonly string[] => [
  output,
  ...Object.values(head?.given ?? {}),
];
