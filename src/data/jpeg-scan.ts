/** Entropy-coded data of JPEG (ITU-T T.81): Huffman tables, bits, and the scans of baseline and progressive pictures. */

/** Order in which the coefficients of a block are stored → their place, row by row. */
export const zigzag: Uint8Array = Uint8Array.of(
  0,
  1,
  8,
  16,
  9,
  2,
  3,
  10,
  17,
  24,
  32,
  25,
  18,
  11,
  4,
  5,
  12,
  19,
  26,
  33,
  40,
  48,
  41,
  34,
  27,
  20,
  13,
  6,
  7,
  14,
  21,
  28,
  35,
  42,
  49,
  56,
  57,
  50,
  43,
  36,
  29,
  22,
  15,
  23,
  30,
  37,
  44,
  51,
  58,
  59,
  52,
  45,
  38,
  31,
  39,
  46,
  53,
  60,
  61,
  54,
  47,
  55,
  62,
  63,
);

export interface Component {
  readonly id: number;
  /** Sampling factors. */
  readonly h: number;
  readonly v: number;
  readonly quantiser: number;
  /** Blocks that hold its samples, and blocks stored: whole units of the picture. */
  readonly wide: number;
  readonly high: number;
  readonly storedWide: number;
  readonly storedHigh: number;
  readonly coefficients: Int16Array;
}

/** A canonical Huffman code: for each length the first code, what to add to reach its symbol, and the code after the last. */
export interface Huffman {
  readonly offset: Int32Array;
  readonly limit: Int32Array;
  readonly symbols: Uint8Array;
}

export const huffman = (counts: Uint8Array, symbols: Uint8Array): Huffman => {
  const [offset, limit] = [new Int32Array(17), new Int32Array(17)];
  let [code, at] = [0, 0];
  for (let length = 1; length <= 16; length++) {
    offset[length] = at - code;
    at += counts[length - 1];
    code += counts[length - 1];
    limit[length] = code;
    if (code > 1 << length) throw new Error('a Huffman table has too many codes');
    code <<= 1;
  }
  return { offset, limit, symbols };
};

interface Bits {
  bit(): number;
  bits(count: number): number;
  symbol(table: Huffman): number;
  /** Passes the restart marker that is due here. */
  restart(): void;
  /** Where the next whole byte is. */
  position(): number;
}

const bitsOf = (bytes: Uint8Array, from: number): Bits => {
  let [at, held, count] = [from, 0, 0];
  const fill = (): void => {
    if (at >= bytes.length) throw new Error('it is cut off');
    const byte = bytes[at++];
    if (byte === 0xff && bytes[at++] !== 0) throw new Error('its coded data end early');
    held = ((held << 8) | byte) & 0xffffff;
    count += 8;
  };
  const bit = (): number => {
    if (count === 0) fill();
    return (held >> --count) & 1;
  };
  const bits = (wanted: number): number => {
    let value = 0;
    for (let left = wanted; left > 0; ) {
      if (count === 0) fill();
      const taken = Math.min(left, count);
      count -= taken;
      left -= taken;
      value = (value << taken) | ((held >> count) & ((1 << taken) - 1));
    }
    return value;
  };
  return {
    bit,
    bits,
    symbol({ offset, limit, symbols }) {
      let code = 0;
      for (let length = 1; length <= 16; length++) {
        code = (code << 1) | bit();
        if (code < limit[length]) return symbols[code + offset[length]];
      }
      throw new Error('a code is in no Huffman table');
    },
    restart() {
      count = 0;
      if (bytes[at] !== 0xff || (bytes[at + 1] & 0xf8) !== 0xd0) throw new Error('a restart marker is missing');
      at += 2;
    },
    position: () => at,
  };
};

/** A number of `size` bits, those below half of its range negative (T.81, F.2.2.1). */
const signed = (value: number, size: number): number => (value < 1 << (size - 1) ? value - (1 << size) + 1 : value);

export interface Scan {
  readonly components: readonly { readonly of: Component; readonly dc: Huffman | undefined; readonly ac: Huffman | undefined }[];
  readonly progressive: boolean;
  /** First and last coefficient. */
  readonly first: number;
  readonly last: number;
  /** Bit of the coefficients that came before (0: none), and that comes now. */
  readonly before: number;
  readonly now: number;
  /** Units between restart markers; 0 for none. */
  readonly restartEvery: number;
  /** Units of the picture, where components are interleaved. */
  readonly unitsWide: number;
  readonly unitsHigh: number;
}

const must = (table: Huffman | undefined): Huffman => {
  if (!table) throw new Error('a Huffman table is missing');
  return table;
};

/** Decodes one scan into the coefficients of its components; gives where it ended. */
export const readScan = (bytes: Uint8Array, from: number, scan: Scan): number => {
  const { components, progressive, first, last, before, now, restartEvery } = scan;
  const reader = bitsOf(bytes, from);
  const predictions = new Int32Array(components.length);
  let blocksLeft = 0;

  const whole = (c: Int16Array, at: number, k: number): void => {
    const { dc, ac } = components[k];
    const size = reader.symbol(must(dc));
    if (size > 15) throw new Error('a coefficient is too large');
    predictions[k] += size === 0 ? 0 : signed(reader.bits(size), size);
    c[at] = predictions[k];
    const table = must(ac);
    for (let i = 1; i < 64; i++) {
      const coded = reader.symbol(table);
      const [run, bits] = [coded >> 4, coded & 15];
      if (bits === 0) {
        if (run < 15) return;
        i += 15;
        continue;
      }
      i += run;
      if (i > 63) throw new Error('a block has too many coefficients');
      c[at + zigzag[i]] = signed(reader.bits(bits), bits);
    }
  };
  const dcFirst = (c: Int16Array, at: number, k: number): void => {
    const size = reader.symbol(must(components[k].dc));
    if (size > 15) throw new Error('a coefficient is too large');
    predictions[k] += size === 0 ? 0 : signed(reader.bits(size), size);
    c[at] = predictions[k] << now;
  };
  const dcMore = (c: Int16Array, at: number): void => {
    if (reader.bit() === 1) c[at] |= 1 << now;
  };
  const acFirst = (c: Int16Array, at: number, k: number): void => {
    if (blocksLeft > 0) {
      blocksLeft--;
      return;
    }
    const table = must(components[k].ac);
    for (let i = first; i <= last; i++) {
      const coded = reader.symbol(table);
      const [run, bits] = [coded >> 4, coded & 15];
      if (bits === 0) {
        if (run < 15) {
          blocksLeft = (1 << run) + reader.bits(run) - 1;
          return;
        }
        i += 15;
        continue;
      }
      i += run;
      if (i > 63) throw new Error('a block has too many coefficients');
      c[at + zigzag[i]] = signed(reader.bits(bits), bits) * (1 << now);
    }
  };
  /** One more bit of a coefficient that is not 0 yet known to that depth. */
  const more = (c: Int16Array, place: number): void => {
    if (reader.bit() === 1 && (c[place] & (1 << now)) === 0) c[place] += c[place] >= 0 ? 1 << now : -(1 << now);
  };
  const acMore = (c: Int16Array, at: number, k: number): void => {
    let i = first;
    if (blocksLeft === 0) {
      const table = must(components[k].ac);
      for (; i <= last; i++) {
        const coded = reader.symbol(table);
        let run = coded >> 4;
        const value = (coded & 15) === 0 ? 0 : reader.bit() === 1 ? 1 << now : -(1 << now);
        if (value === 0 && run < 15) {
          blocksLeft = (1 << run) + reader.bits(run);
          break;
        }
        for (; i <= last; i++) {
          const place = at + zigzag[i];
          if (c[place] !== 0) more(c, place);
          else if (run-- === 0) break;
        }
        if (value !== 0) {
          if (i > last) throw new Error('a block has too many coefficients');
          c[at + zigzag[i]] = value;
        }
      }
    }
    if (blocksLeft > 0) {
      for (; i <= last; i++) if (c[at + zigzag[i]] !== 0) more(c, at + zigzag[i]);
      blocksLeft--;
    }
  };
  const block = !progressive ? whole : first === 0 ? (before === 0 ? dcFirst : dcMore) : before === 0 ? acFirst : acMore;
  const single = components.length === 1;
  const [wide, high] = single ? [components[0].of.wide, components[0].of.high] : [scan.unitsWide, scan.unitsHigh];
  for (let unit = 0; unit < wide * high; unit++) {
    if (restartEvery > 0 && unit > 0 && unit % restartEvery === 0) {
      reader.restart();
      predictions.fill(0);
      blocksLeft = 0;
    }
    const [row, column] = [Math.floor(unit / wide), unit % wide];
    for (const [k, { of }] of components.entries()) {
      if (single) block(of.coefficients, 64 * (row * of.storedWide + column), k);
      else
        for (let y = 0; y < of.v; y++)
          for (let x = 0; x < of.h; x++) block(of.coefficients, 64 * ((row * of.v + y) * of.storedWide + column * of.h + x), k);
    }
  }
  return reader.position();
};
