import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../src/build/bundle.ts';
import { root } from '../../src/build/root.ts';
import { supervisor } from '../../src/jobs/supervisor.ts';
import { round } from './measure.ts';

/** The sample recipe, whole: what the main job trains. */
export const trainingFigures = async (): Promise<Readonly<Record<string, number>>> => {
  await bundle({ production: true, only: ['process'] });
  const home = mkdtempSync(join(tmpdir(), 'assay-bench-'));
  cpSync(join(root, 'media/sample'), home, { recursive: true });
  const jobs = supervisor({ entry: join(root, 'dist/process.js') });
  try {
    const from = performance.now();
    const { report } = await jobs.submit('train', {
      recipe: join(home, 'digits.train.json'),
      out: join(home, 'digits.onnx'),
      device: 'cpu',
      resume: false,
      force: false,
    });
    return { ...report.headline, wholeSeconds: round((performance.now() - from) / 1000) };
  } finally {
    await jobs.dispose();
    rmSync(home, { recursive: true, force: true });
  }
};
