import { Fault } from '../../base/fault.ts';
import { sizeOf, type Tensor } from '../../base/tensor.ts';

/** Confidences made of the probabilities of the generated tokens (Spiess et al. 2025, section 3). */
export const aggregates = {
  'mean-prob': 'Mean token probability',
  'geometric-mean': 'Geometric mean of token probabilities',
  'total-prob': 'Probability of the whole sequence',
  'min-prob': 'Least token probability',
} as const;
export type Aggregate = keyof typeof aggregates;
export const aggregateIds = Object.keys(aggregates) as readonly Aggregate[];

/** All four of one sequence: (1/L)Σπ, exp((1/L)Σ ln π), exp(Σ ln π) and min π. */
export const aggregate = (logProbs: readonly number[]): Readonly<Record<Aggregate, number>> => {
  let [sum, logs, least] = [0, 0, 0];
  for (const l of logProbs) {
    sum += Math.exp(l);
    logs += l;
    least = Math.min(least, l);
  }
  const n = logProbs.length;
  return { 'mean-prob': sum / n, 'geometric-mean': Math.exp(logs / n), 'total-prob': Math.exp(logs), 'min-prob': Math.exp(least) };
};

/** The list in row i of a column: of an array, or of JSON text, where lists differ in length. */
export const listAt = ({ dims, data }: Tensor, i: number, name: string, row: number): readonly unknown[] => {
  if (!Array.isArray(data)) {
    if (dims.length < 2) throw new Fault('diagnostic/list', { column: name, row, found: String(data[i]) });
    const width = sizeOf(dims.slice(1));
    return Array.from(data.subarray(i * width, (i + 1) * width), Number);
  }
  try {
    const value: unknown = JSON.parse(data[i]);
    if (Array.isArray(value)) return value;
  } catch {
    // Told below.
  }
  throw new Fault('diagnostic/list', { column: name, row, found: data[i].slice(0, 40) });
};

const field = (entry: unknown, name: string): unknown =>
  typeof entry === 'object' && entry !== null ? (entry as Readonly<Record<string, unknown>>)[name] : entry;

/** Log-probabilities of the tokens, given as numbers or as objects with a `logprob`. */
export const logProbsOf = (list: readonly unknown[], column: string, row: number): readonly number[] => {
  if (list.length === 0) throw new Fault('diagnostic/no-tokens', { column, row });
  return list.map((entry, token) => {
    const value = field(entry, 'logprob');
    // Rounding may lift the logarithm of a certain token above 0.
    if (typeof value === 'number' && value <= 1e-6) return Math.min(0, value);
    throw new Fault('diagnostic/log-prob', { column, row, token, value: String(value) });
  });
};

/** Texts of the tokens, given as text or as objects with a `token`. */
const textsOf = (list: readonly unknown[]): readonly string[] => list.map((entry) => String(field(entry, 'token')));

export interface Line {
  readonly text: string;
  readonly logProbs: readonly number[];
}

/** Tokens by line: a token belongs to the line in which it begins. Lines without text are left out. */
export const linesOf = (
  tokens: readonly unknown[],
  logProbs: readonly number[],
  detail: { readonly column: string; readonly row: number },
): Line[] => {
  if (tokens.length !== logProbs.length)
    throw new Fault('diagnostic/token-count', { ...detail, tokens: tokens.length, found: logProbs.length });
  const lines: { text: string; logProbs: number[] }[] = [{ text: '', logProbs: [] }];
  for (const [i, text] of textsOf(tokens).entries()) {
    lines[lines.length - 1].logProbs.push(logProbs[i]);
    for (const [k, part] of text.split('\n').entries()) {
      if (k > 0) lines.push({ text: '', logProbs: [] });
      lines[lines.length - 1].text += part;
    }
  }
  return lines.filter(({ text, logProbs: own }) => text.trim() !== '' && own.length > 0);
};
