import { hasRule, noGradientReason, noRuleReason } from '../autodiff/rules/index.ts';
import { Fault } from '../base/fault.ts';
import { openModel } from '../evidence/model.ts';
import { externalFiles } from '../graph/external.ts';
import { factsOf } from '../graph/facts.ts';
import { dialect } from '../graph/passes/normalise.ts';
import type { Graph, Model, TensorType, ValueInfo } from '../graph/types.ts';
import { freeInputs, nodesWithin, opsetOf } from '../graph/walk.ts';
import type { ModelFacts } from '../report/tasks.ts';
import type { UseCase } from './ports.ts';

const ends = (values: readonly ValueInfo[], types: ReadonlyMap<string, TensorType>): ModelFacts['inputs'] =>
  values.map(({ name, type }) => {
    const told = type?.kind === 'tensor' && type.dims ? type : types.get(name);
    return { name, dtype: told?.dtype ?? type?.kind ?? 'unknown', dims: (told?.dims ?? []).map((d) => d ?? '?') };
  });

const reasonOf = (op: string, domain: string): string =>
  noGradientReason(op, domain) ?? noRuleReason(op, domain) ?? 'no rule for it is known';

const operatorsOf = (graph: Graph): ModelFacts['operators'] => {
  const counts = new Map<string, { op: string; domain: string; count: number }>();
  for (const { op, domain } of nodesWithin(graph)) {
    const name = domain ? `${domain}.${op}` : op;
    const known = counts.get(name) ?? { op, domain, count: 0 };
    counts.set(name, { ...known, count: known.count + 1 });
  }
  return Array.from(counts, ([name, { op, domain, count }]) => {
    const gradient = hasRule(op, domain);
    return { op: name, count, gradient, ...(gradient ? {} : { reason: reasonOf(op, domain) }) };
  }).sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1));
};

const withoutGradient = (graph: Graph): ModelFacts['withoutGradient'] =>
  Array.from(nodesWithin(graph)).flatMap((n) =>
    hasRule(n.op, n.domain) ? [] : [{ node: n.name || n.outputs[0] || n.op, op: n.op, reason: reasonOf(n.op, n.domain) }],
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
  job.progress(0.1, 'Reading the file');
  const opened = await openModel(ref, ports, job);
  const { model } = opened;
  job.progress(0.4, 'Probing shapes');
  const prepared = await opened.prepared().catch((error: unknown) => {
    if ((['runtime/session', 'runtime/run', 'graph/rank'] as const).some((code) => Fault.is(error, code))) return error as Fault;
    throw error;
  });
  const failed = prepared instanceof Error;
  const graph = failed ? opened.normal().graph : prepared.model.graph;
  const types: ReadonlyMap<string, TensorType> = failed ? new Map() : prepared.probed.types;
  const facts = factsOf(graph, types);
  const external = externalFiles(model.graph);
  return {
    path: ref.path,
    bytes: opened.bytes,
    sha256: opened.sha256,
    irVersion: model.irVersion,
    opsets: Object.fromEntries(Array.from(model.opsets, ([domain, version]) => [domain || 'ai.onnx', version])),
    producer: `${model.producer} ${model.producerVersion}`.trim(),
    inputs: ends(freeInputs(model.graph), types),
    outputs: ends(model.graph.outputs, types),
    operators: operatorsOf(opened.normal().graph),
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
