import { Fault } from '../../base/fault.ts';
import { isLargest } from '../../base/maths/argmax.ts';
import { choice, int, real } from '../../base/option.ts';
import type { Random } from '../../base/random.ts';
import { constantOf, numbersOf } from '../../graph/constant.ts';
import { emitter } from '../../graph/emit.ts';
import type { Constant, Graph } from '../../graph/types.ts';
import { namesWithin } from '../../graph/walk.ts';
import { defineRegime, type Programme, type Regime } from '../define-run.ts';
import { gathered, layoutOf } from '../layout.ts';
import { modelOf, type Plan, rowType, tensorType } from '../plan.ts';
import {
  type Block,
  blockOver,
  denoised,
  denoisingLoss,
  type Embedding,
  readOut,
  sharedOf,
  sharedValues,
  together,
} from './noprop-blocks.ts';
import { chainStep, levelsOf, signalToNoise } from './noprop-levels.ts';

const refused = (reason: string): Fault => new Fault('training/regime', { regime: 'noprop', reason });

/** Classes whose embeddings lie closer than this are one. */
const CLOSE = 1e-3;
/** Epochs, at most, after which the chain is judged. */
const JUDGED = 20;
/** Rows of a class that a prototype is chosen among. */
const CANDIDATES = 500;

/** Of each class the row with the least median distance to the others: [classes, width]. */
const prototypes = (data: Float64Array, width: number, labels: ArrayLike<number>, classes: number): Float64Array => {
  const table = new Float64Array(classes * width);
  const distance = (i: number, j: number): number => {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += (data[i * width + k] - data[j * width + k]) ** 2;
    return sum;
  };
  for (let c = 0; c < classes; c++) {
    const rows = Array.from({ length: labels.length }, (_, i) => i)
      .filter((i) => labels[i] === c)
      .slice(0, CANDIDATES);
    if (rows.length === 0) throw refused(`needs a row of every class for prototypes; class ${c} has none`);
    const median = (i: number): number => rows.map((j) => distance(i, j)).toSorted((a, b) => a - b)[Math.floor(rows.length / 2)];
    const best = rows.map((i) => [median(i), i] as const).reduce((a, b) => (b[0] < a[0] ? b : a))[1];
    table.set(data.subarray(best * width, (best + 1) * width), c * width);
  }
  return table;
};

/** Classes whose cosines are shown. */
const SHOWN = 100;
const cosines = (table: Float64Array, classes: number, width: number): readonly number[] =>
  Array.from({ length: classes * classes }, (_, at) => {
    const rows = [Math.floor(at / classes), at % classes].map((c) => table.subarray(c * width, (c + 1) * width));
    const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, k) => sum + v * b[k], 0);
    const [a, b] = rows;
    return Math.max(-1, Math.min(1, dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)) || 0));
  });

const closest = ({ classes, width, table }: Embedding): number => {
  let least = Number.POSITIVE_INFINITY;
  if (!table) return Math.SQRT2;
  for (let a = 0; a < classes; a++)
    for (let b = 0; b < a; b++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += (table[a * width + k] - table[b * width + k]) ** 2;
      least = Math.min(least, Math.sqrt(sum));
    }
  return least;
};

/** Orthogonal rows of length 1, by Gram and Schmidt on normal ones. */
const orthogonal = (classes: number, width: number, chance: Random): Float64Array => {
  const table = Float64Array.from({ length: classes * width }, () => chance.normal());
  for (let c = 0; c < classes; c++) {
    const row = table.subarray(c * width, (c + 1) * width);
    for (let before = 0; before < c; before++) {
      const other = table.subarray(before * width, (before + 1) * width);
      const along = row.reduce((sum, v, k) => sum + v * other[k], 0);
      for (let k = 0; k < width; k++) row[k] -= along * other[k];
    }
    const length = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));
    for (let k = 0; k < width; k++) row[k] /= length;
  }
  return table;
};

/** All blocks one after the other, z_0 and every noise being numbers stored in the model; and the scores after each block. */
const chained = (
  plan: Plan,
  body: Graph,
  blocks: readonly Block[],
  levels: Float64Array,
  embedding: Embedding,
  { samples, noisy }: { readonly samples: number; readonly noisy: boolean },
  trained: ReadonlyMap<string, Constant>,
  chance: Random,
): { readonly graph: Graph; readonly scores: readonly string[] } => {
  const { width } = embedding;
  const emit = emitter({ taken: [...namesWithin(body), ...body.initializers.keys(), plan.output] });
  for (const [name, { dims, dtype }] of trained) emit.typed(name, tensorType(dtype, dims));
  for (const { graph, output } of blocks) emit.typed(output, rowType(graph, output));
  const normal = (scale: number): string =>
    emit.constant(
      constantOf(
        'float32',
        [1, width],
        Float32Array.from({ length: width }, () => scale * chance.normal()),
      ),
    );
  const sums: string[] = [];
  for (let s = 0; s < samples; s++) {
    let z = normal(1);
    for (const [t, { prefix, output }] of blocks.entries()) {
      const { said } = denoised(emit, prefix, output, z, embedding);
      const { a, b, c } = chainStep(levels[t], levels[t + 1]);
      const mean = emit.Add(emit.Mul(emit.scalar(a), said), emit.Mul(emit.scalar(b), z));
      z = noisy ? emit.Add(mean, normal(Math.sqrt(c))) : mean;
      const scores = readOut(emit, z);
      sums[t] = sums[t] ? emit.Add(sums[t], scores) : scores;
    }
  }
  const means = sums.map((sum) => (samples === 1 ? sum : emit.Div(sum, emit.scalar(samples))));
  const out = emit.rename(means[means.length - 1], plan.output);
  const type = tensorType('float32', ['N', embedding.classes]);
  const graph: Graph = {
    ...body,
    outputs: [{ name: out, type }],
    nodes: [...body.nodes, ...blocks.flatMap((b) => b.nodes), ...emit.nodes],
    initializers: new Map([...body.initializers, ...trained, ...emit.constants]),
    values: new Map([
      ...body.values,
      ...blocks.flatMap((b) => [...b.graph.values]),
      ...emit.types,
      ...means.map((name) => [name, type] as const),
    ]),
  };
  return { graph, scores: means };
};

/** Share of the validation rows that are right after each block. */
const accuracies = async (programme: Programme, plan: Plan, state: { theta: ReturnType<typeof gathered> }, scores: readonly string[]) => {
  const { validation } = programme;
  if (!validation) return [];
  const found: number[] = [];
  for (const value of scores) {
    const { data, width } = await programme.values(plan, state, value, 'validation');
    let right = 0;
    for (let i = 0; i < validation.count; i++) right += Number(isLargest(data, i * width, width, validation.labels[i]));
    found.push(right / validation.count);
  }
  return found;
};

/** Blocks that each learn to denoise the label given the data, none waiting for another's gradient. */
export const noprop: Regime = defineRegime({
  id: 'noprop',
  source: 'Li, Teh and Pascanu 2025, arXiv:2503.24322 (NoProp-DT)',
  about:
    'Trains blocks that each denoise the label: a block reads the data and a noised label, and says the clean one. No gradient crosses blocks, so a step keeps one block in memory. Every block trains an epoch in turn; they share only the readout (and the points of the classes, where these are learned). The saved model is the chain of all blocks as plain ONNX. Its natural baseline is the `arch` of the recipe, trained by back-propagation: give one of about the size of the chain. The chain itself is trained so with `gradient: "through"`, which wants a rate ten times as high. AdamW with rate 1e-3, decay 1e-3 and a batch of 128 are usual.',
  formula: [
    'z_t = √ᾱ_t u_y + √(1 − ᾱ_t) ε; û_t = softmax(B_t(x, z_{t−1}))·E; SNR(t) = ᾱ_t/(1 − ᾱ_t)',
    'L_t = CE(W z_T + b, y) + KL(q(z_0|y) ‖ N(0, I)) + (T/2) η (SNR(t) − SNR(t−1)) ‖û_t − u_y‖²',
    'chain: z_0 ~ N(0, I), z_t = a_t û_t(z_{t−1}, x) + b_t z_{t−1} + √c_t ε, then argmax(W z_T + b)',
    'cosine: ᾱ_t = cos²(((1 − t/T) + s)/(1 + s) · π/2), s = 0.008, cut off at `low` and `high`',
  ],
  options: {
    blocks: int({ default: 10, min: 2, max: 1000, help: 'Blocks T of the chain.' }),
    schedule: choice({ default: 'cosine', of: ['cosine', 'linear'], help: 'How the signal rises from block to block.' }),
    eta: real({ default: 0.1, min: 1e-9, max: 1e9, help: 'Weight η of the squared error of a block.' }),
    low: real({ default: 1e-4, min: 1e-9, max: 0.5, help: 'Least signal level.' }),
    high: real({
      default: 0.99,
      min: 0.5,
      max: 0.999999,
      help: 'Greatest signal level: nearer to 1, the last block outweighs the others in the shared readout.',
    }),
    embedding: choice({
      default: 'one-hot',
      of: ['one-hot', 'learned', 'prototype'],
      help: 'Points of the classes: one-hot; trained with the blocks; or of each class the training row with the least median distance to the others.',
    }),
    width: int({ default: 64, min: 2, max: 100000, help: 'Of learned points: at least the number of classes.' }),
    from: choice({
      default: 'inputs',
      of: ['inputs', 'features'],
      help: 'What blocks read: the inputs, or what the last dense layer of the model reads, kept as it is.',
    }),
    order: choice({
      default: 'alternating',
      of: ['alternating', 'sequential', 'together'],
      help: 'An epoch of every block in turn; all epochs of a block before the next begins; or all blocks in every step, which then keeps all of them in memory.',
    }),
    gradient: choice({
      default: 'within',
      of: ['within', 'through'],
      help: "Where it flows: within each block alone; or through the whole chain from the recipe's loss at its end, which is back-propagation of the same network, to compare with.",
    }),
    hidden: int({ default: 64, min: 1, max: 100000, help: 'Width of the hidden layers of a block.' }),
    inference: choice({
      default: 'mean',
      of: ['mean', 'sampled'],
      help: 'The chain without its noise, or with noise that is drawn once and stored in the model.',
    }),
    samples: int({ default: 1, min: 1, max: 1000, help: 'Chains whose scores are averaged, each from a z_0 of its own.' }),
  },
  baseline: 'single',
  async run(programme, chosen) {
    const { plan, rows } = programme;
    const { blocks: count, hidden, eta, order } = chosen;
    const { classes } = plan;
    if (plan.loss.part.target !== 'class' || plan.loss.part.embeds || classes < 2)
      throw refused("needs labels of two classes or more; set loss 'cross-entropy'");
    if (plan.precision !== 'float32') throw refused('trains models of float32');
    const levels = levelsOf(chosen.schedule, count, chosen);
    const flat = levels.findIndex((v, t) => t > 0 && v <= levels[t - 1]);
    if (flat > 0)
      throw refused(
        `needs signal that rises with every block, and at block ${flat} of ${count} it stays ${levels[flat]}; take fewer blocks, a lower low or a higher high`,
      );

    const value = chosen.from === 'inputs' ? plan.input : plan.layer?.features;
    if (value === undefined) throw refused("needs a model that ends in a dense layer to read features; take from 'inputs'");
    const type = plan.graph.values.get(value) ?? rowType(plan.graph, value);
    const row = (type.kind === 'tensor' ? type.dims : undefined)?.slice(1) ?? [];
    if (row.length === 0 || !row.every((d): d is number => typeof d === 'number')) throw refused('needs rows of one fixed shape');
    if (type.kind !== 'tensor' || type.dtype !== 'float32') throw refused(`reads rows of float32, and '${value}' is of another type`);
    const body =
      value === plan.input
        ? { ...plan.graph, nodes: [], initializers: new Map(), values: new Map() }
        : modelOf(plan, { ...plan.graph, outputs: [{ name: value, type }] }).graph;

    const known = chosen.embedding === 'prototype' ? await programme.values(plan, {}, value, 'train') : undefined;
    const { width } = chosen;
    if (chosen.embedding === 'learned' && order === 'sequential')
      throw refused("learns its points with all blocks, so none can be done before the others; take order 'alternating' or 'together'");
    if (chosen.embedding === 'learned' && width < classes)
      throw refused(`starts from orthogonal points, so their width ${width} must be at least ${classes}, the number of classes`);
    const embedding: Embedding = known
      ? { classes, width: known.width, table: prototypes(known.data, known.width, rows.labels, classes) }
      : chosen.embedding === 'learned'
        ? { classes, width, table: orthogonal(classes, width, programme.random('embedding')), learned: true }
        : { classes, width: classes };

    const shared = sharedOf(embedding);
    const trained = new Map<string, Constant>(sharedValues(embedding, programme.random('shared')));
    const losses: number[] = [];
    const { opsets, irVersion, input, optimizer, precision, clip, data } = plan;
    const common = { opsets, irVersion, input, classes, optimizer, precision, data, statistics: 'stored' as const };
    const blocks = Array.from({ length: count }, (_, i): Block => {
      const prefix = `noprop.block${i + 1}`;
      return blockOver(body, { value, row }, { prefix, hidden, images: row.length === 3, embedding }, programme.random(prefix));
    });
    const sets = order === 'together' ? [blocks] : blocks.map((b) => [b]);
    const runs = sets.map((set, i) => {
      const { graph, output } = together(body, set, hidden);
      const denoisers = set.map((b) => {
        const t = blocks.indexOf(b) + 1;
        const weight = (count / 2) * eta * (signalToNoise(levels[t]) - signalToNoise(levels[t - 1]));
        return { prefix: b.prefix, output: b.output, before: levels[t - 1], weight };
      });
      const parameters = [...set.flatMap((b) => b.parameters), ...shared];
      const own: Plan = {
        ...common,
        ...(clip ? { clip } : {}),
        graph: { ...graph, initializers: new Map([...graph.initializers, ...trained]) },
        output,
        loss: { part: denoisingLoss(`noprop-${i + 1}`, denoisers, embedding, { first: levels[0], last: levels[count] }), chosen: {} },
        groups: [{ parameters, lrScale: 1 }],
      };
      return { name: order === 'together' ? 'all blocks' : `block ${i + 1}`, plan: own };
    });
    const chain = { samples: chosen.samples, noisy: chosen.inference === 'sampled' };
    /** The chain of some blocks as they stand. */
    const assembled = (begun: readonly Block[]) => {
      const { graph, scores } = chained(plan, body, begun, levels, embedding, chain, trained, programme.random('chain'));
      const parameters = [...begun.flatMap((b) => b.parameters), ...shared];
      const whole: Plan = { ...common, graph, output: plan.output, loss: plan.loss, groups: [{ parameters, lrScale: 1 }] };
      return { whole, state: { theta: gathered(graph, layoutOf(parameters), precision) }, scores };
    };
    const judged: (readonly [number, number])[] = [];
    const through = chosen.gradient === 'through';
    if (through) {
      for (const { graph, parameters } of blocks)
        for (const { name } of parameters) {
          const first = graph.initializers.get(name);
          if (first) trained.set(name, first);
        }
      const { whole } = assembled(blocks);
      const chainPlan: Plan = { ...whole, ...(clip ? { clip } : {}) };
      const { state, history } = await programme.train({ name: 'chain', plan: chainPlan, epochs: programme.epochs });
      const { initializers } = programme.stored(chainPlan, state);
      for (const name of trained.keys()) trained.set(name, initializers.get(name) ?? (trained.get(name) as Constant));
      for (const { epoch, valAccuracy } of history) if (valAccuracy !== undefined) judged.push([epoch, valAccuracy]);
    }
    // In turns, a block trains an epoch and hands what all share to the next; its optimizer keeps averages of its own.
    const turns = order === 'alternating' ? programme.epochs : 1;
    const total = through ? 0 : turns * runs.length;
    for (let turn = 0; turn < total && (turn === 0 || !programme.ending()); turn++) {
      const own = runs[turn % runs.length];
      const { state, history } = await programme.train({
        ...own,
        epochs: programme.epochs,
        ...(turns > 1 ? { until: 1 + Math.floor(turn / runs.length) } : {}),
        values: new Map(shared.flatMap(({ name }) => (trained.has(name) ? [[name, trained.get(name) as Constant] as const] : []))),
        span: [turn / total, (turn + 1) / total],
        measured: false,
      });
      const { initializers } = programme.stored(own.plan, state);
      for (const { name } of own.plan.groups[0].parameters) {
        const c = initializers.get(name);
        if (c) trained.set(name, c);
      }
      losses[turn % runs.length] = history.at(-1)?.trainLoss ?? Number.NaN;
      const epoch = (turn + 1) / runs.length;
      if (turns === 1 || !programme.validation || programme.ending() || epoch % Math.ceil(turns / JUDGED) !== 0) continue;
      const { accuracy } = await programme.once(`chain after epoch ${epoch}`, async () => {
        const { whole, state, scores } = assembled(blocks);
        return { accuracy: Float64Array.from(await accuracies(programme, whole, state, scores.slice(-1))) };
      });
      judged.push([epoch, accuracy[0]]);
    }
    const begun = order === 'together' || through ? blocks : blocks.slice(0, losses.length);
    if (begun.length < count) programme.note(`The chain ends after block ${begun.length} of ${count}: the others had not begun.`);
    const learned = trained.get('noprop.embedding');
    const ended = learned ? { ...embedding, table: Float64Array.from(numbersOf(learned)) } : embedding;
    if (closest(ended) < CLOSE)
      programme.note(`Two classes have embeddings closer than ${CLOSE}, so the chain cannot tell them apart; take embedding 'one-hot'.`);

    if (ended.table && classes <= SHOWN)
      programme.grid({
        title: 'Cosine between the points of classes',
        caption: 'Near 1 two classes have all but the same direction, and the chain can hardly tell them apart.',
        ...{ classes, values: cosines(ended.table, classes, ended.width) },
      });

    /** Every block had a loss of its own. */
    const alone = order !== 'together' && !through;
    const { whole, state, scores } = assembled(begun);
    const { graph } = whole;
    const right = await accuracies(programme, whole, state, scores);
    for (let i = 0; i < begun.length; i++)
      programme.record(`block ${i + 1}`, {
        signal: levels[i + 1],
        ...(alone ? { train_loss: losses[i] } : {}),
        ...(right.length > 0 ? { validation_accuracy: right[i] } : {}),
      });
    if (judged.length > 0)
      programme.curve({
        title: 'Accuracy by epoch',
        caption: 'Of the whole chain on the validation rows.',
        ...{ x: 'Epoch', y: 'Accuracy', unit: 'fraction', lines: [{ name: 'validation', points: judged }] },
      });
    const points = (values: readonly number[]): readonly (readonly [number, number])[] => values.map((v, i) => [i + 1, v]);
    if (right.length > 0)
      programme.curve({
        title: 'Accuracy after each block',
        caption: 'Of the chain cut off after so many blocks, on the validation rows: where it rises, the label emerges.',
        ...{ x: 'Blocks', y: 'Accuracy', unit: 'fraction', lines: [{ name: 'validation', points: points(right) }] },
      });
    if (alone)
      programme.curve({
        title: 'Loss of each block',
        ...{ x: 'Block', y: 'Loss', unit: 'nats', lines: [{ name: 'training', points: points(losses) }] },
      });
    const [{ kept }] = blocks;
    programme.note(
      through
        ? `A step keeps ${count * kept} numbers a row, those of all ${count} blocks of the chain; without a gradient between blocks it would keep ${kept}.`
        : order === 'together'
          ? `Trained together, a step keeps ${count * kept} numbers a row, those of all blocks, though no gradient crosses them; in turns it keeps ${kept}.`
          : `A step keeps ${kept} numbers a row, those of one block; back-propagation through the chain of all ${count} would keep ${count * kept}.`,
    );
    const { metadata, producer, producerVersion } = programme.model;
    return { model: { ...modelOf(plan, graph), metadata, producer, producerVersion }, plan: whole, state };
  },
});
