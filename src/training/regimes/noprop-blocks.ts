import type { Random } from '../../base/random.ts';
import { sizeOf } from '../../base/tensor.ts';
import { constantOf } from '../../graph/constant.ts';
import { type Emit, emitter } from '../../graph/emit.ts';
import type { Constant, Graph, Node } from '../../graph/types.ts';
import { namesWithin } from '../../graph/walk.ts';
import { activate, conv, dense, type Flow, flatten, maxPool } from '../architectures/layers.ts';
import { netOver } from '../build.ts';
import { defineLoss, type Loss } from '../define.ts';
import { ownLogProb } from '../losses/cross-entropy.ts';
import { oneHot } from '../one-hot.ts';
import type { Parameter } from '../parameters.ts';
import { tensorType } from '../plan.ts';
import { drawnNet, fresh, parameter } from './drawn-net.ts';
import { firstDivergence } from './noprop-levels.ts';

const codes = { float32: 1, float64: 11 } as const;

/** The labels as points: E [classes, width] row by row, absent for one-hot; first values only where E is learned. */
export interface Embedding {
  readonly classes: number;
  readonly width: number;
  readonly table?: Float64Array;
  readonly learned?: true;
}
const points = 'noprop.embedding';
/** E as a value; '' for one-hot. */
const pointsOf = (emit: Emit, { classes, width, table, learned }: Embedding, dtype: 'float32' | 'float64'): string =>
  learned ? points : table ? emit.constant(constantOf(dtype, [classes, width], table)) : '';

/** The layers of one block that read the data, as a graph of their own output, and all that the block trains. */
export interface Block {
  readonly prefix: string;
  readonly graph: Graph;
  readonly nodes: readonly Node[];
  /** What the layers make of a row, [N, hidden]. */
  readonly output: string;
  readonly parameters: readonly Parameter[];
  /** Numbers that a step keeps for each row until its backward pass. */
  readonly kept: number;
}

/** Layers of the data path: for images two convolutions with pooling first, where they are large enough. */
const dataPath = (net: Parameters<typeof dense>[0], start: Flow, prefix: string, hidden: number, images: boolean): Flow => {
  let flow = start;
  if (images) {
    for (const [i, channels] of [16, 32].entries()) {
      flow = activate(net, conv(net, flow, `${prefix}.conv${i + 1}`, channels, 3), 'relu');
      if (Math.min(flow.row[1], flow.row[2]) >= 2) flow = maxPool(net, flow, `${prefix}.pool${i + 1}`);
    }
    const flat = sizeOf(flow.row);
    flow = { value: net.layer('Flatten', `${prefix}.flat`, [flow.value], { axis: { type: 'int', value: 1 } }, [flat]), row: [flat] };
  } else flow = flatten(net, flow);
  for (const name of ['x1', 'x2']) flow = activate(net, dense(net, flow, `${prefix}.${name}`, hidden), 'relu');
  return flow;
};

/** Parameters of the label path and of what joins both: z → hidden, [x, z] → hidden → classes. The join is stored in two halves. */
const joined = (prefix: string, hidden: number, { classes, width }: Embedding): Parameter[] => [
  parameter(`${prefix}.z.weight`, [hidden, width], width),
  parameter(`${prefix}.z.bias`, [hidden], width),
  parameter(`${prefix}.joinx.weight`, [hidden, hidden], 2 * hidden),
  parameter(`${prefix}.joinz.weight`, [hidden, hidden], 2 * hidden),
  parameter(`${prefix}.join.bias`, [hidden], 2 * hidden),
  parameter(`${prefix}.out.weight`, [classes, hidden], hidden),
  parameter(`${prefix}.out.bias`, [classes], hidden),
];

/** W_out and b, and E where it is learned: what all blocks share. */
export const sharedOf = ({ classes, width, learned }: Embedding): readonly Parameter[] => [
  parameter('noprop.readout.weight', [classes, width], width),
  parameter('noprop.readout.bias', [classes], width),
  ...(learned ? [{ name: points, dims: [classes, width], role: 'other' as const, fanIn: 1, fanOut: 1 }] : []),
];
/** Their first values: E is given. */
export const sharedValues = (embedding: Embedding, chance: Random): [string, Constant][] =>
  drawnValues(sharedOf(embedding), chance).map(([name, c]) =>
    name === points && embedding.table ? [name, constantOf(c.dtype, c.dims, embedding.table)] : [name, c],
  );
const drawnValues = (parameters: readonly Parameter[], chance: Random): [string, Constant][] =>
  parameters.map(({ name, dims, fanIn }) => [name, constantOf('float32', dims, fresh(dims, fanIn, chance))]);

/** A new block over `start`, a value of `body`, with values drawn from `chance`. */
export const blockOver = (
  body: Graph,
  start: Flow,
  {
    prefix,
    hidden,
    images,
    embedding,
  }: { readonly prefix: string; readonly hidden: number; readonly images: boolean; readonly embedding: Embedding },
  chance: Random,
): Block => {
  const stored = new Map<string, Constant>();
  const emit = emitter({ taken: [...namesWithin(body), ...body.initializers.keys()] });
  emit.typed(start.value, tensorType('float32', ['N', ...start.row]));
  const parameters: Parameter[] = [];
  let kept = 0;
  const recorder = drawnNet(netOver(emit, stored), chance, parameters);
  const flow = dataPath(
    {
      ...recorder,
      layer(op, name, inputs, attributes, row) {
        kept += sizeOf(row);
        return recorder.layer(op, name, inputs, attributes, row);
      },
    },
    start,
    prefix,
    hidden,
    images,
  );
  const rest = joined(prefix, hidden, embedding);
  const graph: Graph = {
    ...body,
    outputs: [{ name: flow.value, type: tensorType('float32', ['N', hidden]) }],
    nodes: [...body.nodes, ...emit.nodes],
    initializers: new Map([...body.initializers, ...stored, ...drawnValues(rest, chance)]),
    values: new Map([...body.values, ...emit.types]),
  };
  // Besides: z, its hidden layer and the joined one before and after their ReLU, scores and shares.
  const beside = embedding.width + 4 * hidden + 2 * embedding.classes;
  return { prefix, graph, nodes: emit.nodes, output: flow.value, parameters: [...parameters, ...rest], kept: kept + beside };
};

/** Blocks side by side, with one output that all of them are behind. */
export const together = (body: Graph, blocks: readonly Block[], hidden: number): { readonly graph: Graph; readonly output: string } => {
  const [{ output }] = blocks;
  const all = blocks.length === 1 ? output : 'noprop.all';
  const type = tensorType('float32', ['N', blocks.length * hidden]);
  const joint: Node[] =
    all === output
      ? []
      : [
          {
            op: 'Concat',
            domain: '',
            name: all,
            inputs: blocks.map((b) => b.output),
            outputs: [all],
            attributes: { axis: { type: 'int', value: 1 } },
          },
        ];
  const graph: Graph = {
    ...body,
    outputs: [{ name: all, type }],
    nodes: [...body.nodes, ...blocks.flatMap((b) => b.nodes), ...joint],
    initializers: new Map(blocks.flatMap((b) => [...b.graph.initializers])),
    values: new Map([...blocks.flatMap((b) => [...b.graph.values]), [all, type]]),
  };
  return { graph, output: all };
};

/** û = softmax(B(x, z))·E from what the data path gives and a noised label [N, width] or [1, width]; and the scores within. */
export const denoised = (
  emit: Emit,
  prefix: string,
  x: string,
  z: string,
  embedding: Embedding,
): { readonly scores: string; readonly said: string } => {
  const gemm = (a: string, weight: string, ...bias: string[]): string =>
    emit.Gemm(a, `${prefix}.${weight}.weight`, ...bias.map((b) => `${prefix}.${b}.bias`), { transB: 1 });
  const label = emit.Relu(gemm(z, 'z', 'z'));
  const both = emit.Relu(emit.Add(gemm(x, 'joinx', 'join'), gemm(label, 'joinz')));
  const scores = gemm(both, 'out', 'out');
  const shares = emit.Softmax(scores, { axis: 1 });
  const e = pointsOf(emit, embedding, emit.type(x)?.dtype === 'float64' ? 'float64' : 'float32');
  return { scores, said: e ? emit.MatMul(shares, e) : shares };
};
export const readOut = (emit: Emit, z: string): string => emit.Gemm(z, 'noprop.readout.weight', 'noprop.readout.bias', { transB: 1 });

/** A block as its loss sees it: what its data path gives, the signal level ᾱ_{t−1} that it reads, and (T/2)η(SNR(t) − SNR(t−1)). */
export interface Denoiser {
  readonly prefix: string;
  readonly output: string;
  readonly before: number;
  readonly weight: number;
}

/**
 * L_t of one block: CE(W_out·z_T + b, y) + KL(q(z_0|y) ‖ N(0, I)) + (T/2)η(SNR(t) − SNR(t−1))·‖û − u_y‖², with z_{t−1} and z_T drawn
 * anew in every step; the mean of L_t of several. `first` and `last` are ᾱ_0 and ᾱ_T. Where rows are only measured there is no noise.
 */
export const denoisingLoss = (
  id: string,
  blocks: readonly Denoiser[],
  embedding: Embedding,
  { first, last }: { readonly first: number; readonly last: number },
): Loss => {
  const { classes, width } = embedding;
  const noise = { of: 'normal', dims: ['rows', width] } as const;
  return defineLoss({
    id,
    source: 'arXiv:2503.24322, equation of the discrete-time objective',
    target: 'class',
    options: {},
    draws: () => ({ ...Object.fromEntries(blocks.map((_, i) => [`before${i}`, noise])), last: noise }),
    build(emit, { logits, target, own }) {
      const dtype = emit.type(logits)?.dtype === 'float64' ? 'float64' : 'float32';
      const squares = (v: string): string => emit.ReduceSum(emit.Mul(v, v), emit.ints([1]), { keepdims: 0 });
      const e = pointsOf(emit, embedding, dtype);
      const u = e ? emit.Gather(e, target) : oneHot(emit, target, classes, codes[dtype]);
      const noised = (signal: number, eps: string | undefined): string => {
        const kept = emit.Mul(emit.scalar(Math.sqrt(signal)), u);
        return eps === undefined ? kept : emit.Add(kept, emit.Mul(emit.scalar(Math.sqrt(1 - signal)), eps));
      };
      const said = blocks.map(({ prefix, output, before }, i) =>
        denoised(emit, prefix, output, noised(before, own[`before${i}`]), embedding),
      );
      const errors = said.map((d, i) => emit.Mul(emit.scalar(blocks[i].weight / blocks.length), squares(emit.Sub(d.said, u))));
      const end = emit.LogSoftmax(readOut(emit, noised(last, own.last)), { axis: 1 });
      const divergence = emit.Add(emit.Mul(emit.scalar(0.5 * first), squares(u)), emit.scalar(firstDivergence(width, 0, first)));
      const surprise = emit.Neg(ownLogProb(emit, end, target));
      const right = emit.Equal(emit.ArgMax(said[said.length - 1].scores, { axis: 1, keepdims: 0 }), target);
      return {
        perExample: errors.reduce((sum, error) => emit.Add(sum, error), emit.Add(surprise, divergence)),
        right: emit.Cast(right, { to: codes[dtype] }),
      };
    },
  });
};
