import { join } from 'node:path';
import { bundle } from '../../src/build/bundle.ts';
import { root } from '../../src/build/root.ts';
import { supervisor } from '../../src/jobs/supervisor.ts';
import type { AttributeRequest } from '../../src/report/tasks.ts';
import { median, round } from './measure.ts';

const sample: AttributeRequest = {
  model: { path: join(root, 'tests/fixtures/models/mlp_digits.onnx') },
  data: { path: join(root, 'tests/fixtures/data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } },
  device: 'cpu',
  seed: 0,
  position: 0,
  method: 'integrated-gradients',
  options: {},
};

/** The map of one row of the sample, asked of the job process as the image tab does: in a new process, for another row, for another method. */
export const firstMapFigures = async (): Promise<Readonly<Record<string, number>>> => {
  await bundle({ production: true, only: ['process'] });
  const entry = join(root, 'dist/process.js');
  const coldMs = await median(
    async () => {
      const jobs = supervisor({ entry });
      await jobs.submit('attribute', sample);
      await jobs.dispose();
    },
    5,
    1,
  );
  const jobs = supervisor({ entry });
  let position = 0;
  const nextRowMs = await median(() => jobs.submit('attribute', { ...sample, position: position++ }), 11, 2);
  const others = ['gradient', 'smoothgrad', 'occlusion', 'deeplift', 'lrp-epsilon'];
  const newMethodMs = await median(() => jobs.submit('attribute', { ...sample, method: others.shift() ?? 'gradient' }), 5, 0);
  await jobs.dispose();
  return { coldMs: round(coldMs), nextRowMs: round(nextRowMs), newMethodMs: round(newMethodMs) };
};
