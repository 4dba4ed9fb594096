import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Column, Dataset } from './define.ts';
import { toFloats } from './values.ts';

/** Where a table of predictions keeps its numbers. */
export interface Predictions {
  readonly scores: 'probabilities' | 'logits' | 'score' | 'values';
  readonly columns: readonly string[];
  /** Number of scores a row. */
  readonly width: number;
  /** Class names, where the columns name them. */
  readonly classes?: readonly string[];
  readonly label?: string;
  readonly notes: readonly string[];
  /** [rows, width], row-major. */
  read(tensors: readonly Tensor[]): Float64Array;
}

const roles = ['prob', 'logit', 'score', 'label', 'prediction'] as const;
type Role = (typeof roles)[number];

/** `prob=REGEX,label=NAME`: commas inside brackets, braces and parentheses belong to the expression. */
const parseColumns = (text: string): Partial<Record<Role, string>> => {
  const out: Partial<Record<Role, string>> = {};
  for (const part of text.split(/,(?=[a-z]+=)/)) {
    const at = part.indexOf('=');
    const role = part.slice(0, at).trim();
    const known = roles.find((r) => r === role);
    if (!known || at < 0)
      throw new Fault('option/value', {
        name: 'columns',
        value: text,
        expected: `ROLE=NAME pairs with roles ${roles.join(', ')}${at > 0 ? suggestion(role) : ''}`,
      });
    out[known] = part.slice(at + 1).trim();
  }
  return out;
};
const suggestion = (role: string): string => {
  const near = nearest(role, roles);
  return near ? ` (not '${role}'; did you mean '${near}'?)` : ` (not '${role}')`;
};

const pattern = (text: string, role: Role): RegExp => {
  try {
    return new RegExp(`^(?:${text})$`);
  } catch (error) {
    throw new Fault('option/value', {
      name: 'columns',
      value: `${role}=${text}`,
      expected: `a regular expression: ${(error as Error).message}`,
    });
  }
};

/** Columns that say what a number may be: quantiles by level, a mean with its standard deviation, the ends of an interval. */
const forecastColumns = (numeric: readonly Column[], label: string | undefined): readonly string[] | undefined => {
  const names = numeric.filter((c) => c.dims.length === 0 && c.name !== label).map((c) => c.name);
  const quantiles = names.filter((name) => /^(?:quantile|q)_?\d*\.?\d+$/i.test(name));
  if (quantiles.length > 1) return quantiles;
  const pair = (first: readonly string[], second: readonly string[]): readonly string[] | undefined => {
    const found = [first, second].map((of) => names.find((name) => of.includes(name)));
    return found.every((name) => name !== undefined) ? found : undefined;
  };
  return (
    pair(['mean', 'mu'], ['sd', 'std', 'stdev', 'sigma', 'variance', 'var', 'log_variance', 'logvar']) ??
    pair(['lower', 'low'], ['upper', 'high'])
  );
};

/** Finds probabilities, logits or one score, and the labels, by name. Throws `data/predictions`. */
export const predictionsOf = (dataset: Dataset, columns: string | undefined, y: string | undefined): Predictions => {
  const asked = columns === undefined ? {} : parseColumns(columns);
  const numeric = dataset.columns.filter((c) => c.dtype !== 'string');
  const names = dataset.columns.map((c) => c.name);
  const unknown = (name: string): Fault =>
    new Fault('data/column', { path: dataset.path, name, nearest: nearest(name, names), known: names });

  const labelName = y ?? asked.label;
  if (labelName !== undefined && !names.includes(labelName)) throw dataset.refused?.get(labelName) ?? unknown(labelName);
  const label = labelName ?? ['label', 'y', 'labels', 'target', 'targets', 'class'].find((n) => names.includes(n));

  const family = (role: 'prob' | 'logit'): { readonly columns: readonly Column[]; readonly classes: readonly string[] } => {
    const re = pattern(asked[role] ?? `${role}_(.+)`, role);
    const matching = dataset.columns.filter((c) => c.dims.length === 0 && c.name !== label && re.test(c.name));
    const found = matching.filter((c) => c.dtype !== 'string');
    const text = matching.find((c) => c.words);
    if (text?.words && (found.length > 0 || matching.every((c) => c.words)))
      throw new Fault('data/not-a-number', {
        path: dataset.path,
        column: text.name,
        line: text.words.line,
        value: text.words.first,
        count: text.words.count,
      });
    if (asked[role] !== undefined && found.length === 0) throw unknown(asked[role]);
    return { columns: found, classes: found.map((c) => re.exec(c.name)?.[1] ?? c.name) };
  };
  const stack = (tensors: readonly Tensor[]): Float64Array => {
    const rows = tensors[0].dims[0];
    const out = new Float64Array(rows * tensors.length);
    for (const [c, tensor] of tensors.entries()) {
      const values = toFloats(tensor);
      for (let r = 0; r < rows; r++) out[r * tensors.length + c] = values[r];
    }
    return out;
  };
  const array = (name: string): Column | undefined => numeric.find((c) => c.name === name && c.dims.length <= 1);
  const common = { ...(label === undefined ? {} : { label }) };
  const whole = ([tensor]: readonly Tensor[]): Float64Array => Float64Array.from(toFloats(tensor));

  const single = (name: string, scores: 'score' | 'values' = 'score'): Predictions => ({
    ...common,
    scores,
    columns: [name],
    width: 1,
    notes: [],
    read: whole,
  });
  if (asked.prediction !== undefined) {
    if (array(asked.prediction)) return single(asked.prediction, 'values');
    const re = pattern(asked.prediction, 'prediction');
    const found = numeric.filter((c) => c.dims.length === 0 && c.name !== label && re.test(c.name)).map((c) => c.name);
    if (found.length === 0) throw unknown(asked.prediction);
    return { ...common, scores: 'values', columns: found, width: found.length, classes: found, notes: [], read: stack };
  }
  if (asked.score !== undefined) {
    if (!array(asked.score)) throw unknown(asked.score);
    return single(asked.score);
  }

  const wanted = (['logit', 'prob'] as const).filter((role) => asked[role] !== undefined);
  const [logit, prob] = [family('logit'), family('prob')];
  const notes =
    logit.columns.length > 0 && prob.columns.length > 0 && wanted.length !== 1
      ? ['The table has logits and probabilities; the logits were used.']
      : [];
  for (const role of wanted.length > 0 ? wanted : (['logit', 'prob'] as const)) {
    const found = role === 'logit' ? logit : prob;
    if (found.columns.length === 0) continue;
    if (found.columns.length === 1) throw new Fault('data/one-probability', { path: dataset.path, column: found.columns[0].name });
    const scores = role === 'logit' ? 'logits' : 'probabilities';
    return {
      ...common,
      scores,
      columns: found.columns.map((c) => c.name),
      width: found.columns.length,
      classes: found.classes,
      notes,
      read: stack,
    };
  }
  for (const [name, scores] of [
    ['logits', 'logits'],
    ['probs', 'probabilities'],
    ['probabilities', 'probabilities'],
  ] as const) {
    const found = array(name);
    if (!found) continue;
    const width = found.dims[0] ?? 1;
    return { ...common, scores: width === 1 ? 'score' : scores, columns: [name], width, notes: [], read: whole };
  }
  if (array('score')) return single('score');
  const values = ['prediction', 'predictions', 'pred'].find(array);
  if (values !== undefined) {
    const width = array(values)?.dims[0] ?? 1;
    return width === 1 ? single(values, 'values') : { ...common, scores: 'values', columns: [values], width, notes: [], read: whole };
  }
  const forecast = forecastColumns(numeric, label);
  if (forecast)
    return { ...common, scores: 'values', columns: forecast, width: forecast.length, classes: forecast, notes: [], read: stack };
  const deep = numeric.find((c) => ['logits', 'probs', 'probabilities', 'score', 'prediction', 'predictions', 'pred'].includes(c.name));
  if (deep) throw new Fault('data/score-shape', { path: dataset.path, name: deep.name, row: deep.dims.join(' × ') });
  throw new Fault('data/predictions', { path: dataset.path, known: names });
};
