import { Fault } from '../base/fault.ts';
import type { DType } from '../base/tensor.ts';
import type { Emit } from '../graph/emit.ts';
import type { Node } from '../graph/types.ts';
import { keyOf, type Rule, type Rules } from './rule.ts';
import { noGradientReason, ruleOf } from './rules/index.ts';
import { onesLike, sameShape } from './shapes.ts';

export interface Reverse {
  /** Rules that take the place of the table's, by operator: guided backpropagation and its kin. */
  readonly rules?: Rules;
  /** What to do where a wanted value has no path to the loss: a fault (default), or leave it out of the result. */
  readonly missing?: 'fault' | 'omit';
}

const floats = new Set<DType>(['float32', 'float64', 'float16', 'bfloat16']);
const isFloat = (emit: Emit, value: string): boolean => {
  const type = emit.type(value);
  return !type || floats.has(type.dtype);
};
const describe = (node: Node): string =>
  `'${node.name || node.outputs[0]}' (${keyOf(node)}: ${noGradientReason(node.op, node.domain) ?? 'an operator Assay does not know'})`;

/** The part of the graph behind some values, in topological order; `stop` values count as given. */
const behind = (emit: Emit, values: Iterable<string>, stop: ReadonlySet<string>): Node[] => {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  const enter = (value: string): void => {
    const node = value && !stop.has(value) ? emit.producer(value) : undefined;
    if (!node || seen.has(node)) return;
    seen.add(node);
    stack.push({ node, next: 0 });
  };
  for (const value of values) {
    enter(value);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      if (top.next < top.node.inputs.length) enter(top.node.inputs[top.next++]);
      else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
};

type Lookup = (node: Node) => Rule | undefined;
const lookup =
  (emit: Emit, own: Rules | undefined): Lookup =>
  (node) =>
    ruleOf(node, emit, own);

/** Inputs through which a derivative passes. An unknown operator counts as passing, so that it is noticed and named. */
const passing = (emit: Emit, node: Node, rules: Lookup): string[] => {
  const rule = rules(node);
  if (!rule && noGradientReason(node.op, node.domain) !== undefined) return [];
  return node.inputs.filter((x, i) => {
    if (!x || !isFloat(emit, x)) return false;
    if (!rule || 'as' in rule) return true;
    return typeof rule.back === 'function' ? rule.back(i, node) !== null : (rule.back[i] ?? null) !== null;
  });
};

/** Cotangents of `leaves` from those of `seeds`. With `stop`, leaves are independent of each other even where one is computed from another. */
const pull = (
  emit: Emit,
  seeds: ReadonlyMap<string, string>,
  leaves: ReadonlySet<string>,
  stop: boolean,
  rules: Lookup,
): Map<string, string> => {
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
    if (type?.dims && !sameShape(emit, g, value)) emit.typed(g, type);
    const before = cotangents.get(value);
    cotangents.set(value, before === undefined ? g : emit.Add(before, g));
  };
  for (const node of order.toReversed()) {
    const through = open.get(node);
    const g = node.outputs.map((y) => (y && cotangents.get(y)) || '');
    if (!through || !g.some((c) => c)) continue;
    const rule = rules(node);
    if (!rule) throw new Fault('graph/no-gradient', { wanted: [...leaves].join("', '"), blocking: [describe(node)], reachable: [] });
    const site = { node, x: node.inputs, y: node.outputs, g };
    if ('as' in rule) {
      const outputs = rule.as(emit, site);
      const inner = new Map(outputs.flatMap((y, i) => (y && g[i] ? [[y, g[i]]] : [])));
      for (const [x, gx] of pull(emit, inner, new Set(through), true, rules)) if (through.includes(x)) add(x, gx);
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
  const rules = lookup(emit, options.rules);
  const out = new Set([loss]);
  for (const node of behind(emit, [loss], new Set()).toReversed()) {
    if (node.outputs.some((y) => out.has(y)) && rules(node)) for (const x of passing(emit, node, rules)) out.add(x);
  }
  return out;
};

/** Why nothing arrives at `wanted`: the nodes, nearest first, that use it or what is made of it and pass no derivative on. */
const refusal = (emit: Emit, loss: readonly string[], wanted: string, rules: Lookup): Fault => {
  const order = behind(emit, loss, new Set());
  const made = new Set([wanted]);
  const blocking: string[] = [];
  let used = false;
  for (const node of order) {
    if (!node.inputs.some((x) => made.has(x))) continue;
    used = true;
    if (passing(emit, node, rules).some((x) => made.has(x))) for (const y of node.outputs) made.add(y);
    else blocking.push(describe(node));
  }
  const roots = [...reachable(emit, loss[0])].filter((v) => !emit.producer(v));
  const reason = used ? blocking.slice(0, 5) : [`the loss, which does not depend on it`];
  return new Fault('graph/no-gradient', { wanted, blocking: reason, reachable: roots.slice(0, 12) });
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
  const rules = lookup(emit, options.rules);
  const found = pull(emit, seeds, new Set(wrt), false, rules);
  const out = new Map<string, string>();
  for (const x of wrt) {
    const g = found.get(x);
    if (g !== undefined) out.set(x, g);
    else if (options.missing !== 'omit') throw refusal(emit, [...seeds.keys()], x, rules);
  }
  return out;
};
