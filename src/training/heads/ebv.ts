import { Fault } from '../../base/fault.ts';
import { enoughDimensions, equiangularVectors, goalOf, SLACK, welchBound } from '../../base/maths/equiangular.ts';
import { choice, int, real, text } from '../../base/option.ts';
import type { Random } from '../../base/random.ts';
import { constantOf } from '../../graph/constant.ts';
import { defineHead, type Head, type HeadArray } from '../define-layers.ts';
import { lengthened } from './unit-rows.ts';

const refuse = (name: string, value: string | number, expected: string): never => {
  throw new Fault('option/value', { name: `head.${name}`, value: String(value), expected });
};

/** Rows of length 1, to what float32 keeps of them. */
const UNIT = 1e-4;

const fromFile = (file: HeadArray, path: string, classes: number, dim: number): Float64Array => {
  const [rows, width] = file.dims;
  if (file.dims.length !== 2 || width < 2) refuse('vectors', path, `an array [vectors, width], not one of shape [${file.dims.join(', ')}]`);
  if (rows < classes) refuse('vectors', path, `at least ${classes} vectors, one for each class; it holds ${rows}`);
  if (dim !== 0 && dim !== width) refuse('dim', dim, `0, or ${width} as in '${path}'`);
  for (let i = 0; i < rows; i++) {
    const length = Math.hypot(...file.data.subarray(i * width, (i + 1) * width));
    if (!(Math.abs(length - 1) <= UNIT)) refuse('vectors', path, `rows of length 1; row ${i} has length ${length}`);
  }
  return file.data.slice(0, classes * width);
};

interface Wanted {
  readonly dim: number;
  readonly alpha: number;
  readonly count: number;
}

const made = ({ dim, alpha, count }: Wanted, classes: number, random: Random) => {
  const n = count === 0 ? classes : count;
  if (n < classes) refuse('count', n, `0, or at least the ${classes} classes of the data`);
  const d = dim === 0 ? Math.max(n, 2) : dim;
  if (d < 2) refuse('dim', d, 'at least 2');
  const least = welchBound(n, d);
  if (alpha >= 0 && alpha < least) {
    refuse(
      'alpha',
      alpha,
      `at least ${least.toPrecision(7)}, below which no ${n} vectors lie in ${d} dimensions (Welch bound); dim ${enoughDimensions(n, alpha)} would do`,
    );
  }
  const found = equiangularVectors(n, d, goalOf(n, d, alpha), random);
  if (alpha >= 0 && found.worst > alpha + SLACK)
    refuse(
      'alpha',
      alpha,
      `an angle that the search reaches: its best largest cosine was ${found.worst.toPrecision(4)}; give that, a larger dim, or a file of vectors`,
    );
  const note = `${n} class vectors in ${d} dimensions: largest cosine ${found.worst.toPrecision(4)}, where the Welch bound is ${least.toPrecision(4)}.`;
  return { vectors: found.vectors.slice(0, classes * d), d, note };
};

/** Fixed unit vectors in the place of trained weights. */
export const ebv: Head = defineHead({
  id: 'ebv',
  source: 'arXiv:2303.11637 (EBV); card 26-equiangular-basis-vectors',
  about:
    'Class vectors that are drawn once, of length 1 and nearly orthogonal, and never trained: every class has the same standing, and more of them can come without a larger head. Train it with cross-entropy.',
  formula: ['z_k = ⟨w_k, v/‖v‖⟩ / τ,  v = Aφ + b', '‖w_k‖ = 1, |⟨w_i, w_j⟩| ≤ α for i ≠ j, fixed', 'α ≥ √((N − d) / (d (N − 1)))  (Welch)'],
  options: {
    dim: int({ default: 0, min: 0, max: 65536, help: 'Width of the embedding; 0 for one dimension a vector, which are then orthogonal.' }),
    alpha: real({
      default: -1,
      min: -1,
      max: 1,
      help: 'Largest |cosine| of two vectors; below 0 for 1.25 times the Welch bound, or 0 where the vectors can be orthogonal.',
    }),
    temperature: real({ default: 0.07, min: 1e-4, max: 1e4, help: 'τ, by which cosines are divided. It is not trained.' }),
    count: int({
      default: 0,
      min: 0,
      max: 65536,
      help: 'Vectors drawn, of which the first serve the classes; 0 for as many as there are classes. With the same seed classes that come later find theirs.',
    }),
    vectors: text({
      default: '',
      reads: true,
      help: 'An .npy or .npz file of vectors [N, dim] in place of drawn ones, relative to the recipe.',
    }),
    embed: choice({
      default: 'dense',
      of: ['dense', 'identity'],
      help: 'A dense layer makes the embedding, or the features are it as they are.',
    }),
  },
  files: { vectors: 'array' },
  baseline: 'linear',
  refuses: ({ classes }) => (classes === 0 ? 'needs classes: its scores are angles to class vectors' : undefined),
  build(net, features, { width, classes, files }, chosen, random) {
    const { dim, temperature, vectors: path, embed } = chosen;
    const file = files?.arrays.vectors;
    const drawn = file ? undefined : made(chosen, classes, random);
    const d = drawn?.d ?? file?.dims[1] ?? dim;
    if (embed === 'identity' && d !== width) refuse('embed', embed, `dense: the features are ${width} wide, and the vectors ${d}`);
    const fixed = drawn?.vectors ?? (file ? fromFile(file, path, classes, dim) : new Float64Array());
    const dense = (): string => {
      const inputs = [features, net.parameter('head.weight', [d, width]), net.parameter('head.bias', [d])];
      return net.layer('Gemm', 'head.embedding', inputs, { transB: { type: 'int', value: 1 } }, [d]);
    };
    const rows = lengthened(net, embed === 'dense' ? dense() : features, 'head.unit', d);
    const weight = net.buffer('head.vectors', constantOf('float32', [classes, d], fixed));
    const cosines = net.layer('Gemm', 'head.cosines', [rows, weight], { transB: { type: 'int', value: 1 } }, [classes]);
    const tau = net.buffer('head.temperature', constantOf('float32', [], [temperature]));
    return {
      logits: net.layer('Div', 'head', [cosines, tau], {}, [classes]),
      given: { embedding: rows, prototypes: weight },
      ...(drawn ? { notes: [drawn.note] } : {}),
    };
  },
});
