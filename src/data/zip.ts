import { Fault } from '../base/fault.ts';
import type { Source } from './define.ts';
import { inflated, inflatedHead } from './inflate.ts';
import { memorySource, within } from './source.ts';

interface Member {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly packed: number;
  readonly size: number;
  readonly crc: number;
  readonly offset: number;
}

/** One file of an archive. */
export interface ZipMember {
  /** The first `count` bytes, without unpacking the rest. */
  head(count: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** All of it: a stored member is a window on the file, a deflated one is unpacked once and kept. */
  open(signal?: AbortSignal): Promise<Source>;
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const u64 = (v: DataView, at: number): number => Number(v.getBigUint64(at, true));

/** PKWARE APPNOTE 4.3.12–4.3.16: end record (searched from the end), its zip64 form, then one entry a member. */
const directory = async (source: Source, signal?: AbortSignal): Promise<Member[]> => {
  const corrupt = (reason: string): never => {
    throw new Fault('data/corrupt', { path: source.path, where: 'zip directory', reason });
  };
  const from = Math.max(0, source.size - 65557);
  const tail = view(await source.read(from, source.size, signal));
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) return corrupt('it is missing; the file is cut off or no zip archive');
  let [count, size, offset] = [tail.getUint16(end + 10, true), tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  if (end >= 20 && tail.getUint32(end - 20, true) === 0x07064b50) {
    const at = u64(tail, end - 12);
    if (at + 56 > source.size) return corrupt('its zip64 record lies outside the file');
    const record = view(await source.read(at, at + 56, signal));
    [count, size, offset] = [u64(record, 32), u64(record, 40), u64(record, 48)];
  }
  if (offset + size > source.size) return corrupt('it lies outside the file');
  const entries = await source.read(offset, offset + size, signal);
  const v = view(entries);
  const members: Member[] = [];
  for (let i = 0, at = 0; i < count; i++) {
    if (at + 46 > entries.length || v.getUint32(at, true) !== 0x02014b50) return corrupt('it is damaged');
    const [nameBytes, extraBytes, comment] = [v.getUint16(at + 28, true), v.getUint16(at + 30, true), v.getUint16(at + 32, true)];
    const wide = { size: v.getUint32(at + 24, true), packed: v.getUint32(at + 20, true), offset: v.getUint32(at + 42, true) };
    const extraAt = at + 46 + nameBytes;
    if (extraAt + extraBytes > entries.length) return corrupt('it is damaged');
    for (let e = extraAt; e + 4 <= extraAt + extraBytes; e += 4 + v.getUint16(e + 2, true)) {
      if (v.getUint16(e, true) !== 1) continue;
      let field = e + 4;
      for (const key of ['size', 'packed', 'offset'] as const) {
        if (wide[key] !== 0xffffffff) continue;
        wide[key] = u64(v, field);
        field += 8;
      }
    }
    members.push({
      ...wide,
      name: new TextDecoder().decode(entries.subarray(at + 46, extraAt)),
      method: v.getUint16(at + 10, true),
      crc: v.getUint32(at + 16, true),
      encrypted: (v.getUint16(at + 8, true) & 1) === 1,
    });
    at = extraAt + extraBytes + comment;
  }
  return members;
};

/** Where the stored bytes of a member lie. */
const packedOf = async (source: Source, member: Member, signal?: AbortSignal): Promise<Source> => {
  const corrupt = (reason: string): never => {
    throw new Fault('data/corrupt', { path: source.path, where: `member '${member.name}'`, reason });
  };
  if (member.encrypted) return corrupt('it is encrypted');
  if (member.method !== 0 && member.method !== 8) return corrupt(`its compression method ${member.method} is not supported`);
  if (member.offset + 30 > source.size) return corrupt('it lies outside the file');
  const local = view(await source.read(member.offset, member.offset + 30, signal));
  if (local.getUint32(0, true) !== 0x04034b50) return corrupt('its header is damaged');
  const from = member.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (from + member.packed > source.size) return corrupt('it lies outside the file');
  return within(source, member.name, from, from + member.packed);
};

const memberOf = (source: Source, member: Member): ZipMember => {
  const where = `member '${member.name}'`;
  const unpack = async (signal?: AbortSignal): Promise<Source> => {
    const packed = await packedOf(source, member, signal);
    return member.method === 0 ? packed : memorySource(source.path, await inflated(packed, where, member.size, member.crc, signal));
  };
  let opened: Promise<Source> | undefined;
  return {
    async head(count, signal) {
      const packed = await packedOf(source, member, signal);
      return member.method === 0
        ? packed.read(0, Math.min(count, packed.size), signal)
        : inflatedHead(packed, where, Math.min(count, member.size), signal);
    },
    open(signal) {
      opened ??= unpack(signal).catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
  };
};

/** The members of an archive by name. */
export const openZip = async (source: Source, signal?: AbortSignal): Promise<ReadonlyMap<string, ZipMember>> =>
  new Map((await directory(source, signal)).map((member) => [member.name, memberOf(source, member)]));
