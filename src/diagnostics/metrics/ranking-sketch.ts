/** Counts of scores in [0, 1] in bins of equal relative width of the odds, so that scores near 0 and near 1 are told apart alike. */
export interface Sketch {
  /** Bits of the mantissa kept: bins are 2^−bits wide relative to the score, or to 1 − score above ½. */
  readonly bits: number;
  readonly hits: Uint32Array;
  readonly misses: Uint32Array;
}

const float = new Float32Array(1);
const whole = new Int32Array(float.buffer);

/** Bits of a float32 up to ½ (0x3f000000), cut to its exponent and `bits` of its mantissa. */
const half = (bits: number): number => 126 << bits;

/** Bins of one sketch: 64,514 at 8 bits. */
const size = (bits: number): number => 2 * half(bits) + 2;

export const sketch = (bits: number): Sketch => ({
  bits,
  hits: new Uint32Array(size(bits)),
  misses: new Uint32Array(size(bits)),
});

/** Bin of a score; rises with it. */
export const binOf = (score: number, bits: number): number => {
  const upper = score > 0.5;
  float[0] = upper ? 1 - score : score;
  const at = whole[0] >> (23 - bits);
  return upper ? size(bits) - 1 - at : at;
};

const edge = (at: number, bits: number): number => {
  whole[0] = at << (23 - bits);
  return float[0];
};

/** Least score of a bin. */
export const leastOf = (bin: number, bits: number): number =>
  bin <= half(bits) ? edge(bin, bits) : Math.max(0.5, 1 - edge(size(bits) - bin, bits));

export const pourSketch = (to: Sketch, from: Sketch): void => {
  for (let k = 0; k < to.hits.length; k++) {
    to.hits[k] += from.hits[k];
    to.misses[k] += from.misses[k];
  }
};
