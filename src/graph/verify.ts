import { Fault } from '../base/fault.ts';
import { bytesNeeded } from './stored.ts';
import type { Attribute, Constant, FunctionDef, Graph, Model, Node } from './types.ts';
import { typeProblems } from './verify-types.ts';
import { called, definedIn, subgraphs, topological } from './walk.ts';

export interface Problem {
  readonly kind:
    | 'name'
    | 'duplicate'
    | 'dangling'
    | 'order'
    | 'cycle'
    | 'output'
    | 'shadow'
    | 'constant'
    | 'attribute'
    | 'opset'
    | 'type'
    | 'function';
  /** The node, value or function at fault, as messages call it. */
  readonly where: string;
  readonly sentence: string;
}

type Report = (kind: Problem['kind'], where: string, sentence: string) => void;

/** What is wrong with a stored tensor, or undefined. */
const constantFlaw = (c: Constant): string | undefined => {
  const shape = `[${c.dims.join(', ')}]`;
  if (c.dims.some((d) => !Number.isSafeInteger(d) || d < 0)) return `has the shape ${shape}`;
  const held = [c.bytes, c.strings, c.external].filter((x) => x !== undefined).length;
  if (held !== 1) return `must hold its elements in exactly one place but has ${held}`;
  if (!c.external && (c.dtype === 'string') !== (c.strings !== undefined))
    return `of type ${c.dtype} holds its elements in the wrong place`;
  const needed = bytesNeeded(c.dtype, c.dims);
  return c.bytes && c.bytes.length !== needed
    ? `of shape ${shape} and type ${c.dtype} needs ${needed} bytes but has ${c.bytes.length}`
    : undefined;
};

const checkConstant = (name: string, c: Constant, report: Report): void => {
  const flaw = constantFlaw(c);
  if (flaw) report('constant', `initializer '${name}'`, `initializer '${name}' ${flaw}`);
};

const checkAttribute = (at: string, name: string, a: Attribute, inFunction: boolean, report: Report): void => {
  const wrong = (what: string): void => report('attribute', at, `attribute '${name}' of node ${at} ${what}`);
  if (a.type === 'int' && !Number.isInteger(a.value)) wrong(`is ${a.value}, not a whole number`);
  if (a.type === 'ints' && !a.value.every(Number.isInteger)) wrong(`is [${a.value.join(', ')}], not whole numbers`);
  if (a.type === 'tensor') checkConstant(`${name} of ${at}`, a.value, report);
  if (a.type === 'reference' && !inFunction) wrong(`refers to '${a.value}' outside a function`);
};

interface Scope {
  /** Names visible from enclosing graphs. */
  readonly outer: ReadonlySet<string>;
  /** Names that enclosing graphs make later, and whether that is because of a cycle. */
  readonly later: ReadonlySet<string>;
  readonly cyclic: boolean;
  readonly opsets: ReadonlyMap<string, number> | undefined;
  readonly inFunction: boolean;
}

const outermost = { outer: new Set<string>(), later: new Set<string>(), cyclic: false };

const checkNodes = (nodes: readonly Node[], start: Set<string>, scope: Scope, report: Report): void => {
  const made = new Set(nodes.flatMap((n) => n.outputs.filter((o) => o)));
  const stuck = new Set(topological(nodes).stuck);
  const known = start;
  const names = new Set<string>();
  for (const node of nodes) {
    const at = called(node);
    // ONNX Runtime opens no graph with two nodes of one name.
    if (names.has(node.name) && !scope.inFunction) report('duplicate', at, `two nodes are named '${node.name}'`);
    if (node.name) names.add(node.name);
    if (!node.op) report('name', at, `node ${at} names no operator`);
    if (scope.opsets && !scope.opsets.has(node.domain))
      report('opset', at, `node ${at} is of domain '${node.domain || 'ai.onnx'}', which the model does not import`);
    const cyclic = scope.cyclic || stuck.has(node);
    for (const name of node.inputs) {
      if (!name || known.has(name) || (scope.outer.has(name) && !made.has(name))) continue;
      if (!made.has(name) && !scope.later.has(name)) report('dangling', at, `node ${at} reads '${name}', which nothing defines`);
      else if (cyclic) report('cycle', at, `node ${at} lies on or behind a cycle through '${name}'`);
      else report('order', at, `node ${at} reads '${name}' before it is made`);
    }
    for (const [name, a] of Object.entries(node.attributes)) checkAttribute(at, name, a, scope.inFunction, report);
    const inner = subgraphs(node);
    const visible = inner.length > 0 ? new Set([...scope.outer, ...known]) : scope.outer;
    const later = inner.length > 0 ? new Set([...scope.later, ...made].filter((n) => !known.has(n))) : scope.later;
    for (const g of inner) checkGraph(g, { ...scope, outer: visible, later, cyclic }, report);
    for (const name of node.outputs) {
      if (!name) continue;
      if (known.has(name)) report('duplicate', at, `'${name}', made by node ${at}, is defined twice`);
      else if (scope.outer.has(name)) report('shadow', at, `'${name}', made by node ${at}, hides a value of the enclosing graph`);
      known.add(name);
    }
  }
};

const checkGraph = (graph: Graph, scope: Scope, report: Report): void => {
  const known = new Set<string>();
  for (const { name } of graph.inputs) {
    if (!name) report('name', `graph '${graph.name}'`, `an input of graph '${graph.name}' has no name`);
    if (known.has(name)) report('duplicate', `input '${name}'`, `input '${name}' is listed twice`);
    if (scope.outer.has(name))
      report('shadow', `input '${name}'`, `input '${name}' of graph '${graph.name}' hides a value of the enclosing graph`);
    known.add(name);
  }
  for (const [name, c] of graph.initializers) {
    if (!name) report('name', `graph '${graph.name}'`, `an initializer of graph '${graph.name}' has no name`);
    // ONNX Runtime would read the outer value.
    if (scope.outer.has(name))
      report('shadow', `initializer '${name}'`, `initializer '${name}' of graph '${graph.name}' hides a value of the enclosing graph`);
    checkConstant(name, c, report);
    known.add(name);
  }
  for (const [name, s] of graph.sparseInitializers ?? []) {
    if (known.has(name)) report('duplicate', `initializer '${name}'`, `sparse initializer '${name}' is defined twice`);
    checkConstant(name, s.values, report);
    checkConstant(`indices of ${name}`, s.indices, report);
    known.add(name);
  }
  checkNodes(graph.nodes, known, scope, report);
  const own = definedIn(graph);
  const listed = new Set<string>();
  for (const { name } of graph.outputs) {
    if (listed.has(name)) report('duplicate', `output '${name}'`, `output '${name}' is listed twice`);
    listed.add(name);
    if (!own.has(name)) report('output', `output '${name}'`, `output '${name}' of graph '${graph.name}' is not made in it`);
  }
  for (const p of typeProblems(graph)) report('type', p.where, p.sentence);
};

const keyOf = (f: { readonly name: string; readonly domain: string; readonly overload?: string }): string =>
  `${f.domain || 'ai.onnx'}.${f.name}${f.overload ? `:${f.overload}` : ''}`;
const callKey = (n: Node): string => keyOf({ name: n.op, domain: n.domain, ...(n.overload ? { overload: n.overload } : {}) });

const checkFunctions = (functions: readonly FunctionDef[], report: Report): void => {
  const all = new Map<string, FunctionDef>();
  for (const f of functions) {
    const key = keyOf(f);
    if (all.has(key)) report('function', `function '${key}'`, `function '${key}' is defined twice`);
    all.set(key, f);
    const known = new Set(f.inputs);
    checkNodes(f.nodes, known, { ...outermost, opsets: f.opsets, inFunction: true }, report);
    for (const o of f.outputs)
      if (!known.has(o)) report('output', `function '${key}'`, `output '${o}' of function '${key}' is not made in it`);
  }
  const state = new Map<string, 'open' | 'done'>();
  const visit = (key: string): void => {
    const f = all.get(key);
    if (!f || state.get(key) === 'done') return;
    if (state.get(key) === 'open') {
      report('function', `function '${key}'`, `function '${key}' calls itself`);
      return;
    }
    state.set(key, 'open');
    const calls = (nodes: readonly Node[]): void => {
      for (const n of nodes) {
        visit(callKey(n));
        for (const g of subgraphs(n)) calls(g.nodes);
      }
    };
    calls(f.nodes);
    state.set(key, 'done');
  };
  for (const key of all.keys()) visit(key);
};

/**
 * What a legal graph is: every value is defined once and before it is read, in its own graph or one around it; outputs are
 * made in the graph; no cycle; constants have the bytes their shape needs; operators are called with element types that agree.
 * Empty where the model (or a graph on its own) is legal.
 */
export const verify = (subject: Model | Graph): readonly Problem[] => {
  const problems: Problem[] = [];
  const report: Report = (kind, where, sentence) => void problems.push({ kind, where, sentence });
  const model = 'graph' in subject ? subject : undefined;
  const graph = 'graph' in subject ? subject.graph : subject;
  checkGraph(graph, { ...outermost, opsets: model?.opsets, inFunction: false }, report);
  if (model) {
    if (!model.opsets.has('') && graph.nodes.some((n) => n.domain === ''))
      report('opset', 'model', 'the model imports no standard operator set');
    checkFunctions(model.functions, report);
  }
  return problems;
};

/** Throws `graph/illegal` naming the first problems; gives the subject back where it is legal. */
export const mustVerify = <S extends Model | Graph>(subject: S, name = 'the model'): S => {
  const problems = verify(subject);
  if (problems.length > 0) throw new Fault('graph/illegal', { name, problems: problems.map((p) => p.sentence) });
  return subject;
};
