// First step of every npm script: plain Node, no package needed. Installs what the lock file names when it is missing or has changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const major = Number(process.versions.node.split('.')[0]);
if (major < 20) {
  console.error(`Assay needs Node 20 or newer; this is ${process.version}.`);
  process.exit(2);
}
const wanted = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex');
const stamp = `${root}node_modules/.assay-installed`;
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.log('Installing packages…');
  // `install`, not `ci`: some registry mirrors lack the binaries of other platforms, and then `ci` refuses every lock file; versions come from the
  // lock file all the same, which `--no-save` leaves as it is. No package needs its install script: esbuild and Biome ship binaries as packages, and ONNX Runtime's would fetch CUDA libraries.
  const done = spawnSync('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (done.status !== 0) process.exit(done.status ?? 1);
  writeFileSync(stamp, wanted);
}
