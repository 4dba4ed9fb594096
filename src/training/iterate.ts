import { fisherProduct, gaussNewtonProduct, hessianProduct } from '../autodiff/products.ts';
import { gradients } from '../autodiff/reverse.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Model, Node, TensorType, ValueInfo } from '../graph/types.ts';
import type { Compiled, State } from './compile.ts';
import type { Problem } from './define.ts';
import { emitForward } from './forward.ts';
import { gathered, type Layout, layoutOf, pack, unpack } from './layout.ts';
import { emitObjective } from './objective.ts';
import { batchNorms, inPrecision, modelOf, only, type Plan, rowType, scalar, stepEmitter, targetType, tensorType } from './plan.ts';
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

/** The loss of rows recorded as a function of the parameters in one vector; `norms` use the statistics of the rows. */
const lossOf = (plan: Plan, norms: ReadonlySet<Node>) => {
  const { precision } = plan;
  const graph = inPrecision(plan.graph, precision);
  const layout = layoutOf(plan.groups.flatMap((g) => g.parameters));
  const names = layout.entries.map((e) => e.name);
  const emit = stepEmitter(graph, new Set(names), precision);
  const input = (stem: string, type: TensorType): ValueInfo => ({ name: emit.typed(emit.fresh(stem), type), type });
  const theta = input('theta', tensorType(precision, [layout.size]));
  const y = input('target', targetType(graph, plan));
  const hyper = measuredHyper(emit, plan);
  unpack(emit, layout, theta.name, names);
  emitForward(emit, graph, outputsOf(plan), norms, new Map());
  const objective = emitObjective(emit, plan.loss, hyper.names, plan.output, y.name, plan.classes, undefined, viewOf(plan, 'loss'));
  const x: ValueInfo = { name: plan.input, type: rowType(graph, plan.input) };
  return { emit, graph, layout, names, input, theta, x, y, hyper, objective };
};

/** Mean loss, its gradient and the scores of rows as functions of the parameters, in training form where the plan is. */
export interface PointGraph {
  readonly model: Model;
  readonly layout: Layout;
  readonly theta: Tensor;
  readonly hyper: Readonly<Record<string, Tensor>>;
  readonly inputs: { readonly theta: string; readonly x: string; readonly y: string };
  readonly outputs: { readonly loss: string; readonly gradient: string; readonly scores: string };
}

export const compilePoint = (plan: Plan): PointGraph => {
  const graph = inPrecision(plan.graph, plan.precision);
  const own = { ...plan, graph };
  const { emit, layout, names, theta, x, y, hyper, objective } = lossOf(own, batchNorms(graph, own));
  const found = gradients(emit, objective.mean, names);
  const gradient = pack(
    emit,
    names.map((name) => found.get(name) ?? ''),
  );
  const used = only(hyper.values, emit.nodes);
  const number = tensorType(plan.precision, []);
  const inputs = [theta, x, y, ...Object.keys(used).map((name) => ({ name, type: number }))];
  const outputs = [
    { name: objective.mean, type: number },
    { name: gradient, type: tensorType(plan.precision, [layout.size]) },
    { name: plan.output, type: rowType(graph, plan.output) },
  ];
  return {
    model: modelOf(plan, emit.graph('point', inputs, outputs)),
    layout,
    theta: gathered(graph, layout, plan.precision),
    hyper: used,
    inputs: { theta: theta.name, x: x.name, y: y.name },
    outputs: { loss: objective.mean, gradient, scores: plan.output },
  };
};

export const compileSum = (plan: Plan, asked: Asked): SumGraph => {
  const { precision } = plan;
  const { emit, layout, names, input, theta, x, y, hyper: loss, objective } = lossOf(plan, new Set());
  const { total, weight, correct, perExample } = objective;
  const long = tensorType(precision, [layout.size]);
  const v = input('vector', long);
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
  const inputs = [theta, x, y, ...(asked === 'gradient' ? [] : [v]), ...Object.keys(hyper).map((name) => ({ name, type: number }))];
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
