import { Fault } from '../../base/fault.ts';
import { choice, int, real, text } from '../../base/option.ts';
import type { Random } from '../../base/random.ts';
import { constantOf } from '../../graph/constant.ts';
import { along, type Flow, number, reshape } from '../architectures/layers.ts';
import { added, attention, layerNorm } from '../architectures/transformer.ts';
import { defineHead, type Head, type HeadFiles, type Net } from '../define-layers.ts';
import { oneHot } from '../one-hot.ts';
import { UNSELECTED } from '../selected.ts';
import { categoryTree } from './category-tree.ts';
import { asymmetricSelection, plainSelection } from './selection-loss.ts';

const refuse = (name: string, value: string | number, expected: string): never => {
  throw new Fault('option/value', { name: `head.${name}`, value: String(value), expected });
};

/** Attention among the queries, and trees, take C² numbers. */
const MOST = 2000;
/** −ln 99: every class begins with a probability of 0.01. */
const PRIOR = -Math.log(99);

const codes = { float32: 1, float64: 11 } as const;

/** Queries selected of so many classes: 100, or 30 of at most 100, and never more than half unless asked for. */
export const selectedOf = (k: number, classes: number): number =>
  k > 0 ? Math.min(k, classes) : Math.max(1, Math.min(classes <= 100 ? 30 : 100, Math.floor(classes / 2)));

/** A net whose layers have no batch axis but one of length 1. */
const still = (net: Net): Net => ({
  ...net,
  layer: (op, name, inputs, attributes, row) => net.tensor(op, name, inputs, attributes, [1, ...row]),
});

interface Made {
  readonly queries: Flow;
  /** Where there is a tree: [C, C], above 0 from every class to itself and to those below it. */
  readonly mixing?: string;
}

/** ReLU(Q·W + b), correlated: LN(q + attention among queries), or LN of the tree's mixing. */
const queriesOf = (
  net: Net,
  classes: number,
  files: HeadFiles | undefined,
  chosen: {
    readonly dim: number;
    readonly heads: number;
    readonly deviation: number;
    readonly embeddings: string;
    readonly hierarchy: string;
  },
  random: Random,
): Made => {
  const file = files?.arrays.embeddings;
  if (file && file.dims[0] !== classes)
    refuse('embeddings', chosen.embeddings, `an array of ${classes} rows, one for each class; it has ${file.dims[0]}`);
  const width = file?.dims[1] ?? chosen.dim;
  const first = file?.data ?? Float64Array.from({ length: classes * width }, () => chosen.deviation * random.normal());
  const table: Flow = { value: net.parameter('head.queries', [1, classes, width], first), row: [classes, width] };
  const own = still(net);
  const projected = along(own, table, 'head.queries.projection', chosen.dim);
  const q: Flow = { value: own.layer('Relu', 'head.queries.relu', [projected.value], {}, projected.row), row: projected.row };
  const text = files?.texts.hierarchy;
  if (text !== undefined) {
    if (classes > MOST) refuse('hierarchy', chosen.hierarchy, `left out for more than ${MOST} classes; there are ${classes}`);
    const tree = categoryTree(text, chosen.hierarchy, classes);
    const mixing = net.buffer('head.mixing', constantOf('float32', [classes, classes], tree));
    const mixed: Flow = { value: own.layer('MatMul', 'head.mixed', [mixing, q.value], {}, q.row), row: q.row };
    return { queries: layerNorm(own, mixed, 'head.correlated', 1e-5), mixing };
  }
  if (classes > MOST) return { queries: layerNorm(own, q, 'head.correlated', 1e-5) };
  const read = attention(own, q, 'head.among', chosen.heads);
  return { queries: layerNorm(own, added(own, q, read, 'head.among.sum'), 'head.correlated', 1e-5) };
};

/** Rows of features as tokens: [T, D] of D channels each, the mean first where there are several. */
const tokensOf = (net: Net, features: string, width: number, channels: number): { readonly tokens: Flow; readonly mean: Flow } => {
  if (channels === 0 || channels === width) {
    const one = reshape(net, { value: features, row: [width] }, 'head.token', [1, width]);
    return { tokens: one, mean: one };
  }
  if (width % channels !== 0) refuse('channels', channels, `a divisor of the ${width} features of a row, or 0`);
  const places = width / channels;
  const map = reshape(net, { value: features, row: [width] }, 'head.map', [channels, places]);
  const row = [places, channels];
  const all = net.layer('Transpose', 'head.places', [map.value], { perm: { type: 'ints', value: [0, 2, 1] } }, row);
  const axes = net.buffer('head.mean.axes', constantOf('int64', [1], [1]));
  const mean = net.layer('ReduceMean', 'head.mean', [all, axes], { keepdims: { type: 'int', value: 1 } }, [1, channels]);
  const joined = net.layer('Concat', 'head.tokens', [mean, all], { axis: { type: 'int', value: 1 } }, [places + 1, channels]);
  return { tokens: { value: joined, row: [places + 1, channels] }, mean: { value: mean, row: [1, channels] } };
};

/** LN(q + attention to the tokens), then LN(q + W₂·relu(W₁·q)). */
const lookedUp = (net: Net, queries: Flow, tokens: Flow, name: string, heads: number): Flow => {
  const read = attention(net, queries, `${name}.attention`, heads, undefined, tokens);
  const middle = layerNorm(net, added(net, queries, read, `${name}.sum1`), `${name}.norm1`, 1e-5);
  const inner = along(net, middle, `${name}.dense1`, 4 * middle.row[1]);
  const relu: Flow = { value: net.layer('Relu', `${name}.relu`, [inner.value], {}, inner.row), row: inner.row };
  return layerNorm(net, added(net, middle, along(net, relu, `${name}.dense2`, middle.row[1]), `${name}.sum2`), `${name}.norm2`, 1e-5);
};

/** Queries of the classes look at the row; those that fit it best are scored, and no other class receives gradient. */
export const categoryQueries: Head = defineHead({
  id: 'category-queries',
  source: 'arXiv:2503.18430 (CQ-DINO), released code; card 02-cq-dino',
  about:
    'For very many classes: a learned query for each one looks at the row, the best-fitting few are selected, and only those are told apart, so that rare classes are not drowned by the gradient of all others. Train it with sigmoid-focal.',
  formula: [
    'Q_c first: the given embedding of class c, else the mean of v over its training rows, else N(0, deviation²)',
    'q = ReLU(Q W + b);  q ← LN(q + MHSA(q)), or along a tree q_n ← (1 − w_n) q_n + w_n mean(children)',
    'v: the features of the row (of a map their mean place), projected to width d',
    'q̃ = layers of attention from queries to the tokens of the row;  s_c = ⟨w, q̃_c⟩ + b',
    'selected: the K largest s_c;  z_c = ⟨v, q̃_c⟩/√d + b₀ of those, b₀ first −ln 99',
    'objective + weight · mean (or sum) over the rows of Σ_c BCE(s_c, y_c)  (a tree: asymmetric loss, γ₋ = 7, clip 0.05, ancestors left out)',
  ],
  options: {
    dim: int({ default: 256, min: 1, max: 8192, help: 'Width of queries and tokens.' }),
    heads: int({ default: 8, min: 1, max: 128, help: 'Heads of attention; they divide the width.' }),
    layers: int({ default: 2, min: 0, max: 24, help: 'Layers in which the queries look at the row.' }),
    select: int({
      default: 0,
      min: 0,
      max: 1e6,
      help: 'Classes selected for each row; 0 for 100, or 30 of at most 100 classes, but never more than half.',
    }),
    selectionWeight: real({
      default: -1,
      min: -1,
      max: 1e6,
      help: 'What the loss of the selection weighs; below 0 for 0.1, or 1 with a tree.',
    }),
    selectionReduction: choice({
      default: 'mean',
      of: ['mean', 'sum'],
      help: "How the selection's loss is taken over the rows of a step. The paper's code sums over the few images of its batches; with dozens of rows that drowned the scores in our experiments.",
    }),
    first: choice({
      default: 'means',
      of: ['means', 'normal'],
      help: 'Where no embeddings are given, queries begin at the mean of what the scores read of the training rows of their class, or at random.',
    }),
    deviation: real({
      default: 0.02,
      min: 0,
      max: 10,
      help: 'Standard deviation of first queries that are drawn: of classes without training rows, or of all.',
    }),
    channels: int({
      default: 0,
      min: 0,
      max: 1e6,
      help: 'Channels of a feature map, whose places become tokens; 0 for the whole row as one token.',
    }),
    embeddings: text({
      default: '',
      reads: true,
      help: 'An .npy or .npz file with the first query of every class [classes, width], relative to the recipe.',
    }),
    hierarchy: text({
      default: '',
      reads: true,
      help: 'A CSV file of lines child,parent with numbers of classes, relative to the recipe.',
    }),
  },
  files: { embeddings: 'array', hierarchy: 'text' },
  baseline: 'linear',
  monitors: ['selection-misses'],
  selects: (classes, { select }) => selectedOf(select, classes),
  refuses: ({ classes }) => (classes === 0 ? 'needs classes: it has a query for each' : undefined),
  remarks: ({ classes }, { select }) => [
    ...(classes < 10 ? [`With ${classes} classes there is little gradient to dilute, and so little for category queries to gain.`] : []),
    ...(select >= classes && classes > 0 ? [`Of ${classes} classes ${select} are to be selected, so none is left out.`] : []),
    ...(classes > MOST ? [`With more than ${MOST} classes the queries do not look at each other.`] : []),
  ],
  build(net, features, { width, classes, files }, chosen, random) {
    const { dim, heads, layers, select, channels } = chosen;
    if (dim % heads !== 0) refuse('heads', heads, `a divisor of the width, ${dim}`);
    const { queries, mixing } = queriesOf(net, classes, files, chosen, random);
    const { tokens, mean } = tokensOf(net, features, width, channels);
    const seen = along(net, tokens, 'head.tokens.projection', dim);
    const v = along(net, mean, 'head.feature', dim);
    // The queries of every row: 0·v brings in the batch axis.
    const none = net.layer('Mul', 'head.none', [v.value, number(net, 'head.zero', 0)], {}, v.row);
    let q: Flow = { value: net.layer('Add', 'head.queries.rows', [queries.value, none], {}, [classes, dim]), row: [classes, dim] };
    for (let i = 0; i < layers; i++) q = lookedUp(net, q, seen, `head.layers.${i}`, heads);
    const fit = reshape(net, along(net, q, 'head.fit', 1), 'head.selection', [classes]).value;
    const turned = net.layer('Transpose', 'head.feature.turned', [v.value], { perm: { type: 'ints', value: [0, 2, 1] } }, [dim, 1]);
    const product: Flow = { value: net.layer('MatMul', 'head.product', [q.value, turned], {}, [classes, 1]), row: [classes, 1] };
    const flat = reshape(net, product, 'head.product.flat', [classes]).value;
    const scaled = net.layer('Mul', 'head.scaled', [flat, number(net, 'head.scale', 1 / Math.sqrt(dim))], {}, [classes]);
    const all = net.layer('Add', 'head.scores', [scaled, net.parameter('head.prior', [1], [PRIOR])], {}, [classes]);
    const means = files?.arrays.embeddings === undefined && chosen.first === 'means';
    const classMeans = means ? { classMeans: { parameter: 'head.queries', value: v.value } } : {};
    const given = { selection: fit, scores: all, ...(mixing ? { mixing } : {}) };
    const k = selectedOf(select, classes);
    if (k >= classes) return { logits: net.layer('Identity', 'head', [all], {}, [classes]), given, ...classMeans };
    const largest = net.largest('head.largest', fit, k, [k]);
    const axes = net.buffer('head.least.axes', constantOf('int64', [1], [1]));
    const least = net.layer('ReduceMin', 'head.least', [largest, axes], { keepdims: { type: 'int', value: 1 } }, [1]);
    const chosenOnes = net.layer('GreaterOrEqual', 'head.selected', [fit, least], {}, [classes], 'bool');
    const far = number(net, 'head.unselected', UNSELECTED);
    return { logits: net.layer('Where', 'head', [chosenOnes, all, far], {}, [classes]), given, ...classMeans };
  },
  term(emit, { target, classes, given, logits }, { selectionWeight }, chosen) {
    const { mixing, selection } = given;
    const marks = oneHot(emit, target, classes, codes[emit.type(logits)?.dtype === 'float64' ? 'float64' : 'float32']);
    // Classes above the own one: whose mixing with it is not 0, without itself.
    const ancestors = (of: string): string => {
      const mixed = emit.Gather(emit.Transpose(of, { perm: [1, 0] }), target);
      const [zero, one] = [emit.scalar(0), emit.scalar(1)];
      return emit.Sub(emit.Where(emit.Greater(mixed, zero), one, zero), marks);
    };
    const loss =
      mixing === undefined
        ? plainSelection(emit, selection, marks)
        : asymmetricSelection(emit, selection, marks, ancestors(mixing), { gamma: 7, clip: 0.05 });
    const weight = chosen.selectionWeight >= 0 ? selectionWeight : emit.scalar(mixing === undefined ? 0.1 : 1);
    return emit.Mul(weight, chosen.selectionReduction === 'sum' ? emit.ReduceSum(loss, { keepdims: 0 }) : loss);
  },
});
