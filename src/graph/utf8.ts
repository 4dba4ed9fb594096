/**
 * UTF-8 that loses nothing: a byte that is not valid UTF-8 becomes the lone surrogate U+DC80..U+DCFF and back (PEP 383),
 * so that names and attributes of odd files survive parse and write.
 */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const escaped = /[\udc80-\udcff]/u;

/** Length in bytes of the valid sequence at `i`, or 0. */
const sequence = (bytes: Uint8Array, i: number): number => {
  const lead = bytes[i];
  const n = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (n === 0 || i + n > bytes.length) return 0;
  try {
    strict.decode(bytes.subarray(i, i + n));
    return n;
  } catch {
    return 0;
  }
};

const lenient = (bytes: Uint8Array): string => {
  let out = '';
  for (let i = 0; i < bytes.length; ) {
    const n = sequence(bytes, i);
    out += n ? strict.decode(bytes.subarray(i, i + n)) : String.fromCharCode(0xdc00 + bytes[i]);
    i += n || 1;
  }
  return out;
};

export const textOf = (bytes: Uint8Array): string => {
  if (bytes.length <= 64) {
    let ascii = true;
    for (let i = 0; i < bytes.length && ascii; i++) ascii = bytes[i] < 0x80;
    if (ascii) return String.fromCharCode(...bytes);
  }
  try {
    return strict.decode(bytes);
  } catch {
    return lenient(bytes);
  }
};

export const bytesOf = (text: string): Uint8Array => {
  if (!escaped.test(text)) return encoder.encode(text);
  const out: number[] = [];
  for (const c of text) {
    if (escaped.test(c)) out.push(c.charCodeAt(0) - 0xdc00);
    else out.push(...encoder.encode(c));
  }
  return Uint8Array.from(out);
};
