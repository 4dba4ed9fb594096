import { atOnce } from '../autodiff/per-example.ts';
import { jacobianProduct } from '../autodiff/products.ts';
import { gradients } from '../autodiff/reverse.ts';
import { stopped } from '../autodiff/stopped.ts';
import { Fault } from '../base/fault.ts';
import type { StepView } from './define.ts';
import type { RowOutput } from './define-run.ts';
import { pack, unpack } from './layout.ts';
import { oneHot } from './one-hot.ts';
import type { Micro } from './plan.ts';
import { regularizerInput, type Seen } from './terms.ts';
import type { emitMicro } from './update.ts';

/** ‖gᵢ‖² of each row's own gradient, [N]. */
const exampleSquares = ({ emit, plan, objective, layout }: Seen): string => {
  const names = layout.entries.map((e) => e.name);
  const rows = { perExample: objective.perExample };
  const [norms] = emit.type(objective.perExample)?.dims?.[0] === 'N' ? (atOnce(emit, rows, names, 'norms') ?? []) : [];
  if (!norms) throw new Fault('training/examples', { output: plan.output });
  return emit.Mul(norms, norms);
};

/** What micro-batches gather (update.ts): `flat` is the gradient of `total`, what is descended. */
export const emitMicroGradients = (
  seen: Seen,
  { variance, along }: Micro,
  flat: string,
  total: string,
): Parameters<typeof emitMicro>[1] => {
  const { emit, objective, layout } = seen;
  const names = layout.entries.map((e) => e.name);
  const weighed = objective.weight !== objective.count;
  const { part } = seen.plan.optimizer;
  const plain = total === objective.mean && !weighed && !('step' in part && part.surrogate);
  const found = plain ? undefined : gradients(emit, emit.ReduceMean(objective.perExample, { keepdims: 0 }), names);
  const own = found
    ? pack(
        emit,
        names.map((name) => found.get(name) ?? ''),
      )
    : flat;
  const square = (): string => emit.call('ReduceSumSquare', [own], { keepdims: 0 });
  const one = (v: string): string => emit.ReduceSum(emit.Mul(own, v), { keepdims: 0 });
  const each = (v: string): string => jacobianProduct(emit, objective.perExample, names, unpack(emit, layout, stopped(emit, v)));
  return {
    ...{ grad: flat, own, ...(weighed ? { weight: emit.Div(objective.weight, objective.count) } : {}) },
    squares: variance === 'examples' ? exampleSquares(seen) : square(),
    ...(along ? { along: variance === 'examples' ? each : one } : {}),
  };
};

/** Those, ⟨gᵢ, ḡ⟩ of each row, [N], and ‖ḡ‖². */
const emitExamples = (seen: Seen): ReturnType<StepView['examples']> => {
  const { emit, objective, layout } = seen;
  const names = layout.entries.map((e) => e.name);
  const squares = exampleSquares(seen);
  const found = gradients(emit, objective.mean, names);
  const along = jacobianProduct(
    emit,
    objective.perExample,
    names,
    names.map((name) => stopped(emit, found.get(name) ?? '')),
  );
  const parts = names.map((name) => emit.call('ReduceSumSquare', [found.get(name) ?? ''], { keepdims: 0 }));
  return { squares, along, squaredNorm: parts.reduce((a, b) => emit.Add(a, b)) };
};

/** Numbers of every step that monitors give, by `monitor` or `monitor/line`. */
export const emitMonitors = (
  seen: Seen,
  flat: StepView['flat'],
  optimizer: Omit<StepView['optimizer'], 'chosen'>,
  gathered?: StepView['gathered'],
): Record<string, string> => {
  const { emit, plan, layout } = seen;
  const lines: Record<string, string> = {};
  if (!plan.monitors?.length) return lines;
  const view = {
    ...regularizerInput(seen, 'monitor'),
    gradients: unpack(emit, layout, flat.gradient),
    after: unpack(emit, layout, flat.after),
    flat,
    optimizer: { ...optimizer, chosen: plan.optimizer.chosen },
    split: (vector: string) => unpack(emit, layout, vector),
    examples: () => emitExamples(seen),
    ...(gathered ? { gathered } : {}),
  };
  for (const { part, chosen } of plan.monitors) {
    const features = part.reads?.includes('features') && plan.layer ? { features: plan.layer.features } : {};
    for (const [line, value] of Object.entries(part.build(emit, { ...view, ...features }, chosen)))
      lines[line === '' ? part.id : `${part.id}/${line}`] = value;
  }
  return lines;
};

/** Numbers of every row, [N, …], for the host. */
export const emitRowOutputs = ({ emit, plan, objective, labels }: Seen): Partial<Record<RowOutput, string>> => {
  const wanted = plan.rowOutputs ?? [];
  const probs = (): string => emit.Softmax(plan.output, { axis: 1 });
  const { target } = plan.loss.part;
  /** Of cross-entropy or half the squared error by the output of the model. */
  const slopes = (): string => {
    if (target !== 'class') return emit.Sub(target === 'marks' ? emit.Sigmoid(plan.output) : plan.output, labels);
    return emit.Sub(probs(), oneHot(emit, labels, plan.classes, plan.precision === 'float64' ? 11 : 1));
  };
  const make: Readonly<Record<RowOutput, () => string>> = {
    loss: () => objective.perExample,
    probs,
    score: () => emit.call('ReduceL2', [emit.Reshape(slopes(), emit.ints([0, -1])), emit.ints([1])], { keepdims: 0 }),
  };
  return Object.fromEntries(wanted.map((key) => [key, make[key]()]));
};
