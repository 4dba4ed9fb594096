import { fileURLToPath } from 'node:url';
import { startTorch } from '../python.ts';
import type { Slice } from './slices.ts';
import { type Trainer, writeRows } from './subjects.ts';

/** The same run in PyTorch eager: rows, first parameters and the rows of every step are ours. */
export interface TorchRun {
  readonly version: string;
  train(rows: readonly (readonly number[])[]): Promise<Pick<Slice, 'seconds' | 'cpuSeconds' | 'losses'>>;
  /** So many steps of shuffled batches that PyTorch's own DataLoader draws, as its tutorials train. */
  loader(steps: number, batch: number): Promise<Pick<Slice, 'seconds' | 'cpuSeconds'>>;
  accuracy(): Promise<number>;
  close(): void;
}

type Answer = {
  readonly version?: string;
  readonly seconds?: number;
  readonly cpuSeconds?: number;
  readonly loss?: readonly number[];
  readonly accuracy?: number;
  readonly error?: string;
};

const script = fileURLToPath(new URL('peer.py', import.meta.url));

export const openTorchRun = async (trainer: Trainer, threads: number): Promise<TorchRun | undefined> => {
  const started = await startTorch<Answer>(script, threads);
  if (!started) return undefined;
  const ask = async (request: Readonly<Record<string, unknown>>): Promise<Answer> => {
    const answer: Answer = await started.ask(request);
    if (answer.error !== undefined) throw new Error(`PyTorch: ${answer.error}`);
    return answer;
  };
  writeRows(trainer);
  const { recipe, at, setup } = trainer;
  const { version = '' } = await ask({ do: 'open', recipe, folder: at(''), classes: setup.subject.plan.classes });
  return {
    version,
    async train(rows) {
      const { seconds = 0, cpuSeconds = 0, loss = [] } = await ask({ do: 'train', rows });
      return { seconds, cpuSeconds, losses: loss };
    },
    async loader(steps, batch) {
      const { seconds = 0, cpuSeconds = 0 } = await ask({ do: 'loader', steps, batch });
      return { seconds, cpuSeconds };
    },
    accuracy: async () => (await ask({ do: 'evaluate' })).accuracy ?? Number.NaN,
    close: started.close,
  };
};
