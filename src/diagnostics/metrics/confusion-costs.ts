import { Fault } from '../../base/fault.ts';
import { nearest } from '../../base/nearest.ts';

/** What each answer costs: row-major, actual × predicted, in class order. */
export interface Costs {
  readonly classes: number;
  readonly values: Float64Array;
}

/** Fields of a line; quotes hold separators. */
const fieldsOf = (line: string, separator: string): string[] =>
  [...line.matchAll(new RegExp(`("(?:[^"]|"")*"|[^"${separator}]*)(?:${separator}|$)`, 'g'))]
    .slice(0, -1)
    .map(([, field]) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field.trim()));

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
const wrong = (line: number, reason: string): Fault => new Fault('diagnostic/costs', { line, reason });

const positions = (names: readonly string[], classes: readonly string[], line: (i: number) => number): number[] => {
  const found = names.map((name, i) => {
    const at = classes.indexOf(name);
    if (at >= 0) return at;
    const near = nearest(name, classes);
    throw wrong(line(i), `'${name}' is no class${near ? ` (did you mean '${near}'?)` : ''}`);
  });
  found.forEach((at, i) => {
    if (found.indexOf(at) !== i) throw wrong(line(i), `'${names[i]}' is there twice`);
  });
  return found;
};

/**
 * Reads a table of costs: either only numbers, one line a class in class order; or with the predicted classes' names in the first line
 * and the actual class's name before each line.
 */
export const readCosts = (text: string, classes: readonly string[]): Costs => {
  const separator = ['\t', ';'].find((mark) => text.includes(mark)) ?? ',';
  const lines = text
    .split(/\r?\n/)
    .map((content, i) => ({ line: i + 1, fields: fieldsOf(content, separator) }))
    .filter(({ fields }) => fields.some((f) => f !== ''));
  const K = classes.length;
  const plain = lines.length === K && lines.every(({ fields }) => fields.length === K);
  const [head] = lines;
  if (!head || (!plain && lines.length !== K + 1))
    throw wrong(1, `there are ${K} classes, and below a line of names ${counted(Math.max(0, lines.length - 1), 'line')} of costs`);
  const body = plain ? lines : lines.slice(1);
  const across = plain ? classes.map((_, k) => k) : positions(head.fields.slice(1), classes, () => head.line);
  const down = plain
    ? classes.map((_, k) => k)
    : positions(
        body.map(({ fields }) => fields[0] ?? ''),
        classes,
        (i) => body[i].line,
      );
  const values = new Float64Array(K * K);
  for (const [i, { line, fields }] of body.entries()) {
    const costs = plain ? fields : fields.slice(1);
    if (costs.length !== K || across.length !== K) throw wrong(line, `there are ${K} classes, and it has ${counted(costs.length, 'cost')}`);
    for (const [j, field] of costs.entries()) {
      const cost = field === '' ? Number.NaN : Number(field);
      if (!Number.isFinite(cost)) throw wrong(line, `'${field}' is no number`);
      values[down[i] * K + across[j]] = cost;
    }
  }
  return { classes: K, values };
};

/** The answer of least expected cost under the probabilities of a row; the lowest index on ties. */
export const cheapest = (probs: Float64Array, at: number, { classes, values }: Costs): number => {
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  for (let answer = 0; answer < classes; answer++) {
    let sum = 0;
    for (let actual = 0; actual < classes; actual++) sum += probs[at + actual] * values[actual * classes + answer];
    if (sum < least) [best, least] = [answer, sum];
  }
  return best;
};
