import { Fault } from '../../base/fault.ts';
import { choice, int, real } from '../../base/option.ts';
import { normalise } from '../../graph/passes/normalise.ts';
import { defineHead } from '../define-layers.ts';
import { defineRegime, type Programme, type Regime } from '../define-run.ts';
import { withHead } from '../head-surgery.ts';
import { gathered, layoutOf } from '../layout.ts';
import { parametersOf } from '../parameters.ts';
import { modelOf, type Plan, rowType } from '../plan.ts';
import { boostedMetadata, layers } from './boosted-prefix.ts';
import { type Boosted, firstScores, measure, residuals, stepLength } from './boosting.ts';
import { type Activation, activationOps, openUnits, type Sizes, unitsOf } from './boosting-units.ts';

const refused = (reason: string): Fault => new Fault('training/regime', { regime: 'boosted-head', reason });

/** Features and scores are kept for all rows. */
const LIMIT = 2 ** 30;
/** A step longer than this is told. */
const LONG = 1e3;

const tasks: Readonly<Record<string, (classes: number) => Boosted['task']>> = {
  'cross-entropy': (classes) => (classes === 2 ? 'binary' : 'classes'),
  'binary-cross-entropy': () => 'binary',
  mse: () => 'value',
};

/** One step's units, their step length ρ already multiplied by the shrinkage. */
interface Step {
  readonly theta: Float64Array;
  readonly rho: number;
}
/** A step's share of the scores after it was made. */
interface Made {
  readonly units: number;
  readonly rho: number;
  readonly train: ReturnType<typeof measure>;
  readonly held: ReturnType<typeof measure> | undefined;
}

const add = (scores: Float64Array, rho: number, f: Float64Array): void => {
  for (let i = 0; i < scores.length; i++) scores[i] += rho * f[i];
};
const spread = (first: Float64Array, rows: number): Float64Array =>
  Float64Array.from({ length: rows * first.length }, (_, i) => first[i % first.length]);
const rowsAt = (all: Float64Array, width: number, places: readonly number[]): Float64Array => {
  const out = new Float64Array(places.length * width);
  for (const [i, p] of places.entries()) out.set(all.subarray(p * width, (p + 1) * width), i * width);
  return out;
};

/**
 * All units side by side: W [D, T·J], b [T·J], ρV below each other [T·J, C], and F₀ + Σρc. Two classes have one score F, and 2F is the
 * logit of the second.
 */
const assembled = (steps: readonly Step[], first: Float64Array, sizes: Sizes, columns: number, scale: number) => {
  const { inputs, units, outputs } = sizes;
  const all = steps.length * units;
  const W = new Float64Array(inputs * all);
  const b = new Float64Array(all);
  const V = new Float64Array(all * columns);
  const c = new Float64Array(columns);
  const column = (k: number): number => k + columns - outputs;
  for (let k = 0; k < outputs; k++) c[column(k)] = scale * first[k];
  const biases: number[][] = [];
  for (const [t, { theta, rho }] of steps.entries()) {
    const own = unitsOf(sizes, theta);
    b.set(own.b, t * units);
    for (let d = 0; d < inputs; d++) W.set(own.W.subarray(d * units, (d + 1) * units), d * all + t * units);
    for (let j = 0; j < units; j++)
      for (let k = 0; k < outputs; k++) V[(t * units + j) * columns + column(k)] = scale * rho * own.V[j * outputs + k];
    for (let k = 0; k < outputs; k++) c[column(k)] += scale * rho * own.c[k];
    biases.push([...c]);
  }
  return { W, b, V, c, all, biases };
};

/** The plan's model with the units as its last layers, and its state. */
const headed = (plan: Plan, programme: Programme, units: ReturnType<typeof assembled>, activation: Activation, columns: number) => {
  const inputs = units.W.length / units.all;
  const head = defineHead({
    id: 'boosted',
    source: 'arXiv:1909.12098',
    options: {},
    build(net, features) {
      const dense = (name: string, x: string, dims: readonly [number, number], weight: Float64Array, bias: Float64Array): string => {
        const stored = [net.parameter(`${name}.weight`, dims, weight), net.parameter(`${name}.bias`, [dims[1]], bias)];
        return net.layer('Gemm', name, [x, ...stored], {}, [dims[1]]);
      };
      const hidden = dense(layers.hidden, features, [inputs, units.all], units.W, units.b);
      const active = net.layer(activationOps[activation], layers.units, [hidden], {}, [units.all]);
      return { logits: dense(layers.output, active, [units.all, columns], units.V, units.c) };
    },
  });
  const whole = modelOf(plan, plan.graph);
  const { model } = withHead(
    whole,
    { part: head, chosen: {} },
    {
      name: 'the model',
      output: plan.output,
      typeOf: (value) => {
        const type = plan.graph.values.get(value) ?? rowType(plan.graph, value);
        return type.kind === 'tensor' ? type : undefined;
      },
      classes: columns,
      init: 'keep',
      seed: 0,
    },
  );
  const { graph, opsets, irVersion } = normalise(model);
  const parameters = parametersOf(graph);
  const { loss, optimizer, input, output, classes, precision } = plan;
  const next: Plan = {
    ...{ graph, opsets, irVersion, input, output, classes, loss, optimizer, precision },
    groups: [{ parameters, lrScale: 1 }],
    data: plan.data,
    statistics: 'stored',
  };
  const { metadata, producer, producerVersion } = programme.model;
  return {
    model: {
      ...model,
      metadata: new Map([...metadata, boostedMetadata({ unitsPerStep: units.b.length / units.biases.length, biases: units.biases })]),
      ...{ producer, producerVersion },
    },
    plan: next,
    state: { theta: gathered(graph, layoutOf(parameters), precision) },
  };
};

/** How many steps are enough: the fewest whose accuracy is within `slack` of the best, or whose loss is within that share of it. */
const enoughOf = (made: readonly Made[], slack: number): number => {
  const seen = made.map(({ train, held }) => held ?? train);
  const best = Math.max(...seen.map((m) => m.accuracy ?? -m.loss));
  return 1 + seen.findIndex((m) => (m.accuracy === undefined ? m.loss <= -best * (1 + slack) : m.accuracy >= best - slack));
};

const curves = (programme: Programme, made: readonly Made[], enough: number, slack: number): void => {
  const line = (name: string, of: (m: Made) => number | undefined) => ({
    name,
    points: made.flatMap((m): [number, number][] => {
      const v = of(m);
      return v === undefined || !Number.isFinite(v) ? [] : [[m.units, v]];
    }),
  });
  const both = (of: (m: ReturnType<typeof measure>) => number | undefined) => [
    line('training', (m) => of(m.train)),
    line('validation', (m) => m.held && of(m.held)),
  ];
  /** The fewest units that are enough, as a point of the curve that they were chosen by. */
  const chosen = (of: (m: ReturnType<typeof measure>) => number | undefined) => ({
    ...line(`fewest within ${slack} of the best`, (m) => (m === made[enough - 1] ? of(m.held ?? m.train) : undefined)),
    shape: 'points' as const,
  });
  const x = 'Hidden units kept';
  const cut = { cut: 'hidden units' };
  if (made[0]?.train.accuracy !== undefined)
    programme.curve({
      title: 'Accuracy by units',
      caption:
        'A curve that is flat after few units says that the body does the work; one that still rises, that the head does, or needs more units.',
      ...{ x, y: 'Accuracy', unit: 'fraction', lines: [...both((m) => m.accuracy), chosen((m) => m.accuracy)], ...cut },
    });
  const regression = made[0]?.train.accuracy === undefined;
  const lines = [...both((m) => m.loss), ...(regression ? [chosen((m) => m.loss)] : [])];
  programme.curve({ title: 'Loss by units', x, y: 'Loss', unit: 'none', lines, ...(regression ? cut : {}) });
  programme.curve({ title: 'Step lengths', x, y: 'ρ', unit: 'none', lines: [line('ρ', (m) => m.rho)] });
};

/** Gradient boosting whose weak learners are a few hidden units each, which together are one hidden layer. */
export const boostedHead: Regime = defineRegime({
  id: 'boosted-head',
  source: 'Emami and Martínez-Muñoz 2023, IEEE Access, arXiv:1909.12098 (GBNN); its reference implementation on scikit-learn',
  about:
    'Trains the last layers by boosting: each step fits a few hidden units to what is still wrong, and freezes them. The first k units are then a model of their own, so you see how many you need, and keep only those. Works on what the last layer with weights reads: give a trained `model`, or a linear `arch` to boost on the inputs themselves.',
  formula: [
    'r = −∂ℓ/∂F at F_{t−1}; f_t: one hidden layer of J units, least squares to r, by L-BFGS or Adam, on a share of the rows',
    'ρ_t = η · ρ*, ρ* one Newton step on all rows: 1 (mean squared error), Σrf/Σrf²(2y − r) (two classes, y = ±1), Σfr/Σf²p(1 − p) (K classes)',
    'F_t = F_{t−1} + ρ_t f_t; logits = F_T (two classes: 2F_T for the second)',
  ],
  options: {
    units: int({ default: 200, min: 1, max: 100000, help: 'Hidden units in all.' }),
    unitsPerStep: int({ default: 1, min: 1, max: 10000, help: 'Hidden units fitted in one step of boosting.' }),
    shrinkage: real({ default: 1, min: 1e-6, max: 1, help: 'Share η of the Newton step that is taken.' }),
    subsample: real({
      default: 0.5,
      min: 1e-6,
      max: 1,
      help: 'Share of the rows, drawn without replacement, that each step is fitted to.',
    }),
    activation: choice({ default: 'logistic', of: ['logistic', 'tanh', 'relu'], help: 'Of the hidden units.' }),
    init: choice({
      default: 'zero',
      of: ['zero', 'prior'],
      help: 'Scores of three or more classes before the first step: 0, or the logarithms of their shares.',
    }),
    solver: choice({
      default: 'lbfgs',
      of: ['lbfgs', 'adam'],
      help: 'What fits the units of a step: L-BFGS on all its rows, or Adam on batches of 200.',
    }),
    iterations: int({ default: 200, min: 1, max: 100000, help: 'Steps of L-BFGS, or epochs of Adam, in one fit at most.' }),
    tolerance: real({
      default: 0,
      min: 0,
      max: 1,
      help: 'Ends a fit: where no entry of the gradient of L-BFGS is larger; where 10 epochs of Adam do not lower the loss by more.',
    }),
    rate: real({ default: 1e-3, min: 1e-9, max: 1e3, help: 'Step length of Adam within a fit.' }),
    alpha: real({ default: 1e-4, min: 0, max: 1e6, help: 'Weight decay within a fit, (α/2n)‖W‖².' }),
    bodyEpochs: int({
      default: 0,
      min: 0,
      max: 1e6,
      help: "Epochs in which the whole model is first trained by the recipe's optimizer; 0 takes its features as they are.",
    }),
    keep: choice({
      default: 'all',
      of: ['all', 'enough'],
      help: 'Saves all units, or the fewest whose validation accuracy is within `slack` of the best.',
    }),
    slack: real({ default: 0.005, min: 0, max: 1, help: 'Accuracy, or share of the loss of a regression, that fewer units may cost.' }),
  },
  baseline: 'single',
  async run(programme, chosen) {
    const { plan, rows, validation } = programme;
    const { units, unitsPerStep, shrinkage, subsample, activation } = chosen;
    const task = tasks[plan.loss.part.id]?.(plan.classes);
    const columns = plan.classes || Number(rowType(plan.graph, plan.output).dims?.[1] ?? 1);
    const given = plan.loss.chosen;
    if (!task || (given.labelSmoothing ?? 0) !== 0 || (given.classWeights ?? '') !== '')
      throw refused('boosts plain cross-entropy, binary-cross-entropy and mse; set one of these losses without options');
    if (plan.classes === 0 && columns !== 1) throw refused(`boosts one output, and the model has ${columns}`);
    if (unitsPerStep > units) throw refused(`has unitsPerStep ${unitsPerStep}, more than its units ${units}; lower it`);
    const drawnRows = Math.floor(subsample * rows.count);
    if (drawnRows < 1) throw refused(`draws no row: subsample ${subsample} of ${rows.count} training rows is less than one; raise it`);
    if (!plan.layer) throw refused('needs a model that ends in a dense layer');
    const width = task === 'classes' ? columns : 1;
    const boosted: Boosted = { task, labels: rows.labels, width };
    const first = firstScores(boosted, chosen.init === 'prior');

    const body = chosen.bodyEpochs > 0 ? await programme.train({ name: 'body', plan, epochs: chosen.bodyEpochs }) : undefined;
    const state = body?.state ?? {};
    const { data: x, width: inputs } = await programme.values(plan, state, plan.layer.features, 'train');
    if (8 * (x.length + rows.count * width) > LIMIT)
      throw refused(`keeps ${inputs} features of ${rows.count} rows, more than 1 GiB; train on fewer rows`);
    if (x.every((v, i) => v === x[i % inputs])) throw refused('finds the same features in every row, so nothing can be fitted to them');
    const heldX = validation ? (await programme.values(plan, state, plan.layer.features, 'validation')).data : undefined;
    const held: Boosted | undefined = validation && { ...boosted, labels: validation.labels };

    const sizes: Sizes = { inputs, units: unitsPerStep, outputs: width };
    const open = await openUnits(programme, sizes, {
      activation,
      solver: chosen.solver,
      iterations: chosen.iterations,
      tolerance: chosen.tolerance,
      alpha: chosen.alpha,
      rate: chosen.rate,
    });
    const scores = spread(first, rows.count);
    const heldScores = spread(first, validation?.count ?? 0);
    const total = Math.floor(units / unitsPerStep);
    const steps: Step[] = [];
    const made: Made[] = [];
    for (let t = 1; t <= total; t++) {
      const chance = programme.random(`step ${t}`);
      const r = residuals(boosted, scores);
      const order = Array.from({ length: rows.count }, (_, i) => i);
      if (drawnRows < rows.count) chance.shuffle(order);
      const places = order.slice(0, drawnRows);
      const { theta } = await programme.once(`step ${t}`, async () => ({
        theta: await open.fit(rowsAt(x, inputs, places), rowsAt(r, width, places), chance),
      }));
      const f = await open.values(x, theta);
      const rho = shrinkage * stepLength(boosted, scores, f, r);
      if (!Number.isFinite(rho)) throw refused(`came to a step ${t} that is not finite; lower the shrinkage`);
      if (rho === 0) {
        programme.note(`The residuals are exhausted after ${steps.length} of ${total} steps: nothing is left to fit.`);
        break;
      }
      if (Math.abs(rho) > LONG)
        programme.note(
          `Step ${t} is ${rho.toPrecision(3)} times its units, so its fit found little; fewer units, or a larger subsample, may do.`,
        );
      add(scores, rho, f);
      if (heldX) add(heldScores, rho, await open.values(heldX, theta));
      steps.push({ theta, rho });
      const one: Made = { units: t * unitsPerStep, rho, train: measure(boosted, scores), held: held && measure(held, heldScores) };
      made.push(one);
      programme.record(`step ${t}`, {
        units: one.units,
        rho,
        train_loss: one.train.loss,
        ...(one.train.accuracy === undefined ? {} : { train_accuracy: one.train.accuracy }),
        ...(one.held ? { validation_loss: one.held.loss } : {}),
        ...(one.held?.accuracy === undefined ? {} : { validation_accuracy: one.held.accuracy }),
      });
      programme.progress(t / total, `step ${t} of ${total}, loss ${(one.held ?? one.train).loss.toPrecision(4)}`);
      if (programme.ending()) break;
    }
    if (steps.length === 0) throw refused('has nothing to fit: the residuals are 0 before the first step');
    const enough = enoughOf(made, chosen.slack);
    curves(programme, made, enough, chosen.slack);
    const kept = chosen.keep === 'enough' ? enough : steps.length;
    const of = held ? 'validation' : 'training';
    programme.note(
      `${enough * unitsPerStep} hidden units come within ${chosen.slack} of the best ${of} ${task === 'value' ? 'loss' : 'accuracy'}; ${kept * unitsPerStep} of ${steps.length * unitsPerStep} are kept${kept === enough ? '' : ", and keep 'enough' keeps those alone"}.`,
    );
    const whole = assembled(steps.slice(0, kept), first, sizes, columns, task === 'binary' ? 2 : 1);
    return headed({ ...plan, graph: programme.stored(plan, state) }, programme, whole, activation, columns);
  },
});
