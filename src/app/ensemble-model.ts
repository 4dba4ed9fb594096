import type { GatedEnsemble } from '../base/ensemble.ts';
import type { Meaning } from '../evidence/interpret.ts';
import { constantOf } from '../graph/constant.ts';
import { type Emit, emitter } from '../graph/emit.ts';
import { prune } from '../graph/passes/prune.ts';
import { renamed } from '../graph/passes/rename.ts';
import { dtypes } from '../graph/schema.ts';
import type { Constant, Graph, Model, Node, ValueInfo } from '../graph/types.ts';
import { namesWithin } from '../graph/walk.ts';
import { featureRows, headScores } from '../training/fitted-heads/linear.ts';
import { logitsOf } from './calibrated-model.ts';

/** A model that is part of the ensemble: in one dialect, its weights in memory. */
export interface Member {
  readonly model: Model;
  readonly input: string;
  /** What is read of it: an output, or a layer. */
  readonly value: string;
  /** Of an output. */
  readonly meaning?: Meaning;
}

interface Merged {
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Constant>;
  readonly values: Graph['values'];
  readonly input: ValueInfo;
  /** The value read of each member. */
  readonly reads: readonly string[];
}

/** Members side by side on one input, each under names of its own. */
const merged = (members: readonly Member[], input: string): Merged => {
  const nodes: Node[] = [];
  const initializers = new Map<string, Constant>();
  const values = new Map<string, Graph['values'] extends ReadonlyMap<string, infer T> ? T : never>();
  const reads: string[] = [];
  let info: ValueInfo | undefined;
  for (const [d, member] of members.entries()) {
    const { graph } = prune({ ...member.model, graph: { ...member.model.graph, outputs: [{ name: member.value }] } });
    const to = (name: string): string => (name === member.input ? input : `d${d}/${name}`);
    const own = renamed(graph, to);
    nodes.push(...own.nodes);
    for (const [name, c] of own.initializers) initializers.set(name, c);
    for (const [name, type] of own.values) values.set(name, type);
    reads.push(to(member.value));
    info ??= own.inputs.find((i) => i.name === input);
  }
  return { nodes, initializers, values, input: info ?? { name: input }, reads };
};

/** Rows of a table by token id, summed over a row's tokens: [N, columns]. Ids beyond the table read its last row, of zeros. */
const summed = (emit: Emit, ids: string, table: Float64Array, columns: number): string => {
  const last = table.length / columns - 1;
  const flat = emit.Reshape(emit.Cast(ids, { to: dtypes.indexOf('int64') }), emit.ints([0, -1]));
  const known = emit.And(emit.Less(flat, emit.scalar(last, 'int64')), emit.Not(emit.Less(flat, emit.scalar(0, 'int64'))));
  const safe = emit.Where(known, flat, emit.scalar(last, 'int64'));
  const rows = emit.Gather(emit.constant(constantOf('float32', [last + 1, columns], table)), safe);
  const mean = emit.call('GlobalAveragePool', [emit.Transpose(rows, { perm: [0, 2, 1] })]);
  const count = emit.Cast(emit.Gather(emit.Shape(flat), emit.ints([1])), { to: dtypes.indexOf('float32') });
  return emit.Mul(emit.Reshape(mean, emit.ints([-1, columns])), count);
};

const gateOf = (emit: Emit, ids: string, table: Float64Array, domains: number): string => {
  const dbd = summed(emit, ids, table, domains);
  const ones = emit.constant(constantOf('float32', [domains, 1], new Float64Array(domains).fill(1)));
  const sum = emit.MatMul(dbd, ones);
  const some = emit.Greater(sum, emit.scalar(0));
  return emit.Where(some, emit.Div(dbd, emit.Where(some, sum, emit.scalar(1))), emit.scalar(1 / domains));
};

/** Of heads on token counts: one table of all their weights, read once. */
const tokenVotes = (emit: Emit, ids: string, { voters, domains, classes }: GatedEnsemble): readonly string[] => {
  if (voters.kind !== 'tokens') return [];
  const columns = domains.length * classes.length;
  const { width } = voters.heads[0];
  const table = new Float64Array((width + 1) * columns);
  for (const [d, { weights }] of voters.heads.entries())
    for (let k = 0; k < classes.length; k++)
      for (let w = 0; w < width; w++) table[w * columns + d * classes.length + k] = weights[k * width + w];
  const all = summed(emit, ids, table, columns);
  return voters.heads.map(({ biases }, d) => {
    const own = Array.from(classes, (_, k) => d * classes.length + k);
    const scores = emit.Add(
      emit.Gather(all, emit.ints(own), { axis: 1 }),
      emit.constant(constantOf('float32', [1, classes.length], biases)),
    );
    return emit.Softmax(scores, { axis: 1 });
  });
};

/** One model of `members` (those of the voters; none for heads on token counts) behind a gate of token ids: `probabilities` and `gate`. */
export const ensembleModel = (ensemble: GatedEnsemble, members: readonly Member[], metadata: ReadonlyMap<string, string>): Model => {
  const { domains, classes, gate: table, voters } = ensemble;
  const input = members[0]?.input ?? 'ids';
  const parts = members.length > 0 ? merged(members, input) : undefined;
  const emit = emitter({
    taken: ['probabilities', 'gate', input, ...(parts ? [...parts.values.keys(), ...namesWithin(graphOf(parts))] : [])],
  });
  const toFloat = (value: string): string => emit.Cast(value, { to: dtypes.indexOf('float32') });
  const votes = ((): readonly string[] => {
    if (!parts) return tokenVotes(emit, input, ensemble);
    if (voters.kind === 'features') {
      const rows = featureRows(emit, toFloat(parts.reads[0]), voters.pooling, voters.heads[0].width);
      return voters.heads.map((head, d) => emit.Softmax(headScores(emit, rows, head, `head${d}`), { axis: 1 }));
    }
    return parts.reads.map((value, d) => {
      const meaning = members[d].meaning ?? { scores: 'logits', binary: false };
      const columns = meaning.binary ? 1 : classes.length;
      const rows = emit.Cast(emit.Reshape(value, emit.ints([-1, columns])), { to: dtypes.indexOf('float64') });
      return toFloat(emit.Softmax(logitsOf(emit, rows, meaning), { axis: 1 }));
    });
  })();
  const gate = gateOf(emit, input, table, domains.length);
  const mixed = votes.map((p, d) => emit.Mul(emit.Gather(gate, emit.ints([d]), { axis: 1 }), p)).reduce((a, b) => emit.Add(a, b));
  const rename = (name: string): string => (name === mixed ? 'probabilities' : name === gate ? 'gate' : name);
  const made = emit.nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) }));
  const rows = (name: string, columns: number): ValueInfo => ({
    name,
    type: { kind: 'tensor', dtype: 'float32', dims: [undefined, columns] },
  });
  const model = members[0]?.model;
  return {
    irVersion: model?.irVersion ?? 8,
    opsets: new Map(model ? members.flatMap((m) => [...m.model.opsets]) : [['', 18]]),
    producer: 'assay',
    producerVersion: '',
    domain: '',
    version: 0,
    metadata,
    functions: [],
    graph: {
      name: 'ensemble',
      inputs: [parts?.input ?? { name: input, type: { kind: 'tensor', dtype: 'int64', dims: ['N', 'T'] } }],
      outputs: [rows('probabilities', classes.length), rows('gate', domains.length)],
      nodes: [...(parts?.nodes ?? []), ...made],
      initializers: new Map([...(parts?.initializers ?? []), ...emit.constants]),
      values: parts?.values ?? new Map(),
    },
  };
};

const graphOf = ({ nodes, initializers, values, input }: Merged): Graph => ({
  name: '',
  inputs: [input],
  outputs: [],
  nodes,
  initializers,
  values,
});
