import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const python = '/usr/bin/python3';

const has = (module: string): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn(python, ['-c', `import ${module}`], { stdio: 'ignore' });
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === 0));
  });

/** A script of ours that answers each line of JSON with one. */
export interface Script<Answer> {
  ask(request: Readonly<Record<string, unknown>>): Promise<Answer | { readonly error: string }>;
  close(): void;
}

/** Starts a script that needs PyTorch, if `/usr/bin/python3` has it. */
export const startTorch = async <Answer>(script: string, threads: number): Promise<Script<Answer> | undefined> => {
  if (!(await has('torch'))) return undefined;
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), PYTHONWARNINGS: 'ignore' };
  const child: ChildProcess = spawn(python, [script, String(threads)], { stdio: ['pipe', 'pipe', 'ignore'], env });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) return undefined;
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  return {
    async ask(request) {
      stdin.write(`${JSON.stringify(request)}\n`);
      const { value } = await lines.next();
      return value === undefined ? { error: 'the process ended' } : (JSON.parse(value) as Answer);
    },
    close: () => void stdin.end(),
  };
};
