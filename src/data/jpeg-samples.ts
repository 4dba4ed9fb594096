import type { Component } from './jpeg-scan.ts';

/** 8-bit samples row by row. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

const clamp = (v: number): number => Math.max(0, Math.min(v, 255));

/** Eight values `step` apart, in place. */
const pass = (w: Int32Array, at: number, step: number, shift: number): void => {
  const round = 1 << (shift - 1);
  const [i0, i1, i2, i3] = [w[at], w[at + step], w[at + 2 * step], w[at + 3 * step]];
  const [i4, i5, i6, i7] = [w[at + 4 * step], w[at + 5 * step], w[at + 6 * step], w[at + 7 * step]];
  const even = (i2 + i6) * 4433;
  const even2 = even - i6 * 15137;
  const even3 = even + i2 * 6270;
  const sum = (i0 + i4) << 13;
  const difference = (i0 - i4) << 13;
  const t10 = sum + even3;
  const t13 = sum - even3;
  const t11 = difference + even2;
  const t12 = difference - even2;
  const z5 = (i7 + i3 + i5 + i1) * 9633;
  const z1 = (i7 + i1) * -7373;
  const z2 = (i5 + i3) * -20995;
  const z3 = (i7 + i3) * -16069 + z5;
  const z4 = (i5 + i1) * -3196 + z5;
  const t0 = i7 * 2446 + z1 + z3;
  const t1 = i5 * 16819 + z2 + z4;
  const t2 = i3 * 25172 + z2 + z3;
  const t3 = i1 * 12299 + z1 + z4;
  w[at] = (t10 + t3 + round) >> shift;
  w[at + 7 * step] = (t10 - t3 + round) >> shift;
  w[at + step] = (t11 + t2 + round) >> shift;
  w[at + 6 * step] = (t11 - t2 + round) >> shift;
  w[at + 2 * step] = (t12 + t1 + round) >> shift;
  w[at + 5 * step] = (t12 - t1 + round) >> shift;
  w[at + 3 * step] = (t13 + t0 + round) >> shift;
  w[at + 4 * step] = (t13 - t0 + round) >> shift;
};

/**
 * Inverse DCT of one block in whole numbers (Loeffler, Ligtenberg, Moschytz 1989, doi:10.1109/ICASSP.1989.266596), with the constants and
 * roundings of libjpeg's accurate method, so that samples are those of other programs to the last bit: columns first, 13 bits of fraction,
 * 2 of them kept between.
 */
const inverse = (c: Int16Array, from: number, q: Int32Array, w: Int32Array, out: Uint8Array, at: number, stride: number): void => {
  let some = 0;
  for (let k = 0; k < 64; k++) {
    w[k] = c[from + k] * q[k];
    if (k > 0) some |= w[k];
  }
  if (some === 0) {
    // Of a flat block both passes leave the mean.
    const flat = clamp((((w[0] << 2) + 16) >> 5) + 128);
    for (let y = 0; y < 8; y++) out.fill(flat, at + y * stride, at + y * stride + 8);
    return;
  }
  for (let x = 0; x < 8; x++) pass(w, x, 8, 11);
  for (let y = 0; y < 8; y++) {
    pass(w, 8 * y, 1, 18);
    for (let x = 0; x < 8; x++) out[at + y * stride + x] = clamp(w[8 * y + x] + 128);
  }
};

/** The samples of one component, whole blocks. */
const samplesOf = ({ storedWide, storedHigh, coefficients }: Component, quantiser: Int32Array): Plane => {
  const width = 8 * storedWide;
  const data = new Uint8Array(64 * storedWide * storedHigh);
  const work = new Int32Array(64);
  for (let y = 0; y < storedHigh; y++)
    for (let x = 0; x < storedWide; x++)
      inverse(coefficients, 64 * (y * storedWide + x), quantiser, work, data, 8 * (y * width + x), width);
  return { width, height: 8 * storedHigh, data };
};

/**
 * Twice as wide: each sample 3/4 of the nearest and 1/4 of the next one, rounded down and up in turn. Rows that were blended before carry
 * four times their value (`blended`).
 */
const wider = (row: Int32Array, blended: boolean, out: Uint8Array, at: number, width: number): void => {
  const [even, odd, bits, own, last] = blended ? [8, 7, 4, 4, 7] : [1, 2, 2, 4, 2];
  for (let x = 0; x < width; x++) {
    const k = x >> 1;
    const near = row[k];
    if (x % 2 === 0) out[at + x] = k === 0 ? (own * near + even) >> bits : (3 * near + row[k - 1] + even) >> bits;
    else out[at + x] = k === row.length - 1 ? (own * near + last) >> bits : (3 * near + row[k + 1] + odd) >> bits;
  }
};

/**
 * Samples of a component at the size of the picture, as libjpeg makes them by default: linear between sample centres where they are halved
 * ("fancy upsampling"), else repeated. `own` is the size of the samples without what fills up blocks.
 */
const enlarged = (plane: Plane, own: readonly [number, number], times: readonly [number, number], width: number, height: number): Plane => {
  const [tx, ty] = times;
  const [w, h] = own;
  const from = plane.data;
  if (tx === 1 && ty === 1 && plane.width === width && plane.height === height) return plane;
  const data = new Uint8Array(width * height);
  const at = (y: number): number => Math.min(h - 1, Math.max(0, y)) * plane.width;
  const linear = (tx <= 2 && ty === 2 && (tx === 1 || w > 2)) || (tx === 2 && ty === 1 && w > 2);
  const row = new Int32Array(w);
  for (let y = 0; y < height; y++) {
    const base = y * width;
    if (!linear) {
      const start = at(Math.floor(y / ty));
      for (let x = 0; x < width; x++) data[base + x] = from[start + Math.floor(x / tx)];
      continue;
    }
    const [near, far] = [at(Math.floor(y / ty)), ty === 1 ? 0 : at(Math.floor(y / 2) + (y % 2 === 0 ? -1 : 1))];
    for (let x = 0; x < w; x++) row[x] = ty === 1 ? from[near + x] : 3 * from[near + x] + from[far + x];
    if (tx === 2) wider(row, ty === 2, data, base, width);
    else for (let x = 0; x < width; x++) data[base + x] = (row[x] + (y % 2 === 0 ? 1 : 2)) >> 2;
  }
  return { width, height, data };
};

/** One plane of the picture's size for each component. */
export const planesOf = (
  components: readonly Component[],
  quantisers: readonly (Int32Array | undefined)[],
  width: number,
  height: number,
): readonly Plane[] => {
  const [mostH, mostV] = [Math.max(...components.map((c) => c.h)), Math.max(...components.map((c) => c.v))];
  return components.map((c) => {
    const quantiser = quantisers[c.quantiser];
    if (!quantiser) throw new Error('a quantisation table is missing');
    const [tx, ty] = [mostH / c.h, mostV / c.v];
    if (!Number.isInteger(tx) || !Number.isInteger(ty)) throw new Error('its components are sampled in a ratio that cannot be read');
    const own = [Math.ceil(width / tx), Math.ceil(height / ty)] as const;
    return enlarged(samplesOf(c, quantiser), own, [tx, ty], width, height);
  });
};

/** ITU-R 601 with full range, in 16-bit fixed point. */
export const toColours = ([luma, blue, red]: readonly Plane[], width: number, height: number): Uint8Array => {
  const out = new Uint8Array(3 * width * height);
  for (let y = 0, o = 0; y < height; y++)
    for (let x = 0; x < width; x++, o += 3) {
      const l = luma.data[y * luma.width + x];
      const [b, r] = [blue.data[y * blue.width + x] - 128, red.data[y * red.width + x] - 128];
      out[o] = clamp(l + ((91881 * r + 32768) >> 16));
      out[o + 1] = clamp(l + ((-22554 * b - 46802 * r + 32768) >> 16));
      out[o + 2] = clamp(l + ((116130 * b + 32768) >> 16));
    }
  return out;
};
