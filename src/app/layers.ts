import { hasRule, noGradientReason, noRuleReason } from '../autodiff/rules/index.ts';
import { Fault } from '../base/fault.ts';
import { openModel } from '../evidence/model.ts';
import { costs } from '../evidence/providers/costs.ts';
import { elementBytes } from '../graph/constant.ts';
import { factsOf } from '../graph/facts.ts';
import { staticTypes } from '../graph/static-types.ts';
import { bytesNeeded } from '../graph/stored.ts';
import type { Constant, Graph, Node, TensorType } from '../graph/types.ts';
import { freeInputs, producers, readsOf, subgraphs } from '../graph/walk.ts';
import type { LayerRow } from '../report/tasks.ts';
import { dimsOf, endOf, openHeaders, shownOf } from './model-headers.ts';
import type { AppJob, Ports, UseCase } from './ports.ts';

/** Larger models are not run to measure shapes when they are only looked at. */
const largestRun = 512 * 2 ** 20;

const storedBytes = (c: Constant): number =>
  c.strings ? c.strings.reduce((n, s) => n + s.length, 0) : elementBytes[c.dtype] === 0 ? 0 : bytesNeeded(c.dtype, c.dims);

const ownReason = ({ op, domain }: Node): string | undefined =>
  hasRule(op, domain) ? undefined : (noGradientReason(op, domain) ?? noRuleReason(op, domain) ?? 'no rule for it is known');

const reasonWithin = (node: Node): string | undefined => {
  const own = ownReason(node);
  if (own) return own;
  for (const inner of subgraphs(node))
    for (const one of inner.nodes) {
      const reason = reasonWithin(one);
      if (reason) return `${one.op} inside it: ${reason}`;
    }
  return undefined;
};

/** Why no gradient passes a node of the file, by how it stands in the dialect that rules are written for. */
const reasons = (graph: Graph, normal: Graph): ((node: Node) => string | undefined) => {
  const by = producers(normal);
  const known = new Set(graph.nodes);
  return (node) => {
    if (!known.has(node)) return undefined;
    const standing = node.outputs.flatMap((o) => by.get(o) ?? []);
    for (const one of standing) {
      const reason = reasonWithin(one);
      if (reason) return reason;
    }
    return undefined;
  };
};

interface Measured {
  readonly types: ReadonlyMap<string, TensorType>;
  readonly peakBytes: number | null;
  readonly notes: readonly string[];
}
/** Shapes by running the model on the CPU, or why there are none. */
const measured = async (path: string, ports: Ports, job: AppJob): Promise<Measured | Fault> => {
  try {
    const opened = await openModel({ path }, ports, job);
    const { probed, notes } = await opened.prepared();
    const { peakBytes } = await costs(opened).count();
    return { types: probed.types, peakBytes, notes };
  } catch (error) {
    if (error instanceof Fault && error.code !== 'job/stopped') return error;
    throw error;
  }
};

/** A model node by node, from its headers; shapes that they do not tell are measured where `run` allows it. */
export const layers: UseCase<'layers'> = async ({ model: { path }, run }, ports, job) => {
  job.progress(0.1, 'Reading headers');
  const { name, bytes, model: read } = await openHeaders(path, ports, job);
  const { model, normal, inlined, graph } = shownOf(read);
  const weights = Array.from(graph.initializers, ([weight, c]) => ({
    name: weight,
    dtype: c.dtype,
    dims: c.dims,
    bytes: storedBytes(c),
    ...(c.external && c.external.location !== name ? { location: c.external.location } : {}),
  }));
  const weightBytes = weights.reduce((n, w) => n + w.bytes, 0);
  const small = Math.max(bytes, weightBytes) <= largestRun;
  if (run && small) job.progress(0.4, 'Measuring shapes');
  const found = run && small ? await measured(path, ports, job) : undefined;
  const ran = found && !(found instanceof Error) ? found : undefined;
  const types = new Map([...staticTypes(graph), ...(ran?.types ?? [])]);
  const facts = factsOf(graph, types);
  const counted = new Map(facts.layers.map((layer) => [layer.output, layer]));
  const places = new Map(weights.map((w, i) => [w.name, i]));
  const reasonOf = normal instanceof Error ? reasonWithin : reasons(graph, normal.graph);
  const rows = graph.nodes.map((node): LayerRow => {
    const output = node.outputs.find((o) => o) ?? '';
    const type = types.get(output);
    const count = counted.get(output);
    const reason = reasonOf(node);
    return {
      name: node.name || output || node.op,
      op: node.domain && node.domain !== 'ai.onnx' ? `${node.domain}.${node.op}` : node.op,
      inputs: readsOf(node).filter((value) => !places.has(value)),
      outputs: node.outputs.filter((o) => o),
      weights: [...new Set(node.inputs.flatMap((value) => places.get(value) ?? []))],
      dims: dimsOf(type),
      dtype: type?.dtype ?? 'unknown',
      parameters: count?.parameters ?? 0,
      macs: count ? count.macs : 0,
      ...(reason ? { noGradient: reason } : {}),
    };
  });
  const beside = [...new Set(weights.flatMap(({ location }) => location ?? []))];
  return {
    path,
    bytes,
    irVersion: model.irVersion,
    opsets: Object.fromEntries(Array.from(model.opsets, ([domain, version]) => [domain || 'ai.onnx', version])),
    producer: `${model.producer} ${model.producerVersion}`.trim(),
    inputs: freeInputs(model.graph).map((v) => endOf(v, types)),
    outputs: model.graph.outputs.map((v) => endOf(v, types)),
    parameters: facts.parameters,
    weightBytes,
    macs: facts.macs,
    activationBytes: ran?.peakBytes ?? null,
    layers: rows,
    weights,
    measured: ran !== undefined,
    notes: [
      ...(model.doc ? [model.doc] : []),
      ...(inlined ? [`Its ${model.functions.length} functions are shown inlined.`] : []),
      ...(beside.length > 0 ? [`Weights lie beside the file in ${beside.join(', ')}.`] : []),
      ...(normal instanceof Error ? [`Gradients are told by the operators of the file alone: ${normal.message}`] : []),
      ...(run && !small ? ['The model was not run, as it is larger than 512 MB: shapes are those that its operators imply.'] : []),
      ...(found instanceof Error ? [`Shapes are those that the operators imply, as the model could not be run: ${found.message}`] : []),
      ...(ran?.notes ?? []),
    ],
  };
};
