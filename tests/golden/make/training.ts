/**
 * `node --import tsx tests/golden/make/training.ts FOLDER`: keeps of the PyTorch goldens (1.13, float64; torch.optim with the
 * listed settings) the 11 mean losses of full-batch steps on 8 rows in inference mode, and each parameter's norm after the
 * tenth step. The rows themselves are `x` and `y` of ../autodiff/NAME.npz.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readNpz } from '../../../src/data/npz.ts';

const folder = process.argv[2];
const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
const models = ['softmax_digits', 'mlp_digits', 'lenet_mnist'].map((name) => {
  const arrays = readNpz(readFileSync(join(folder, `goldens/${name}.npz`)));
  const about = manifest.models.find((m: { name: string }) => m.name === name);
  const list = (key: string): number[] => Array.from(arrays[key].data as Float64Array);
  const runs = Object.entries(about.optimizers).map(([id, settings]) => ({
    id,
    settings,
    losses: list(`raw/f64/${id}/losses`),
    norms: list(`raw/f64/${id}/param_norms`),
  }));
  return { name, parameters: about.initializers.raw.map((p: { name: string }) => p.name), runs };
});
writeFileSync(new URL('../training/steps.json', import.meta.url), `${JSON.stringify(models, null, 1)}\n`);
