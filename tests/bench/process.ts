import { join } from 'node:path';
import { bundle } from '../../src/build/bundle.ts';
import { root } from '../../src/build/root.ts';
import { supervisor } from '../../src/jobs/supervisor.ts';
import { median, round } from './measure.ts';

/** Start of the job process, of its first session (ONNX Runtime loads then), and a task in a warm one. */
export const processFigures = async (): Promise<Readonly<Record<string, number>>> => {
  await bundle({ production: true, only: ['process'] });
  const entry = join(root, 'dist/process.js');
  const model = { path: join(root, 'tests/fixtures/models/lenet_mnist.onnx') };
  const startMs = await median(
    async () => {
      const jobs = supervisor({ entry });
      await jobs.warm();
      await jobs.dispose();
    },
    5,
    1,
  );
  const coldInfoMs = await median(
    async () => {
      const jobs = supervisor({ entry });
      await jobs.submit('info', { model });
      await jobs.dispose();
    },
    5,
    1,
  );
  const jobs = supervisor({ entry });
  const warmInfoMs = await median(() => jobs.submit('info', { model }), 5, 2);
  await jobs.dispose();
  return { startMs: round(startMs), firstSessionMs: round(coldInfoMs - startMs), warmInfoMs: round(warmInfoMs) };
};
