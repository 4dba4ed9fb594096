import { Fault } from '../base/fault.ts';
import type { DType } from '../base/tensor.ts';
import type { Emit } from '../graph/emit.ts';
import type { Node } from '../graph/types.ts';
import { readsOf, subgraphs } from '../graph/walk.ts';
import { keyOf, type Rule, type Rules, type Within, wanted as whole } from './rule.ts';
import { hasRule, noGradientReason, noRuleReason, ruleOf } from './rules/index.ts';
import { plus } from './sequences.ts';
import { cast, dtypeOf, onesLike, sameShape } from './shapes.ts';

export interface Reverse {
  /** Rules that take the place of the table's, by operator: guided backpropagation and its kin. */
  readonly rules?: Rules;
  /** What to do where a wanted value has no path to the loss: a fault (default), or leave it out of the result. */
  readonly missing?: 'fault' | 'omit';
}

const floats = new Set<DType>(['float32', 'float64', 'float16', 'bfloat16']);
/** Types of quantised values. They lie on the path where one was made from floats; their cotangents are float32. */
const quantised = new Set<DType>([
  ...(['int8', 'uint8', 'int16', 'uint16', 'int32', 'int4', 'uint4', 'int2', 'uint2'] as const),
  ...(['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz'] as const),
]);
const isFloat = (emit: Emit, value: string): boolean => {
  const type = emit.type(value);
  return !type || floats.has(type.dtype);
};
const isQuantised = (emit: Emit, value: string): boolean => quantised.has(dtypeOf(emit, value));
const describe = (node: Node): string => {
  const otherwise = hasRule(node.op, node.domain) ? 'what it makes here has no derivative' : 'an operator Assay does not know';
  const reason = noGradientReason(node.op, node.domain) ?? noRuleReason(node.op, node.domain) ?? otherwise;
  return `'${node.name || node.outputs[0]}' (${keyOf(node)}: ${reason})`;
};

const reading = new WeakMap<Node, readonly string[]>();
/** What a node reads, its subgraphs included. */
const reads = (node: Node): readonly string[] => {
  if (subgraphs(node).length === 0) return node.inputs;
  const known = reading.get(node) ?? readsOf(node);
  reading.set(node, known);
  return known;
};

/** The part of the graph behind some values, in topological order; `stop` values count as given. */
const behind = (emit: Emit, values: Iterable<string>, stop: ReadonlySet<string>): Node[] => {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  const enter = (value: string): void => {
    const node = value && !stop.has(value) ? emit.meaning(value) : undefined;
    if (!node || seen.has(node)) return;
    seen.add(node);
    stack.push({ node, next: 0 });
  };
  for (const value of values) {
    enter(value);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const from = reads(top.node);
      if (top.next < from.length) enter(from[top.next++]);
      else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
};

/** A few names, as they stand between the quotes of a message. */
const listed = (names: readonly string[]): string =>
  names.length <= 3 ? names.join("', '") : `${names.slice(0, 3).join("', '")}' and ${names.length - 3} more like '${names[3]}`;

type Lookup = (node: Node, emit: Emit) => Rule | undefined;
const lookup =
  (own: Rules | undefined): Lookup =>
  (node, emit) =>
    ruleOf(node, emit, own);

/** Inputs through which a derivative passes. An unknown operator counts as passing, so that it is noticed and named. */
const passing = (emit: Emit, node: Node, rules: Lookup): readonly string[] => {
  const rule = rules(node, emit);
  if (!rule && noGradientReason(node.op, node.domain) !== undefined) return [];
  if (rule && 'flow' in rule && rule.passes) return rule.passes(emit, node, within(rules));
  return reads(node).filter((x, i) => {
    if (!x || !(isFloat(emit, x) || isQuantised(emit, x))) return false;
    if (!rule || 'as' in rule || 'flow' in rule) return true;
    return typeof rule.back === 'function' ? rule.back(i, node) !== null : (rule.back[i] ?? null) !== null;
  });
};

/** An operator that moves or compares quantised values (Reshape, MaxPool, …): the same one on their numbers as floats. */
const onNumbers = (values: readonly string[]): Rule => ({
  as: (emit, { node, x, y }) => {
    const numbers = x.map((v) => (values.includes(v) && isQuantised(emit, v) ? cast(emit, v, 'float32') : v));
    const made = y.map((name) => name !== '');
    return emit.calls(node.op, numbers, made, node.attributes, node.domain);
  },
});

/** Reverse mode inside a body; `wanted` is what messages name. */
const within = (rules: Lookup, wanted: readonly string[] = []): Within => ({
  pull: (emit, seeds, leaves) => pull(emit, seeds, leaves, true, rules, wanted),
  passing: (emit, node) => passing(emit, node, rules),
});

/** Cotangents of `leaves` from those of `seeds`. With `stop`, leaves are independent of each other even where one is computed from another. */
const pull = (
  emit: Emit,
  seeds: ReadonlyMap<string, string>,
  leaves: ReadonlySet<string>,
  stop: boolean,
  rules: Lookup,
  wanted: readonly string[] = [...leaves],
): Map<string, string> => {
  for (const leaf of leaves) emit.mark(leaf, whole);
  const order = behind(emit, seeds.keys(), stop ? leaves : new Set());
  const open = new Map<Node, readonly string[]>();
  const active = new Set(leaves);
  for (const node of order) {
    const through = passing(emit, node, rules).filter((x) => active.has(x));
    if (through.length === 0) continue;
    open.set(node, through);
    for (const y of node.outputs) if (y) active.add(y);
  }
  const cotangents = new Map(seeds);
  const add = (value: string, g: string): void => {
    if (!g) return;
    const type = emit.type(value);
    if (type?.dims && !sameShape(emit, g, value)) emit.typed(g, isFloat(emit, value) ? type : { ...type, dtype: 'float32' });
    const before = cotangents.get(value);
    cotangents.set(value, before === undefined ? g : plus(emit, value, before, g));
  };
  for (const node of order.toReversed()) {
    const through = open.get(node);
    const g = node.outputs.map((y) => (y && emit.meaning(y) === node && cotangents.get(y)) || '');
    if (!through || !g.some((c) => c)) continue;
    const own = rules(node, emit);
    const rule = own && !('quantised' in own) && through.some((x) => isQuantised(emit, x)) ? onNumbers(through) : own;
    if (!rule) throw new Fault('graph/no-gradient', { wanted: listed(wanted), blocking: [describe(node)], reachable: [] });
    const site = { node, x: node.inputs, y: node.outputs, g };
    if ('as' in rule) {
      const outputs = rule.as(emit, site);
      const inner = 'get' in outputs ? outputs : new Map(outputs.flatMap((y, i) => (y && g[i] ? [[y, g[i]]] : [])));
      for (const [x, gx] of pull(emit, inner, new Set(through), true, rules, wanted)) if (through.includes(x)) add(x, gx);
    } else if ('flow' in rule) {
      for (const [x, gx] of rule.flow(emit, site, through, within(rules, wanted))) add(x, gx);
    } else if (g[0] || rule.outputs === 'all') {
      const { back } = rule;
      node.inputs.forEach((x, i) => {
        if (!through.includes(x)) return;
        const f = typeof back === 'function' ? back(i, node) : back[i];
        if (f) add(x, f(emit, g[0], site));
      });
    }
  }
  return cotangents;
};

/** Values from which a derivative reaches `loss`: inputs, parameters and intermediate values. */
export const reachable = (emit: Emit, loss: string, options: Reverse = {}): ReadonlySet<string> => {
  const rules = lookup(options.rules);
  const out = new Set([loss]);
  for (const node of behind(emit, [loss], new Set()).toReversed()) {
    if (node.outputs.some((y) => out.has(y)) && rules(node, emit)) for (const x of passing(emit, node, rules)) out.add(x);
  }
  return new Set([...out].filter((x) => isFloat(emit, x)));
};

/** The nodes that use one of `made`, or what is made of it, and pass no derivative on; those inside a body in place of its node. */
const blockers = (emit: Emit, order: readonly Node[], from: ReadonlySet<string>, rules: Lookup): string[] => {
  const made = new Set(from);
  return order.flatMap((node) => {
    if (!reads(node).some((x) => made.has(x))) return [];
    if (passing(emit, node, rules).some((x) => made.has(x))) {
      for (const y of node.outputs) if (y) made.add(y);
      return [];
    }
    const rule = rules(node, emit);
    const bodies = rule && 'flow' in rule ? (rule.bodies?.(emit, node, made) ?? []) : [];
    const inner = bodies.flatMap((body) => blockers(body.emit, body.emit.nodes, body.made, rules));
    return inner.length > 0 ? inner : [describe(node)];
  });
};

/** Inputs and parameters that a derivative of the loss reaches: the first, for messages. */
const rootsOf = (emit: Emit, loss: readonly string[]): readonly string[] =>
  [...new Set(loss.flatMap((l) => [...reachable(emit, l)]))].filter((v) => !emit.producer(v)).slice(0, 12);

/** The nodes that block what `wanted` gives to the loss, nearest first. */
const blocking = (emit: Emit, loss: readonly string[], wanted: readonly string[], rules: Lookup): readonly string[] =>
  blockers(emit, behind(emit, loss, new Set()), new Set(wanted), rules).slice(0, 5);

/** What stops derivatives of `loss` on their way to these values, in words. */
export const stoppedAt = (emit: Emit, loss: string, wanted: readonly string[]): readonly string[] => {
  const found = blocking(emit, [loss], wanted, lookup(undefined));
  return found.length > 0 ? found : ['the loss, which does not depend on it'];
};

/** Why nothing arrives at `wanted`. */
const refusal = (emit: Emit, loss: readonly string[], wanted: string, rules: Lookup): Fault => {
  const found = blocking(emit, loss, [wanted], rules);
  const reason = found.length > 0 ? found : ['the loss, which does not depend on it'];
  return new Fault('graph/no-gradient', { wanted, blocking: reason, reachable: rootsOf(emit, loss) });
};

/** The same refusal with what is reachable in place of `wanted`, where a rule in the middle could not say. */
const completed = (error: unknown, emit: Emit, loss: readonly string[], wanted: readonly string[]): unknown => {
  if (!Fault.is(error, 'graph/no-gradient') || error.detail.reachable.length > 0) return error;
  const others = rootsOf(emit, loss).filter((v) => !wanted.includes(v));
  return new Fault('graph/no-gradient', { ...error.detail, reachable: others }, { cause: error });
};

/**
 * Reverse mode: the gradient of a scalar `loss` (or the vector–Jacobian product of `seeds`, value → cotangent) with
 * respect to the values `wrt`, emitted beside the forward nodes. Only the part of the graph between the two is visited.
 */
export const gradients = (
  emit: Emit,
  loss: string | ReadonlyMap<string, string>,
  wrt: readonly string[],
  options: Reverse = {},
): Map<string, string> => {
  const seeds = typeof loss === 'string' ? new Map([[loss, onesLike(emit, loss)]]) : loss;
  const rules = lookup(options.rules);
  let found: ReadonlyMap<string, string>;
  try {
    found = pull(emit, seeds, new Set(wrt), false, rules);
  } catch (error) {
    throw completed(error, emit, [...seeds.keys()], wrt);
  }
  const out = new Map<string, string>();
  for (const x of wrt) {
    const g = found.get(x);
    if (g !== undefined) out.set(x, g);
    else if (options.missing !== 'omit') throw refusal(emit, [...seeds.keys()], x, rules);
  }
  return out;
};
