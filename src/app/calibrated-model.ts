import { type Calibration, LEAST, type OneVsRest } from '../base/calibration.ts';
import { type Adaptive, knotsOf, type Mixture, type Monotone } from '../base/calibration-forms.ts';
import { Fault } from '../base/fault.ts';
import type { Views } from '../base/perturbation.ts';
import type { Meaning } from '../evidence/interpret.ts';
import { scoreSize } from '../evidence/score-size.ts';
import { constantOf } from '../graph/constant.ts';
import { type Emit, emitter } from '../graph/emit.ts';
import { dtypes } from '../graph/schema.ts';
import type { Graph, Model } from '../graph/types.ts';
import { mapSubgraphs, namesWithin, opsetOf } from '../graph/walk.ts';
import { viewFeatures } from './perturbed-graph.ts';

/** From this operator set on Max broadcasts and Where exists. */
const OLDEST = 9;
/** And from this on TopK takes its number as an input, and GatherElements exists. */
const OLDEST_OF_VIEWS = 11;

/** Which input the model is run through again, changed, and the numbers of one of its rows. */
export interface Seen extends Views {
  readonly input: string;
  readonly row: number;
}

/** `from` renamed in every node, also where bodies read it. */
const rename = (graph: Graph, from: string, to: string): Graph => {
  const name = (value: string): string => (value === from ? to : value);
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...mapSubgraphs(node, (inner) => rename(inner, from, to)),
      inputs: node.inputs.map(name),
      outputs: node.outputs.map(name),
    })),
    outputs: graph.outputs.map((o) => ({ ...o, name: name(o.name) })),
  };
};

/** Everything is computed in float64, as on the host: thresholds and steep curves then agree with it. */
const doubles = (emit: Emit) => ({
  scalar: (value: number): string => emit.constant(constantOf('float64', [], [value])),
  list: (dims: readonly number[], values: ArrayLike<number>): string => emit.constant(constantOf('float64', dims, values)),
});

/** Rows × classes of logits as the noun `logits` makes them: see src/evidence/providers/logits.ts. */
export const logitsOf = (emit: Emit, scores: string, { scores: kind, binary }: Meaning): string => {
  const { scalar } = doubles(emit);
  if (kind === 'logits') return binary ? emit.Concat(emit.Mul(scores, scalar(0)), scores, { axis: 1 }) : scores;
  const probs = binary ? emit.Concat(emit.Sub(scalar(1), scores), scores, { axis: 1 }) : scores;
  return emit.Log(emit.Max(probs, scalar(LEAST)));
};

/** How many of a class's edges lie below its p picks the piece: y + slope·(p − x). */
const lookUp = (emit: Emit, p: string, { curves }: Extract<Calibration, { kind: 'pieces' }>): string => {
  const { list } = doubles(emit);
  const classes = curves.length;
  const width = Math.max(...curves.map((c) => c.edges.length));
  const table = (of: (c: (typeof curves)[number]) => Float64Array, size: number): string =>
    list(
      [classes * size],
      curves.flatMap((c) => Array.from({ length: size }, (_, k) => of(c)[k] ?? Number.POSITIVE_INFINITY)),
    );
  const edges = emit.Reshape(
    table((c) => c.edges, width),
    emit.ints([1, classes, width]),
  );
  const below = emit.Cast(emit.Less(edges, emit.Reshape(p, emit.ints([-1, classes, 1]))), { to: dtypes.indexOf('float64') });
  const count = emit.Reshape(emit.MatMul(below, list([width, 1], new Float64Array(width).fill(1))), emit.ints([-1, classes]));
  const first = list(
    [1, classes],
    curves.map((_, j) => j * (width + 1)),
  );
  const piece = emit.Cast(emit.Add(count, first), { to: dtypes.indexOf('int64') });
  const pick = (of: (c: (typeof curves)[number]) => Float64Array): string => emit.Gather(table(of, width + 1), piece);
  return emit.Add(
    pick((c) => c.y),
    emit.Mul(
      pick((c) => c.slope),
      emit.Sub(
        p,
        pick((c) => c.x),
      ),
    ),
  );
};

/** One curve per class, of two classes only of class 1, made to sum to 1. */
const oneVsRest = (emit: Emit, logits: string, classes: number, calibration: OneVsRest): string => {
  const { scalar, list } = doubles(emit);
  const all = emit.Softmax(logits, { axis: 1 });
  const second = (value: string): string => emit.Gather(value, emit.ints([1]), { axis: 1 });
  const own = (value: string): string => (classes === 2 ? second(value) : value);
  let q: string;
  if (calibration.kind === 'pieces') q = lookUp(emit, own(all), calibration);
  else {
    const k = calibration.a.length;
    const rest = Float64Array.from({ length: classes * classes }, (_, i) => Number(i % (classes + 1) !== 0));
    const [yes, no] = [all, emit.MatMul(all, list([classes, classes], rest))].map((v) => emit.Log(emit.Max(own(v), scalar(LEAST))));
    const { a, b, c } = calibration;
    const s = emit.Sub(emit.Mul(yes, list([1, k], a)), emit.Mul(no, list([1, k], b)));
    q = emit.Sigmoid(emit.Add(s, list([1, k], c)));
  }
  if (classes === 2) q = emit.Concat(emit.Sub(scalar(1), q), q, { axis: 1 });
  const raised = emit.Add(q, scalar(LEAST));
  return emit.Div(raised, emit.MatMul(raised, list([classes, 1], new Float64Array(classes).fill(1))));
};

/** Parts stand side by side on an axis of their own: [rows, parts, classes]. */
const mixed = (emit: Emit, logits: string, classes: number, { scales, weights }: Mixture): string => {
  const { list, scalar } = doubles(emit);
  const parts = scales.length;
  const each = emit.Reshape(emit.LogSoftmax(logits, { axis: 1 }), emit.ints([-1, 1, classes]));
  const softened = emit.Softmax(emit.Mul(each, list([1, parts, 1], scales)), { axis: 2 });
  const sum = emit.Reshape(emit.MatMul(list([1, 1, parts], weights), softened), emit.ints([-1, classes]));
  return emit.Log(emit.Max(sum, scalar(LEAST)));
};

const monotone = (emit: Emit, logits: string, map: Monotone): string => {
  const { list, scalar } = doubles(emit);
  const u = emit.Max(emit.Neg(emit.LogSoftmax(logits, { axis: 1 })), scalar(0));
  const step = emit.Min(emit.Floor(emit.Div(u, scalar(map.width))), scalar(map.slopes.length - 1));
  const at = emit.Cast(step, { to: dtypes.indexOf('int64') });
  const pick = (values: Float64Array): string => emit.Gather(list([values.length], values), at);
  const left = emit.Sub(u, emit.Mul(step, scalar(map.width)));
  return emit.LogSoftmax(emit.Neg(emit.Add(pick(knotsOf(map)), emit.Mul(left, pick(map.slopes)))), { axis: 1 });
};

/** z/τ of the features [rows, width] of every row. */
const adapted = (emit: Emit, logits: string, features: string, net: Adaptive): string => {
  const { list, scalar } = doubles(emit);
  const hidden = net.biases.length;
  const width = net.weights.length / hidden;
  const turned = Float64Array.from({ length: width * hidden }, (_, i) => net.weights[(i % hidden) * width + Math.floor(i / hidden)]);
  const inner = emit.Max(emit.Add(emit.MatMul(features, list([width, hidden], turned)), list([1, hidden], net.biases)), scalar(0));
  const raw = emit.Add(emit.MatMul(inner, list([hidden, 1], net.out)), scalar(net.offset));
  const tau = emit.Min(emit.Max(raw, scalar(net.low)), scalar(net.high));
  return emit.LogSoftmax(emit.Div(logits, tau), { axis: 1 });
};

/** Log-probabilities of the calibrated classes. */
const calibrated = (emit: Emit, logits: string, classes: number, calibration: Calibration, features: () => string): string => {
  switch (calibration.kind) {
    case 'sigmoid':
    case 'pieces':
      return emit.Log(oneVsRest(emit, logits, classes, calibration));
    case 'mixture':
      return mixed(emit, logits, classes, calibration);
    case 'monotone':
      return monotone(emit, logits, calibration);
    case 'adaptive':
      return adapted(emit, logits, features(), calibration);
    case 'affine':
      return affine(emit, logits, classes, calibration);
  }
};

const affine = (emit: Emit, logits: string, classes: number, calibration: Extract<Calibration, { kind: 'affine' }>): string => {
  const { list } = doubles(emit);
  const { weights, biases } = calibration;
  const full = weights.length === classes * classes && classes > 1;
  const transposed = (): Float64Array => weights.map((_, i) => weights[(i % classes) * classes + Math.floor(i / classes)]);
  const scaled = full ? emit.MatMul(logits, list([classes, classes], transposed())) : emit.Mul(logits, list([1, weights.length], weights));
  return emit.LogSoftmax(emit.Add(scaled, list([1, classes], biases)), { axis: 1 });
};

/** In the form of the original output: probabilities stay probabilities, logits become log-probabilities, one column stays one. */
const likeOriginal = (emit: Emit, logProbs: string, { scores, binary }: Meaning): string => {
  const column = (value: string, k: number): string => emit.Gather(value, emit.ints([k]), { axis: 1 });
  if (scores === 'logits') return binary ? emit.Sub(column(logProbs, 1), column(logProbs, 0)) : logProbs;
  const probs = emit.Exp(logProbs);
  return binary ? column(probs, 1) : probs;
};

/** The model with a calibrator between what made `output` and the output, which keeps its name, type and shape. */
export const calibratedModel = (
  model: Model,
  output: string,
  meaning: Meaning,
  classes: number,
  calibration: Calibration,
  metadata: ReadonlyMap<string, string>,
  seen?: Seen,
): Model => {
  const opset = opsetOf(model);
  const { graph } = model;
  const made = graph.nodes.some((n) => n.outputs.includes(output));
  if (!made) throw new Fault('graph/calibrator', { output, reason: 'no node computes it' });
  const oldest = seen ? OLDEST_OF_VIEWS : OLDEST;
  if (opset < oldest) throw new Fault('graph/calibrator', { output, reason: `the model is of operator set ${opset}, below ${oldest}` });
  const info = graph.outputs.find((o) => o.name === output);
  const type = info?.type?.kind === 'tensor' ? info.type : undefined;
  const emit = emitter({ taken: namesWithin(graph) });
  const before = emit.fresh(`${output}_uncalibrated`);
  const flat = type?.dims?.length === 2;
  const columns = meaning.binary ? 1 : classes;
  const read = (value: string): string =>
    logitsOf(emit, emit.Cast(flat ? value : emit.Reshape(value, emit.ints([-1, columns])), { to: dtypes.indexOf('float64') }), meaning);
  const logits = read(before);
  const features = (): string => {
    if (!seen) throw new RangeError('an adaptive calibration needs views');
    return viewFeatures(emit, graph, { input: seen.input, output, row: seen.row }, seen, logits, read);
  };
  const values = likeOriginal(emit, calibrated(emit, logits, classes, calibration, features), meaning);
  const cast = emit.Cast(values, { to: dtypes.indexOf(type?.dtype ?? 'float32') });
  const last = flat ? cast : emit.Reshape(cast, emit.Shape(before));
  const nodes = emit.nodes.map((node) => ({ ...node, outputs: node.outputs.map((o) => (o === last ? output : o)) }));
  const inner = rename(graph, output, before);
  const values0 = new Map(graph.values);
  values0.delete(output);
  return {
    ...model,
    metadata: new Map([...model.metadata, ...metadata, ...scoreSize(model.metadata, false)]),
    graph: {
      ...inner,
      outputs: graph.outputs,
      nodes: [...inner.nodes, ...nodes],
      initializers: new Map([...graph.initializers, ...emit.constants]),
      values: values0,
    },
  };
};
