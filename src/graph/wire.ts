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
const layouts = Object.fromEntries(
  Object.entries(messages).map(([name, fields]) => [
    name,
    Object.entries(fields).map(
      ([key, [number, kind]]): Field => ({ key, number, kind: kind.replace('[]', ''), many: kind.endsWith('[]') || kind === 'packed' }),
    ),
  ]),
) as Readonly<Record<MessageName, readonly Field[]>>;
const byNumber = Object.fromEntries(
  Object.entries(layouts).map(([name, fields]) => [name, new Map(fields.map((f) => [f.number, f]))]),
) as Readonly<Record<MessageName, ReadonlyMap<number, Field>>>;

type Reader = protobuf.Reader;
type Record_ = Record<string, unknown>;

const int = (reader: Reader): number => {
  const value: unknown = reader.int64();
  return typeof value === 'number' ? value : (value as { toNumber(): number }).toNumber();
};

/** The bytes of a length-delimited field, as a view. */
const view = (reader: Reader): Uint8Array => {
  const length = reader.uint32();
  const start = reader.pos;
  if (start + length > reader.len) throw new RangeError(`${length} bytes announced at byte ${start}, ${reader.len - start} left`);
  reader.pos = start + length;
  return reader.buf.subarray(start, start + length);
};

const bad = (type: number, at: number): never => {
  throw new RangeError(`unexpected wire type ${type} at byte ${at}`);
};

/** One field's value, or several of a packed run. */
const readField = (reader: Reader, field: Field, type: number, depth: number, push: (value: unknown) => void): void => {
  const { kind } = field;
  if (kind === 'packed') {
    if (type === wire.bytes) return push(view(reader));
    const start = reader.pos;
    reader.skipType(type);
    return push(reader.buf.subarray(start, reader.pos));
  }
  if (kind === 'int' || kind === 'float') {
    const read = kind === 'int' ? int : (r: Reader) => r.float();
    if (type === (kind === 'int' ? wire.varint : wire.fixed32)) return push(read(reader));
    if (type !== wire.bytes || !field.many) return bad(type, reader.pos);
    const length = reader.uint32();
    const end = reader.pos + length;
    if (end > reader.len) throw new RangeError(`${length} bytes announced at byte ${reader.pos}, ${reader.len - reader.pos} left`);
    while (reader.pos < end) push(read(reader));
    return;
  }
  if (type !== wire.bytes) return bad(type, reader.pos);
  if (kind === 'bytes') return push(view(reader));
  if (kind === 'text') return push(textOf(view(reader)));
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError(`${length} bytes announced at byte ${reader.pos}, ${reader.len - reader.pos} left`);
  push(read(reader, kind as MessageName, end, depth + 1));
};

const read = (reader: Reader, name: MessageName, end: number, depth: number): Record_ => {
  if (depth > deepest) throw new RangeError(`messages nest deeper than ${deepest}`);
  const out: Record_ = {};
  for (const field of layouts[name]) out[field.key] = field.many ? [] : undefined;
  const limit = reader.len;
  reader.len = end;
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = byNumber[name].get(tag >>> 3);
    if (tag >>> 3 === 0) throw new RangeError(`field number 0 at byte ${reader.pos}`);
    if (!field) reader.skipType(tag & 7);
    else
      readField(reader, field, tag & 7, depth, (value) => {
        if (field.many) (out[field.key] as unknown[]).push(value);
        else out[field.key] = value;
      });
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

const last = { low: -1, high: 0x7fffffff, unsigned: false };
/** int64, saturating at both ends. */
const writeInt = (writer: protobuf.Writer, value: number): protobuf.Writer =>
  value >= 2 ** 63 ? writer.int64(last as never) : writer.int64(Math.max(value, -(2 ** 63)));

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
      writeMessage(writer, kind as MessageName, value as Record_);
      writer.ldelim();
    }
  }
};

const writeMessage = (writer: protobuf.Writer, name: MessageName, message: Record_): void => {
  for (const field of layouts[name]) {
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
  writeMessage(writer, name, message as Record_);
  const out = writer.finish(true);
  return out;
};
