import { atOnce } from '../autodiff/per-example.ts';
import { fisherProduct, gaussNewtonProduct, hessianProduct } from '../autodiff/products.ts';
import { gradients } from '../autodiff/reverse.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Model, Node, TensorType, ValueInfo } from '../graph/types.ts';
import type { Problem } from './define.ts';
import { emitForward } from './forward.ts';
import { gathered, type Layout, layoutOf, pack, unpack } from './layout.ts';
import { emitObjective } from './objective.ts';
import { batchNorms, inPrecision, modelOf, only, type Plan, rowType, stepEmitter, targetType, tensorType } from './plan.ts';
import { measuredHyper, outputsOf, viewOf } from './step-inputs.ts';

interface Typed {
  readonly name: string;
  readonly type: TensorType;
}
interface Feeds {
  readonly model: Model;
  readonly hyper: Readonly<Record<string, Tensor>>;
  /** `v` is '' where no vector is multiplied. */
  readonly inputs: { readonly theta: string; readonly x: string; readonly y: string; readonly v: string };
}

/** Sums over rows, in inference form: they add up over chunks of rows. */
export interface SumGraph extends Feeds {
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
  const input = (stem: string, type: TensorType): Typed => ({ name: emit.typed(emit.fresh(stem), type), type });
  const long = tensorType(precision, [layout.size]);
  const theta = input('theta', long);
  const y = input('target', targetType(graph, plan));
  const v = input('vector', long);
  const hyper = measuredHyper(emit, plan);
  unpack(emit, layout, theta.name, names);
  emitForward(emit, graph, outputsOf(plan), norms, new Map());
  const objective = emitObjective(emit, plan.loss, hyper.names, plan.output, y.name, plan.classes, undefined, viewOf(plan, 'loss'));
  /** The graph; `v` is an input where it is read. */
  const finish = (outputs: readonly ValueInfo[], withVector: boolean): Feeds => {
    const used = only(hyper.values, emit.nodes);
    const number = tensorType(precision, []);
    const x = { name: plan.input, type: rowType(graph, plan.input) };
    const inputs = [theta, x, y, ...(withVector ? [v] : []), ...Object.keys(used).map((name) => ({ name, type: number }))];
    return {
      model: modelOf(plan, emit.graph('loss', inputs, outputs)),
      hyper: used,
      inputs: { theta: theta.name, x: x.name, y: y.name, v: withVector ? v.name : '' },
    };
  };
  return { emit, layout, names, v, objective, finish };
};

/** Mean loss, its gradient and the scores of rows as functions of the parameters, in training form where the plan is. */
export interface PointGraph extends Feeds {
  readonly layout: Layout;
  readonly theta: Tensor;
  readonly outputs: { readonly loss: string; readonly gradient: string; readonly scores: string };
}

export const compilePoint = (plan: Plan): PointGraph => {
  const graph = inPrecision(plan.graph, plan.precision);
  const own = { ...plan, graph };
  const { emit, layout, names, v, objective, finish } = lossOf(own, batchNorms(graph, own));
  const found = gradients(emit, objective.mean, names);
  const gradient = pack(
    emit,
    names.map((name) => found.get(name) ?? ''),
  );
  const outputs = [
    { name: objective.mean, type: tensorType(plan.precision, []) },
    { name: gradient, type: v.type },
    { name: plan.output, type: rowType(graph, plan.output) },
  ];
  return {
    ...finish(outputs, false),
    layout,
    theta: gathered(graph, layout, plan.precision),
    outputs: { loss: objective.mean, gradient, scores: plan.output },
  };
};

export const compileSum = (plan: Plan, asked: Asked): SumGraph => {
  const { emit, layout, names, v, objective, finish } = lossOf(plan, new Set());
  const vectors = unpack(emit, layout, v.name);
  const { total, weight, correct, perExample } = objective;
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
  const sums = [total, weight, ...(correct ? [correct] : [])].map((name) => ({ name, type: tensorType(plan.precision, []) }));
  const feeds = finish([...sums, { name: vector, type: v.type }], asked !== 'gradient');
  return { ...feeds, outputs: { total, weight, correct, vector } };
};

/** The gradients gᵢ of single rows, by parameter tensor. */
export interface RowGraph extends Feeds {
  /** ℓᵢ [N], ‖gᵢ‖² and ⟨gᵢ, v⟩ [N, tensors], and Σᵢ gᵢⱼ² [parameters]. */
  readonly outputs: { readonly losses: string; readonly squares: string; readonly along: string; readonly second: string };
  /** Rows have to be given one at a time. */
  readonly single: boolean;
}

export const compileRows = (plan: Plan): RowGraph => {
  const { emit, layout, names, v, objective, finish } = lossOf(plan, new Set());
  const vectors = unpack(emit, layout, v.name);
  const { perExample, total } = objective;
  const together = atOnce(emit, { perExample }, names, 'gradients');
  const axis = (i: number): string => emit.ints([i]);
  const alone = (): readonly string[] => {
    const found = gradients(emit, total, names);
    return names.map((name) => emit.Unsqueeze(found.get(name) ?? '', axis(0)));
  };
  const each = (together ?? alone()).map((g) => emit.Reshape(g, emit.ints([0, -1])));
  const across = (values: readonly string[]): string => (values.length === 1 ? values[0] : emit.Concat(...values, { axis: 1 }));
  const squares = each.map((g) => emit.Mul(g, g));
  const norms = across(squares.map((s) => emit.ReduceSum(s, axis(1))));
  const along = across(each.map((g, i) => emit.MatMul(g, emit.Reshape(vectors[i], emit.ints([-1, 1])))));
  const second = pack(
    emit,
    squares.map((s) => emit.ReduceSum(s, axis(0), { keepdims: 0 })),
  );
  const table = tensorType(plan.precision, ['N', names.length]);
  const feeds = finish(
    [
      { name: perExample, type: tensorType(plan.precision, ['N']) },
      { name: norms, type: table },
      { name: along, type: table },
      { name: second, type: v.type },
    ],
    true,
  );
  return { ...feeds, outputs: { losses: perExample, squares: norms, along, second }, single: together === undefined };
};
