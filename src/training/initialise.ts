import { type Random, random } from '../base/random.ts';
import { sizeOf } from '../base/tensor.ts';
import { constantOf } from '../graph/constant.ts';
import type { Constant, Graph, Node } from '../graph/types.ts';
import { nodesWithin } from '../graph/walk.ts';
import { type Parameter, parametersOf } from './parameters.ts';

const uniform = (bound: number) => (r: Random) => (2 * r.next() - 1) * bound;
const normal = (std: number) => (r: Random) => r.normal() * std;

type Draw = (r: Random) => number;
/** The draw of one weight by its fans; biases are 0 except by torch's own rule, U(±1/√fanIn) for both. ReLU gain √2. */
const kinds = {
  'torch-default': ({ fanIn }: Parameter): Draw => uniform(1 / Math.sqrt(fanIn)),
  'kaiming-uniform': ({ fanIn }: Parameter): Draw => uniform(Math.sqrt(6 / fanIn)),
  'kaiming-normal': ({ fanIn }: Parameter): Draw => normal(Math.sqrt(2 / fanIn)),
  'xavier-uniform': ({ fanIn, fanOut }: Parameter): Draw => uniform(Math.sqrt(6 / (fanIn + fanOut))),
  'xavier-normal': ({ fanIn, fanOut }: Parameter): Draw => normal(Math.sqrt(2 / (fanIn + fanOut))),
  zeros:
    (_: Parameter): Draw =>
    () =>
      0,
} as const;

export const initialisations = ['keep', ...Object.keys(kinds), 'orthogonal'] as readonly ('keep' | 'orthogonal' | keyof typeof kinds)[];
export type Initialisation = (typeof initialisations)[number];
/** Zeros are for new last layers alone: what is behind them stays as it is. */
export const redraws = (kind: Initialisation): boolean => kind !== 'keep' && kind !== 'zeros';

/** Rows (or columns, whichever are fewer) of an orthonormal basis: Gram–Schmidt of normal draws, which is QR with diag R > 0. */
const orthogonal = (dims: readonly number[], r: Random): Float64Array => {
  const rows = dims[0];
  const cols = sizeOf(dims.slice(1));
  const wide = rows <= cols;
  const [count, length] = wide ? [rows, cols] : [cols, rows];
  const basis: Float64Array[] = [];
  for (let k = 0; k < count; k++) {
    const v = Float64Array.from({ length }, () => r.normal());
    // Twice is enough (Kahan, Parlett) for orthogonality to rounding.
    for (let pass = 0; pass < 2; pass++) {
      for (const q of basis) {
        const dot = q.reduce((s, x, i) => s + x * v[i], 0);
        for (let i = 0; i < length; i++) v[i] -= dot * q[i];
      }
    }
    const norm = Math.hypot(...v);
    basis.push(v.map((x) => x / norm));
  }
  return Float64Array.from({ length: rows * cols }, (_, at) => {
    const [i, j] = [Math.floor(at / cols), at % cols];
    return wide ? basis[i][j] : basis[j][i];
  });
};

/** Spread of position tables and class tokens, as in the models that brought them (BERT, ViT). */
const TABLE = 0.02;

const valuesOf = (p: Parameter, kind: Exclude<Initialisation, 'keep'>, r: Random): ArrayLike<number> => {
  const size = sizeOf(p.dims);
  const fill = (draw: () => number): Float64Array => Float64Array.from({ length: size }, draw);
  if (p.role === 'scale') return fill(() => 1);
  if (p.role === 'shift') return fill(() => 0);
  if (p.role === 'slope') return fill(() => 0.25);
  if (p.role === 'embedding') return fill(() => r.normal());
  if (p.role === 'table') return fill(() => TABLE * r.normal());
  if (p.role === 'recurrent') return fill(() => kinds['torch-default'](p)(r));
  if (p.role === 'bias') {
    const draw = kinds['torch-default'](p);
    return kind === 'torch-default' ? fill(() => draw(r)) : fill(() => 0);
  }
  if (kind === 'orthogonal') return p.dims.length < 2 ? fill(() => 0) : orthogonal(p.dims, r);
  const draw = kinds[kind](p);
  return fill(() => draw(r));
};

/** A parameter of no known role among these, and the node that reads it: what cannot be drawn anew. */
export const undrawn = (graph: Graph, names: ReadonlySet<string>): { readonly name: string; readonly node: Node } | undefined => {
  const other = parametersOf(graph).find((p) => p.role === 'other' && names.has(p.name));
  const node = other && [...nodesWithin(graph)].find((n) => n.inputs.includes(other.name));
  return other && node ? { name: other.name, node } : undefined;
};

/**
 * The graph with its trainable parameters drawn anew, each from its own stream of `seed`, and running statistics reset
 * to mean 0, variance 1. Scales start at 1, shifts at 0, embeddings are N(0, 1), cells U(±1/√hidden) whatever the kind, as in
 * PyTorch. Parameters of role `other` keep their values, and so do those that are not `among` these.
 */
export const initialise = (graph: Graph, kind: Initialisation, seed: number, among?: (name: string) => boolean): Graph => {
  if (kind === 'keep') return graph;
  const drawn = new Map<string, Constant>(graph.initializers);
  for (const p of parametersOf(graph)) {
    if (p.role === 'other' || (among && !among(p.name))) continue;
    const dtype = graph.initializers.get(p.name)?.dtype ?? 'float32';
    drawn.set(p.name, constantOf(dtype, p.dims, valuesOf(p, kind, random(seed, `init/${p.name}`))));
  }
  for (const { op, inputs } of graph.nodes) {
    if (op !== 'BatchNormalization' || (among && !among(inputs[3]))) continue;
    for (const [name, value] of [
      [inputs[3], 0],
      [inputs[4], 1],
    ] as const) {
      const old = drawn.get(name);
      if (old) drawn.set(name, constantOf(old.dtype, old.dims, new Float64Array(sizeOf(old.dims)).fill(value)));
    }
  }
  return { ...graph, initializers: drawn };
};
