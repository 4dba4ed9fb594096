import { diagnose } from '../../../src/app/diagnose.ts';
import { quietJob } from '../../../src/base/job.ts';
import { world } from '../../../src/jobs/world.ts';
import { workshop } from '../../training/workshop.ts';
import { digitsData, digitsPath, type RecipeEntry } from './entry.ts';

const ports = await world();

/** What the diagnostic finds on the test rows. */
const attacked = async (path: string): Promise<Readonly<Record<string, number>>> => {
  const { headline } = await diagnose(
    {
      id: 'adversarial-robustness',
      model: { path },
      data: { path: digitsPath, split: 'test', preprocess: { scale: 0.0625 } },
      device: 'cpu',
      seed: 0,
      options: { range: '0, 1', epsilons: '0.05, 0.1, 0.2', steps: 200, nearestSamples: 200, pictures: 0 },
    },
    ports,
    { ...quietJob(), live: () => {} },
  );
  return headline;
};

/** What the card found on other rows of the same set, without distillation and with T = 20. */
const lines: readonly (readonly [key: string, name: string, unit: 'fraction' | 'none', base: string, distilled: string])[] = [
  ['accuracy', 'test accuracy', 'fraction', '97.4 %', '96.6 %'],
  ['fgsm_accuracy_0.05', 'accuracy under FGSM of 0.05', 'fraction', '84.2 %', '85.8 %'],
  ['fgsm_accuracy_0.1', 'accuracy under FGSM of 0.1', 'fraction', '41.2 %', '81.6 %'],
  ['fgsm_accuracy_0.2', 'accuracy under FGSM of 0.2', 'fraction', '1.2 %', '81.2 %'],
  ['margin_accuracy_0.1', 'accuracy under FGSM of 0.1 on the margin', 'fraction', '39.6 %', '26.2 %'],
  ['silent_share', 'share of rows without a gradient', 'fraction', '0 %', '88.4 %'],
  ['nearest_success', 'rows that Carlini and Wagner change', 'fraction', '100 %', '100 %'],
  ['nearest_mean', 'mean distance (L2) to what they find', 'none', '0.686', '0.569'],
  ['masked', 'gradients masked (1: yes)', 'none', '0', '1'],
];

/** Card 52-fgsm-cw-distillation, its training part: what distillation hides from FGSM, an attack on the logits finds. */
export const defensiveDistillation: RecipeEntry = {
  id: 'defensive-distillation',
  title: 'Defensive distillation on the digits',
  source: 'arXiv:1511.04508; arXiv:2404.04245',
  setting:
    'Digits at 0..1, 1,438 rows to train and 359 to test, MLP 64-128-128-10, Adam 1e-3, batch 64, 200 epochs (teacher and student each), seed 0; FGSM on the cross-entropy and on the margin of the logits; the search of Carlini and Wagner on 200 rows, 9 rounds of 200 steps at 0.01.',
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
    const of = async (more: object) => {
      await shop.run({ ...recipe, ...more }, { force: true });
      return attacked(shop.at('out.onnx'));
    };
    const base = await of({});
    const distilled = await of({ regime: { kind: 'defensive-distillation', temperature: 20 } });
    const rowsOf = (title: string, found: typeof base, due: 3 | 4) =>
      lines.map((line) => ({ name: `${title}: ${line[1]}`, value: found[line[0]], unit: line[2], expected: line[due] }));
    const hides =
      distilled['fgsm_accuracy_0.1'] >= base['fgsm_accuracy_0.1'] + 0.3 &&
      distilled['margin_accuracy_0.1'] <= base['margin_accuracy_0.1'] + 0.05;
    const found = Math.min(base.nearest_success, distilled.nearest_success) >= 0.99;
    const told = base.masked === 0 && distilled.masked === 1;
    return {
      rows: [...rowsOf('undistilled', base, 3), ...rowsOf('distilled, T = 20', distilled, 4)],
      says:
        hides && found && told
          ? `As expected: distillation stops FGSM by hiding the gradient of the loss; an attack on the logits finds no fewer adversarial rows, and Carlini and Wagner's search changes every row, ${distilled.nearest_mean < base.nearest_mean ? 'by less than' : 'by no less than'} without it. The checks for masked gradients tell the two apart.`
          : 'Not as expected of FGSM (at least 0.3 more under distillation), of FGSM on the margin (at most 0.05 more), of the search (99 % of the rows), or of the checks.',
    };
  },
};
