import { sizeOf } from '../base/tensor.ts';
import { factsOf } from '../graph/facts.ts';
import { attributeText, type Pairs, pairNodes, pairUp } from '../graph/pair.ts';
import { staticTypes } from '../graph/static-types.ts';
import type { Constant, Graph, Node, TensorType } from '../graph/types.ts';
import { freeInputs } from '../graph/walk.ts';
import type { DiffSide, ModelDiff, NodeDiff, TensorDiff } from '../report/model-study.ts';
import type { ModelValue } from '../report/tasks.ts';
import { dimsOf, endOf, openHeaders, shownOf } from './model-headers.ts';
import type { AppJob, Ports, UseCase } from './ports.ts';
import { type Home, readable, storedValues } from './stored-values.ts';

interface Side {
  readonly facts: DiffSide;
  readonly graph: Graph;
  readonly types: ReadonlyMap<string, TensorType>;
  readonly home: Home;
  readonly note?: string;
}

const openSide = async (path: string, ports: Ports, job: AppJob): Promise<Side> => {
  const { name, bytes, model: read } = await openHeaders(path, ports, job);
  const { model, graph, inlined } = shownOf(read);
  const types = staticTypes(graph);
  const { parameters, macs } = factsOf(graph, types);
  return {
    facts: {
      path,
      bytes,
      producer: `${model.producer} ${model.producerVersion}`.trim(),
      opsets: Object.fromEntries(Array.from(model.opsets, ([domain, version]) => [domain || 'ai.onnx', version])),
      inputs: freeInputs(model.graph).map((v) => endOf(v, types)),
      outputs: model.graph.outputs.map((v) => endOf(v, types)),
      nodes: graph.nodes.length,
      parameters,
      macs,
    },
    graph,
    types,
    home: { path, own: name },
    ...(inlined ? { note: `The ${model.functions.length} functions of ${name} are compared inlined.` } : {}),
  };
};

const endsText = (ends: readonly ModelValue[]): string =>
  ends.map(({ name, dtype, dims }) => `${name} ${dtype} [${dims?.join(', ') ?? '?'}]`).join('; ');
const opsetsText = (opsets: DiffSide['opsets']): string =>
  Object.entries(opsets)
    .map(([domain, version]) => `${domain} ${version}`)
    .join(', ');

const headersOf = (a: DiffSide, b: DiffSide): ModelDiff['headers'] =>
  [
    { label: 'Inputs', first: endsText(a.inputs), other: endsText(b.inputs) },
    { label: 'Outputs', first: endsText(a.outputs), other: endsText(b.outputs) },
    { label: 'Operator sets', first: opsetsText(a.opsets), other: opsetsText(b.opsets) },
    { label: 'Producer', first: a.producer || '–', other: b.producer || '–' },
  ].filter(({ first, other }) => first !== other);

const nameOf = (node: Node): string => node.name || node.outputs.find((o) => o) || node.op;
const opOf = ({ op, domain }: Node): string => (domain && domain !== 'ai.onnx' ? `${domain}.${op}` : op);
const shapeText = (dims: ModelValue['dims']): string => (dims === null ? 'unknown' : `[${dims.join(', ')}]`);

const attributeChanges = (a: Node, b: Node): readonly string[] =>
  [...new Set([...Object.keys(a.attributes), ...Object.keys(b.attributes)])].sort().flatMap((name) => {
    const [x, y] = [a.attributes[name], b.attributes[name]];
    if (!x) return [`${name} added: ${attributeText(y)}`];
    if (!y) return [`${name} removed: ${attributeText(x)}`];
    const same = JSON.stringify(x, bytesAsText) === JSON.stringify(y, bytesAsText);
    return same ? [] : [`${name}: ${attributeText(x)} → ${attributeText(y)}`];
  });
/** Bytes are compared as numbers, and maps of subgraphs by their entries. */
const bytesAsText = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Array.from(value).join() : value instanceof Map ? [...value] : value;

/** Stored tensors by name, in the order of the file. */
type Stored = readonly (readonly [string, Constant])[];

/** What an input is of the other graph, where the nodes and tensors paired tell. */
const renames = (a: Graph, b: Graph, nodes: Pairs, tensors: Pairs, mine: Stored, theirs: Stored): ReadonlyMap<string, string> => {
  const out = new Map<string, string>();
  const inputs = freeInputs(b);
  const known = new Set(inputs.map(({ name }) => name));
  freeInputs(a).forEach(({ name }, i) => {
    out.set(name, known.has(name) ? name : (inputs[i]?.name ?? name));
  });
  for (const [i, j] of tensors) out.set(mine[i][0], theirs[j][0]);
  for (const [i, j] of nodes)
    a.nodes[i].outputs.forEach((o, at) => {
      const twin = b.nodes[j].outputs[at];
      if (o && twin) out.set(o, twin);
    });
  return out;
};

const nodeDiffs = (a: Side, b: Side, pairs: Pairs, renamed: ReadonlyMap<string, string>): readonly NodeDiff[] => {
  const typeOf = (side: Side, node: Node): ModelValue['dims'] => dimsOf(side.types.get(node.outputs.find((o) => o) ?? ''));
  const there = new Set(pairs.map(([, j]) => j));
  const twin = new Map(pairs);
  const alone = (side: Side, node: Node, status: 'added' | 'removed'): NodeDiff => ({
    status,
    name: nameOf(node),
    op: opOf(node),
    dims: typeOf(side, node),
    changes: [],
  });
  const diffs = a.graph.nodes.map((node, i): NodeDiff => {
    const j = twin.get(i);
    if (j === undefined) return alone(a, node, 'removed');
    const other = b.graph.nodes[j];
    const [dims, otherDims] = [typeOf(a, node), typeOf(b, other)];
    const reads = node.inputs.flatMap((input, at) => {
      const now = other.inputs[at];
      if (now === undefined) return input ? [`input ${at + 1} removed: ${input}`] : [];
      return (renamed.get(input) ?? input) === now ? [] : [`input ${at + 1}: ${input || 'none'} → ${now || 'none'}`];
    });
    const changes = [
      ...(opOf(node) === opOf(other) ? [] : [`operator: ${opOf(node)} → ${opOf(other)}`]),
      ...attributeChanges(node, other),
      ...reads,
      ...other.inputs
        .slice(node.inputs.length)
        .flatMap((input, k) => (input ? [`input ${node.inputs.length + k + 1} added: ${input}`] : [])),
      ...(dims && otherDims && shapeText(dims) !== shapeText(otherDims) ? [`shape: ${shapeText(dims)} → ${shapeText(otherDims)}`] : []),
    ];
    const otherName = nameOf(other);
    return {
      status: changes.length > 0 ? 'changed' : 'same',
      name: nameOf(node),
      ...(otherName === nameOf(node) ? {} : { otherName }),
      op: opOf(node),
      dims,
      changes,
    };
  });
  return [...diffs, ...b.graph.nodes.flatMap((node, j) => (there.has(j) ? [] : [alone(b, node, 'added')]))];
};

/** Differences of two stored tensors of one shape, read side by side. */
const compared = async (
  a: Constant,
  b: Constant,
  homes: readonly [Home, Home],
  ports: Ports,
  job: AppJob,
): Promise<NonNullable<TensorDiff['values']>> => {
  let [maxAbs, gap, xx, yy, xy, notFinite] = [0, 0, 0, 0, 0, 0];
  const theirs = storedValues(b, homes[1], ports, job);
  for await (const { values: x } of storedValues(a, homes[0], ports, job)) {
    const { value } = await theirs.next();
    const y = value?.values ?? [];
    for (let i = 0; i < x.length; i++) {
      const [p, q] = [x[i], y[i]];
      if (!Number.isFinite(p) || !Number.isFinite(q)) {
        if (!Object.is(p, q)) notFinite++;
        continue;
      }
      const d = p - q;
      if (d > maxAbs) maxAbs = d;
      else if (-d > maxAbs) maxAbs = -d;
      gap += d * d;
      xx += p * p;
      yy += q * q;
      xy += p * q;
    }
  }
  return {
    elements: sizeOf(a.dims),
    maxAbs,
    relative: gap === 0 ? 0 : xx === 0 ? null : Math.sqrt(gap / xx),
    cosine: xx === 0 || yy === 0 ? null : Math.max(-1, Math.min(1, xy / Math.sqrt(xx) / Math.sqrt(yy))),
    norm: Math.sqrt(xx),
    otherNorm: Math.sqrt(yy),
    notFinite,
  };
};

const sameStrings = (a: Constant, b: Constant): boolean => {
  const text = ({ strings }: Constant): string => JSON.stringify(strings?.map((s) => Array.from(s)));
  return text(a) === text(b);
};

const tensorDiffs = async (
  homes: readonly [Home, Home],
  [mine, theirs]: readonly [Stored, Stored],
  pairs: Pairs,
  ports: Ports,
  job: AppJob,
): Promise<readonly TensorDiff[]> => {
  const twin = new Map(pairs);
  const there = new Set(pairs.map(([, j]) => j));
  const total = pairs.reduce((n, [i]) => n + sizeOf(mine[i][1].dims), 0);
  let done = 0;
  const out: TensorDiff[] = [];
  for (const [i, [name, a]] of mine.entries()) {
    const { dtype, dims } = a;
    const j = twin.get(i);
    if (j === undefined) {
      out.push({ status: 'removed', name, dtype, dims });
      continue;
    }
    const [otherName, b] = theirs[j];
    const oneShape = dims.join() === b.dims.join();
    const oneType = dtype === b.dtype;
    const values = oneShape && readable(dtype) && readable(b.dtype) ? await compared(a, b, homes, ports, job) : undefined;
    const equal = values ? values.maxAbs === 0 && values.notFinite === 0 : oneShape && oneType && sameStrings(a, b);
    out.push({
      status: oneType && equal ? 'same' : 'changed',
      name,
      ...(otherName === name ? {} : { otherName }),
      dtype,
      dims,
      ...(oneShape ? {} : { otherDims: b.dims }),
      ...(oneType ? {} : { otherDtype: b.dtype }),
      ...(values ? { values } : {}),
    });
    done += sizeOf(dims);
    job.progress(0.1 + (0.9 * done) / Math.max(1, total), `Comparing ${name}`);
  }
  return [
    ...out,
    ...theirs.flatMap(([name, { dtype, dims }], j) => (there.has(j) ? [] : [{ status: 'added' as const, name, dtype, dims }])),
  ];
};

/** Tensors: by name, then by the place where paired nodes read them if their shapes agree, then by shape and order. */
const pairTensors = (a: Graph, b: Graph, nodes: Pairs, stored: readonly [Stored, Stored]): Pairs => {
  const places = (graph: Graph, which: 0 | 1): ReadonlyMap<string, string> => {
    const out = new Map<string, string>();
    nodes.forEach((pair, p) => {
      graph.nodes[pair[which]].inputs.forEach((input, at) => {
        const dims = graph.initializers.get(input)?.dims;
        if (dims && !out.has(input)) out.set(input, `${p}:${at}:${dims.join()}`);
      });
    });
    return out;
  };
  const items = (all: Stored, at: ReadonlyMap<string, string>) =>
    all.map(([name, { dims }]) => ({ name, place: at.get(name), shape: dims.join('x') }));
  return pairUp(
    items(stored[0], places(a, 0)),
    items(stored[1], places(b, 1)),
    [({ name }) => name, ({ place }) => place],
    ({ shape }) => shape,
  );
};

export const diff: UseCase<'diff'> = async ({ models: [first, other] }, ports, job): Promise<ModelDiff> => {
  job.progress(0, 'Reading headers');
  const [a, b] = [await openSide(first, ports, job), await openSide(other, ports, job)];
  const nodes = pairNodes(a.graph, b.graph);
  const stored = [[...a.graph.initializers], [...b.graph.initializers]] as const;
  const tensors = pairTensors(a.graph, b.graph, nodes, stored);
  job.progress(0.1, 'Comparing nodes');
  return {
    sides: [a.facts, b.facts],
    headers: headersOf(a.facts, b.facts),
    nodes: nodeDiffs(a, b, nodes, renames(a.graph, b.graph, nodes, tensors, ...stored)),
    tensors: await tensorDiffs([a.home, b.home], stored, tensors, ports, job),
    notes: [a, b].flatMap(({ note }) => note ?? []),
  };
};
