import { planesOf, toColours } from './jpeg-samples.ts';
import { type Component, type Huffman, huffman, readScan, zigzag } from './jpeg-scan.ts';

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly progressive: boolean;
  readonly components: readonly Component[];
  readonly unitsWide: number;
  readonly unitsHigh: number;
}

const cutOff = (): Error => new Error('it is cut off');

const frameOf = (body: Uint8Array, progressive: boolean): Frame => {
  const [, h1, h0, w1, w0, count] = body;
  const [width, height] = [(w1 << 8) | w0, (h1 << 8) | h0];
  if (body.length < 6 + 3 * count || ![1, 3, 4].includes(count)) throw new Error(`it has ${count} components`);
  const given = Array.from({ length: count }, (_, i) => body.subarray(6 + 3 * i, 9 + 3 * i));
  const factors = given.map(([, hv]) => [hv >> 4, hv & 15] as const);
  if (factors.some(([h, v]) => h < 1 || h > 4 || v < 1 || v > 4)) throw new Error('it has sampling factors outside of 1 to 4');
  const [mostH, mostV] = [Math.max(...factors.map(([h]) => h)), Math.max(...factors.map(([, v]) => v))];
  const [unitsWide, unitsHigh] = [Math.ceil(width / (8 * mostH)), Math.ceil(height / (8 * mostV))];
  const components = given.map(([id, , quantiser], i): Component => {
    const [h, v] = factors[i];
    const [storedWide, storedHigh] = [unitsWide * h, unitsHigh * v];
    return {
      id,
      h,
      v,
      quantiser,
      wide: Math.ceil((width * h) / mostH / 8),
      high: Math.ceil((height * v) / mostV / 8),
      storedWide,
      storedHigh,
      coefficients: new Int16Array(64 * storedWide * storedHigh),
    };
  });
  return { width, height, progressive, components, unitsWide, unitsHigh };
};

const readQuantisers = (body: Uint8Array, into: (Int32Array | undefined)[]): void => {
  for (let at = 0; at < body.length; ) {
    const [wide, id] = [body[at] >> 4, body[at] & 15];
    const size = wide ? 128 : 64;
    at++;
    if (at + size > body.length || id > 3) throw cutOff();
    const table = new Int32Array(64);
    for (let i = 0; i < 64; i++) table[zigzag[i]] = wide ? (body[at + 2 * i] << 8) | body[at + 2 * i + 1] : body[at + i];
    into[id] = table;
    at += size;
  }
};

const readHuffman = (body: Uint8Array, dc: (Huffman | undefined)[], ac: (Huffman | undefined)[]): void => {
  for (let at = 0; at < body.length; ) {
    const [kind, id] = [body[at] >> 4, body[at] & 15];
    const counts = body.subarray(at + 1, at + 17);
    const total = counts.reduce((a, b) => a + b, 0);
    if (at + 17 + total > body.length || id > 3) throw cutOff();
    (kind === 0 ? dc : ac)[id] = huffman(counts, body.subarray(at + 17, at + 17 + total));
    at += 17 + total;
  }
};

/** What the picture's numbers are: the Adobe segment says, else JFIF, else the names of the components. */
const isPlain = (components: readonly Component[], adobe: number | undefined, jfif: boolean): boolean =>
  adobe !== undefined ? adobe === 0 : !jfif && components.map((c) => c.id).join() === '82,71,66';

/** Adobe's inverted inks on white, as Pillow turns them into colours. */
const withoutInk = (colours: Uint8Array, black: ArrayLike<number>): Uint8Array => {
  for (let i = 0; i < colours.length; i++) {
    const rest = black[Math.floor(i / 3)];
    const ink = (255 - colours[i]) * rest + 128;
    colours[i] = Math.max(0, rest - ((ink + (ink >> 8)) >> 8));
  }
  return colours;
};

/**
 * A whole JPEG, baseline or progressive, Huffman-coded, 8 bits: colours interleaved, or greys. The arithmetic is libjpeg's default, to the bit.
 * Throws an Error that says what is wrong.
 */
export const decodeJpeg = (
  bytes: Uint8Array,
): { readonly width: number; readonly height: number; readonly channels: 1 | 3; readonly data: Uint8Array } => {
  const quantisers: (Int32Array | undefined)[] = [];
  const [dc, ac]: [(Huffman | undefined)[], (Huffman | undefined)[]] = [[], []];
  let frame: Frame | undefined;
  let [restartEvery, jfif, scans]: [number, boolean, number] = [0, false, 0];
  let adobe: number | undefined;
  let at = 2;
  for (;;) {
    while (at < bytes.length && !(bytes[at] === 0xff && bytes[at + 1] !== 0 && bytes[at + 1] !== 0xff)) at++;
    if (at + 2 > bytes.length) throw cutOff();
    const kind = bytes[at + 1];
    at += 2;
    if (kind === 0xd9) break;
    if (kind === 0x01 || (kind >= 0xd0 && kind <= 0xd8)) continue;
    const length = (bytes[at] << 8) | bytes[at + 1];
    if (length < 2 || at + length > bytes.length) throw cutOff();
    const body = bytes.subarray(at + 2, at + length);
    at += length;
    if (kind === 0xdb) readQuantisers(body, quantisers);
    else if (kind === 0xc4) readHuffman(body, dc, ac);
    else if (kind === 0xdd) restartEvery = (body[0] << 8) | body[1];
    else if (kind === 0xe0) jfif ||= String.fromCharCode(...body.subarray(0, 4)) === 'JFIF';
    else if (kind === 0xee && String.fromCharCode(...body.subarray(0, 5)) === 'Adobe') adobe = body[11];
    else if (kind >= 0xc0 && kind <= 0xc2) {
      if (frame) throw new Error('it holds several pictures');
      frame = frameOf(body, kind === 0xc2);
    } else if (kind === 0xda) {
      if (!frame) throw new Error('its data come before its size');
      const { components, progressive, unitsWide, unitsHigh } = frame;
      const count = body[0];
      const chosen = Array.from({ length: count }, (_, i) => {
        const of = components.find((c) => c.id === body[1 + 2 * i]);
        if (!of) throw new Error('a scan names a component that is not there');
        const tables = body[2 + 2 * i];
        return { of, dc: dc[tables >> 4], ac: ac[tables & 15] };
      });
      const [first, last, bits] = body.subarray(1 + 2 * count, 4 + 2 * count);
      if (chosen.length === 0 || last > 63 || first > last || (progressive && first > 0 && count > 1))
        throw new Error('a scan cannot be read');
      const scan = { components: chosen, progressive, first, last, before: bits >> 4, now: bits & 15, restartEvery, unitsWide, unitsHigh };
      at = readScan(bytes, at, scan);
      scans++;
    }
  }
  if (!frame || scans === 0) throw new Error('it holds no picture');
  const { width, height, components } = frame;
  const planes = planesOf(components, quantisers, width, height);
  const cropped = ({ data, width: stride }: (typeof planes)[number]): Uint8Array => {
    const out = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) out.set(data.subarray(y * stride, y * stride + width), y * width);
    return out;
  };
  if (components.length === 1) return { width, height, channels: 1, data: cropped(planes[0]) };
  let data: Uint8Array;
  if (isPlain(components, adobe, jfif)) {
    data = new Uint8Array(3 * width * height);
    for (const [c, plane] of planes.slice(0, 3).map(cropped).entries()) for (let i = 0; i < plane.length; i++) data[3 * i + c] = plane[i];
  } else data = toColours(planes, width, height);
  return { width, height, channels: 3, data: components.length === 4 ? withoutInk(data, cropped(planes[3])) : data };
};
