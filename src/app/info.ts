import { hasRule, noGradientReason } from '../autodiff/rules/index.ts';
import { Fault } from '../base/fault.ts';
import { withSessions } from '../evidence/model.ts';
import { externalFiles } from '../graph/external.ts';
import { factsOf } from '../graph/facts.ts';
import { parse } from '../graph/parse.ts';
import { dialect, normalise } from '../graph/passes/normalise.ts';
import { prepare } from '../graph/prepare.ts';
import type { Graph, Model, TensorType, ValueInfo } from '../graph/types.ts';
import { freeInputs, nodesWithin, opsetOf } from '../graph/walk.ts';
import type { ModelFacts } from '../report/tasks.ts';
import type { UseCase } from './ports.ts';

const ends = (values: readonly ValueInfo[], types: ReadonlyMap<string, TensorType>): ModelFacts['inputs'] =>
  values.map(({ name, type }) => {
    const told = type?.kind === 'tensor' && type.dims ? type : types.get(name);
    return { name, dtype: told?.dtype ?? type?.kind ?? 'unknown', dims: (told?.dims ?? []).map((d) => d ?? '?') };
  });

const unknownOperator = 'no rule for it is known';

const operatorsOf = (graph: Graph): ModelFacts['operators'] => {
  const counts = new Map<string, { op: string; domain: string; count: number }>();
  for (const { op, domain } of nodesWithin(graph)) {
    const name = domain ? `${domain}.${op}` : op;
    const known = counts.get(name) ?? { op, domain, count: 0 };
    counts.set(name, { ...known, count: known.count + 1 });
  }
  return Array.from(counts, ([name, { op, domain, count }]) => {
    const gradient = hasRule(op, domain);
    return { op: name, count, gradient, ...(gradient ? {} : { reason: noGradientReason(op, domain) ?? unknownOperator }) };
  }).sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1));
};

const withoutGradient = (graph: Graph): ModelFacts['withoutGradient'] =>
  Array.from(nodesWithin(graph)).flatMap((n) =>
    hasRule(n.op, n.domain)
      ? []
      : [{ node: n.name || n.outputs[0] || n.op, op: n.op, reason: noGradientReason(n.op, n.domain) ?? unknownOperator }],
  );

const versionNote = (model: Model): readonly string[] => {
  const opset = opsetOf(model);
  const functions = model.functions.length > 0 ? ` Its ${model.functions.length} functions are inlined.` : '';
  return opset < dialect.opset || functions
    ? [`Operators are listed as read into operator set ${Math.max(opset, dialect.opset)} (the file: ${opset}).${functions}`]
    : [];
};

/** What a model is: inputs, outputs, operators, parameters, multiply–accumulates, layers, and what has no gradient. */
export const info: UseCase<'info'> = async ({ model: ref }, ports, job) => {
  const source = await ports.source(ref.path);
  job.progress(0.1, `Reading ${source.name}`);
  const folder = ports.resolve(ref.path, '.');
  const model = parse(await source.read(0, source.size, job.signal), source.name, folder);
  const sha256 = await ports.sha256(ref.path);
  job.progress(0.4, 'Probing shapes');
  const prepared = await withSessions(ports.runtime, source.name, folder, (run) => prepare(model, run, { name: source.name })).catch(
    (error: unknown) => {
      if (Fault.is(error, 'runtime/session') || Fault.is(error, 'runtime/run')) return error;
      throw error;
    },
  );
  const failed = prepared instanceof Error;
  const graph = failed ? normalise(model).graph : prepared.model.graph;
  const types: ReadonlyMap<string, TensorType> = failed ? new Map() : prepared.probed.types;
  const facts = factsOf(graph, types);
  const external = externalFiles(model.graph);
  return {
    path: ref.path,
    bytes: source.size,
    sha256,
    irVersion: model.irVersion,
    opsets: Object.fromEntries(Array.from(model.opsets, ([domain, version]) => [domain || 'ai.onnx', version])),
    producer: `${model.producer} ${model.producerVersion}`.trim(),
    inputs: ends(freeInputs(model.graph), types),
    outputs: ends(model.graph.outputs, types),
    operators: operatorsOf(failed ? graph : normalise(model).graph),
    nodes: Array.from(nodesWithin(model.graph)).length,
    parameters: facts.parameters,
    macs: failed ? null : facts.macs,
    layers: facts.layers.map((l) => ({ ...l, dims: l.dims.map((d) => d ?? '?') })),
    withoutGradient: withoutGradient(graph),
    notes: [
      ...versionNote(model),
      ...(external.length > 0 ? [`Weights lie beside the file in ${external.join(', ')}.`] : []),
      ...(failed ? [`Shapes are not known: ${prepared.message}`] : prepared.notes),
    ],
  };
};
