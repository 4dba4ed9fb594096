import { Fault } from '../../base/fault.ts';
import { isLargest } from '../../base/maths/argmax.ts';
import { kendall } from '../../base/maths/correlation.ts';
import { choice, int, real, text } from '../../base/option.ts';
import { defineMonitor, type Monitor } from '../define.ts';
import { defineRegime, type Programme, type Regime, type StageEnd } from '../define-run.ts';
import { gathered, layoutOf } from '../layout.ts';
import { modelOf, type Plan, rowType, tensorType } from '../plan.ts';
import { mixedWithEven } from '../samplers/importance.ts';
import { type Built, buildSpace, GATES, readSpace, type SearchSpace } from './search-space.ts';
import { allPaths, pathScores, runningScores, somePaths } from './supernet-paths.ts';

const refused = (reason: string): Fault => new Fault('training/regime', { regime: 'supernet', reason });

/** Sub-models that are all ranked; of more, so many are drawn. */
const ALL = 2000;
const DRAWN = 1000;
/** Fewer validation rows rank nothing reliably. */
const FEW = 50;
const CHUNK = 256;
/** Lines of the table of sub-models that are not trained on their own. */
const LISTED = 20;

/** Σ over the edges of an operation of ‖∇W‖ + ‖∇b‖, and the edges that use it, by its place among all kinds of operation. */
const pathMonitor = (kinds: readonly string[], space: SearchSpace, { places }: Built): Monitor =>
  defineMonitor({
    id: 'path',
    title: 'Gradients of operations',
    source: 'arXiv:2302.14772',
    unit: 'none',
    options: {},
    build(emit, { flat, split, parameters }) {
      const used = split(flat.used);
      const flatKinds = space.blocks.flat();
      const zero = emit.scalar(0);
      const sum = (values: readonly string[]): string => values.reduce((a, b) => emit.Add(a, b), zero);
      return Object.fromEntries(
        kinds.flatMap((kind, i) => {
          const norms = parameters.flatMap(({ name }, p) =>
            flatKinds[places.get(name) ?? -1] === kind ? [emit.call('ReduceL2', [used[p]], { keepdims: 0 })] : [],
          );
          const gates = flatKinds.flatMap((k, at) => (k === kind ? [emit.Gather(GATES, emit.scalar(at, 'int64'))] : []));
          return [
            [`sum${i}`, sum(norms)],
            [`edges${i}`, sum(gates)],
          ];
        }),
      );
    },
  });

/** Share of the validation rows that each path gets right with the weights of the supernet. */
const ranking = async (
  programme: Programme,
  plan: Plan,
  space: SearchSpace,
  state: StageEnd['state'],
  paths: readonly (readonly number[])[],
  labels: ArrayLike<number>,
): Promise<Float64Array> => {
  const stored = programme.stored(plan, state);
  const width = space.blocks.flat().length;
  const initializers = new Map([...stored.initializers].filter(([name]) => name !== GATES));
  const graph = { ...stored, initializers, inputs: [...stored.inputs, { name: GATES, type: tensorType('float32', [width]) }] };
  const open = await programme.open(modelOf(plan, graph), 'the sub-models of a supernet');
  const { data, width: size } = await programme.values(plan, state, plan.input, 'validation');
  const row = rowType(plan.graph, plan.input).dims?.slice(1).map(Number) ?? [];
  const count = labels.length;
  const found = new Float64Array(paths.length);
  for (const [i, path] of paths.entries()) {
    const gates = new Float32Array(width);
    let at = 0;
    for (const [b, taken] of path.entries()) {
      gates[at + taken] = 1;
      at += space.blocks[b].length;
    }
    let right = 0;
    for (let from = 0; from < count; from += CHUNK) {
      const part = Float32Array.from(data.subarray(from * size, Math.min(count, from + CHUNK) * size));
      const n = part.length / size;
      const out = await open.run({
        [plan.input]: { dtype: 'float32', dims: [n, ...row], data: part },
        [GATES]: { dtype: 'float32', dims: [width], data: gates },
      });
      const scores = out[plan.output].data as Float32Array;
      for (let r = 0; r < n; r++) right += Number(isLargest(scores, r * plan.classes, plan.classes, labels[from + r]));
    }
    found[i] = right / count;
    programme.progress(0.6 + (0.1 * i) / paths.length, `sub-model ${i + 1} of ${paths.length}`);
  }
  return found;
};

/** One network that holds all of a search space, trained path by path; then its best sub-models anew. */
export const supernet: Regime = defineRegime({
  id: 'supernet',
  source: 'Lu et al. 2023, arXiv:2302.14772 (PA&DA); card 29-pada-sampling',
  about:
    'Searches an architecture: one network holds every operation of every block, each step trains one path through it, and the sub-models are ranked on the validation rows with the weights they share. The best few are trained anew, and the best of those is saved. Paths are drawn by the gradients of their operations (with the sampler `importance` rows too, as the paper), or evenly. The stand-alone accuracy of some sub-models (`verify`) says whether the ranking can be trusted. On our own small space drawing by gradients ranked no better than drawing evenly. SGD with rate 0.05, momentum 0.9 and a cosine schedule is usual.',
  formula: [
    's_op = Σ over the edges of the path that use it of (‖∇W‖ + ‖∇b‖) / their number, after clipping; G_op ← (G_op + s_op)/2 from 0 in every epoch',
    'p = τ·G/ΣG + (1 − τ)/n, τ = tauMax · epoch/epochs; then p ← floor + (1 − n·floor)·p',
    'operations off the path keep their weights and what the optimizer keeps of them',
  ],
  options: {
    space: text({
      default: '',
      reads: true,
      help: 'A JSON file { "stem": [OP, …], "blocks": [[OP, OP, …], …] }, relative to the recipe. Operations: identity, zero, scale 0.1, dense 64, dense-tanh 64, bottleneck 8, conv1x1 16, conv3x3 16, avgpool3x3; the number may be left out.',
    }),
    paths: choice({
      default: 'importance',
      of: ['importance', 'uniform'],
      help: 'How the operation of a block is drawn: by gradients, or evenly.',
    }),
    tauMax: real({ default: 1, min: 0, max: 1, help: 'How far the probabilities of paths go by gradients at the end.' }),
    pathFloor: real({
      default: 0.02,
      min: 0,
      max: 1,
      help: 'Least probability of an operation: without it those without parameters starve.',
    }),
    retrain: int({ default: 3, min: 1, max: 1000, help: 'Best sub-models that are trained anew.' }),
    retrainEpochs: int({ default: 0, min: 0, max: 1e6, help: "Epochs of a sub-model on its own; 0 for the recipe's." }),
    verify: int({
      default: 0,
      min: 0,
      max: 2000,
      help: 'Further sub-models, drawn by chance, that are trained on their own to judge the ranking; 10 is usual.',
    }),
  },
  files: ['space'],
  baseline: 'single',
  async run(programme, chosen) {
    const { plan, validation, epochs } = programme;
    const { classes } = plan;
    if (chosen.space === '') throw refused("needs a search space; name its JSON file in 'space'");
    if (plan.loss.part.target !== 'class' || plan.loss.part.embeds || classes < 2) throw refused('needs labels of two classes or more');
    if (plan.precision !== 'float32') throw refused('trains models of float32');
    if (!validation) throw refused('ranks sub-models on validation rows, and there are none; set split.val or data.val');
    const row = rowType(plan.graph, plan.input).dims?.slice(1) ?? [];
    if (row.length === 0 || !row.every((d): d is number => typeof d === 'number')) throw refused('needs rows of one fixed shape');
    const space = readSpace(programme.texts.space ?? '', chosen.space);
    const kinds = [...new Set(space.blocks.flat())];
    const floor = chosen.pathFloor;
    if (kinds.length * floor > 1)
      throw refused(
        `has ${kinds.length} operations, whose least probability cannot be ${floor}; lower pathFloor to ${(1 / kinds.length).toFixed(3)} or less`,
      );
    const built = buildSpace(space, plan.input, plan.output, row, classes, programme.random('supernet'));
    const bare = built.places.size === 0;
    if (bare) programme.note('No operation of the blocks has parameters, so there are no gradients to draw paths by: they stay even.');
    const { opsets, irVersion, input, output, optimizer, precision, data, loss, rowOutputs, weighs } = plan;
    const planned = ({ graph, parameters }: Built): Plan => ({
      ...{ opsets, irVersion, input, output, classes, optimizer, precision, data, loss, graph },
      ...(rowOutputs ? { rowOutputs } : {}),
      ...(weighs ? { weighs } : {}),
      ...(plan.clip ? { clip: plan.clip } : {}),
      statistics: 'stored',
      groups: [{ parameters, lrScale: 1 }],
    });
    const monitors = [{ part: pathMonitor(kinds, space, built), chosen: {} }];
    const whole: Plan = { ...planned(built), clip: plan.clip ?? { norm: 5 }, monitors };

    let chances = kinds.map(() => 1 / kinds.length);
    const drawn: number[][] = [];
    const norms: { readonly mean: number; readonly deviation: number }[] = [];
    let last: StageEnd | undefined;
    for (let epoch = 0; epoch < epochs && (epoch === 0 || !programme.ending()); epoch++) {
      drawn.push([...chances]);
      const own = space.blocks.map((block) => block.map((op) => chances[kinds.indexOf(op)]));
      const end = await programme.train({
        name: 'supernet',
        plan: { ...whole, paths: { gates: GATES, chances: own, places: built.places } },
        ...{ epochs, until: epoch + 1, measured: false },
        span: [(0.6 * epoch) / epochs, (0.6 * (epoch + 1)) / epochs],
      });
      last = end;
      if (programme.ending()) break;
      const kept = await programme.once(`paths after epoch ${epoch + 1}`, async () => {
        const from = epoch === 0 ? 0 : end.history[epoch - 1].step;
        const steps = end.gradientNorm.slice(from, end.history[epoch].step);
        const mean = steps.reduce((a, b) => a + b, 0) / steps.length;
        const square = steps.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, steps.length - 1);
        const scores = pathScores(end.monitors, kinds.length, from, end.history[epoch].step);
        return { scores: runningScores(scores, kinds.length), norms: Float64Array.of(mean, Math.sqrt(square)) };
      });
      norms.push({ mean: kept.norms[0], deviation: kept.norms[1] });
      if (chosen.paths === 'uniform' || bare) continue;
      if (kept.scores.every((s) => s === 0)) programme.note(`No operation had a gradient in epoch ${epoch + 1}, so paths stay even.`);
      const mixed = mixedWithEven(kept.scores, (chosen.tauMax * epoch) / epochs);
      chances = Array.from(mixed, (p) => floor + (1 - kinds.length * floor) * p);
    }
    const state = last?.state ?? {};

    const total = space.blocks.reduce((n, block) => n * block.length, 1);
    const chance = programme.random('sub-models');
    const paths = total <= ALL ? allPaths(space.blocks) : somePaths(space.blocks, DRAWN, chance);
    const { accuracy } = await programme.once('ranking', async () => ({
      accuracy: await ranking(programme, whole, space, state, paths, validation.labels),
    }));
    const order = paths.map((_, i) => i).sort((a, b) => accuracy[b] - accuracy[a] || a - b);
    const nameOf = (i: number): string => paths[i].map((taken, b) => space.blocks[b][taken]).join(' → ');
    const best = order.slice(0, chosen.retrain);
    const others = order.slice(best.length);
    programme.random('verified').shuffle(others);
    const verified = others.slice(0, chosen.verify);
    const alone = new Map<number, { readonly plan: Plan; readonly state: StageEnd['state']; readonly accuracy: number }>();
    const wanted = [...best, ...verified];
    for (const [k, i] of wanted.entries()) {
      if (programme.ending()) break;
      const fresh = buildSpace(space, plan.input, plan.output, row, classes, programme.random(`sub-model ${paths[i].join('-')}`), paths[i]);
      const own = planned(fresh);
      const end = await programme.train({
        name: `sub-model ${paths[i].map((p) => p + 1).join('-')}`,
        plan: own,
        epochs: chosen.retrainEpochs || epochs,
        span: [0.7 + (0.3 * k) / wanted.length, 0.7 + (0.3 * (k + 1)) / wanted.length],
      });
      const measured = await programme.evaluate(own, end.state);
      alone.set(i, { plan: own, state: end.state, accuracy: measured?.accuracy ?? Number.NaN });
    }

    const listed = [...new Set([...order.slice(0, LISTED), ...wanted])];
    for (const i of listed) {
      const found = alone.get(i);
      programme.record(nameOf(i), {
        rank: order.indexOf(i) + 1,
        supernet_accuracy: accuracy[i],
        ...(found ? { own_accuracy: found.accuracy } : {}),
      });
    }
    const epochsOf = (values: readonly number[]): readonly (readonly [number, number])[] => values.map((v, e) => [e + 1, v]);
    programme.curve({
      title: 'Probability of operations',
      ...{ x: 'Epoch', y: 'Probability', unit: 'fraction' },
      lines: kinds.map((name, k) => ({ name, points: epochsOf(drawn.map((p) => p[k])) })),
    });
    programme.curve({
      title: 'Gradient norm of the supernet',
      caption: 'Over the steps of an epoch. How far it spreads is what drawing by gradients is meant to lower.',
      ...{ x: 'Epoch', y: 'Gradient norm', unit: 'none' },
      lines: [
        { name: 'mean', points: epochsOf(norms.map((n) => n.mean)) },
        { name: 'standard deviation', points: epochsOf(norms.map((n) => n.deviation)) },
      ],
    });
    const count = validation.labels.length;
    const top = accuracy[order[0]];
    const error = Math.sqrt((top * (1 - top)) / count);
    const points = verified
      .flatMap((i): [number, number][] => {
        const found = alone.get(i);
        return found ? [[accuracy[i], found.accuracy]] : [];
      })
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    if (points.length > 0)
      programme.curve({
        title: 'Ranking and stand-alone accuracy',
        caption: 'Each point is a sub-model drawn by chance: the ranking can be trusted where they rise together.',
        ...{ x: 'Accuracy within the supernet', y: 'Accuracy on its own', unit: 'fraction', share: true },
        lines: [{ name: 'sub-models', points, shape: 'points' }],
      });
    if (count < FEW)
      programme.note(
        `With ${count} validation rows an accuracy has a standard error of ${error.toFixed(3)}: the ranking says little, and no τ is given.`,
      );
    else if (points.length > 1) {
      const tau = kendall(
        Float64Array.from(points, ([a]) => a),
        Float64Array.from(points, ([, b]) => b),
      );
      programme.note(
        Number.isFinite(tau)
          ? `Kendall's τ between the ranking and the accuracy of ${points.length} sub-models on their own is ${tau.toFixed(3)}${tau > 0 ? '' : ': the ranking cannot be trusted'}.`
          : "All verified sub-models score alike, so there is no Kendall's τ.",
      );
    }
    if (alone.size === 0) {
      const [i] = order;
      const inherited = planned(buildSpace(space, plan.input, plan.output, row, classes, programme.random('inherited'), paths[i]));
      const { initializers } = programme.stored(whole, state);
      const own = new Map([...inherited.graph.initializers].map(([name, c]) => [name, initializers.get(name) ?? c]));
      programme.note(
        `It ended before a sub-model was trained on its own: ${nameOf(i)}, ranked first, is kept with the weights of the supernet.`,
      );
      const graph = { ...inherited.graph, initializers: own };
      const theta = gathered(graph, layoutOf(inherited.groups.flatMap((g) => g.parameters)), precision);
      return ended(programme, { ...inherited, graph }, { theta }, nameOf(i));
    }
    const [winner, found] = [...alone]
      .filter(([i]) => best.includes(i))
      .reduce((a, b) => (b[1].accuracy > a[1].accuracy ? b : a), [...alone][0]);
    programme.note(
      `${nameOf(winner)} is saved: ${(100 * found.accuracy).toFixed(1)} % of the ${count} validation rows on its own, ${(100 * accuracy[winner]).toFixed(1)} % within the supernet. The best of ${best.length} was chosen by these rows; judge it on others.`,
    );
    return ended(programme, found.plan, found.state, nameOf(winner));
  },
});

const ended = (programme: Programme, plan: Plan, state: StageEnd['state'], name: string) => {
  const { metadata, producer, producerVersion } = programme.model;
  const model = modelOf(plan, programme.stored(plan, state));
  return { model: { ...model, metadata: new Map([...metadata, ['assay.architecture', name]]), producer, producerVersion }, plan, state };
};
