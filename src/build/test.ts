import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bundle } from './bundle.ts';
import { ensureChromium } from './chromium.ts';
import { packageExtension } from './package.ts';
import { root } from './root.ts';

/**
 * `npm test`: checks, unit tests, laws and goldens, then the packaged extension in a real VS Code.
 * `npm run test:full` runs the files `*.full.test.ts` instead. Words after `--` pick files by a part of their name.
 */
const words = process.argv.slice(2);
const full = words.includes('--full');
const picked = words.filter((w) => !w.startsWith('--'));

const files = readdirSync(join(root, 'tests'), { recursive: true, withFileTypes: true })
  .filter((e) => e.isFile() && e.name.endsWith('.test.ts') && e.name.endsWith('.full.test.ts') === full)
  .map((e) => relative(root, join(e.parentPath, e.name)))
  .filter((f) => picked.length === 0 || picked.some((w) => f.includes(w)))
  .sort();
const inEditor = files.filter((f) => f.startsWith('tests/editor/'));
const plain = files.filter((f) => !f.startsWith('tests/editor/'));

let failed = false;
const run = (title: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void => {
  console.log(`\n── ${title}`);
  const done = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
  if (done.status !== 0) failed = true;
};
const tests = (concurrency: number, some: readonly string[]): readonly string[] => [
  '--import',
  'tsx',
  '--test',
  `--test-concurrency=${concurrency}`,
  '--test-reporter=spec',
  ...some,
];

if (!full && picked.length === 0) run('types, lint, dead code', ['--import', 'tsx', 'src/build/check.ts']);
await bundle({ production: true });
if (plain.length > 0) run(`${plain.length} test files`, tests(2, plain));
if (inEditor.length > 0) {
  const chromium = ensureChromium();
  if (chromium) {
    const { path } = await packageExtension();
    run('the packaged extension in a real VS Code', tests(1, inEditor), { CHROMIUM: chromium, ASSAY_VSIX: path });
  } else {
    console.log(
      '\n── SKIPPED: the tests in a real VS Code. No Chromium was found and none could be installed here; install chromium (or set CHROMIUM to its path) and run `npm test` again.',
    );
    if (process.env.CI) failed = true;
  }
}
process.exitCode = failed ? 1 : 0;
