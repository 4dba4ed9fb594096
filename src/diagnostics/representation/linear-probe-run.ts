import { breathe, type Job } from '../../base/job.ts';
import { addRows, noMoments } from '../../base/maths/class-moments.ts';
import { gaussianNaiveBayes, type NaiveBayesOptions } from '../../base/maths/gaussian-naive-bayes.ts';
import { type LinearHead, minMax, onRaw, predictedBy, unscaled } from '../../base/maths/linear-head.ts';
import { headRows, type SoftmaxHeadOptions, softmaxHead } from '../../base/maths/softmax-head.ts';
import type { Tools } from '../../evidence/evidence.ts';
import type { FeatureAsk, FeatureTable } from '../../evidence/features.ts';
import { type Assumptions, assumptionsOf } from './linear-probe-assumptions.ts';
import { type Crossing, type CurvePoint, crossingWithRange, drawOf, gapOf, sizesOf } from './linear-probe-curve.ts';
import { type ProbeRows, probeRows } from './linear-probe-rows.ts';

export interface ProbeOptions {
  readonly layer: string;
  readonly pooling: NonNullable<FeatureAsk['pooling']>;
  readonly fitOn: string;
  readonly sizes: string;
  readonly repeats: number;
  readonly minmax: boolean;
  readonly varSmoothing: number;
  readonly varFloor: number;
  readonly inversePenalty: number;
  readonly maxIter: number;
  readonly bootstrap: number;
  readonly confidenceLevel: number;
  readonly save: string;
  readonly saveHead: 'best' | 'naive-bayes' | 'logistic';
}

/** Greatest entry of the gradient at the end of a logistic fit, as in scikit-learn. */
const TOLERANCE = 1e-4;

/** Rows shown that one head alone, or neither, classifies right when fitted on all rows. */
export interface Mistakes {
  readonly naiveBayesOnly: readonly number[];
  readonly logisticOnly: readonly number[];
  readonly both: readonly number[];
}

export interface Probed {
  readonly layer: string;
  readonly width: number;
  readonly names: readonly string[];
  readonly fitted: number;
  readonly shown: number;
  readonly points: readonly CurvePoint[];
  readonly crossing: Crossing;
  readonly assumptions: Assumptions;
  readonly mistakes: Mistakes;
  /** Head that was written. */
  readonly saved?: 'naive-bayes' | 'logistic';
  readonly notes: readonly string[];
}

const fitNaiveBayes = (
  table: FeatureTable,
  classes: number,
  places: ArrayLike<number>,
  scaled: boolean,
  options: NaiveBayesOptions,
): LinearHead => {
  const moments = noMoments(classes, table.width);
  addRows(moments, table.features, table.labels, places);
  return gaussianNaiveBayes(moments, options, scaled ? minMax(table.features, table.width, places) : unscaled(table.width));
};

const fitLogistic = async (
  tool: Tools['head'],
  table: FeatureTable,
  classes: number,
  places: ArrayLike<number>,
  scaled: boolean,
  options: SoftmaxHeadOptions,
): Promise<{ readonly head: LinearHead; readonly converged: boolean }> => {
  const scale = scaled ? minMax(table.features, table.width, places) : unscaled(table.width);
  const rows = headRows(table, classes, places, scale);
  const { head, converged } = await softmaxHead(rows, options, await tool.objective(rows, options.strength));
  return { head: onRaw(head, scale), converged };
};

const errorOf = (predicted: Int32Array, labels: Int32Array): number =>
  predicted.reduce((wrong, p, i) => wrong + Number(p !== labels[i]), 0) / labels.length;

const mistakesOf = ({ rows, labels }: FeatureTable, naiveBayes: Int32Array, logistic: Int32Array): Mistakes => {
  const pick = (a: boolean, b: boolean): number[] =>
    Array.from(rows).filter((_, i) => (naiveBayes[i] !== labels[i]) === a && (logistic[i] !== labels[i]) === b);
  return { naiveBayesOnly: pick(true, false), logisticOnly: pick(false, true), both: pick(true, true) };
};

/** Score of a class that no row fitted on has: it is never predicted. */
const NEVER = -1e30;

/** The head with an output for every number up to the last label, in the order of the data's labels. */
const asLabelled = (head: LinearHead, labels: readonly number[]): LinearHead => {
  const classes = labels[labels.length - 1] + 1;
  const { width } = head;
  const weights = new Float64Array(classes * width);
  const biases = new Float64Array(classes).fill(NEVER);
  labels.forEach((l, k) => {
    weights.set(head.weights.subarray(k * width, (k + 1) * width), l * width);
    biases[l] = head.biases[k];
  });
  return { classes, width, weights, biases };
};

/** Both heads on samples of growing size, judged on the rows shown. */
export const probe = async (tools: Pick<Tools, 'features' | 'head'>, options: ProbeOptions, job: Job): Promise<Probed> => {
  const {
    layer,
    pooling,
    fitOn,
    repeats,
    minmax: scaled,
    varSmoothing: smoothing,
    inversePenalty: strength,
    maxIter,
    confidenceLevel,
  } = options;
  const save = options.save === '' ? undefined : await tools.head.open(options.save);
  const data: ProbeRows = await probeRows(tools.features, { layer, pooling, fitOn }, job.random('halves'));
  const { fit, shown, names } = data;
  const classes = names.length;
  const notes = [...data.notes];
  const sizes = sizesOf(options.sizes, classes, fit.rows.length);
  const logisticOptions = { strength, tolerance: TOLERANCE, iterations: maxIter };
  const work = sizes.reduce((sum, m) => sum + m * (m === fit.rows.length ? 1 : repeats), 0);
  let done = 0;
  let [stratified, cut] = [0, 0];
  const points: CurvePoint[] = [];
  let last: { readonly naiveBayes: LinearHead; readonly logistic: LinearHead; readonly wrong: Mistakes } | undefined;
  for (const size of sizes) {
    const all = size === fit.rows.length;
    const draws = all ? 1 : repeats;
    const [naiveBayes, logistic] = [new Float64Array(draws), new Float64Array(draws)];
    for (let r = 0; r < draws; r++) {
      await breathe(job);
      const drawn = all
        ? { places: Int32Array.from(fit.labels.keys()), stratified: false }
        : drawOf(fit.labels, classes, size, job.random(`draw/${size}/${r}`));
      if (drawn.stratified) stratified++;
      const generative = fitNaiveBayes(fit, classes, drawn.places, scaled, { smoothing, floor: 0 });
      const { head, converged } = await fitLogistic(tools.head, fit, classes, drawn.places, scaled, logisticOptions);
      if (!converged) cut++;
      const said = [generative, head].map((h) => predictedBy(h, shown.features));
      naiveBayes[r] = errorOf(said[0], shown.labels);
      logistic[r] = errorOf(said[1], shown.labels);
      last = { naiveBayes: generative, logistic: head, wrong: mistakesOf(shown, said[0], said[1]) };
      done += size;
      job.progress(0.3 + (0.65 * done) / work, `${size} examples, draw ${r + 1} of ${draws}`);
    }
    points.push({ size, naiveBayes, logistic });
  }
  if (!last) throw new RangeError('no size was asked for');
  if (stratified > 0)
    notes.push(
      `${stratified} of the draws missed a class 101 times over, so each class was given one example before the others were drawn.`,
    );
  if (cut > 0)
    notes.push(
      `${cut} logistic fits stopped short of a gradient of ${TOLERANCE} (maxIter ${maxIter}, or rounding): their weights are near the best ones.`,
    );
  const moments = noMoments(classes, fit.width);
  addRows(moments, fit.features, fit.labels, Array.from(fit.labels.keys()));
  const assumptions = assumptionsOf(fit, moments, job.random('correlations'));
  let saved: Probed['saved'];
  if (save) {
    const end = points[points.length - 1];
    saved = options.saveHead !== 'best' ? options.saveHead : gapOf(end) < 0 ? 'naive-bayes' : 'logistic';
    const places = Array.from(fit.labels.keys());
    const head =
      saved === 'naive-bayes'
        ? fitNaiveBayes(fit, classes, places, scaled, { smoothing, floor: options.varFloor })
        : (await fitLogistic(tools.head, fit, classes, places, scaled, logisticOptions)).head;
    const named = Array.from({ length: data.labels[classes - 1] + 1 }, (_, l) => names[data.labels.indexOf(l)] ?? String(l));
    await save(asLabelled(head, data.labels), { layer, pooling }, named, {
      head: saved,
      fittedRows: fit.rows.length,
      fittedOn: fitOn,
      minmax: String(scaled),
      ...(saved === 'naive-bayes' ? { varSmoothing: smoothing, varFloor: options.varFloor } : { inversePenalty: strength }),
    });
  }
  return {
    layer: fit.layer,
    width: fit.width,
    names,
    fitted: fit.rows.length,
    shown: shown.rows.length,
    points,
    crossing: crossingWithRange(points, options.bootstrap, confidenceLevel, job.random('crossing')),
    assumptions,
    mistakes: last.wrong,
    ...(saved ? { saved } : {}),
    notes,
  };
};
