import type { ColumnOperand, Comparison, Operand, RowFilter } from './row-filter.ts';

/** Values of one column in a run of rows: numbers (NaN where missing, class names beside them where it has some) or text ('' where missing). */
export type ColumnValues =
  | { readonly kind: 'numbers'; readonly values: ArrayLike<number>; readonly names?: readonly string[] }
  | { readonly kind: 'text'; readonly values: ArrayLike<string> };

type Test = (i: number) => boolean;
type Read<T> = (i: number) => T;

const isMissing = (v: number | string): boolean => v === '' || Number.isNaN(v);

const holds: { readonly [C in Comparison]: (a: number | string, b: number | string) => boolean } = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** A filter over rows whose columns are at hand. A comparison with a missing value does not hold, whichever it is. */
export const rowTest = (filter: RowFilter, columnOf: (column: ColumnOperand) => ColumnValues): Test => {
  const isText = (operand: Operand): boolean => operand.kind === 'text' || (operand.kind === 'column' && columnOf(operand).kind === 'text');
  const asText = (operand: Operand): Read<string> => {
    if (operand.kind !== 'column') return () => String(operand.value);
    const column = columnOf(operand);
    if (column.kind === 'text') return (i) => column.values[i];
    return (i) => (Number.isNaN(column.values[i]) ? '' : (column.names?.[column.values[i]] ?? String(column.values[i])));
  };
  const asValue = (operand: Operand): Read<number | string> => {
    if (operand.kind !== 'column') return () => operand.value;
    const { values } = columnOf(operand);
    return (i) => values[i];
  };
  /** A text and a number are compared as texts. */
  const sides = (left: Operand, right: Operand): readonly [Read<number | string>, Read<number | string>] =>
    isText(left) === isText(right) ? [asValue(left), asValue(right)] : [asText(left), asText(right)];

  const testOf = (f: RowFilter): Test => {
    switch (f.kind) {
      case 'all': {
        const tests = f.of.map(testOf);
        return (i) => tests.every((test) => test(i));
      }
      case 'any': {
        const tests = f.of.map(testOf);
        return (i) => tests.some((test) => test(i));
      }
      case 'not': {
        const test = testOf(f.of);
        return (i) => !test(i);
      }
      case 'compare': {
        const [left, right] = sides(f.left, f.right);
        const compare = holds[f.operator];
        return (i) => {
          const [a, b] = [left(i), right(i)];
          return !isMissing(a) && !isMissing(b) && compare(a, b);
        };
      }
      case 'contains': {
        const read = asText(f.left);
        const wanted = f.text.toLowerCase();
        return (i) => read(i).toLowerCase().includes(wanted);
      }
      case 'in': {
        if (isText(f.left)) {
          const read = asText(f.left);
          const among = new Set(f.values.map((v) => (v.kind === 'column' ? '' : String(v.value))));
          return (i) => read(i) !== '' && among.has(read(i));
        }
        const read = asValue(f.left);
        const among = new Set(f.values.map((v) => (v.kind === 'column' ? Number.NaN : Number(v.value))));
        return (i) => among.has(Number(read(i)));
      }
      case 'missing': {
        const read = asValue(f.left);
        return (i) => isMissing(read(i));
      }
      case 'true': {
        const read = asValue(f.left);
        return (i) => read(i) === 1;
      }
    }
  };
  return testOf(filter);
};
