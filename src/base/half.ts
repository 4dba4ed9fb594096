const [floats, bits] = (() => {
  const buffer = new ArrayBuffer(4);
  return [new Float32Array(buffer), new Uint32Array(buffer)];
})();

/** IEEE 754 binary16 → number. */
export const fromHalf = (h: number): number => {
  const [sign, exponent, fraction] = [h & 0x8000 ? -1 : 1, (h >> 10) & 31, h & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

/** Number → binary16 bits, rounding to nearest, ties to even. */
export const toHalf = (value: number): number => {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const v = Math.abs(value);
  if (v >= 65520) return sign | 0x7c00;
  const step = v < 2 ** -14 ? 2 ** -24 : 2 ** (Math.floor(Math.log2(v)) - 10);
  const q = v / step;
  const floor = Math.floor(q);
  const odd = floor % 2 === 1;
  const n = q - floor > 0.5 || (q - floor === 0.5 && odd) ? floor + 1 : floor;
  if (v < 2 ** -14) return sign | n;
  const exponent = Math.round(Math.log2(step)) + 10 + 15;
  return sign | ((exponent << 10) + (n - 1024));
};

/** Number → bfloat16 bits, rounding to nearest, ties to even. */
export const toBfloat = (value: number): number => {
  floats[0] = value;
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) >>> 16) & 0xffff;
};

/** bfloat16 bits → number: the upper half of a float32. */
export const fromBfloat = (h: number): number => {
  bits[0] = h << 16;
  return floats[0];
};
