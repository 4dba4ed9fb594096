import protobuf from 'protobufjs/minimal.js';
import { type MessageName, messages } from './schema.ts';
import { bytesOf } from './utf8.ts';

/** Reads bytes [from, to) of the file. */
export type ReadRange = (from: number, to: number) => Promise<Uint8Array>;

/** Payloads from here on stay in the file. */
const large = 16 * 1024;
/** What is read at once while walking the headers. */
const block = 64 * 1024;
/** As deep as messages may nest (see wire.ts). */
const deepest = 100;
/** Fields of a TensorProto that are its elements byte for byte: raw_data, and packed floats and doubles. */
const payloads: ReadonlySet<number> = new Set([messages.Tensor.raw[0], messages.Tensor.floats[0], messages.Tensor.doubles[0]]);

const kinds: ReadonlyMap<string, ReadonlyMap<number, string>> = new Map(
  Object.entries(messages).map(([name, fields]) => [
    name,
    new Map(Object.values(fields).map(([number, kind]): [number, string] => [number, kind.replace('[]', '')])),
  ]),
);
const isMessage = (kind: string | undefined): kind is MessageName => kind !== undefined && Object.hasOwn(messages, kind);

/** The file seen through one block that follows the reader. */
const window = (read: ReadRange, size: number) => {
  let start = 0;
  let bytes: Uint8Array = new Uint8Array(0);
  const ensure = async (at: number, count: number): Promise<void> => {
    if (at + count > size) throw new RangeError(`${count} bytes are wanted at byte ${at}, ${Math.max(0, size - at)} are left`);
    if (at >= start && at + count <= start + bytes.length) return;
    bytes = await read(at, Math.min(size, at + Math.max(count, block)));
    start = at;
  };
  return {
    async slice(at: number, count: number): Promise<Uint8Array> {
      await ensure(at, count);
      return bytes.slice(at - start, at - start + count);
    },
    /** A base-128 varint (its lower 53 bits) and where it ends. */
    async varint(at: number): Promise<readonly [value: number, end: number]> {
      let value = 0;
      for (let i = 0; i < 10; i++) {
        if (at + i < start || at + i >= start + bytes.length) await ensure(at + i, 1);
        const byte = bytes[at + i - start];
        if (i < 8) value += (byte & 0x7f) * 2 ** (7 * i);
        if (byte < 0x80) return [value, at + i + 1];
      }
      throw new RangeError(`a number is longer than ten bytes at byte ${at}`);
    },
  };
};

const varintBytes = (value: number): Uint8Array => new protobuf.Writer().uint32(value).finish().slice();
const lengthDelimited = (number: number, parts: readonly Uint8Array[]): readonly Uint8Array[] => [
  varintBytes((number << 3) | 2),
  varintBytes(parts.reduce((n, p) => n + p.length, 0)),
  ...parts,
];

interface Span {
  readonly number: number;
  readonly from: number;
  readonly length: number;
}

/** data_location EXTERNAL, and where the elements lie. */
const elsewhere = (location: string, { from, length }: Span): readonly Uint8Array[] => {
  const entry = (key: string, value: string): readonly Uint8Array[] =>
    lengthDelimited(messages.Tensor.external[0], [...lengthDelimited(1, [bytesOf(key)]), ...lengthDelimited(2, [bytesOf(value)])]);
  return [
    ...entry('location', location),
    ...entry('offset', String(from)),
    ...entry('length', String(length)),
    varintBytes(messages.Tensor.location[0] << 3),
    varintBytes(1),
  ];
};

/**
 * The model without its large tensors: the same protocol buffer, in which elements of 16 KB and more are external data that lies in
 * the file itself, under its own name. Reads headers only. Throws RangeError where the bytes are no protocol buffer.
 */
export const headersOf = async (read: ReadRange, size: number, name: string): Promise<Uint8Array> => {
  const file = window(read, size);
  const walk = async (message: MessageName, from: number, to: number, depth: number): Promise<readonly Uint8Array[]> => {
    if (depth > deepest) throw new RangeError(`messages nest deeper than ${deepest}`);
    const parts: Uint8Array[] = [];
    const spans: Span[] = [];
    for (let at = from; at < to; ) {
      const [tag, body] = await file.varint(at);
      const [number, type] = [Math.floor(tag / 8), tag & 7];
      if (number === 0) throw new RangeError(`field number 0 at byte ${at}`);
      const kind = kinds.get(message)?.get(number);
      let end = body;
      if (type === 0) [, end] = await file.varint(body);
      else if (type === 1) end = body + 8;
      else if (type === 5) end = body + 4;
      else if (type === 2) {
        const [length, start] = await file.varint(body);
        end = start + length;
        if (end > to) throw new RangeError(`${length} bytes announced at byte ${start}, ${to - start} left`);
        if (kind !== undefined && length >= large) {
          if (message === 'Tensor' && payloads.has(number)) spans.push({ number, from: start, length });
          else if (isMessage(kind)) parts.push(...lengthDelimited(number, await walk(kind, start, end, depth + 1)));
          else parts.push(await file.slice(at, end - at));
          at = end;
          continue;
        }
      } else throw new RangeError(`unexpected wire type ${type} at byte ${at}`);
      if (end > to) throw new RangeError(`a field ends behind its message at byte ${at}`);
      if (kind !== undefined) parts.push(await file.slice(at, end - at));
      at = end;
    }
    if (spans.length === 1) parts.push(...elsewhere(name, spans[0]));
    // Elements in several runs are joined by who parses them.
    else for (const { number, from, length } of spans) parts.push(...lengthDelimited(number, [await file.slice(from, length)]));
    return parts;
  };
  const parts = await walk('Model', 0, size, 0);
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};
