import { Fault } from '../../base/fault.ts';
import { graphOf, intOf, intsOf } from '../../graph/attribute.ts';
import { constantOf, numbersOf } from '../../graph/constant.ts';
import { type Emit, emitter } from '../../graph/emit.ts';
import { bodyInputs, scanLength } from '../../graph/infer-body.ts';
import type { Attribute, Constant, Dim, Graph, Node } from '../../graph/types.ts';
import { called, captured } from '../../graph/walk.ts';
import type { Flow, Within } from '../rule.ts';
import { positive, zerosLike } from '../shapes.ts';
import { type Body, graphOfNodes, look, open, plan, port, sources } from './control-body.ts';

/** A Loop or Scan. `from` and `to` are values around the node ('' where there is none), `input` and `output` those of its body. */
interface Cycle {
  readonly body: Body;
  readonly states: readonly { readonly from: string; readonly input: string; readonly output: string; readonly to: string }[];
  /** What a Scan cuts along an axis; `back`: from the end. */
  readonly slices: readonly { readonly from: string; readonly input: string; readonly axis: number; readonly back: boolean }[];
  /** What is laid side by side, turn by turn. */
  readonly stacks: readonly { readonly output: string; readonly to: string; readonly axis: number; readonly back: boolean }[];
  /** Number of turns, where types tell. */
  readonly turns: Dim;
}

const bodyOf = (node: Node): Graph => {
  const body = graphOf(node, 'body');
  if (!body) throw new Fault('graph/unsupported', { node: called(node), reason: 'it has no body' });
  return body;
};

const cycleOf = (emit: Emit, node: Node, body: Body): Cycle => {
  const loop = node.op === 'Loop';
  const count = loop ? 0 : intOf(node, 'num_scan_inputs', 0);
  const values = node.inputs.slice(loop ? 2 : 0);
  const inputs = body.inputs.slice(loop ? 2 : 0);
  const outputs = body.outputs.slice(loop ? 1 : 0);
  const carried = values.length - count;
  const rankOf = (e: Emit, value: string): number => e.type(value)?.dims?.length ?? 0;
  const [axesIn, backIn] = [intsOf(node, 'scan_input_axes'), intsOf(node, 'scan_input_directions')];
  const [axesOut, backOut] = [intsOf(node, 'scan_output_axes'), intsOf(node, 'scan_output_directions')];
  return {
    body,
    states: values.slice(0, carried).map((from, i) => ({ from, input: inputs[i], output: outputs[i], to: node.outputs[i] ?? '' })),
    slices: values.slice(carried).map((from, k) => ({
      from,
      input: inputs[carried + k],
      axis: positive(axesIn?.[k] ?? 0, rankOf(emit, from)),
      back: backIn?.[k] === 1,
    })),
    stacks: outputs.slice(carried).map((output, k) => ({
      output,
      to: node.outputs[carried + k] ?? '',
      axis: positive(axesOut?.[k] ?? 0, rankOf(body.emit, output) + 1),
      back: backOut?.[k] === 1,
    })),
    turns: loop ? undefined : scanLength(node, emit.type),
  };
};

const passes: Flow['passes'] = (emit, node, within) => {
  const graph = bodyOf(node);
  const { body, states, slices, stacks } = cycleOf(emit, node, look(emit, graph, bodyInputs(node, emit.type, emit.constantOf)));
  const from = sources(body, within);
  const all = new Set([...states, ...stacks].flatMap(({ output }) => [...(from.get(output) ?? [])]));
  const outer = [...states, ...slices].flatMap((s) => (all.has(s.input) ? [s.from] : []));
  return [...new Set([...outer, ...[...captured(graph)].filter((name) => all.has(name))])];
};

const bodies: Flow['bodies'] = (emit, node, made) => {
  const { body, states, slices } = cycleOf(emit, node, look(emit, bodyOf(node), bodyInputs(node, emit.type, emit.constantOf)));
  const inner = [...states, ...slices].flatMap((s) => (made.has(s.from) ? [s.input] : []));
  return [{ emit: body.emit, made: new Set([...made, ...inner]) }];
};

/** States whose cotangent is wanted (they carry something wanted along) and not zero (something with a cotangent is made of them). */
const needed = (cycle: Cycle, wanted: ReadonlySet<string>, has: (to: string) => boolean, within: Within) => {
  const { states, slices, stacks } = cycle;
  const from = sources(cycle.body, within);
  const reaches = (output: string, values: ReadonlySet<string>): boolean => [...(from.get(output) ?? [])].some((s) => values.has(s));
  const roots = new Set([...wanted, ...[...states, ...slices].flatMap((s) => (wanted.has(s.from) ? [s.input] : []))]);
  const live = new Set([...states, ...stacks].flatMap(({ output, to }) => (to && has(to) ? [output] : [])));
  for (let before = -1; before !== roots.size + live.size; ) {
    before = roots.size + live.size;
    for (const s of states) {
      if (reaches(s.output, roots)) roots.add(s.input);
      if ([...live].some((o) => from.get(o)?.has(s.input))) live.add(s.output);
    }
  }
  const both = states.filter((s) => roots.has(s.input) && live.has(s.output));
  return {
    states: both,
    stacks: stacks.filter((s) => s.to && has(s.to) && reaches(s.output, roots)),
    leaves: new Set([...both.map((s) => s.input), ...[...roots].filter((r) => !states.some((s) => s.input === r))]),
  };
};

/** The value behind Identity nodes. */
const behindIdentity = (emit: Emit, value: string): string => {
  let at = value;
  for (let node = emit.producer(at); node?.op === 'Identity'; node = emit.producer(at)) at = node.inputs[0];
  return at;
};

/** Stacks of `values` of the body, one for each: those that the node gives already, and others that it is made to give as well. */
const kept = (emit: Emit, node: Node, cycle: Cycle, values: readonly string[]): Map<string, string> => {
  const { body, stacks, turns, states } = cycle;
  const out = new Map<string, string>();
  const added: string[] = [];
  const outputs = [...states, ...stacks].map(({ output, to }) => to || emit.fresh(output));
  for (const v of values) {
    const at = stacks.findIndex((s) => s.axis === 0 && !s.back && behindIdentity(body.emit, s.output) === behindIdentity(body.emit, v));
    const type = body.emit.type(v);
    if (!type?.dims)
      throw new Fault('graph/unsupported', {
        node: called(node),
        reason: `the rank of '${v}' in its body is not known, so that it cannot be kept`,
      });
    const name = at >= 0 ? outputs[states.length + at] : emit.fresh(`${v}/kept`);
    if (at < 0) added.push(v);
    out.set(v, emit.typed(name, { ...type, dims: [turns, ...type.dims] }));
  }
  const graph = bodyOf(node);
  const widened = graphOfNodes(
    body.emit,
    graph.name,
    body.emit.nodes.slice(0, body.forward),
    graph.inputs.map((i, k) => ({ ...i, name: body.inputs[k] })),
    [
      ...graph.outputs.map((o, k) => ({ value: body.outputs[k], type: body.emit.type(body.outputs[k]) ?? o.type })),
      ...added.map((value) => ({ value, type: body.emit.type(value) })),
    ],
  );
  const zeros = added.map(() => 0);
  const extended = (name: string): Record<string, Attribute> => {
    const list = intsOf(node, name);
    return list ? { [name]: { type: 'ints', value: [...list, ...zeros] } } : {};
  };
  emit.replace(node, {
    ...node,
    outputs: [...outputs, ...added.map((v) => out.get(v) ?? '')],
    attributes: {
      ...node.attributes,
      ...extended('scan_output_axes'),
      ...extended('scan_output_directions'),
      body: { type: 'graph', value: widened },
    },
  });
  return out;
};
/** Whether a Loop's body runs at least once whatever is fed. A Scan of nothing is refused by ONNX Runtime itself. */
const runs = (emit: Emit, node: Node): boolean => {
  if (node.op === 'Scan') return true;
  const [turns, go] = [emit.constantOf(node.inputs[0]), node.inputs[1] ? emit.constantOf(node.inputs[1]) : undefined];
  return (!turns || numbersOf(turns)[0] > 0) && Boolean(turns || go) && (!node.inputs[1] || (go !== undefined && numbersOf(go)[0] === 1));
};

const yes: Constant = constantOf('bool', [], [1]);

/** Cotangents of all that the node reads: one Scan that runs through the turns from the last to the first. */
const flow: Flow['flow'] = (emit, site, wanted, within) => {
  const { node, y, g } = site;
  const graph = bodyOf(node);
  const body = open(emit, node, graph, bodyInputs(node, emit.type, emit.constantOf));
  const cycle = cycleOf(emit, node, body);
  const { emit: inner } = body;
  const cotangent = new Map(y.flatMap((name, i) => (g[i] ? [[name, g[i]] as const] : [])));
  const { states, stacks, leaves } = needed(cycle, new Set(wanted), (to) => cotangent.has(to), within);

  const placeholder = (value: string): string => {
    const type = inner.type(value);
    const name = inner.fresh(`${value}/cotangent`);
    return type ? inner.typed(name, type) : name;
  };
  const seeds = new Map([...states, ...stacks].map(({ output }) => [output, placeholder(output)]));
  const found = within.pull(inner, seeds, leaves);
  const slices = cycle.slices.filter((s) => found.has(s.input) && wanted.includes(s.from));
  const sums = wanted.filter((name) => found.has(name)).map((name) => ({ name, before: placeholder(name) }));

  const zero = (value: string): string => zerosLike(inner, value);
  const ends = [
    ...states.map((s) => found.get(s.input) ?? zero(s.input)),
    ...sums.map(({ name, before }) => inner.Add(before, found.get(name) ?? '')),
    ...slices.map((s) => found.get(s.input) ?? ''),
  ];
  const loop = node.op === 'Loop';
  const work = plan(body, ends, {
    keep: new Set(cycle.slices.map((s) => s.input)),
    move: emit,
    moved: new Map(loop ? [[body.inputs[1], emit.constant(yes)]] : []),
  });
  // A Scan needs at least one axis to run along.
  const count = loop && stacks.length === 0 && work.saved.length === 0 ? [body.inputs[0]] : [];
  const saved = kept(emit, node, cycle, [...work.saved, ...count]);
  const used = cycle.slices.filter((s, i) => work.inputs.has(s.input) || (i === 0 && saved.size === 0 && stacks.length === 0));

  const given = [
    ...states.map(({ from, to, output }) => ({ from: cotangent.get(to) ?? zerosLike(emit, to || from), input: seeds.get(output) ?? '' })),
    ...sums.map(({ name, before }) => ({ from: zerosLike(emit, name), input: before })),
  ];
  const along = [
    ...Array.from(saved, ([input, from]) => ({ from, input, axis: 0, back: false })),
    ...used,
    ...stacks.map(({ output, to, axis, back }) => ({ from: cotangent.get(to) ?? '', input: seeds.get(output) ?? '', axis, back })),
  ];
  const types = [...states.map((s) => s.input), ...sums.map((s) => s.name), ...slices.map((s) => s.input)].map(inner.type);
  const ports = [...given, ...along].map(({ input }) => port(input, inner.type(input)));
  const back = graphOfNodes(
    inner,
    `${graph.name} back`,
    work.nodes,
    ports,
    ends.map((value, i) => ({ value, type: types[i] })),
    work.moved,
  );
  const against = (s: { readonly back: boolean }): number => (s.back ? 0 : 1);
  const scan = (at: Emit): string[] =>
    at.calls(
      'Scan',
      [...given, ...along].map((v) => v.from),
      ends.length,
      {
        body: back,
        num_scan_inputs: along.length,
        scan_input_axes: along.map((s) => s.axis),
        scan_input_directions: along.map(against),
        scan_output_axes: slices.map((s) => s.axis),
        scan_output_directions: slices.map(against),
      },
    );
  const names = [...states.map((s) => s.from), ...sums.map((s) => s.name), ...slices.map((s) => s.from)];
  const turns = along[0]?.from ?? '';
  const done = runs(emit, node)
    ? scan(emit)
    : unlessNone(
        emit,
        turns,
        given.map((v) => v.from),
        scan,
      );
  return names.flatMap((name, i) => (wanted.includes(name) ? [[name, done[i]] as const] : []));
};

/** A Loop may end before its first turn, and ONNX Runtime refuses a Scan of nothing: the cotangents then stay as they are. */
const unlessNone = (emit: Emit, stack: string, starts: readonly string[], scan: (at: Emit) => string[]): string[] => {
  const count = emit.Squeeze(emit.call('Shape', [stack], { start: 0, end: 1 }), emit.ints([0]));
  const branch = (name: string, make: (at: Emit) => readonly string[]): Graph => {
    const at = emitter({ within: emit });
    const values = make(at).map((value) => ({ value, type: at.type(value) }));
    return graphOfNodes(at, name, at.nodes, [], values);
  };
  const attributes = { then_branch: branch('turns', scan), else_branch: branch('no turn', () => starts) };
  return emit.calls('If', [emit.Greater(count, emit.scalar(0, 'int64'))], starts.length, attributes);
};

export const cycles: Flow = { flow, passes, bodies };
