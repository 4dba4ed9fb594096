import { gradients } from '../autodiff/reverse.ts';
import type { ValueInfo } from '../graph/types.ts';
import type { Evaluation } from './evaluate.ts';
import { emitForward } from './forward.ts';
import { layoutOf, unpack } from './layout.ts';
import { emitObjective } from './objective.ts';
import { batchNorms, inPrecision, modelOf, only, type Plan, rowType, stepEmitter, targetType, tensorType } from './plan.ts';
import { measuredHyper, outputsOf, viewOf } from './step-inputs.ts';

/** The forward pass of a step and the gradients of its loss, with one number per float tensor: 0 where all its elements are finite, NaN where not. */
export interface Taps extends Omit<Evaluation, 'outputs'> {
  readonly output: string;
  /** What each number stands for, in the order of computation: values, the loss, gradients from the last layer on, their length. */
  readonly names: readonly string[];
}

export const compileTaps = (plan: Plan): Taps => {
  const { precision } = plan;
  const graph = inPrecision(plan.graph, precision);
  const layout = layoutOf(plan.groups.flatMap((g) => g.parameters));
  const norms = batchNorms(graph, plan);
  const statistics = [...norms].flatMap((n) => n.inputs.slice(3, 5));
  const parameters = layout.entries.map((e) => e.name);
  const emit = stepEmitter(graph, new Set([...parameters, ...statistics]), precision);
  const theta = emit.typed(emit.fresh('theta'), tensorType(precision, [layout.size]));
  const y = emit.typed(emit.fresh('target'), targetType(graph, plan));
  const loss = measuredHyper(emit, plan);
  unpack(emit, layout, theta, parameters);
  const before = emit.nodes.length;
  emitForward(emit, graph, outputsOf(plan), norms, new Map(statistics.map((name) => [name, name])));
  const values = emit.nodes.slice(before).flatMap(({ name, op, outputs: [value] }) => {
    const float = emit.type(value)?.dtype === precision;
    return float ? [{ value, name: `the output of '${name || value}' (${op})` }] : [];
  });
  const { mean } = emitObjective(emit, plan.loss, loss.names, plan.output, y, plan.classes, undefined, viewOf(plan, 'loss'));
  const found = gradients(emit, mean, parameters, { missing: 'omit' });
  const slopes = parameters.toReversed().flatMap((name) => {
    const value = found.get(name);
    return value === undefined ? [] : [{ value, name: `the gradient of '${name}'` }];
  });
  const squares = slopes.map(({ value }) => emit.call('ReduceSumSquare', [value], { keepdims: 0 }));
  const length = squares.length === 0 ? mean : squares.reduce((a, b) => emit.Add(a, b));
  const overflown = { value: length, name: 'the length of the gradient, whose square is too large a number' };
  const tapped = [...values, { value: mean, name: 'the loss' }, ...slopes, overflown];
  const numbers = tapped.map(({ value }) => emit.Reshape(emit.ReduceSum(emit.Sub(value, value), { keepdims: 0 }), emit.ints([1])));
  const output = emit.Concat(...numbers, { axis: 0 });
  const hyper = only(loss.values, emit.nodes);
  const info = (name: string): ValueInfo => ({ name, type: emit.type(name) ?? tensorType(precision, []) });
  const inputs = [
    ...[theta, ...statistics].map(info),
    { name: plan.input, type: rowType(graph, plan.input) },
    ...[y, ...Object.keys(hyper)].map(info),
  ];
  return {
    model: modelOf(plan, emit.graph('taps', inputs, [{ name: output, type: tensorType(precision, [tapped.length]) }])),
    state: { theta, ...Object.fromEntries(statistics.map((name) => [`statistic/${name}`, name])) },
    hyper,
    inputs: { x: plan.input, y },
    output,
    names: tapped.map((t) => t.name),
  };
};
