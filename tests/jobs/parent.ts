/** A parent that prints the pid of its job process and then ends without disposing, or waits to be killed. */
import { join } from 'node:path';
import { supervisor } from '../../src/jobs/supervisor.ts';

const jobs = supervisor<{ pid: { ask: null; give: number }; sleep: { ask: { ms: number }; give: number } }>({
  entry: join(import.meta.dirname, 'entry.ts'),
  execArgv: ['--import', 'tsx'],
});
process.stdout.write(`${await jobs.submit('pid', null)}\n`);
if (process.argv[2] === 'wait') await jobs.submit('sleep', { ms: 60_000 });
