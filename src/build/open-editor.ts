import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { installVSCode, startServer } from './code-server.ts';
import { packageExtension } from './package.ts';
import { root } from './root.ts';

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted ? Promise.resolve() : new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }));
const ended = (child: ChildProcess): Promise<unknown> => new Promise((done) => child.once('exit', done));

/** Opens VS Code on a workspace with the extension loaded: `code` if it is on the PATH, else code-server on a loopback port. Returns when it is closed or `signal` says stop. */
export const openEditor = async (workspace: string, signal: AbortSignal, print: (line: string) => void): Promise<void> => {
  const shell = process.platform === 'win32';
  if (spawnSync('code', ['--version'], { shell, stdio: 'ignore' }).status === 0) {
    const child = spawn('code', ['--new-window', '--wait', `--extensionDevelopmentPath=${root}`, workspace], { shell, stdio: 'ignore' });
    print('\nVS Code is opening on the sample workspace. Ctrl+C ends it.');
    await Promise.race([ended(child), aborted(signal)]);
    child.kill();
    return;
  }
  const installation = installVSCode();
  if (!installation) {
    print(
      '\nVS Code (`code`) is not on the PATH, and code-server cannot be installed on this platform. Install VS Code, or open the HTML report.',
    );
    return;
  }
  const { path } = await packageExtension();
  const server = await startServer(installation, [path]);
  print(`\nVS Code on the sample workspace: ${server.url}/?folder=${encodeURIComponent(workspace)}\nCtrl+C ends it.`);
  await aborted(signal);
  await server.stop();
};
