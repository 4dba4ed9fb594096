import type { Voters } from '../../base/ensemble.ts';
import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import { type FeatureScale, type LinearHead, minMax, onRaw, unscaled } from '../../base/maths/linear-head.ts';
import { headRows, softmaxHead } from '../../base/maths/softmax-head.ts';
import { softmaxInPlace } from '../../base/maths/softmax-regression.ts';
import type { OutputTable, Tools } from '../../evidence/evidence.ts';
import type { FeatureAsk, FeatureTable } from '../../evidence/features.ts';
import type { DomainRows } from './domain-ensemble-rows.ts';
import { addTokens, noTokens } from './domain-gate.ts';

export interface VoteOptions {
  readonly models: string;
  readonly layer: string;
  readonly pooling: NonNullable<FeatureAsk['pooling']>;
  readonly fitOn: string;
  readonly classWeights: 'none' | 'inverse-frequency';
  readonly minTokenCount: number;
  readonly inversePenalty: number;
  readonly maxIter: number;
}

/** Class probabilities [rows shown, classes] of the model or head of each domain, and of one for all. */
export interface Votes {
  readonly classes: readonly string[];
  readonly labels: Int32Array;
  readonly members: readonly Float64Array[];
  readonly global?: Float64Array;
  readonly voters: Voters;
  /** Tokens that heads on token counts read, in the order of their weights. */
  readonly vocabulary?: readonly string[];
  readonly notes: readonly string[];
}

/** Fewest rows that a head of a domain is fitted on (card 35). */
const LEAST_ROWS = 20;
/** Tokens that heads on token counts read: the most frequent. */
const VOCABULARY = 2000;
const MOST_CLASSES = 1000;

/** Paths by domain, from `DOMAIN=PATH,…`. */
const modelsOf = (text: string, domains: readonly string[]): readonly string[] => {
  const given = new Map<string, string>();
  for (const part of text.split(',').filter((p) => p.trim() !== '')) {
    const at = part.indexOf('=');
    if (at < 1) throw new Fault('option/value', { name: 'models', value: text, expected: 'DOMAIN=PATH pairs with commas between them' });
    given.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  const paths = domains.flatMap((name) => given.get(name) ?? []);
  if (paths.length < domains.length || given.size > domains.length)
    throw new Fault('diagnostic/domain-model', { found: [...given.keys()], domains });
  return paths;
};

const sameClasses = (tables: readonly OutputTable[], paths: readonly string[]): void => {
  const listed = ({ names }: OutputTable): string => `${names.slice(0, 12).join(', ')} (${names.length})`;
  for (const [i, table] of tables.entries())
    if (table.names.join('\n') !== tables[0].names.join('\n'))
      throw new Fault('diagnostic/member-classes', { first: paths[0], other: paths[i], classes: [listed(tables[0]), listed(table)] });
};

/** Those of dataset rows, in their order. */
const rowsIn = ({ rows, values: { cols, data } }: OutputTable, wanted: readonly number[], columns: ArrayLike<number>): Float64Array => {
  const place = new Map(Array.from(columns, (row, i) => [row, i]));
  const out = new Float64Array(wanted.length * cols);
  wanted.forEach((row, i) => {
    const at = place.get(row) ?? 0;
    if (at < rows.length) out.set(data.subarray(at * cols, (at + 1) * cols), i * cols);
  });
  return out;
};

/** Models, or tables of predictions, given for each domain. */
const modelVotes = async (
  tools: Pick<Tools, 'ensemble' | 'outputs' | 'columns'>,
  rows: DomainRows,
  { models }: VoteOptions,
): Promise<Votes> => {
  const paths = modelsOf(models, rows.domains);
  const tables = await tools.ensemble.read(paths);
  sameClasses(tables, paths);
  const [first] = tables;
  const own = tools.outputs.given ? await tools.outputs.read('probabilities') : undefined;
  const global = own && own.names.length === first.names.length ? rowsIn(own, rows.shown, tools.columns.rows) : undefined;
  const place = new Map(Array.from(tools.columns.rows, (row, i) => [row, i]));
  const classes = first.names;
  const labels = Int32Array.from(rows.shown, (row) => {
    const label = first.labels?.[place.get(row) ?? 0] ?? Number.NaN;
    const named = own?.labels?.[place.get(row) ?? 0] ?? Number.NaN;
    const known = classes.indexOf(rows.labelOf(row));
    const found = known >= 0 ? known : Number.isNaN(label) ? named : label;
    if (!Number.isInteger(found) || found < 0 || found >= classes.length)
      throw new Fault('diagnostic/label', { row, label: found, classes: classes.length });
    return found;
  });
  return {
    classes,
    labels,
    members: tables.map((t) => rowsIn(t, rows.shown, tools.columns.rows)),
    ...(global ? { global } : {}),
    voters: { kind: 'models', paths },
    notes: own && !global ? ['The model diagnosed has other classes than those of the domains, so it is not compared with them.'] : [],
  };
};

/** Rows of features with their classes. */
interface HeadData {
  readonly fit: Pick<FeatureTable, 'width' | 'features' | 'labels'>;
  readonly shown: Pick<FeatureTable, 'width' | 'features' | 'labels'>;
  readonly scale: FeatureScale;
}

const probabilities = ({ classes, width, weights, biases }: LinearHead, features: Float32Array): Float64Array => {
  const rows = features.length / width;
  const out = new Float64Array(rows * classes);
  for (let i = 0; i < rows; i++) {
    const own = out.subarray(i * classes, (i + 1) * classes);
    for (let k = 0; k < classes; k++) {
      own[k] = biases[k];
      for (let j = 0; j < width; j++) own[k] += weights[k * width + j] * features[i * width + j];
    }
    softmaxInPlace(own);
  }
  return out;
};

/** N/(C·N_k) for a row of class k. */
const inverseFrequency = (labels: Int32Array, classes: readonly string[], domain: string): Float64Array => {
  const counts = new Float64Array(classes.length);
  for (const l of labels) counts[l]++;
  const empty = counts.indexOf(0);
  if (empty >= 0) throw new Fault('diagnostic/class-weight', { class: classes[empty], domain });
  return Float64Array.from(labels, (l) => labels.length / (classes.length * counts[l]));
};

const headVotes = async (
  tool: Tools['head'],
  rows: DomainRows,
  classes: readonly string[],
  { fit, shown, scale }: HeadData,
  { classWeights, inversePenalty: strength, maxIter }: VoteOptions,
  job: Job,
): Promise<{
  readonly heads: readonly LinearHead[];
  readonly members: readonly Float64Array[];
  readonly global: Float64Array;
  readonly notes: readonly string[];
}> => {
  const notes: string[] = [];
  const all = rows.fit.map((_, i) => i);
  const fitted = async (places: readonly number[], name: string): Promise<LinearHead> => {
    const own = headRows(fit, classes.length, places, scale);
    const weights = classWeights === 'none' ? undefined : inverseFrequency(own.labels, classes, name);
    const weighted = { ...own, ...(weights ? { weights } : {}) };
    const { head } = await softmaxHead(
      weighted,
      { strength, tolerance: 1e-4, iterations: maxIter },
      await tool.objective(weighted, strength),
    );
    await breathe(job);
    return onRaw(head, scale);
  };
  const heads: LinearHead[] = [];
  for (const [d, name] of rows.domains.entries()) {
    const places = all.filter((i) => rows.domainOf(rows.fit[i]) === d);
    if (places.length < LEAST_ROWS) throw new Fault('diagnostic/domain-rows', { domain: name, rows: places.length, least: LEAST_ROWS });
    const seen = new Set(places.map((i) => fit.labels[i]));
    const lacking = classes.filter((_, k) => !seen.has(k));
    if (lacking.length > 0)
      notes.push(`Domain '${name}' has no row of class ${lacking.join(', ')} to fit on: its head will hardly ever answer that.`);
    heads.push(await fitted(places, name));
    job.progress(0.4 + (0.4 * (d + 1)) / (rows.domains.length + 1), `Head of '${name}'`);
  }
  const global = await fitted(all, 'all');
  return { heads, members: heads.map((h) => probabilities(h, shown.features)), global: probabilities(global, shown.features), notes };
};

/** Classes in words: in numerical order where all are whole numbers. */
const classesOf = ({ fit, shown, labelOf }: DomainRows): readonly string[] => {
  const found = [...new Set(fit.map(labelOf))];
  const numbered = found.every((w) => /^-?\d+(\.0+)?$/.test(w));
  found.sort((a, b) => (numbered ? Number(a) - Number(b) : a < b ? -1 : 1));
  if (found.length < 2) throw new Fault('diagnostic/one-class', { title: 'An ensemble', rows: fit.length });
  if (found.length > MOST_CLASSES) throw new Fault('diagnostic/probe-classes', { classes: found.length, most: MOST_CLASSES });
  const known = new Set(found);
  const unseen = shown.find((row) => !known.has(labelOf(row)));
  if (unseen !== undefined)
    throw new Fault('data/class-name', { path: 'the rows to fit on', row: unseen, label: labelOf(unseen), nearest: '', known: found });
  return found;
};

const labelsOf = (rows: readonly number[], { labelOf }: DomainRows, classes: readonly string[]): Int32Array => {
  const place = new Map(classes.map((name, k) => [name, k]));
  return Int32Array.from(rows, (row) => place.get(labelOf(row)) ?? 0);
};

const featureVotes = async (tools: Pick<Tools, 'features' | 'head'>, rows: DomainRows, options: VoteOptions, job: Job): Promise<Votes> => {
  const { layer, pooling, fitOn } = options;
  const classes = classesOf(rows);
  const diagnosed = await tools.features.read({ layer, pooling });
  const other = fitOn === '' ? diagnosed : await tools.features.read({ layer, pooling, split: fitOn });
  const { width } = diagnosed;
  const part = (table: FeatureTable, wanted: readonly number[]) => {
    const place = new Map(Array.from(table.rows, (row, i) => [row, i]));
    const features = new Float32Array(wanted.length * width);
    wanted.forEach((row, i) => {
      const at = place.get(row) ?? 0;
      features.set(table.features.subarray(at * width, (at + 1) * width), i * width);
    });
    return { width, features, labels: labelsOf(wanted, rows, classes) };
  };
  const [fit, shown] = [part(other, rows.fit), part(diagnosed, rows.shown)];
  const scale = minMax(
    fit.features,
    width,
    rows.fit.map((_, i) => i),
  );
  const { heads, ...votes } = await headVotes(tools.head, rows, classes, { fit, shown, scale }, options, job);
  return { classes, labels: shown.labels, ...votes, voters: { kind: 'features', layer, pooling, heads } };
};

/** Heads on how often each of the most frequent tokens occurs in a row. */
const tokenVotes = async (tools: Pick<Tools, 'head'>, rows: DomainRows, options: VoteOptions, job: Job): Promise<Votes> => {
  const classes = classesOf(rows);
  const counts = noTokens(1);
  for (const row of rows.fit) addTokens(counts, rows.tokensOf(row), 0);
  const vocabulary = [...counts.tokens]
    .map(([word, [n]]) => ({ word, n }))
    .filter(({ n }) => n >= options.minTokenCount)
    .sort((a, b) => b.n - a.n || (a.word < b.word ? -1 : 1))
    .slice(0, VOCABULARY)
    .map(({ word }) => word);
  if (vocabulary.length === 0) throw new Fault('diagnostic/constant-features', { layer: `tokens of '${rows.column}'`, features: 0 });
  const place = new Map(vocabulary.map((word, j) => [word, j]));
  const width = vocabulary.length;
  const part = (wanted: readonly number[]) => {
    const features = new Float32Array(wanted.length * width);
    wanted.forEach((row, i) => {
      for (const word of rows.tokensOf(row)) {
        const j = place.get(word);
        if (j !== undefined) features[i * width + j]++;
      }
    });
    return { width, features, labels: labelsOf(wanted, rows, classes) };
  };
  const [fit, shown] = [part(rows.fit), part(rows.shown)];
  const { heads, ...votes } = await headVotes(tools.head, rows, classes, { fit, shown, scale: unscaled(width) }, options, job);
  return { classes, labels: shown.labels, ...votes, voters: { kind: 'tokens', heads }, vocabulary };
};

export const votesOf = (
  kind: Voters['kind'],
  tools: Pick<Tools, 'ensemble' | 'outputs' | 'columns' | 'features' | 'head'>,
  rows: DomainRows,
  options: VoteOptions,
  job: Job,
): Promise<Votes> => {
  if (kind === 'models') return modelVotes(tools, rows, options);
  return kind === 'features' ? featureVotes(tools, rows, options, job) : tokenVotes(tools, rows, options, job);
};
