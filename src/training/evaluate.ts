import type { Tensor } from '../base/tensor.ts';
import { plainNode } from '../graph/node.ts';
import type { Model, TensorType, ValueInfo } from '../graph/types.ts';
import { emitForward } from './forward.ts';
import { layoutOf, unpack } from './layout.ts';
import { emitObjective } from './objective.ts';
import { batchNorms, inPrecision, modelOf, only, type Plan, rowType, stepEmitter, targetType, tensorType } from './plan.ts';
import { measuredHyper, outputsOf, viewOf } from './step-inputs.ts';

/** The forward pass in inference form with its loss, parameters and stored statistics as inputs. Sums add up over batches. */
export interface Evaluation {
  readonly model: Model;
  /** Key of the state (see `Compiled`) → graph input; keys that an evaluation has no use for are absent. */
  readonly state: Readonly<Record<string, string>>;
  readonly hyper: Readonly<Record<string, Tensor>>;
  readonly inputs: { readonly x: string; readonly y: string };
  /** Σ loss, Σ weight and, the number of rows that are right ('' where they are not right or wrong); and the output itself. */
  readonly outputs: { readonly total: string; readonly weight: string; readonly correct: string; readonly scores: string };
}

export const compileEvaluation = (plan: Plan): Evaluation => {
  const { precision, classes } = plan;
  const graph = inPrecision(plan.graph, precision);
  const layout = layoutOf(plan.groups.flatMap((g) => g.parameters));
  const statistics = [...batchNorms(graph, plan)].flatMap((n) => n.inputs.slice(3, 5));
  const names = layout.entries.map((e) => e.name);
  const emit = stepEmitter(graph, new Set([...names, ...statistics]), precision);
  const input = (stem: string, type: TensorType): ValueInfo => ({ name: emit.typed(emit.fresh(stem), type), type });
  const theta = input('theta', tensorType(precision, [layout.size]));
  const y = input('target', targetType(graph, plan));
  const loss = measuredHyper(emit, plan);
  unpack(emit, layout, theta.name, names);
  emitForward(emit, graph, outputsOf(plan), new Set(), new Map());
  const objective = emitObjective(emit, plan.loss, loss.names, plan.output, y.name, classes, undefined, viewOf(plan, 'loss'));
  const outputs = [objective.total, objective.weight, ...(objective.correct ? [objective.correct] : [])];
  const hyper = only(loss.values, emit.nodes);
  const scalar = tensorType(precision, []);
  const inputs: readonly ValueInfo[] = [
    theta,
    ...statistics.map((name) => ({ name, type: emit.type(name) ?? scalar })),
    { name: plan.input, type: rowType(graph, plan.input) },
    y,
    ...Object.keys(hyper).map((name) => ({ name, type: scalar })),
  ];
  const scores = emit.rename(plan.output, emit.fresh('scores'));
  const body = emit.graph('evaluation', inputs, [
    ...outputs.map((name) => ({ name, type: scalar })),
    { name: scores, type: rowType(graph, plan.output) },
  ]);
  return {
    model: modelOf(plan, body),
    state: { theta: theta.name, ...Object.fromEntries(statistics.map((name) => [`statistic/${name}`, name])) },
    hyper,
    inputs: { x: plan.input, y: y.name },
    outputs: { total: objective.total, weight: objective.weight, correct: objective.correct, scores },
  };
};

/** A value of the plan's graph with its stored parameters, for rows fed as the model's input. */
export const compileValue = (plan: Plan, value: string): { readonly model: Model; readonly input: string; readonly output: string } => {
  const graph = inPrecision(plan.graph, plan.precision);
  const type = graph.values.get(value) ?? rowType(graph, value);
  // What is fed is no output until some node has made it one.
  const fed = graph.inputs.some((i) => i.name === value);
  const output = fed ? `${value}/read` : value;
  const nodes = fed ? [...graph.nodes, plainNode('Identity', [value], output)] : graph.nodes;
  return { model: modelOf(plan, { ...graph, nodes, outputs: [{ name: output, type }] }), input: plan.input, output };
};
