import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Constant, Node } from '../../graph/types.ts';
import type { Flow } from '../rule.ts';
import { plus, zeroOf } from '../sequences.ts';
import { type Back, loopBack, scanBack } from './control-back.ts';
import { graphOfNodes, open, plan } from './control-body.ts';
import { keep } from './control-keep.ts';
import { productOf } from './control-products.ts';
import { bodies, bodyOf, type Cycle, cycleOf, needed, passes } from './control-turns.ts';

const yes: Constant = constantOf('bool', [], [1]);

/** Inputs of a Loop's body for states whose size is not the same in every turn, or not seen to be. */
const changing = (node: Node, { body, states }: Cycle): ReadonlySet<string> =>
  new Set(node.op === 'Scan' ? [] : states.flatMap((s) => (body.steady.has(s.input) ? [] : [s.input])));

/** Where the values of all turns of `v` are: around the node (a slice), kept by it, or neither. */
const whereLaid = ({ body, slices }: Cycle, v: string): { readonly from: string; readonly keep: boolean } => {
  const slice = slices.find((s) => s.input === v && s.axis === 0 && !s.back);
  const made = body.emit.nodes.slice(0, body.forward).some((n) => n.outputs.includes(v));
  return { from: slice?.from ?? '', keep: !slice && body.steady.has(v) && (made || body.inputs.includes(v)) };
};

/** Runs the turns before `turn` again, for the states as they were at its start; those `known` otherwise are not named. */
const again = (emit: Emit, node: Node, cycle: Cycle, turn: string, known: ReadonlySet<string>): Node => {
  const graph = bodyOf(node);
  const body = open(emit, node, graph);
  const outputs = graph.outputs.slice(0, cycle.states.length + 1).map((o, k) => ({ value: body.outputs[k], type: o.type }));
  const inputs = graph.inputs.map((i, k) => ({ ...i, name: body.inputs[k] }));
  const value = graphOfNodes(body.emit, emit.fresh('again'), body.emit.nodes.slice(0, body.forward), inputs, outputs);
  return {
    op: 'Loop',
    domain: '',
    name: emit.fresh('again'),
    inputs: [turn, '', ...cycle.states.map((s) => s.from)],
    outputs: cycle.states.map((s) => (known.has(s.input) ? emit.fresh(s.input) : s.input)),
    attributes: { body: { type: 'graph', value } },
  };
};

/** Cotangents of all that the node reads, from running through the turns from the last to the first. */
const flow: Flow['flow'] = (emit, site, wanted, within) => {
  const { node, y, g } = site;
  const loop = node.op === 'Loop';
  const graph = bodyOf(node);
  const body = open(emit, node, graph);
  const cycle = cycleOf(emit, node, body);
  const { emit: inner } = body;
  const cotangent = new Map(y.flatMap((name, i) => (g[i] ? [[name, g[i]] as const] : [])));
  const { states, stacks, leaves } = needed(cycle, new Set(wanted), (to) => cotangent.has(to), within);

  const placeholder = (value: string): string => {
    const type = inner.type(value);
    const name = inner.fresh(`${value}/cotangent`);
    if (inner.isSequence(value)) inner.listed(name);
    return type ? inner.typed(name, type) : name;
  };
  const seeds = new Map([...states, ...stacks].map(({ output }) => [output, placeholder(output)]));
  const found = within.pull(inner, seeds, leaves);
  const slices = cycle.slices.filter((s) => found.has(s.input) && wanted.includes(s.from));
  const unsteady = changing(node, cycle);
  const asLoop = unsteady.size > 0;
  const shared = wanted.filter((name) => found.has(name));
  const products = asLoop ? [] : shared.flatMap((name) => productOf(body, name, found.get(name) ?? '') ?? []);
  const factors = [...new Set(products.flatMap(({ terms }) => terms.flatMap((t) => [t.left, t.right].filter((v) => v))))];
  const laid = factors.map((v) => ({ v, ...whereLaid(cycle, v) }));
  const sums = shared.filter((name) => !products.some((p) => p.name === name)).map((name) => ({ name, before: placeholder(name) }));
  const ends = [
    ...states.map((s) => found.get(s.input) ?? zeroOf(inner, s.input)),
    ...sums.map(({ name, before }) => plus(inner, name, before, found.get(name) ?? '')),
    ...slices.map((s) => found.get(s.input) ?? ''),
    ...laid.flatMap(({ v, from, keep }) => (from || keep ? [] : [v])),
  ];

  const turn = inner.fresh('turn');
  const known: (readonly [string, string])[] = loop ? [[body.inputs[1], emit.constant(yes)]] : [];
  if (asLoop) known.push([body.inputs[0], turn]);
  const work = plan(body, ends, {
    keep: new Set(cycle.slices.map((s) => s.input)),
    move: emit,
    moved: new Map(known),
    given: [...seeds.values(), ...sums.map((s) => s.before)],
  });
  const lost = work.saved.filter((v) => unsteady.has(v));
  const saved = [...new Set([...work.saved.filter((v) => !unsteady.has(v)), ...laid.flatMap((l) => (l.keep ? [l.v] : []))])];
  // The number of the turns comes from what is read turn by turn.
  const counted = loop && stacks.length === 0 && saved.length === 0 ? [...saved, body.inputs[0]] : saved;
  const { stacks: kept, ends: last } = keep(emit, node, cycle, counted, work.extra);
  const used = cycle.slices.filter((s, i) => work.inputs.has(s.input) || (i === 0 && kept.size === 0 && stacks.length === 0));

  const types = [...states.map((s) => s.input), ...sums.map((s) => s.name), ...ends.slice(states.length + sums.length)].map(inner.type);
  const back: Back = {
    emit,
    node,
    body,
    name: `${graph.name} back`,
    work,
    carried: [
      ...states.map((s) => ({
        from: cotangent.get(s.to) ?? zeroOf(emit, last[cycle.states.indexOf(s)]),
        input: seeds.get(s.output) ?? '',
      })),
      ...sums.map(({ name, before }) => ({ from: zeroOf(emit, name), input: before })),
    ],
    along: [
      ...Array.from(kept, ([input, from]) => ({ from, input, axis: 0, back: false })),
      ...used,
      ...stacks.map(({ output, to, axis, back }) => ({ from: cotangent.get(to) ?? '', input: seeds.get(output) ?? '', axis, back })),
    ],
    ends: ends.map((value, i) => ({ value, type: types[i] })),
    given: ends.slice(states.length + sums.length).map((_, i) => slices[i] ?? { axis: 0, back: false }),
    products,
    slices: slices.length,
    over: new Map(laid.flatMap(({ v, from }) => (from ? [[v, from] as const] : kept.has(v) ? [[v, kept.get(v) ?? ''] as const] : []))),
  };
  const done = asLoop ? loopBack(back, turn, lost.length > 0 ? [again(inner, node, cycle, turn, new Set(saved))] : []) : scanBack(back);
  const names = [...states.map((s) => s.from), ...sums.map((s) => s.name), ...slices.map((s) => s.from), ...products.map((p) => p.name)];
  return names.flatMap((name, i) => (wanted.includes(name) ? [[name, done[i]] as const] : []));
};

export const cycles: Flow = { flow, passes, bodies };
