import { stat } from 'node:fs/promises';
import { format } from '../../report/format.ts';
import type { CostRequest } from '../../report/tasks.ts';
import type { AgentPorts } from './define.ts';

/** Multiply–accumulates a second that a few processor cores reach on small batches; only an order of magnitude. */
const PACE = 5e9;

const told = (seconds: number): string =>
  seconds < 1
    ? 'less than a second'
    : seconds < 90
      ? `about ${Math.round(seconds)} s`
      : seconds < 5400
        ? `about ${Math.round(seconds / 60)} min`
        : `about ${(seconds / 3600).toFixed(1)} h`;

const counted = (n: number, what: string): string => `${format(n, 'count')} ${what}${n === 1 ? '' : 's'}`;

const bytesOf = async (paths: readonly string[]): Promise<number> => {
  const sizes = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        (found) => (found.isFile() ? found.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

/** What a run will cost, as a person is told before it starts: how much is read, and how long it took before or will take at least. */
export const costOf = async (
  ask: CostRequest,
  { jobs }: Pick<AgentPorts, 'jobs'>,
  last: number | undefined,
  signal: AbortSignal | undefined,
  limit?: number,
): Promise<string> => {
  const { reads, rows, parameters, macs, length } = await jobs.submit('cost', ask, signal ? { signal } : {});
  const seen = rows === null ? 0 : Math.min(rows, limit ?? rows);
  const passes = length === undefined ? 1 : 'epochs' in length ? length.epochs : 1;
  // A step of training is a pass forward and one backward of twice its work.
  const work = macs === null || (length !== undefined && 'steps' in length) ? undefined : (macs * seen * passes * (length ? 3 : 1)) / PACE;
  const parts = [
    ...(rows === null ? [] : [`${limit !== undefined && limit < rows ? 'the first' : 'at most'} ${counted(seen, 'row')}`]),
    ...(length === undefined ? [] : ['epochs' in length ? counted(length.epochs, 'epoch') : counted(length.steps, 'step')]),
    ...(parameters > 0 ? [counted(parameters, 'parameter')] : []),
    `${format(await bytesOf(reads), 'bytes')} to read`,
    ...(last !== undefined
      ? [`${told(last)} the last time`]
      : work !== undefined
        ? [`${work < 1 ? '' : 'at least '}${told(work)} on a processor`]
        : ['time not known beforehand']),
  ];
  return parts.join(', ');
};
