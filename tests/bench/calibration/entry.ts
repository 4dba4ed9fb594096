import { readFileSync } from 'node:fs';
import { bind } from '../../../src/app/binding.ts';
import { diagnoseAll } from '../../../src/app/diagnose.ts';
import { quietJob } from '../../../src/base/job.ts';
import { world } from '../../../src/jobs/world.ts';

/** One table of predictions in a process of its own: seconds to read it, seconds of a whole report, and the most memory either took. */
const [path, id = 'reliability'] = process.argv.slice(2);
const ports = await world();
await ports.sha256(path);
const job = { ...quietJob(), live: () => {} };
const read = async (): Promise<number> => {
  const from = performance.now();
  const bound = await bind({ path }, ports, job, {});
  for await (const _ of bound.batches(4096, job.signal));
  await bound.close();
  return (performance.now() - from) / 1000;
};
const report = async (): Promise<number> => {
  const from = performance.now();
  const [found] = await diagnoseAll([{ id, data: { path }, options: {}, device: 'cpu', seed: 0 }], ports, job);
  if (found instanceof Error) throw found;
  return (performance.now() - from) / 1000;
};
// The second time both are compiled; the first report sets the peak of memory.
const baseline = process.memoryUsage.rss();
await report();
// A process inherits the peak of the one that started it in resourceUsage; Linux keeps its own in VmHWM.
const peak = 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? Number.NaN);
const [readSeconds, reportSeconds] = [await read(), await report()];
process.stdout.write(JSON.stringify({ readSeconds, reportSeconds, peakBytes: peak - baseline }));
