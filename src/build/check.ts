import { spawnSync } from 'node:child_process';
import { root } from './root.ts';

/** `npm run check`: types, format and lint, dead code, architecture, generated files. All run; any failure fails. */
const steps: readonly (readonly [string, readonly string[]])[] = [
  ['types', ['node_modules/typescript/bin/tsc', '-b', 'src', 'webview', 'tests']],
  ['format and lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings']],
  ['dead code', ['node_modules/knip/bin/knip.js']],
  ['architecture', ['--import', 'tsx', '--test', 'tests/architecture.test.ts']],
  ['generated files', ['--import', 'tsx', '--test', 'tests/manifest.test.ts']],
];
const failed = steps.filter(([title, args]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  console.log(`${status === 0 ? '✔' : '✘'} ${title}`);
  if (status !== 0) console.log(stdout + stderr);
  return status !== 0;
});
process.exitCode = failed.length > 0 ? 1 : 0;
