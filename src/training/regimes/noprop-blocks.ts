import { real } from '../../base/option.ts';
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
import { firstDivergence } from './noprop-levels.ts';

const codes = { float32: 1, float64: 11 } as const;

/** The labels as points: E [classes, width] row by row, absent for one-hot. */
export interface Embedding {
  readonly classes: number;
  readonly width: number;
  readonly table?: Float64Array;
}

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

/** U(±1/√fan in), a bias as the weight before it. */
const fresh = (dims: readonly number[], fanIn: number, chance: Random): Float64Array =>
  Float64Array.from({ length: sizeOf(dims) }, () => (2 * chance.next() - 1) / Math.sqrt(fanIn));

const parameter = (name: string, dims: readonly number[], fanIn: number): Parameter => ({
  name,
  dims,
  role: dims.length > 1 ? 'weight' : 'bias',
  fanIn,
  fanOut: dims[0],
});

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

/** W_out and b, which all blocks share. */
export const readoutOf = ({ classes, width }: Embedding): readonly Parameter[] => [
  parameter('noprop.readout.weight', [classes, width], width),
  parameter('noprop.readout.bias', [classes], width),
];
export const drawnValues = (parameters: readonly Parameter[], chance: Random): [string, Constant][] =>
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
  let fanIn = 1;
  let kept = 0;
  const recorder = netOver(emit, stored);
  const flow = dataPath(
    {
      ...recorder,
      parameter(name, dims) {
        if (dims.length > 1) fanIn = sizeOf(dims.slice(1));
        parameters.push(parameter(name, dims, fanIn));
        return recorder.parameter(name, dims, fresh(dims, fanIn, chance));
      },
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

/** û = softmax(B(x, z))·E from what the data path gives and a noised label [N, width] or [1, width]; and the scores within. */
export const denoised = (
  emit: Emit,
  prefix: string,
  x: string,
  z: string,
  { classes, width, table }: Embedding,
): { readonly scores: string; readonly said: string } => {
  const gemm = (a: string, weight: string, ...bias: string[]): string =>
    emit.Gemm(a, `${prefix}.${weight}.weight`, ...bias.map((b) => `${prefix}.${b}.bias`), { transB: 1 });
  const label = emit.Relu(gemm(z, 'z', 'z'));
  const both = emit.Relu(emit.Add(gemm(x, 'joinx', 'join'), gemm(label, 'joinz')));
  const scores = gemm(both, 'out', 'out');
  const shares = emit.Softmax(scores, { axis: 1 });
  const dtype = emit.type(x)?.dtype ?? 'float32';
  return { scores, said: table ? emit.MatMul(shares, emit.constant(constantOf(dtype, [classes, width], table))) : shares };
};
export const readOut = (emit: Emit, z: string): string => emit.Gemm(z, 'noprop.readout.weight', 'noprop.readout.bias', { transB: 1 });

const level = (help: string) => real({ default: 0.5, min: 0, max: 1, help });

/**
 * L_t of one block: CE(W_out·z_T + b, y) + KL(q(z_0|y) ‖ N(0, I)) + (T/2)η(SNR(t) − SNR(t−1))·‖û − u_y‖², with z_{t−1} and z_T drawn
 * anew in every step. Where rows are only measured there is no noise.
 */
export const denoisingLoss = (t: number, prefix: string, embedding: Embedding, first: number): Loss => {
  const { classes, width, table } = embedding;
  const squares = Float64Array.from({ length: classes }, (_, c) =>
    table ? table.subarray(c * width, (c + 1) * width).reduce((sum, v) => sum + v * v, 0) : 1,
  );
  return defineLoss({
    id: `noprop-${t}`,
    source: 'arXiv:2503.24322, equation of the discrete-time objective',
    target: 'class',
    options: {
      before: level('Signal level of what the block reads.'),
      last: level('Signal level of what the readout reads.'),
      weight: real({ default: 1, min: 0, max: 1e30, help: 'Of the squared error of the block.' }),
    },
    draws: () => ({ before: { of: 'normal', dims: ['rows', width] }, last: { of: 'normal', dims: ['rows', width] } }),
    build(emit, { logits: x, target, own }, { before, last, weight }) {
      const dtype = emit.type(x)?.dtype === 'float64' ? 'float64' : 'float32';
      const axis = emit.ints([1]);
      const u = table
        ? emit.Gather(emit.constant(constantOf(dtype, [classes, width], table)), target)
        : oneHot(emit, target, classes, codes[dtype]);
      const noised = (signal: string, noise: string | undefined): string => {
        const kept = emit.Mul(emit.Sqrt(signal), u);
        return noise === undefined ? kept : emit.Add(kept, emit.Mul(emit.Sqrt(emit.Sub(emit.scalar(1), signal)), noise));
      };
      const { scores, said } = denoised(emit, prefix, x, noised(before, own.before), embedding);
      const gap = emit.Sub(said, u);
      const error = emit.ReduceSum(emit.Mul(gap, gap), axis, { keepdims: 0 });
      const end = emit.LogSoftmax(readOut(emit, noised(last, own.last)), { axis: 1 });
      const divergence = emit.Gather(
        emit.constant(
          constantOf(
            dtype,
            [classes],
            squares.map((s) => firstDivergence(width, s, first)),
          ),
        ),
        target,
      );
      const right = emit.Equal(emit.ArgMax(scores, { axis: 1, keepdims: 0 }), target);
      return {
        perExample: emit.Add(emit.Add(emit.Neg(ownLogProb(emit, end, target)), divergence), emit.Mul(weight, error)),
        right: emit.Cast(right, { to: codes[dtype] }),
      };
    },
  });
};
