import { blockDomain, blocked } from '../autodiff/blocked.ts';
import { gradients } from '../autodiff/reverse.ts';
import type { Tensor } from '../base/tensor.ts';
import { tensorOf } from '../graph/constant.ts';
import type { Emit } from '../graph/emit.ts';
import type { Dim, Graph, Model, Node, TensorType, ValueInfo } from '../graph/types.ts';
import { adversarialInputs, emitAdversarial, startType } from './adversarial.ts';
import { type Drawn, drawnOf, emitAugment, partners } from './augment.ts';
import { branched } from './branch.ts';
import type { RowOutput } from './define-run.ts';
import { emitForward } from './forward.ts';
import { gathered, type Layout, layoutOf, type Precision, pack, unpack, zeros } from './layout.ts';
import { emitObjective } from './objective.ts';
import {
  batchNorms,
  hyperOf,
  inPrecision,
  modelOf,
  only,
  type Plan,
  rowType,
  scalar,
  stepEmitter,
  targetType,
  tensorType,
} from './plan.ts';
import { scanned } from './scanned.ts';
import { masksOf, objectiveHyper, outputsOf, stepInputs, viewOf } from './step-inputs.ts';
import { emitTerms, type Seen, startOfTerms } from './terms.ts';
import { emitAccumulation, emitAverage, emitClip, emitMicro, emitOnPath, emitUpdate, slotsOf } from './update.ts';
import { emitMicroGradients, emitMonitors, emitRowOutputs } from './watch.ts';

/**
 * What is carried from step to step: parameters as one vector (`theta`), the count of updates `t`, and `slot/…`, `scalar/…`
 * of the optimizer, `statistic/…` of batch normalisations; `ema`, the running mean of the parameters; `gradient`, the sum over
 * the `filled` batches since the last update; or those of the micro-batches of an update, also of the rows' `own` losses, with mean `squares`.
 */
export type State = Readonly<Record<string, Tensor>>;

/** K training steps as one ONNX `Loop`. Graph inputs and outputs have names that no model uses; these tables tell them. */
export interface Compiled {
  readonly model: Model;
  readonly layout: Layout;
  readonly precision: Precision;
  /** State before the first step. */
  readonly start: State;
  /** Key of the state → the graph input that takes it and the output that gives it back. */
  readonly state: Readonly<Record<string, { readonly input: string; readonly output: string }>>;
  /** Hyper-parameters as chosen, by graph input: change them freely between calls. */
  readonly hyper: Readonly<Record<string, Tensor>>;
  /** `rows` is int64 [K, B] ('' for streamed data); `lr` is [K]; `go` is whether to go on after a step that is not finite, '' where they always do. */
  readonly inputs: {
    readonly x: string;
    readonly y: string;
    readonly rows: string;
    readonly lr: string;
    readonly go: string;
    /** Points of the unit ball, [K, B, …row], where an attack starts from chance; '' where none does. */
    readonly start: string;
    /** What is drawn for changes of rows, each [K, B, …]. */
    readonly drawn: Readonly<Partial<Record<Drawn, string>>>;
    /** What parts are fed in every step, by key (step-inputs.ts). */
    readonly each: Readonly<Record<string, string>>;
  };
  /** One number per step made; `accuracy` is '' where rows are not right or wrong, `finite` where loss and norm of the gradient tell it. */
  readonly outputs: {
    readonly loss: string;
    readonly accuracy: string;
    readonly gradientNorm: string;
    readonly finite: string;
    /** By line: `monitor` or `monitor/line`, and the terms that are added to the loss by theirs. */
    readonly monitors: Readonly<Record<string, string>>;
    /** Of every row, [K, B, …]. */
    readonly rows: Readonly<Partial<Record<RowOutput, string>>>;
  };
}

const flag = tensorType('bool', []);
const codes: Readonly<Record<Precision, number>> = { float32: 1, float64: 11 };
const typeOf = ({ dtype, dims }: Tensor): TensorType => tensorType(dtype, dims);
const node = (op: string, inputs: readonly string[], outputs: readonly string[], attributes: Node['attributes'] = {}): Node => ({
  op,
  domain: '',
  name: outputs[0],
  inputs,
  outputs,
  attributes,
});

const startOf = (graph: Graph, plan: Plan, layout: Layout, statistics: readonly string[]): State => {
  const { optimizer, precision, ema, accumulate } = plan;
  const { part, chosen } = optimizer;
  const state: Record<string, Tensor> = { theta: gathered(graph, layout, precision), t: scalar(precision, 0) };
  for (const slot of slotsOf(optimizer)) state[`slot/${slot}`] = zeros(precision, layout.size);
  if ('stepAll' in part)
    for (const [name, first] of Object.entries(part.scalars)) state[`scalar/${name}`] = scalar(precision, first(chosen));
  if (ema !== undefined) state.ema = gathered(graph, layout, precision);
  if (accumulate !== undefined) Object.assign(state, { gradient: zeros(precision, layout.size), filled: scalar(precision, 0) });
  if (plan.micro) {
    for (const key of ['gradient', 'own']) state[key] = zeros(precision, layout.size);
    for (const key of ['weights', 'squares']) state[key] = scalar(precision, 0);
    if (plan.micro.along) Object.assign(state, { alongSquares: scalar(precision, 0), acrossSquares: scalar(precision, 0) });
  }
  for (const [name, first] of Object.entries(startOfTerms(plan))) state[name] = scalar(precision, first);
  for (const name of statistics) {
    const stored = graph.initializers.get(name);
    if (stored) state[`statistic/${name}`] = tensorOf(stored);
  }
  return state;
};

/** What a step reads from around the loop. */
const outsideOf = (emit: Emit, graph: Graph, plan: Plan): Readonly<Record<'x' | 'y' | 'rows' | 'lr' | 'go' | 'start', ValueInfo>> => {
  const info = (stem: string, type: TensorType): ValueInfo => ({ name: emit.typed(emit.fresh(stem), type), type });
  const lead: readonly Dim[] = plan.data === 'resident' ? ['M'] : ['K', 'B'];
  const stacked = ({ dtype, dims }: TensorType): TensorType => tensorType(dtype, [...lead, ...(dims?.slice(1) ?? [])]);
  return {
    x: info('data', stacked(rowType(graph, plan.input))),
    y: info('target', stacked(targetType(graph, plan))),
    rows: info('rows', tensorType('int64', ['K', 'B'])),
    lr: info('lr', tensorType(plan.precision, ['K'])),
    go: info('go', flag),
    start: info('start', startType(rowType(graph, plan.input))),
  };
};

/** What changes of rows read from around the loop. */
const chanceOf = (emit: Emit, graph: Graph, { augment, input, precision }: Plan): Readonly<Partial<Record<Drawn, ValueInfo>>> => {
  const row = (rowType(graph, input).dims ?? []).slice(1).map(Number);
  return Object.fromEntries(
    Object.entries(augment ? drawnOf(augment, row) : {}).map(([kind, dims]) => {
      const type = tensorType(precision, ['K', 'B', ...dims]);
      return [kind, { name: emit.typed(emit.fresh(`augment/${kind}`), type), type }];
    }),
  );
};

/** The numbers of a part that change over the run, of this step. */
const scheduledOf = (fed: Readonly<Record<string, string>>, stem: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(fed).flatMap(([key, value]) =>
      key.startsWith(`scheduled/${stem}/`) ? [[key.slice(`scheduled/${stem}/`.length), value]] : [],
    ),
  );

/** What is descended: the loss with its terms, or the terms with what the optimizer has in the loss's place. */
const descended = ({ emit, plan: { optimizer, output, classes }, objective, labels }: Seen, total: string): string => {
  const { part } = optimizer;
  if (!('step' in part) || !part.surrogate) return total;
  const own = part.surrogate(emit, { logits: output, target: labels, classes });
  return total === objective.mean ? own : emit.Add(own, emit.Sub(total, objective.mean));
};

/** The values that a loop around the steps begins with, and its outputs. */
interface Around {
  readonly carried: readonly string[];
  readonly outputs: readonly string[];
}
interface Looped {
  readonly nodes: readonly Node[];
  readonly body: Graph;
  readonly initializers: Graph['initializers'];
}

const loopOf = (emit: Emit, body: Graph, lr: string, { carried, outputs }: Around): Looped => {
  const [trips, yes] = [emit.fresh('trips'), emit.fresh('yes')];
  const loop = node('Loop', [trips, yes, ...carried], outputs, { body: { type: 'graph', value: body } });
  return {
    nodes: [node('Size', [lr], [trips]), loop],
    body,
    initializers: new Map([[yes, { dtype: 'bool', dims: [], bytes: Uint8Array.of(1) }]]),
  };
};

const scanOf = (step: Graph, from: Parameters<typeof scanned>[1], { carried, outputs }: Around): Looped => {
  const { before, initializers, entries, body } = scanned(step, from);
  const attributes = { body: { type: 'graph', value: body }, num_scan_inputs: { type: 'int', value: entries.length } } as const;
  return { nodes: [...before, node('Scan', [...carried, ...entries], outputs, attributes)], body, initializers };
};

/** Compiles one step of the plan and wraps it in a `Loop`, or a `Scan` where nothing is held back, over as many steps as `lr` has entries. */
export const compileSteps = (plan: Plan): Compiled => {
  const { precision } = plan;
  const graph = inPrecision(plan.graph, precision);
  const layout = layoutOf(plan.groups.flatMap((g) => g.parameters));
  const names = layout.entries.map((e) => e.name);
  const norms = batchNorms(graph, plan);
  const statistics = [...norms].flatMap((n) => n.inputs.slice(3, 5));
  const emit = stepEmitter(graph, new Set([...names, ...statistics, ...(plan.paths ? [plan.paths.gates] : [])]), precision);
  const number = tensorType(precision, []);

  const outside = outsideOf(emit, graph, plan);
  const chance = chanceOf(emit, graph, plan);
  const optimizer = hyperOf(emit, plan.optimizer, 'optimizer', precision);
  const parts = objectiveHyper(emit, plan);
  const each = stepInputs(emit, plan);
  const attack = plan.adversarial && adversarialInputs(emit, plan.adversarial, precision);
  const own: Record<string, Tensor> = { ...attack?.values };
  const extra = (stem: string, value: number | undefined): string => {
    if (value === undefined) return '';
    const name = emit.typed(emit.fresh(stem), number);
    own[name] = scalar(precision, value);
    return name;
  };
  const scales = plan.groups.map((g, i) => extra(`group${i}/lrScale`, g.lrScale === 1 ? undefined : g.lrScale));
  const decays = plan.groups.map((g, i) => extra(`group${i}/weightDecay`, g.weightDecay));
  const limit = extra('clip', plan.clip && Object.values(plan.clip)[0]);
  const decay = extra('ema/decay', plan.ema);

  const start = startOf(graph, plan, layout, statistics);
  const keys = Object.keys(start);
  const carried: Record<string, string> = {};
  for (const key of keys) carried[key] = emit.typed(emit.fresh(`in/${key}`), typeOf(start[key]));
  const under = (prefix: string): Record<string, string> =>
    Object.fromEntries(keys.filter((key) => key.startsWith(prefix)).map((key) => [key.slice(prefix.length), carried[key]]));

  // One step: the batch, forward, loss, backward, update.
  const iteration = emit.typed(emit.fresh('iteration'), tensorType('int64', []));
  const condition = emit.typed(emit.fresh('condition'), flag);
  unpack(emit, layout, carried.theta, names);
  const batch = plan.data === 'resident' ? emit.Gather(outside.rows.name, iteration) : iteration;
  emit.typed(plan.input, rowType(graph, plan.input));
  const clean = attack ? emit.typed(emit.fresh('clean'), rowType(graph, plan.input)) : plan.input;
  const read = plan.augment ? emit.typed(emit.fresh('read'), rowType(graph, plan.input)) : clean;
  emit.node(node('Gather', [outside.x.name, batch], [read]));
  const drawn = Object.fromEntries(Object.entries(chance).map(([kind, { name }]) => [kind, emit.Gather(name, iteration)]));
  if (plan.augment) {
    const changed = emitAugment(emit, plan.augment, read, rowType(graph, plan.input), drawn);
    emit.node(node('Identity', [changed], [clean]));
  }
  const labels = emit.typed(emit.Gather(outside.y.name, batch), targetType(graph, plan));
  const fed = Object.fromEntries(Object.entries(each).map(([key, { name }]) => [key, emit.Gather(name, iteration)]));
  if (plan.paths) {
    emit.typed(plan.paths.gates, tensorType(precision, [plan.paths.chances.flat().length]));
    emit.node(node('Identity', [fed.path], [plan.paths.gates]));
  }
  const hyperFor = (stem: string): Readonly<Record<string, string>> => ({ ...parts.names[stem], ...scheduledOf(fed, stem) });
  const stored = new Map(Object.entries(under('statistic/')));
  const starts = plan.adversarial?.randomStart ?? false;
  if (attack) {
    const rows = { clean, labels, start: starts ? emit.Gather(outside.start.name, iteration) : '' };
    emitAdversarial(emit, plan, graph, rows, norms, stored, hyperFor('loss'), attack.names);
  }
  const statisticsAfter = emitForward(emit, graph, outputsOf(plan), norms, stored, masksOf(fed));
  const softened = plan.soft && plan.soft.temperature !== 1 ? emit.Div(plan.output, emit.scalar(plan.soft.temperature)) : plan.output;
  const objective = emitObjective(
    emit,
    plan.loss,
    hyperFor('loss'),
    softened,
    labels,
    plan.classes,
    drawn.share ? { target: partners(emit, labels), share: drawn.share } : undefined,
    {
      ...viewOf(plan, 'loss', fed),
      ...(fed.soft ? { soft: fed.soft } : {}),
      ...(fed.weights ? { weights: fed.weights } : {}),
    },
  );
  const seen = { emit, plan, objective, labels, fed, layout, hyperFor };
  const terms = emitTerms(seen, under('scaling/'));
  const found = gradients(emit, descended(seen, terms.total), names);
  const flat = pack(
    emit,
    names.map((name) => found.get(name) ?? ''),
  );
  const update = plan.micro && emitMicro(emit, emitMicroGradients(seen, plan.micro, flat, terms.total), carried, fed);
  const gathering = update ?? (plan.accumulate === undefined ? undefined : emitAccumulation(emit, flat, carried, plan.accumulate));
  const { grad, norm } = emitClip(emit, gathering?.mean ?? flat, plan.clip, limit);
  const t = emit.Add(carried.t, emit.scalar(1));
  const hyper = { ...optimizer.names, lr: emit.Gather(outside.lr.name, iteration) };
  const state = { theta: carried.theta, slots: under('slot/'), scalars: under('scalar/') };
  const updated = emitUpdate(emit, plan, state, grad, hyper, { scales, decays }, t);

  // s − s is 0 only where both the loss and the norm are finite; otherwise everything stays as it was.
  const both = emit.Add(terms.total, norm);
  const finite = emit.Equal(emit.Sub(both, both), emit.scalar(0));
  const next: Record<string, string> = { theta: updated.theta, t, ...terms.next };
  if (plan.ema !== undefined) next.ema = emitAverage(emit, carried.ema, updated.theta, decay);
  for (const [name, value] of Object.entries(updated.slots)) next[`slot/${name}`] = value;
  for (const [name, value] of Object.entries(updated.scalars)) next[`scalar/${name}`] = value;
  if (plan.paths) {
    const on = emitOnPath(emit, layout, plan.paths);
    for (const key of ['theta', ...Object.keys(updated.slots).map((name) => `slot/${name}`)])
      next[key] = emit.Where(on, next[key], carried[key]);
  }
  if (gathering) {
    for (const [key, value] of Object.entries(next)) next[key] = emit.Where(gathering.due, value, carried[key]);
    Object.assign(next, gathering.next);
  }
  const keep = (value: string, before: string): string => (plan.unguarded ? value : emit.Where(finite, value, before));
  // Rows that are gone through again have been counted.
  const once = (value: string, before: string): string =>
    keep(update?.gathered.parts ? emit.Where(update.gathered.parts.known, before, value) : value, before);
  const partial = new Set(Object.keys(update?.next ?? {}));
  const statistic = new Map(Array.from(statisticsAfter(once), ([name, value]) => [`statistic/${name}`, value]));
  const kept = keys.map((key) => statistic.get(key) ?? (partial.has(key) ? next[key] : keep(next[key], carried[key])));
  const scans: Record<string, string> = { loss: objective.mean, gradientNorm: norm };
  // Without terms loss and norm tell it.
  if (!plan.unguarded || terms.total !== objective.mean) scans.finite = emit.Cast(finite, { to: codes[precision] });
  if (objective.correct) scans.accuracy = emit.Div(objective.correct, objective.count);
  const monitors = {
    ...terms.lines,
    ...emitMonitors(
      seen,
      { before: carried.theta, gradient: update?.mean ?? flat, after: updated.theta, used: grad },
      { hyper, before: state.slots, after: updated.slots },
      update?.gathered,
    ),
  };
  const rowsOut = emitRowOutputs(seen);
  const on = plan.unguarded ? [] : [emit.Or(finite, outside.go.name)];
  const step = plan.block ? blocked(emit, plan.block, [...on, ...kept, ...Object.values({ ...scans, ...rowsOut, ...monitors })]) : emit;
  const made = step.graph(
    'step',
    [
      { name: iteration, type: tensorType('int64', []) },
      { name: condition, type: flag },
      ...keys.map((key) => ({ name: carried[key], type: typeOf(start[key]) })),
    ],
    [
      ...on.map((name) => ({ name, type: flag })),
      ...kept.map((name, i) => ({ name, type: typeOf(start[keys[i]]) })),
      ...[...Object.values(scans), ...Object.values(monitors)].map((name) => ({ name, type: number })),
      ...Object.values(rowsOut).map((name) => ({ name, type: emit.type(name) ?? number })),
    ],
  );

  // The loop around it.
  const ends = Object.fromEntries(keys.map((key) => [key, { input: emit.fresh(key), output: emit.fresh(`next/${key}`) }]));
  const column = (of: Readonly<Record<string, string>>, stem: string): Record<string, string> =>
    Object.fromEntries(Object.keys(of).map((name) => [name, emit.fresh(`${stem}/${name}`)]));
  const columns = column(scans, 'steps');
  const lines = column(monitors, 'monitor');
  const rowColumns = column(rowsOut, 'rows');
  const { x, y, rows, lr, go, start: points } = outside;
  const around = {
    carried: keys.map((key) => ends[key].input),
    outputs: [...keys.map((key) => ends[key].output), ...[columns, lines, rowColumns].flatMap((of) => Object.values(of))],
  };
  const looped = plan.unguarded
    ? scanOf(made, { rows: plan.data === 'resident' ? rows.name : x.name, target: y.name }, around)
    : loopOf(emit, plan.block === undefined ? made : branched(made, finite), lr.name, around);
  const values = only({ ...optimizer.values, ...parts.values, ...own }, [...looped.nodes, ...looped.body.nodes]);
  const opsets = plan.block ? new Map([...plan.opsets, [blockDomain, 1]]) : plan.opsets;
  const model = modelOf(
    { ...plan, opsets },
    {
      name: 'training',
      inputs: [
        ...keys.map((key) => ({ name: ends[key].input, type: typeOf(start[key]) })),
        ...[
          x,
          y,
          ...(plan.data === 'resident' ? [rows] : []),
          lr,
          ...(plan.unguarded ? [] : [go]),
          ...(starts ? [points] : []),
          ...Object.values(chance),
          ...Object.values(each),
        ],
        ...Object.keys(values).map((name) => ({ name, type: number })),
      ],
      outputs: [
        ...keys.map((key) => ({ name: ends[key].output, type: typeOf(start[key]) })),
        ...[...Object.values(columns), ...Object.values(lines)].map((name) => ({ name, type: tensorType(precision, ['steps']) })),
        ...Object.values(rowColumns).map((name) => ({ name })),
      ],
      nodes: looped.nodes,
      initializers: looped.initializers,
      values: new Map(),
    },
  );
  return {
    model,
    layout,
    precision,
    start,
    state: ends,
    hyper: values,
    inputs: {
      x: x.name,
      y: y.name,
      rows: plan.data === 'resident' ? rows.name : '',
      lr: lr.name,
      go: plan.unguarded ? '' : go.name,
      start: starts ? points.name : '',
      drawn: Object.fromEntries(Object.entries(chance).map(([kind, { name }]) => [kind, name])),
      each: Object.fromEntries(Object.entries(each).map(([key, { name }]) => [key, name])),
    },
    outputs: {
      loss: columns.loss,
      accuracy: columns.accuracy ?? '',
      gradientNorm: columns.gradientNorm,
      finite: columns.finite ?? '',
      monitors: lines,
      rows: rowColumns,
    },
  };
};
