import { fileURLToPath } from 'node:url';
import { startTorch } from '../python.ts';

type Answer = {
  readonly kinds?: readonly string[];
  readonly ms?: readonly number[];
  readonly mb?: number;
  readonly version?: string;
  readonly error?: string;
};

/** PyTorch in its own process, if `/usr/bin/python3` has it. */
export interface Peer {
  /** Kinds that it times for this model and batch size. */
  open(model: string, batch: number): Promise<readonly string[]>;
  /** Readies a figure that is no model's; `products` is how many Hessian-vector products the eigenvalues take. */
  special(what: 'norms' | 'eigenvalues', batch: number, products?: number): Promise<boolean>;
  /** Resident megabytes that the process gains, at most, by ten gradients of all parameters. */
  memory(model: string, batch: number): Promise<number | undefined>;
  version(): Promise<string>;
  /** Milliseconds of each of so many calls, after one that is not counted. */
  time(kind: string, calls: number): Promise<readonly number[]>;
  close(): void;
}

const script = fileURLToPath(new URL('peer.py', import.meta.url));

export const openPeer = async (threads: number): Promise<Peer | undefined> => {
  const started = await startTorch<Answer>(script, threads);
  if (!started) return undefined;
  const ask = (request: Readonly<Record<string, unknown>>): Promise<Answer> => started.ask(request);
  return {
    open: async (model, batch) => (await ask({ do: 'open', model, batch })).kinds ?? [],
    special: async (what, batch, products = 0) => (await ask({ do: 'special', what, batch, products })).error === undefined,
    memory: async (model, batch) => (await ask({ do: 'memory', model, batch })).mb,
    version: async () => (await ask({ do: 'version' })).version ?? '',
    time: async (kind, calls) => (await ask({ do: 'time', kind, calls })).ms ?? [],
    close: started.close,
  };
};
