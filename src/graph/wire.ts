import protobuf from 'protobufjs/minimal.js';
import { type Message, type MessageName, messages } from './schema.ts';
import { bytesOf, textOf } from './utf8.ts';

/** Protocol buffer wire types. */
const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
/** Subgraphs nest graph → node → attribute: 100 messages are 33 levels, more is not a model. */
const deepest = 100;

interface Field {
  readonly key: string;
  readonly number: number;
  readonly kind: string;
  readonly many: boolean;
}
const layouts: ReadonlyMap<string, readonly Field[]> = new Map(
  Object.entries(messages).map(([name, fields]) => [
    name,
    Object.entries(fields).map(
      ([key, [number, kind]]): Field => ({ key, number, kind: kind.replace('[]', ''), many: kind.endsWith('[]') || kind === 'packed' }),
    ),
  ]),
);
const byNumber: ReadonlyMap<string, ReadonlyMap<number, Field>> = new Map(
  Array.from(layouts, ([name, fields]) => [name, new Map(fields.map((f) => [f.number, f]))]),
);

type Reader = protobuf.Reader;
type Fields = Record<string, unknown>;

const int = (reader: Reader): number => {
  const value: unknown = reader.int64();
  return typeof value === 'number' ? value : (value as { toNumber(): number }).toNumber();
};

/** Where a length-delimited field ends; the reader stands at its start. */
const endOf = (reader: Reader): number => {
  const length = reader.uint32();
  if (reader.pos + length > reader.len)
    throw new RangeError(`${length} bytes announced at byte ${reader.pos}, ${reader.len - reader.pos} left`);
  return reader.pos + length;
};

const view = (reader: Reader): Uint8Array => {
  const end = endOf(reader);
  const out = reader.buf.subarray(reader.pos, end);
  reader.pos = end;
  return out;
};

const number = (reader: Reader, kind: 'int' | 'float'): number => (kind === 'int' ? int(reader) : reader.float());

/** One field's value; a packed run of numbers gives them all. */
const readField = (reader: Reader, { kind, many }: Field, type: number, depth: number): readonly unknown[] => {
  if (kind === 'packed' && type !== wire.bytes) {
    const start = reader.pos;
    reader.skipType(type);
    return [reader.buf.subarray(start, reader.pos)];
  }
  if (kind === 'int' || kind === 'float') {
    if (type === (kind === 'int' ? wire.varint : wire.fixed32)) return [number(reader, kind)];
    if (type === wire.bytes && many) {
      const end = endOf(reader);
      const out: number[] = [];
      while (reader.pos < end) out.push(number(reader, kind));
      return out;
    }
  }
  if (type !== wire.bytes || kind === 'int' || kind === 'float') throw new RangeError(`unexpected wire type ${type} at byte ${reader.pos}`);
  if (kind === 'bytes' || kind === 'packed') return [view(reader)];
  if (kind === 'text') return [textOf(view(reader))];
  return [read(reader, kind as MessageName, endOf(reader), depth + 1)];
};

const read = (reader: Reader, name: MessageName, end: number, depth: number): Fields => {
  if (depth > deepest) throw new RangeError(`messages nest deeper than ${deepest}`);
  const out: Fields = {};
  for (const field of layouts.get(name) ?? []) out[field.key] = field.many ? [] : undefined;
  const fields = byNumber.get(name);
  const limit = reader.len;
  reader.len = end;
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = fields?.get(tag >>> 3);
    if (tag >>> 3 === 0) throw new RangeError(`field number 0 at byte ${reader.pos}`);
    if (!field) {
      reader.skipType(tag & 7);
      continue;
    }
    const values = readField(reader, field, tag & 7, depth);
    if (!field.many) out[field.key] = values.at(-1);
    else for (const value of values) (out[field.key] as unknown[]).push(value);
  }
  reader.len = limit;
  return out;
};

/** Decodes one message; byte fields are views on `bytes`. Throws RangeError or Error where the bytes are no such message. */
export const decode = <M extends MessageName>(name: M, bytes: Uint8Array): Message<M> => {
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return read(new protobuf.Reader(plain), name, plain.length, 0) as Message<M>;
};

/** What `encode` is given: every field optional, an absent one is not written. */
export type Sent<M extends MessageName> = { readonly [F in keyof Message<M>]?: SentField<Message<M>[F]> };
type SentField<T> = T extends readonly (infer E)[] ? readonly SentItem<E>[] : SentItem<Exclude<T, undefined>> | undefined;
type SentItem<T> = T extends number | string | Uint8Array ? T : { readonly [F in keyof T]?: SentField<T[F]> };

/** int64, saturating at both ends. */
const writeInt = (writer: protobuf.Writer, value: number): protobuf.Writer =>
  value >= 2 ** 63 ? writer.int64('9223372036854775807') : writer.int64(Math.max(value, -(2 ** 63)));

const writeItem = (writer: protobuf.Writer, field: Field, value: unknown): void => {
  const { number, kind } = field;
  if (kind === 'int') writeInt(writer.uint32((number << 3) | wire.varint), value as number);
  else if (kind === 'float') writer.uint32((number << 3) | wire.fixed32).float(value as number);
  else {
    writer.uint32((number << 3) | wire.bytes);
    if (kind === 'bytes' || kind === 'packed') writer.bytes(value as Uint8Array);
    else if (kind === 'text') writer.bytes(bytesOf(value as string));
    else {
      writer.fork();
      writeMessage(writer, kind as MessageName, value as Fields);
      writer.ldelim();
    }
  }
};

const writeMessage = (writer: protobuf.Writer, name: MessageName, message: Fields): void => {
  for (const field of layouts.get(name) ?? []) {
    const value = message[field.key];
    if (value === undefined) continue;
    if (field.many) for (const item of value as readonly unknown[]) writeItem(writer, field, item);
    else writeItem(writer, field, value);
  }
};

/** Encodes a message; `room` is about how many bytes it will need. */
export const encode = <M extends MessageName>(name: M, message: Sent<M>, room = 1024): Uint8Array => {
  const writer = new protobuf.Writer();
  writer.buf = new Uint8Array(room);
  writeMessage(writer, name, message as Fields);
  const out = writer.finish(true);
  return out;
};
