import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gradients } from '../../../src/autodiff/reverse.ts';
import { float32, int64 } from '../../../src/base/tensor.ts';
import { readNpz } from '../../../src/data/npz.ts';
import { parse } from '../../../src/graph/parse.ts';
import { normalise } from '../../../src/graph/passes/normalise.ts';
import { emitForward } from '../../../src/training/forward.ts';
import { oneHot } from '../../../src/training/one-hot.ts';
import { modelOf, stepEmitter, tensorType } from '../../../src/training/plan.ts';
import { numbers, open } from '../../training/session.ts';
import { workshop } from '../../training/workshop.ts';
import { digitsData, type RecipeEntry } from './entry.ts';

const EPSILON = 0.1;
const FLOAT = 1;

/** Attacks by the sign of a gradient on rows at 0..1: of the cross-entropy, and of max_{j≠y} z_j − z_y. */
const attacked = async (path: string, x: Float32Array, y: readonly number[]) => {
  const { graph, opsets, irVersion } = normalise(parse(readFileSync(path), path));
  const emit = stepEmitter(graph, new Set(), 'float32');
  emitForward(emit, graph, ['logits'], new Set(), new Map());
  const target = emit.typed(emit.fresh('y'), tensorType('int64', ['N']));
  const marks = oneHot(emit, target, 10, FLOAT);
  const axis = emit.ints([1]);
  const own = emit.ReduceSum(emit.Mul(marks, 'logits'), axis, { keepdims: 0 });
  const crossEntropy = emit.Neg(emit.ReduceSum(emit.Mul(marks, emit.LogSoftmax('logits', { axis: 1 })), axis, { keepdims: 0 }));
  const best = emit.ReduceMax(emit.Sub('logits', emit.Mul(emit.scalar(1e9), marks)), axis, { keepdims: 0 });
  const slopes = [crossEntropy, emit.Sub(best, own)].map(
    (each) => gradients(emit, emit.ReduceSum(each, { keepdims: 0 }), ['x']).get('x') ?? '',
  );
  const rows = tensorType('float32', ['N', 64]);
  const outputs = ['logits', ...slopes].map((name) => ({ name }));
  const inputs = [
    { name: 'x', type: rows },
    { name: target, type: tensorType('int64', ['N']) },
  ];
  const session = await open(modelOf({ irVersion, opsets }, emit.graph('attack', inputs, outputs)));
  const labels = int64([y.length], y);
  const run = (rows: Float32Array) => session.run({ x: float32([y.length, 64], rows), [target]: labels });
  const right = async (rows: Float32Array): Promise<number> => {
    const z = numbers((await run(rows)).logits);
    const best = (i: number): number => {
      const row = z.slice(10 * i, 10 * i + 10);
      return row.indexOf(Math.max(...row));
    };
    return y.filter((c, i) => best(i) === c).length / y.length;
  };
  const found = await run(x);
  const [ofLoss, ofMargin] = slopes.map((name) => numbers(found[name]));
  const moved = (slope: readonly number[]): Float32Array => x.map((v, k) => Math.min(1, Math.max(0, v + EPSILON * Math.sign(slope[k]))));
  const silent = y.filter((_, i) => ofLoss.slice(64 * i, 64 * i + 64).every((g) => Math.abs(g) < 1e-30)).length / y.length;
  const all = { clean: await right(x), fgsm: await right(moved(ofLoss)), margin: await right(moved(ofMargin)), silent };
  await session.release();
  return all;
};

/** Card 52-fgsm-cw-distillation, its training part: what distillation hides from FGSM, an attack on the logits finds. */
export const defensiveDistillation: RecipeEntry = {
  id: 'defensive-distillation',
  title: 'Defensive distillation on the digits',
  source: 'arXiv:1511.04508; arXiv:2404.04245',
  setting:
    'Digits at 0..1, 1,438 rows to train and 359 to test, MLP 64-128-128-10, Adam 1e-3, batch 64, 200 epochs (teacher and student each), seed 0; FGSM of radius 0.1 on the cross-entropy and on the margin of the logits.',
  async run() {
    const shop = workshop();
    const recipe = {
      arch: { kind: 'mlp', hidden: '128,128' },
      ...digitsData,
      loss: 'cross-entropy',
      optimizer: { kind: 'adam', lr: 1e-3 },
      batch: 64,
      epochs: 200,
    };
    const { x, y, split } = readNpz(readFileSync(fileURLToPath(new URL('../../../media/sample/digits.npz', import.meta.url))));
    const test = numbers(split).flatMap((s, i) => (s === 1 ? [i] : []));
    const [values, labels] = [numbers(x), numbers(y)];
    const rows = Float32Array.from(test.flatMap((i) => values.slice(64 * i, 64 * i + 64).map((v) => v / 16)));
    const of = async (more: object) => {
      await shop.run({ ...recipe, ...more }, { force: true });
      return attacked(
        shop.at('out.onnx'),
        rows,
        test.map((i) => labels[i]),
      );
    };
    const base = await of({});
    const distilled = await of({ regime: { kind: 'defensive-distillation', temperature: 20 } });
    const due = { base: ['97.4 %', '41.2 %', '39.6 %', '0 %'], distilled: ['96.6 %', '81.6 %', '26.2 %', '88.4 %'] };
    const lines = (name: 'base' | 'distilled', m: typeof base) =>
      (['clean', 'fgsm', 'margin', 'silent'] as const).map((key, i) => ({
        name: `${name === 'base' ? 'undistilled' : 'distilled, T = 20'}: ${{ clean: 'test accuracy', fgsm: 'accuracy under FGSM', margin: 'accuracy under FGSM on the margin', silent: 'share of rows without a gradient' }[key]}`,
        value: m[key],
        unit: 'fraction' as const,
        expected: due[name][i],
      }));
    const hides = distilled.fgsm >= base.fgsm + 0.3 && distilled.margin <= base.margin + 0.05;
    return {
      rows: [...lines('base', base), ...lines('distilled', distilled)],
      says: hides
        ? 'As expected: distillation stops FGSM by hiding the gradient of the loss, and an attack on the logits finds no fewer adversarial rows than without it.'
        : 'Not as expected of FGSM (at least 0.3 more under distillation) or of FGSM on the margin (at most 0.05 more).',
    };
  },
};
