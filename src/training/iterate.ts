import { fisherProduct, gaussNewtonProduct, hessianProduct } from '../autodiff/products.ts';
import { gradients } from '../autodiff/reverse.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Model, ValueInfo } from '../graph/types.ts';
import type { Compiled, State } from './compile.ts';
import type { Problem } from './define.ts';
import { emitForward } from './forward.ts';
import { gathered, layoutOf, pack, unpack } from './layout.ts';
import { emitObjective } from './objective.ts';
import { inPrecision, modelOf, only, type Plan, rowType, scalar, stepEmitter, targetType, tensorType } from './plan.ts';
import { measuredHyper, outputsOf, viewOf } from './step-inputs.ts';

/** Sums over rows of what a host optimizer asks for, in inference form: they add up over chunks of rows. */
export interface SumGraph {
  readonly model: Model;
  readonly hyper: Readonly<Record<string, Tensor>>;
  /** `v` is '' where no vector is multiplied. */
  readonly inputs: { readonly theta: string; readonly x: string; readonly y: string; readonly v: string };
  /** Σ loss, Σ weight, rows that are right ('' where there are none), and the gradient of Σ loss or the product. */
  readonly outputs: { readonly total: string; readonly weight: string; readonly correct: string; readonly vector: string };
}

export type Asked = 'gradient' | Parameters<Problem['product']>[0];

export const compileSum = (plan: Plan, asked: Asked): SumGraph => {
  const { precision } = plan;
  const graph = inPrecision(plan.graph, precision);
  const layout = layoutOf(plan.groups.flatMap((g) => g.parameters));
  const names = layout.entries.map((e) => e.name);
  const emit = stepEmitter(graph, new Set(names), precision);
  const long = tensorType(precision, [layout.size]);
  const input = (stem: string, type: typeof long): ValueInfo => ({ name: emit.typed(emit.fresh(stem), type), type });
  const theta = input('theta', long);
  const y = input('target', targetType(graph, plan));
  const v = input('vector', long);
  const loss = measuredHyper(emit, plan);
  unpack(emit, layout, theta.name, names);
  emitForward(emit, graph, outputsOf(plan), new Set(), new Map());
  const { total, weight, correct, perExample } = emitObjective(
    emit,
    plan.loss,
    loss.names,
    plan.output,
    y.name,
    plan.classes,
    undefined,
    viewOf(plan, 'loss'),
  );
  const vectors = unpack(emit, layout, v.name);
  const found = {
    gradient: () => gradients(emit, total, names),
    hessian: () => hessianProduct(emit, total, names, vectors),
    'gauss-newton': () => gaussNewtonProduct(emit, total, plan.output, names, vectors),
    fisher: () => fisherProduct(emit, perExample, names, vectors),
  }[asked]();
  const vector = pack(
    emit,
    names.map((name) => found.get(name) ?? ''),
  );
  const number = tensorType(precision, []);
  const hyper = only(loss.values, emit.nodes);
  const sums = [total, weight, ...(correct ? [correct] : [])];
  const inputs = [
    theta,
    { name: plan.input, type: rowType(graph, plan.input) },
    y,
    ...(asked === 'gradient' ? [] : [v]),
    ...Object.keys(hyper).map((name) => ({ name, type: number })),
  ];
  const outputs = [...sums.map((name) => ({ name, type: number })), { name: vector, type: long }];
  return {
    model: modelOf(plan, emit.graph('sums', inputs, outputs)),
    hyper,
    inputs: { theta: theta.name, x: plan.input, y: y.name, v: asked === 'gradient' ? '' : v.name },
    outputs: { total, weight, correct, vector },
  };
};

/** What a run by a host optimizer has in the place of compiled steps: the same names for state and columns. */
export const hostSteps = (plan: Plan): Compiled => {
  const { part, chosen } = plan.optimizer;
  const layout = layoutOf(plan.groups.flatMap((g) => g.parameters));
  const kept = 'iterate' in part ? part.start(layout.size, chosen) : {};
  const start: State = {
    theta: gathered(inPrecision(plan.graph, plan.precision), layout, plan.precision),
    t: scalar(plan.precision, 0),
    ...Object.fromEntries(
      Object.entries(kept).map(([key, data]) => [`kept/${key}`, { dtype: 'float64', dims: [data.length], data } as const]),
    ),
  };
  const { model, outputs } = compileSum(plan, 'gradient');
  const lines = 'iterate' in part ? (part.lines ?? []) : [];
  return {
    model,
    layout,
    precision: plan.precision,
    start,
    state: Object.fromEntries(Object.keys(start).map((key) => [key, { input: key, output: key }])),
    hyper: {},
    inputs: { x: '', y: '', rows: '', lr: '', go: '', start: '', drawn: {}, each: {} },
    outputs: {
      loss: 'loss',
      accuracy: outputs.correct ? 'accuracy' : '',
      gradientNorm: 'gradientNorm',
      finite: 'finite',
      monitors: Object.fromEntries(lines.map((line) => [`${part.id}/${line}`, `line/${line}`])),
      rows: {},
    },
  };
};
