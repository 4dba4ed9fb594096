import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { type Bundle, bundle, type Target } from '../../src/build/bundle.ts';

const out = mkdtempSync(join(tmpdir(), 'assay-bundle-'));
let bundles: readonly Bundle[];
before(async () => {
  ({ bundles } = await bundle({ production: true, out }));
});
const of = (target: Target, ending: string): Bundle => {
  const found = bundles.find((one) => one.target === target && one.file.endsWith(ending));
  assert.ok(found, `${target}: ${ending}`);
  return found;
};
const holds = (one: Bundle, part: RegExp): readonly string[] => Object.keys(one.inputs).filter((path) => part.test(path));

// Budgets: a fifth above what the bundles weigh now; raise one only with a reason in the commit.
const budgets: readonly (readonly [Target, string, number])[] = [
  ['webview', 'webview.js', 520_000],
  ['webview', 'webview.css', 34_000],
  ['extension', 'extension.cjs', 6_000],
  ['extension', 'window.cjs', 420_000],
  ['cli', 'cli.js', 250_000],
  ['mcp', 'mcp.js', 400_000],
  ['process', 'process.js', 2_200_000],
];
for (const [target, file, budget] of budgets) {
  test(`${file} is within ${budget / 1000} kB`, () => {
    const { bytes } = of(target, file);
    assert.ok(bytes <= budget, `${bytes} bytes`);
  });
}

test('the extension and the command line hold no diagnostics, no graph code and no ONNX Runtime', () => {
  for (const one of [of('extension', 'extension.cjs'), of('extension', 'window.cjs'), of('cli', '.js')]) {
    assert.deepEqual(holds(one, /^src\/(diagnostics|evidence|training|autodiff|graph|runtime|app)\/|onnxruntime/), []);
    assert.ok(!one.external.some((name) => name.includes('onnxruntime')));
    assert.ok(!/require\("onnxruntime/.test(readFileSync(one.file, 'utf8')));
  }
});

test('the extension takes VS Code’s API without a copy for each file', () => {
  for (const file of ['extension.cjs', 'window.cjs']) {
    const text = readFileSync(of('extension', file).file, 'utf8');
    assert.ok(text.includes('require("vscode")'));
    assert.ok(!/[\w$]\(require\("vscode"\)/.test(text));
  }
});

test('the page holds the toolkit and Chart.js, and no React', () => {
  const page = of('webview', '.js');
  assert.ok(holds(page, /chart\.js/).length > 0);
  assert.ok(holds(page, /webview-ui-toolkit/).length > 0);
  assert.deepEqual(holds(page, /(^|\/)(react|react-dom|fast-react-wrapper)\//), []);
  assert.deepEqual(page.external, []);
});

test('one file of the page imports the toolkit', () => {
  const importers = holds(of('webview', '.js'), /^webview\//).filter((path) =>
    readFileSync(join(import.meta.dirname, '../..', path), 'utf8').includes('@vscode/webview-ui-toolkit'),
  );
  assert.deepEqual(importers, ['webview/controls.ts']);
});

test('ONNX Runtime stays outside the job process’s bundle', () => {
  const job = of('process', '.js');
  assert.ok(job.external.includes('onnxruntime-node'));
  assert.deepEqual(holds(job, /node_modules\/onnxruntime/), []);
});

test('the command line runs as a program', () => {
  const { file } = of('cli', '.js');
  assert.ok(readFileSync(file, 'utf8').startsWith('#!/usr/bin/env node\n'));
  assert.match(execFileSync(process.execPath, [file, '--help'], { encoding: 'utf8' }), /assay/);
});

test('production bundles carry no source maps', () => {
  for (const { file } of bundles) assert.ok(!readFileSync(file, 'utf8').includes('sourceMappingURL'), file);
});

test('a target whose entry is missing is named', async () => {
  await assert.rejects(bundle({ root: out, only: ['cli'] }), /Cannot bundle 'cli': src\/cli\/main\.ts does not exist/);
});
