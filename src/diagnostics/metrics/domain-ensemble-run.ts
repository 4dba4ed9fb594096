import type { GatedEnsemble } from '../../base/ensemble.ts';
import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { argmax } from '../../base/maths/argmax.ts';
import type { LinearHead } from '../../base/maths/linear-head.ts';
import { pairedDifference } from '../../base/maths/mcnemar.ts';
import { wilson } from '../../base/maths/proportion.ts';
import type { Tools } from '../../evidence/evidence.ts';
import { type DomainRows, domainRows, type RowsAsk } from './domain-ensemble-rows.ts';
import { type VoteOptions, type Votes, votesOf } from './domain-ensemble-votes.ts';
import { addTokens, type GateKind, type GateTable, gateKinds, gateOf, gateTable, noTokens } from './domain-gate.ts';

export interface EnsembleOptions extends RowsAsk, VoteOptions {
  readonly voters: 'auto' | 'models' | 'features' | 'tokens';
  readonly gate: GateKind;
  readonly confidenceLevel: number;
  readonly save: string;
}

type Range = readonly [number, number];

/** One way to answer, over the rows shown. */
export interface System {
  readonly name: 'global' | 'mean' | 'gated' | 'oracle';
  readonly right: number;
  readonly range: Range;
  /** Accuracy less that of the gated ensemble's, over the same rows; null for itself. */
  readonly less: { readonly value: number; readonly range: Range } | null;
  /** Rows that it gets wrong. */
  readonly wrong: readonly number[];
}

export interface GateScore {
  readonly kind: GateKind;
  /** Rows routed to their domain, and rows answered right behind this gate. */
  readonly routed: number;
  readonly right: number;
}

/** One row explained. */
export interface Explained {
  readonly row: number;
  readonly domain: number;
  readonly label: number;
  readonly predicted: number;
  readonly gate: readonly number[];
  /** Class that each domain votes for. */
  readonly votes: readonly number[];
}

export interface Ensembled {
  readonly kind: Votes['voters']['kind'];
  readonly domains: readonly string[];
  readonly classes: readonly string[];
  readonly shown: number;
  readonly fitted: number;
  readonly column: string;
  readonly tokens: number;
  /** Rows shown of each domain. */
  readonly sizes: readonly number[];
  readonly systems: readonly System[];
  readonly gates: readonly GateScore[];
  readonly gate: GateKind;
  /** [domains, domains]: rows right of the voter of one domain (row) among those of another (column). */
  readonly crossed: readonly number[];
  /** [domains, domains]: rows of a domain (row) by the domain of greatest weight (column). */
  readonly routes: readonly (readonly number[])[];
  /** Tokens that belong most to one domain and least to the others. */
  readonly defining: readonly (readonly { readonly token: string; readonly weight: number; readonly share: number }[])[];
  readonly explained: readonly Explained[];
  readonly saved: boolean;
  readonly notes: readonly string[];
}

/** Tokens and rows listed. */
const [TOKENS, ROWS] = [10, 40];

const gatesOf = (table: GateTable, rows: readonly number[], of: DomainRows): readonly Float64Array[] =>
  rows.map((row) => gateOf(table, of.tokensOf(row), of.domains.length));

/** Σ_d g_d·p_d of every row. */
const mixed = (members: readonly Float64Array[], classes: number, weight: (row: number, domain: number) => number): Float64Array => {
  const out = new Float64Array(members[0].length);
  for (const [d, votes] of members.entries())
    for (let at = 0; at < out.length; at++) out[at] += weight(Math.floor(at / classes), d) * votes[at];
  return out;
};

const answers = (probs: Float64Array, classes: number): Int32Array =>
  Int32Array.from({ length: probs.length / classes }, (_, i) => argmax(probs, i * classes, classes));

const definingTokens = (table: GateTable, domains: number): Ensembled['defining'] =>
  Array.from({ length: domains }, (_, d) =>
    [...table]
      .map(([token, own]) => {
        const rest = own.reduce((most, v, e) => (e === d ? most : Math.max(most, v)), 0);
        const all = own.reduce((a, b) => a + b, 0);
        return { token, weight: own[d], lead: own[d] - rest, share: all > 0 ? own[d] / all : 0 };
      })
      .filter(({ lead }) => lead > 0)
      .sort((a, b) => b.lead - a.lead || (a.token < b.token ? -1 : 1))
      .slice(0, TOKENS)
      .map(({ token, weight, share }) => ({ token, weight, share })),
  );

/** By token id, a last row of zeros for ids beyond. */
const byId = (table: GateTable, domains: number): Float64Array => {
  const most = [...table.keys()].reduce((n, id) => Math.max(n, Number(id) + 1), 0);
  const out = new Float64Array((most + 1) * domains);
  for (const [id, own] of table) out.set(own, Number(id) * domains);
  return out;
};

/** Heads that read all ids up to the greatest, in place of those of the vocabulary. */
const headsById = (heads: readonly LinearHead[], vocabulary: readonly string[]): readonly LinearHead[] => {
  const width = vocabulary.reduce((n, id) => Math.max(n, Number(id) + 1), 0);
  return heads.map((head) => {
    const weights = new Float64Array(head.classes * width);
    for (let k = 0; k < head.classes; k++)
      for (const [j, id] of vocabulary.entries()) weights[k * width + Number(id)] = head.weights[k * head.width + j];
    return { ...head, width, weights };
  });
};

const plain = (table: GateTable, votes: Votes, rows: DomainRows): GatedEnsemble => ({
  domains: rows.domains,
  classes: votes.classes,
  gate: byId(table, rows.domains.length),
  voters: votes.voters.kind === 'tokens' ? { kind: 'tokens', heads: headsById(votes.voters.heads, votes.vocabulary ?? []) } : votes.voters,
});

const systemsOf = (
  answered: readonly (readonly [System['name'], Int32Array])[],
  labels: Int32Array,
  rows: readonly number[],
  level: number,
): System[] => {
  const right = answered.map(([, said]) => said.map((k, i) => Number(k === labels[i])));
  const gated = right[answered.findIndex(([name]) => name === 'gated')];
  return answered.map(([name], s) => {
    const own = right[s];
    const hits = own.reduce((a, b) => a + b, 0);
    let [b, c] = [0, 0];
    for (let i = 0; i < own.length; i++) {
      if (own[i] > gated[i]) b++;
      else if (own[i] < gated[i]) c++;
    }
    return {
      name,
      right: hits,
      range: wilson(hits, own.length, level) ?? [0, 1],
      less: name === 'gated' ? null : { value: (b - c) / own.length, range: pairedDifference(b, c, own.length, level) ?? [-1, 1] },
      wrong: rows.filter((_, i) => own[i] === 0),
    };
  });
};

/** The voters of each domain behind a gate of tokens, against their mean, one voter for all, and a gate that knows the domain. */
export const ensembled = async (
  tools: Pick<Tools, 'columns' | 'outputs' | 'features' | 'ensemble' | 'head'>,
  options: EnsembleOptions,
  hasModel: boolean,
  job: Job,
): Promise<Ensembled> => {
  const kind = options.voters !== 'auto' ? options.voters : options.models.trim() !== '' ? 'models' : hasModel ? 'features' : 'tokens';
  const save = options.save === '' ? undefined : await tools.ensemble.open(options.save, kind);
  const rows = await domainRows(tools.columns, options, job);
  const { domains, fit, shown } = rows;
  if (save && !rows.ids)
    throw new Fault('evidence/ensemble-input', { reason: `'${rows.column}' is text, which no model input takes here` });
  const d = domains.length;
  const counts = noTokens(d);
  for (const row of fit) addTokens(counts, rows.tokensOf(row), rows.domainOf(row));
  const votes = await votesOf(kind, tools, rows, options, job);
  const { classes, labels, members } = votes;
  const c = classes.length;
  const truth = Int32Array.from(shown, rows.domainOf);
  const tables = new Map(gateKinds.map((k) => [k, gateTable(counts, k, options.minTokenCount)]));
  const table = tables.get(options.gate) ?? new Map<string, Float64Array>();
  const gates = new Map([...tables].map(([k, t]) => [k, gatesOf(t, shown, rows)]));
  const scoreOf = (k: GateKind): GateScore => {
    const own = gates.get(k) ?? [];
    const said = answers(
      mixed(members, c, (row, e) => own[row][e]),
      c,
    );
    return {
      kind: k,
      routed: own.reduce((n, g, i) => n + Number(argmax(g, 0, d) === truth[i]), 0),
      right: said.reduce((n, k2, i) => n + Number(k2 === labels[i]), 0),
    };
  };
  const own = gates.get(options.gate) ?? [];
  const gated = answers(
    mixed(members, c, (row, e) => own[row][e]),
    c,
  );
  const single = members.map((m) => answers(m, c));
  const answered: (readonly [System['name'], Int32Array])[] = [
    ...(votes.global ? [['global', answers(votes.global, c)] as const] : []),
    [
      'mean',
      answers(
        mixed(members, c, () => 1 / d),
        c,
      ),
    ],
    ['gated', gated],
    ['oracle', labels.map((_, i) => single[truth[i]][i])],
  ];
  const crossed = Array.from({ length: d * d }, (_, at) => {
    const said = single[Math.floor(at / d)];
    return labels.reduce((n, label, i) => n + Number(truth[i] === at % d && said[i] === label), 0);
  });
  const routes = Array.from({ length: d * d }, (): number[] => []);
  for (const [i, row] of shown.entries()) routes[truth[i] * d + argmax(own[i], 0, d)].push(row);
  // Rows sent elsewhere and answered wrong come first, then other mistakes, then the rest.
  const rank = (i: number): number => 2 * Number(gated[i] !== labels[i]) + Number(argmax(own[i], 0, d) !== truth[i]);
  const explained = Array.from(shown.keys())
    .sort((a, b) => rank(b) - rank(a) || a - b)
    .slice(0, ROWS)
    .map((i) => ({
      row: shown[i],
      domain: truth[i],
      label: labels[i],
      predicted: gated[i],
      gate: Array.from(own[i]),
      votes: single.map((s) => s[i]),
    }));
  const systems = systemsOf(answered, labels, shown, options.confidenceLevel);
  await save?.(plain(table, votes, rows), { gate: options.gate, column: rows.column, voters: kind, fittedRows: fit.length });
  return {
    kind,
    domains,
    classes,
    shown: shown.length,
    fitted: fit.length,
    column: rows.column,
    tokens: table.size,
    sizes: domains.map((_, e) => truth.reduce((n, t) => n + Number(t === e), 0)),
    systems,
    gates: gateKinds.map(scoreOf),
    gate: options.gate,
    crossed,
    routes,
    defining: definingTokens(table, d),
    explained,
    saved: save !== undefined,
    notes: [...rows.notes, ...votes.notes],
  };
};
