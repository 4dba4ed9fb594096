import type { SchemaElement, SchemaTree } from 'hyparquet';
import { Fault } from '../../base/fault.ts';
import { type DType, sizeOf, type TensorData } from '../../base/tensor.ts';
import type { Column } from '../define.ts';

/** The values at the end of a column, and how many lists they stand in. */
export interface ListLeaf {
  readonly type: DType;
  readonly depth: number;
  /** Neither the values nor a list around them can be missing. */
  readonly required: boolean;
  readonly path: readonly string[];
  /** Days without a time of day. */
  readonly day: boolean;
}

const isList = ({ element }: SchemaTree): boolean => element.converted_type === 'LIST' || element.logical_type?.type === 'LIST';

const unsigned = /^UINT_(8|16|32|64)$/;
const signed = /^INT_(8|16|32|64)$/;

/** The element type of values, or in words what they are and cannot be read as. */
const elementType = ({ type, converted_type: converted, logical_type: logical }: SchemaElement): DType | { readonly none: string } => {
  const kind = logical?.type;
  if (converted === 'DECIMAL' || kind === 'DECIMAL') return 'float64';
  if (converted === 'DATE' || converted?.startsWith('TIMESTAMP') || kind === 'DATE' || kind === 'TIMESTAMP') return 'string';
  switch (type) {
    case 'BOOLEAN':
      return 'bool';
    case 'FLOAT':
      return 'float32';
    case 'DOUBLE':
      return 'float64';
    case 'INT96':
      return 'string';
    case 'INT32':
    case 'INT64': {
      const [, width] = unsigned.exec(converted ?? '') ?? [];
      const [, plain] = signed.exec(converted ?? '') ?? [];
      if (logical?.type === 'INTEGER') return `${logical.isSigned ? '' : 'u'}int${logical.bitWidth}` as DType;
      return width ? (`uint${width}` as DType) : plain ? (`int${plain}` as DType) : type === 'INT32' ? 'int32' : 'int64';
    }
    case 'BYTE_ARRAY':
      return converted === 'BSON' || kind === 'GEOMETRY' || kind === 'GEOGRAPHY' ? { none: String(kind ?? converted) } : 'string';
    case 'FIXED_LEN_BYTE_ARRAY':
      return kind === 'FLOAT16' ? 'float32' : kind === 'UUID' ? 'string' : { none: converted === 'INTERVAL' ? 'INTERVAL' : 'raw bytes' };
    default:
      return { none: String(type) };
  }
};

/** What a column of the schema holds, or in words why it cannot be read: records and maps have no shape. */
export const leafOf = (node: SchemaTree): ListLeaf | string => {
  let [at, depth, required] = [node, 0, true];
  for (;;) {
    if (at.element.repetition_type !== 'REQUIRED' && at.element.repetition_type !== 'REPEATED') required = false;
    if (at.children.length === 0) break;
    const [inner] = at.children;
    if (!isList(at) || at.children.length > 1 || inner.element.repetition_type !== 'REPEATED') {
      const map = at.element.converted_type === 'MAP' || at.element.logical_type?.type === 'MAP';
      return map ? 'map' : `record (${at.children.map((c) => c.element.name).join(', ')})`;
    }
    depth++;
    if (inner.children.length > 1) return `list of records (${inner.children.map((c) => c.element.name).join(', ')})`;
    at = inner.children.length === 0 ? inner : inner.children[0];
    if (at === inner) break;
  }
  if (at === node && at.element.repetition_type === 'REPEATED') depth++;
  const type = elementType(at.element);
  if (typeof type !== 'string') return type.none;
  const day = at.element.converted_type === 'DATE' || at.element.logical_type?.type === 'DATE';
  return { type, depth, required, path: at.path, day };
};

/** Whole numbers and booleans with gaps become floats, NaN where missing; so they do where a writer does not say how many gaps there are. */
export const typeOf = (type: DType, missing: number | undefined): DType =>
  missing === 0 || type === 'string' || type.startsWith('float') ? type : 'float64';

const empty = (dtype: DType, length: number): TensorData => {
  switch (dtype) {
    case 'string':
      return new Array<string>(length).fill('');
    case 'float32':
      return new Float32Array(length);
    case 'int64':
      return new BigInt64Array(length);
    case 'uint64':
      return new BigUint64Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'uint32':
      return new Uint32Array(length);
    case 'int16':
      return new Int16Array(length);
    case 'uint16':
      return new Uint16Array(length);
    case 'int8':
      return new Int8Array(length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(length);
    default:
      return new Float64Array(length);
  }
};

/** A date as ISO 8601; what is none in any calendar is left empty. */
const inWords = (value: unknown, day: boolean): string =>
  value instanceof Date ? (Number.isNaN(value.getTime()) ? '' : value.toISOString().slice(0, day ? 10 : 24)) : String(value);

/** Decoded values, nested by row, as one typed array. `from` is the number of the first row, for faults. */
export const packed = (path: string, column: Column, { depth, day }: ListLeaf, values: ArrayLike<unknown>, from: number): TensorData => {
  const { dtype, dims, name } = column;
  const width = sizeOf(dims);
  const out = empty(dtype, values.length * width);
  const ragged = (row: number): Fault => new Fault('data/list-length', { path, column: name, row: from + row, expected: dims.join('×') });
  let at = 0;
  const put = (value: unknown, row: number): void => {
    const gap = value === null || value === undefined;
    const good = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
    if (dtype === 'string') out[at] = gap ? '' : inWords(value, day);
    else if (gap && dtype.startsWith('float')) out[at] = Number.NaN;
    else if (!good)
      throw new Fault('data/corrupt', {
        path,
        where: `column '${name}', row ${from + row}`,
        reason: gap ? 'a value is missing that its footer does not count' : 'it holds no number',
      });
    else out[at] = dtype === 'int64' || dtype === 'uint64' ? BigInt(value) : Number(value);
    at++;
  };
  const walk = (item: unknown, level: number, row: number): void => {
    if (level === depth) put(item, row);
    else if (Array.isArray(item) && item.length === dims[level]) for (const inner of item) walk(inner, level + 1, row);
    else throw ragged(row);
  };
  for (let row = 0; row < values.length; row++) walk(values[row], 0, row);
  return out;
};
