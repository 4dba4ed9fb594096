import { chance } from '../graph/chance.ts';
import { plainNode } from '../graph/node.ts';
import { restrict } from '../graph/passes/prune.ts';
import type { Constant, Graph, Node, ValueInfo } from '../graph/types.ts';
import { readsOf } from '../graph/walk.ts';

/** Steps for a `Scan`: what is made once before them, what each of them takes its own entry of, and the step itself. */
export interface Scanned {
  readonly before: readonly Node[];
  readonly initializers: ReadonlyMap<string, Constant>;
  /** Values from around the steps whose first axis is the steps. */
  readonly entries: readonly string[];
  readonly body: Graph;
}

/** Names of the values around the steps: places of the rows of each step [K, B] and labels of all rows, or the rows and labels of each step. */
interface Around {
  readonly rows: string;
  readonly target: string;
}

/**
 * The body of a `Loop` that always goes on as that of a `Scan`, which hands each step its entry of a value without a node: of the
 * rows, of the labels, which are gathered for all steps at once, and of what is fed. What is the same in every step, such as the
 * number of rows, is made once. Law: the outputs are unchanged.
 */
export const scanned = (step: Graph, { rows, target }: Around): Scanned => {
  const [iteration] = step.inputs.map((i) => i.name);
  const carried = step.inputs.slice(2);
  const { nodes, initializers, values } = restrict(step, step.outputs);
  const made = new Set([...step.inputs.map((i) => i.name), ...nodes.flatMap((n) => n.outputs)]);
  const before: Node[] = [];
  const outside = new Map<string, Constant>();
  const entries = new Map<string, string>();
  const moved = new Set<string>();

  const vectorOfRows = (value: string): boolean => {
    const type = values.get(value);
    return type?.kind === 'tensor' && type.dims?.length === 1 && type.dims[0] === 'N';
  };
  const first = (...made: readonly Node[]): true => {
    for (const n of made) {
      if (before.every((b) => b.name !== n.name)) before.push(n);
      for (const o of n.outputs) moved.add(o);
    }
    return true;
  };
  /** Whether a node of the step is none any more. */
  const leaves = (n: Node): boolean => {
    const [from, at] = n.inputs;
    const [output] = n.outputs;
    if (n.op === 'Gather' && at === iteration && !made.has(from) && !initializers.has(from)) {
      entries.set(output, from);
      return true;
    }
    if (n.op === 'Gather' && from === target && entries.get(at) === rows && vectorOfRows(output)) {
      entries.set(output, `${target}/${rows}`);
      return first(plainNode('Gather', [target, rows], `${target}/${rows}`));
    }
    if (n.op === 'Size' && vectorOfRows(from)) {
      outside.set(`${rows}/axis`, { dtype: 'int64', dims: [], bytes: new Uint8Array(BigInt64Array.of(1n).buffer) });
      return first(plainNode('Shape', [rows], `${rows}/shape`), plainNode('Gather', [`${rows}/shape`, `${rows}/axis`], output));
    }
    const reads = readsOf(n);
    const same = (v: string): boolean => v !== '' && (moved.has(v) || initializers.has(v) || !made.has(v));
    if (reads.length === 0 || chance.has(n.op) || !n.inputs.every(same) || !reads.every((v) => n.inputs.includes(v))) return false;
    const stored = (v: string): string => (initializers.has(v) ? `once/${v}` : v);
    for (const v of reads) {
      const constant = initializers.get(v);
      if (constant) outside.set(stored(v), constant);
    }
    return first({ ...n, inputs: n.inputs.map(stored) });
  };
  const stay = nodes.filter((n) => !leaves(n));

  // An output is made by a node of the step, and by one alone.
  const own = new Set(stay.flatMap((n) => n.outputs));
  const outputs = step.outputs.map((o, i): ValueInfo => {
    if (own.delete(o.name)) return o;
    stay.push(plainNode('Identity', [o.name], `${o.name}/${i}`));
    return { ...o, name: `${o.name}/${i}` };
  });
  const entry = (name: string): ValueInfo => {
    const type = values.get(name);
    return type ? { name, type } : { name };
  };
  const read = new Set(stay.flatMap((n) => readsOf(n)));
  const used = [...entries].filter(([name]) => read.has(name));
  return {
    before,
    initializers: outside,
    entries: used.map(([, from]) => from),
    body: { ...step, nodes: stay, initializers, values, inputs: [...carried, ...used.map(([name]) => entry(name))], outputs },
  };
};
