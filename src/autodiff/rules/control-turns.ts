import { Fault } from '../../base/fault.ts';
import { graphOf, intOf, intsOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import { scanLength } from '../../graph/infer-body.ts';
import type { Dim, Graph, Node } from '../../graph/types.ts';
import { called, captured } from '../../graph/walk.ts';
import type { Flow, Within } from '../rule.ts';
import { positive } from '../shapes.ts';
import { type Body, look, sources } from './control-body.ts';

/** What a Scan cuts along an axis: a value around the node and an input of its body; `back`: from the end. */
export interface Slice {
  readonly from: string;
  readonly input: string;
  readonly axis: number;
  readonly back: boolean;
}
/** What is laid side by side, turn by turn: an output of the body and a value around the node ('' where there is none). */
export interface Stack {
  readonly output: string;
  readonly to: string;
  readonly axis: number;
  readonly back: boolean;
}
/** A Loop or Scan. */
export interface Cycle {
  readonly body: Body;
  readonly states: readonly { readonly from: string; readonly input: string; readonly output: string; readonly to: string }[];
  readonly slices: readonly Slice[];
  readonly stacks: readonly Stack[];
  /** Number of turns, where types tell. */
  readonly turns: Dim;
}

export const bodyOf = (node: Node): Graph => {
  const body = graphOf(node, 'body');
  if (!body) throw new Fault('graph/unsupported', { node: called(node), reason: 'it has no body' });
  return body;
};

export const cycleOf = (emit: Emit, node: Node, body: Body): Cycle => {
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

export const passes: NonNullable<Flow['passes']> = (emit, node, within) => {
  const graph = bodyOf(node);
  const { body, states, slices, stacks } = cycleOf(emit, node, look(emit, node, graph));
  const from = sources(body, within);
  const all = new Set([...states, ...stacks].flatMap(({ output }) => [...(from.get(output) ?? [])]));
  const outer = [...states, ...slices].flatMap((s) => (all.has(s.input) ? [s.from] : []));
  return [...new Set([...outer, ...[...captured(graph)].filter((name) => all.has(name))])];
};

export const bodies: NonNullable<Flow['bodies']> = (emit, node, made) => {
  const { body, states, slices } = cycleOf(emit, node, look(emit, node, bodyOf(node)));
  const inner = [...states, ...slices].flatMap((s) => (made.has(s.from) ? [s.input] : []));
  return [{ emit: body.emit, made: new Set([...made, ...inner]) }];
};

/** What takes part in a derivative. */
export interface Needed {
  readonly states: Cycle['states'];
  readonly stacks: readonly Stack[];
  /** Inputs of the body and values around it whose cotangents are asked for. */
  readonly leaves: ReadonlySet<string>;
}
/** States whose cotangent is wanted (they carry something wanted along) and not zero (something with a cotangent is made of them). */
export const needed = (cycle: Cycle, wanted: ReadonlySet<string>, has: (to: string) => boolean, within: Within): Needed => {
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
