import { gradients } from '../autodiff/reverse.ts';
import type { Options } from '../base/option.ts';
import type { DType, Tensor } from '../base/tensor.ts';
import { constantOf, tensorOf } from '../graph/constant.ts';
import type { Emit } from '../graph/emit.ts';
import type { Dim, Graph, Model, Node, TensorType, ValueInfo } from '../graph/types.ts';
import { emitForward } from './forward.ts';
import { gathered, type Layout, layoutOf, type Precision, pack, unpack, zeros } from './layout.ts';
import { emitObjective } from './objective.ts';
import { inPrecision, type Picked, type Plan, stepEmitter, trainedNorms } from './plan.ts';
import { emitClip, emitUpdate, slotsOf } from './update.ts';

/** What is carried from step to step: parameters as one vector (`theta`), optimizer slots and scalars, `t`, stored statistics. */
export type State = Readonly<Record<string, Tensor>>;

/** K training steps as one ONNX `Loop`. Graph inputs and outputs have names that no model uses; these tables tell them. */
export interface Compiled {
  readonly model: Model;
  readonly layout: Layout;
  /** State before the first step. */
  readonly start: State;
  /** Key of the state → the graph input that takes it and the output that gives it back. */
  readonly state: Readonly<Record<string, { readonly input: string; readonly output: string }>>;
  /** Hyper-parameters as chosen, by graph input: change them freely between calls. */
  readonly hyper: Readonly<Record<string, Tensor>>;
  /** `rows` is int64 [K, B] (resident data only); `lr` is [K]; `go` is whether to go on after a step that is not finite. */
  readonly inputs: { readonly x: string; readonly y: string; readonly rows: string; readonly lr: string; readonly go: string };
  /** One number per step made; `accuracy` is '' for a regression. */
  readonly outputs: { readonly loss: string; readonly accuracy: string; readonly gradientNorm: string; readonly finite: string };
}

const tensor = (dtype: DType, dims: readonly Dim[]): TensorType => ({ kind: 'tensor', dtype, dims });
const info = (name: string, type: TensorType): ValueInfo => ({ name, type });
const scalar = (precision: Precision, value: number): Tensor => tensorOf(constantOf(precision, [], [value]));

/** Real options of a picked part as scalar graph inputs with their chosen values. */
const hyperOf = (
  emit: Emit,
  { part, chosen }: Picked<{ readonly options: Options }>,
  stem: string,
  precision: Precision,
): { readonly names: Readonly<Record<string, string>>; readonly values: Record<string, Tensor> } => {
  const names: Record<string, string> = {};
  const values: Record<string, Tensor> = {};
  for (const [option, { kind }] of Object.entries(part.options)) {
    if (kind !== 'real') continue;
    names[option] = emit.typed(emit.fresh(`${stem}/${option}`), tensor(precision, []));
    values[names[option]] = scalar(precision, Number(chosen[option]));
  }
  return { names, values };
};

const only = (values: Readonly<Record<string, Tensor>>, nodes: readonly Node[]): Record<string, Tensor> => {
  const read = new Set(nodes.flatMap((n) => n.inputs));
  return Object.fromEntries(Object.entries(values).filter(([name]) => read.has(name)));
};

const rowType = (graph: Graph, name: string): TensorType => {
  const type = [...graph.inputs, ...graph.outputs].find((v) => v.name === name)?.type;
  return type?.kind === 'tensor' ? type : tensor('float32', ['N']);
};

/** Compiles one step of the plan and wraps it in a `Loop` over as many steps as `lr` has entries. */
export const compileSteps = (plan: Plan): Compiled => {
  const { precision, classes } = plan;
  const graph = inPrecision(plan.graph, precision);
  const parameters = plan.groups.flatMap((g) => g.parameters);
  const layout = layoutOf(parameters);
  const norms = trainedNorms(graph, parameters);
  const statistics = [...norms].flatMap((n) => n.inputs.slice(3, 5));
  const emit = stepEmitter(graph, new Set([...parameters.map((p) => p.name), ...statistics]), precision);

  // What the body takes from around it.
  const x = rowType(graph, plan.input);
  const predicted = rowType(graph, plan.output);
  const row = (type: TensorType): readonly Dim[] => type.dims?.slice(1) ?? [];
  const target = classes > 0 ? tensor('int64', []) : tensor(precision, row(predicted));
  const lead = plan.data === 'resident' ? ['M'] : ['K', 'B'];
  const outside = (stem: string, type: TensorType): ValueInfo => info(emit.typed(emit.fresh(stem), type), type);
  const inputs = {
    x: outside('data', tensor(x.dtype, [...lead, ...row(x)])),
    y: outside('target', tensor(target.dtype, [...lead, ...(target.dims ?? [])])),
    rows: outside('rows', tensor('int64', ['K', 'B'])),
    lr: outside('lr', tensor(precision, ['K'])),
    go: outside('go', tensor('bool', [])),
  };
  const optimizer = hyperOf(emit, plan.optimizer, 'optimizer', precision);
  const loss = hyperOf(emit, plan.loss, 'loss', precision);
  const own: Record<string, Tensor> = {};
  const extra = (stem: string, value: number | undefined): string => {
    if (value === undefined) return '';
    const name = emit.typed(emit.fresh(stem), tensor(precision, []));
    own[name] = scalar(precision, value);
    return name;
  };
  const scales = plan.groups.map((g, i) => extra(`group${i}/lrScale`, g.lrScale === 1 ? undefined : g.lrScale));
  const decays = plan.groups.map((g, i) => extra(`group${i}/weightDecay`, g.weightDecay));
  const limit = extra('clip', plan.clip && Object.values(plan.clip)[0]);

  // What it carries.
  const start: Record<string, Tensor> = { theta: gathered(graph, layout, precision), t: scalar(precision, 0) };
  for (const slot of slotsOf(plan.optimizer)) start[`slot/${slot}`] = zeros(precision, layout.size);
  if ('stepAll' in plan.optimizer.part)
    for (const [name, first] of Object.entries(plan.optimizer.part.scalars))
      start[`scalar/${name}`] = scalar(precision, first(plan.optimizer.chosen));
  for (const name of statistics) {
    const stored = graph.initializers.get(name);
    if (stored) start[`statistic/${name}`] = tensorOf(stored);
  }
  const carried: Record<string, string> = {};
  for (const [key, { dtype, dims }] of Object.entries(start)) carried[key] = emit.typed(emit.fresh(`in/${key}`), tensor(dtype, dims));
  const under = (prefix: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(carried).flatMap(([key, name]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), name]] : [])),
    );

  // The body.
  const iteration = emit.typed(emit.fresh('iteration'), tensor('int64', []));
  const condition = emit.fresh('condition');
  unpack(
    emit,
    layout,
    carried.theta,
    layout.entries.map((e) => e.name),
  );
  const batch = plan.data === 'resident' ? emit.Gather(inputs.rows.name, iteration, { axis: 0 }) : iteration;
  emit.typed(plan.input, x);
  emit.node({ op: 'Gather', domain: '', name: plan.input, inputs: [inputs.x.name, batch], outputs: [plan.input], attributes: {} });
  const labels = emit.typed(emit.Gather(inputs.y.name, batch), tensor(target.dtype, [x.dims?.[0], ...(target.dims ?? [])]));
  const statisticsNext = emitForward(emit, graph, plan.output, norms, new Map(Object.entries(under('statistic/'))));
  const objective = emitObjective(emit, plan.loss, loss.names, plan.output, labels, classes);
  const found = gradients(
    emit,
    objective.mean,
    parameters.map((p) => p.name),
  );
  const flat = pack(
    emit,
    parameters.map((p) => found.get(p.name) ?? ''),
  );
  const { grad, norm } = emitClip(emit, flat, plan.clip, limit);
  const t = emit.Add(carried.t, emit.scalar(1));
  const rate = emit.Gather(inputs.lr.name, iteration);
  const state = { theta: carried.theta, slots: under('slot/'), scalars: under('scalar/') };
  const updated = emitUpdate(emit, plan, state, grad, { ...optimizer.names, lr: rate }, { scales, decays }, t);

  // s − s is 0 only where both the loss and the norm are finite.
  const both = emit.Add(objective.mean, norm);
  const finite = emit.Equal(emit.Sub(both, both), emit.scalar(0));
  const next: Record<string, string> = { theta: updated.theta, t };
  for (const [slot, value] of Object.entries(updated.slots)) next[`slot/${slot}`] = value;
  for (const [name, value] of Object.entries(updated.scalars)) next[`scalar/${name}`] = value;
  for (const [name, value] of statisticsNext) next[`statistic/${name}`] = value;
  const keys = Object.keys(start);
  const kept = keys.map((key) => emit.Where(finite, next[key], carried[key]));
  const code = precision === 'float64' ? 11 : 1;
  const flag = emit.Cast(finite, { to: code });
  const size = emit.Cast(emit.Size(labels), { to: code });
  const scans = [objective.mean, ...(objective.correct ? [emit.Div(objective.correct, size)] : []), norm, flag];
  const proceed = emit.Or(finite, inputs.go.name);

  const typeOf = (key: string): TensorType => tensor(start[key].dtype, start[key].dims);
  const scan = tensor(precision, []);
  const body = emit.graph(
    'step',
    [info(iteration, tensor('int64', [])), info(condition, tensor('bool', [])), ...keys.map((key) => info(carried[key], typeOf(key)))],
    [info(proceed, tensor('bool', [])), ...kept.map((name, i) => info(name, typeOf(keys[i]))), ...scans.map((name) => info(name, scan))],
  );

  // Around it.
  const entry = keys.map((key) => emit.fresh(key));
  const result = keys.map((key) => emit.fresh(`next/${key}`));
  const columns = ['loss', ...(objective.correct ? ['accuracy'] : []), 'gradientNorm', 'finite'].map((name) => emit.fresh(`steps/${name}`));
  const trips = emit.fresh('trips');
  const yes = emit.fresh('yes');
  const hyper = only({ ...optimizer.values, ...loss.values, ...own }, body.nodes);
  const nodes: Node[] = [
    { op: 'Size', domain: '', name: trips, inputs: [inputs.lr.name], outputs: [trips], attributes: {} },
    {
      op: 'Loop',
      domain: '',
      name: 'steps',
      inputs: [trips, yes, ...entry],
      outputs: [...result, ...columns],
      attributes: { body: { type: 'graph', value: body } },
    },
  ];
  const resident = plan.data === 'resident' ? [inputs.rows] : [];
  return {
    model: {
      irVersion: plan.irVersion,
      opsets: plan.opsets,
      producer: 'assay',
      producerVersion: '',
      domain: '',
      version: 0,
      metadata: new Map(),
      functions: [],
      graph: {
        name: 'training',
        inputs: [
          ...keys.map((key, i) => info(entry[i], typeOf(key))),
          inputs.x,
          inputs.y,
          ...resident,
          inputs.lr,
          inputs.go,
          ...Object.keys(hyper).map((name) => info(name, tensor(precision, []))),
        ],
        outputs: [
          ...keys.map((key, i) => info(result[i], typeOf(key))),
          ...columns.map((name) => info(name, tensor(precision, ['steps']))),
        ],
        nodes,
        initializers: new Map([[yes, { dtype: 'bool', dims: [], bytes: Uint8Array.of(1) }]]),
        values: new Map(),
      },
    },
    layout,
    start,
    state: Object.fromEntries(keys.map((key, i) => [key, { input: entry[i], output: result[i] }])),
    hyper,
    inputs: {
      x: inputs.x.name,
      y: inputs.y.name,
      rows: resident.length > 0 ? inputs.rows.name : '',
      lr: inputs.lr.name,
      go: inputs.go.name,
    },
    outputs: {
      loss: columns[0],
      accuracy: objective.correct ? columns[1] : '',
      gradientNorm: columns.at(-2) ?? '',
      finite: columns.at(-1) ?? '',
    },
  };
};
