import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

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

const python = '/usr/bin/python3';
const script = fileURLToPath(new URL('peer.py', import.meta.url));

const has = (module: string): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn(python, ['-c', `import ${module}`], { stdio: 'ignore' });
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === 0));
  });

export const openPeer = async (threads: number): Promise<Peer | undefined> => {
  if (!(await has('torch'))) return undefined;
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), PYTHONWARNINGS: 'ignore' };
  const child: ChildProcess = spawn(python, [script, String(threads)], { stdio: ['pipe', 'pipe', 'ignore'], env });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) return undefined;
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const ask = async (request: Readonly<Record<string, unknown>>): Promise<Answer> => {
    stdin.write(`${JSON.stringify(request)}\n`);
    const { value } = await lines.next();
    return value === undefined ? { error: 'the process ended' } : (JSON.parse(value) as Answer);
  };
  return {
    open: async (model, batch) => (await ask({ do: 'open', model, batch })).kinds ?? [],
    special: async (what, batch, products = 0) => (await ask({ do: 'special', what, batch, products })).error === undefined,
    memory: async (model, batch) => (await ask({ do: 'memory', model, batch })).mb,
    version: async () => (await ask({ do: 'version' })).version ?? '',
    time: async (kind, calls) => (await ask({ do: 'time', kind, calls })).ms ?? [],
    close: () => void stdin.end(),
  };
};
