import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');

/** Who may import whom: room → rooms. This table is the drawing of the house. */
const rooms: Record<string, readonly string[]> = {
  'src/base': [],
  'src/graph': ['src/base'],
  'src/autodiff': ['src/graph', 'src/base'],
  'src/training': ['src/autodiff', 'src/graph', 'src/base'],
  'src/data': ['src/base'],
  'src/runtime': ['src/graph', 'src/base'],
  'src/report': ['src/base'],
  'src/evidence': ['src/training', 'src/autodiff', 'src/graph', 'src/runtime', 'src/data', 'src/base'],
  'src/diagnostics': ['src/evidence', 'src/report', 'src/base'],
  'src/app': [
    'src/diagnostics',
    'src/evidence',
    'src/training',
    'src/autodiff',
    'src/graph',
    'src/runtime',
    'src/data',
    'src/report',
    'src/base',
  ],
  'src/jobs': ['src/report', 'src/base'],
  'src/jobs/process.ts': ['src/jobs', 'src/app', 'src/report', 'src/base'],
  'src/jobs/serve.ts': ['src/jobs', 'src/app', 'src/report', 'src/base'],
  'src/jobs/world.ts': ['src/jobs', 'src/app', 'src/data', 'src/runtime', 'src/base'],
  'src/manifest': ['src/vscode', 'src/autodiff', 'src/diagnostics', 'src/training', 'src/data', 'src/cli', 'src/base'],
  'src/generated': [],
  'src/cli': ['src/jobs', 'src/report', 'src/base', 'src/generated'],
  'src/vscode': ['src/jobs', 'src/report', 'src/base', 'src/generated'],
  'src/build': ['src/manifest', 'src/cli', 'src/jobs', 'src/report', 'src/base', 'src/generated'],
  webview: ['src/report', 'src/base', 'src/vscode/protocol.ts', 'src/vscode/data-protocol.ts'],
};
/** Only types may cross here: the diagnostics never see a session, a file or an editor. */
const typesOnly = ['src/diagnostics → src/evidence', 'webview → src/vscode/protocol.ts', 'webview → src/vscode/data-protocol.ts'];
/** Where Node's own modules may be imported. */
const node = [
  'src/cli',
  'src/vscode',
  'src/jobs',
  'src/build',
  'src/runtime/onnxruntime',
  'src/runtime/devices',
  'src/data/source.node.ts',
];
/** Where the running `vscode` module may be imported; everywhere else its types. */
const editor = [
  'src/vscode/activate.ts',
  'src/vscode/window.ts',
  'src/vscode/host',
  'src/vscode/panels',
  'src/vscode/lenses',
  'src/vscode/trees',
  'src/vscode/editors',
  'src/vscode/testing/controller.ts',
  'src/vscode/authoring/language.ts',
];

const files = ['src', 'webview'].flatMap((top) =>
  readdirSync(join(root, top), { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && /\.m?ts$/.test(e.name))
    .map((e) => relative(root, join(e.parentPath, e.name))),
);
const roomOf = (path: string): string =>
  Object.keys(rooms)
    .sort((a, b) => b.length - a.length)
    .find((room) => path === room || path.startsWith(`${room}/`)) ?? path;
const under = (path: string, places: readonly string[]): boolean => places.some((p) => path === p || path.startsWith(p));
const statement = /(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|import\(\s*'([^']+)'\s*\)/g;
const imports = files.flatMap((file) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(statement)].map((m) => ({
    file,
    target: m[2] ?? m[3] ?? '',
    typeOnly: m[1] !== undefined,
  })),
);

test('imports follow the drawing', () => {
  const wrong = imports
    .filter(({ target }) => target.startsWith('.'))
    .map(({ file, target, typeOnly }) => ({
      file,
      typeOnly,
      from: roomOf(file),
      path: relative(root, resolve(root, dirname(file), target)),
    }))
    .filter(({ from, path, typeOnly }) => {
      const to = roomOf(path);
      if (to === from || to.startsWith(`${from}/`)) return false;
      const allowed = rooms[from]?.find((r) => path === r || path.startsWith(`${r}/`));
      return !allowed || (typesOnly.includes(`${from} → ${allowed}`) && !typeOnly);
    })
    .map(({ file, path }) => `${file} imports ${path}`);
  assert.deepEqual(wrong, []);
});

test('node, vscode and packages are imported only where they belong', () => {
  const wrong = imports.filter(({ file, target, typeOnly }) => {
    if (typeOnly) return false;
    if (target.startsWith('node:')) return !under(file, node);
    if (target === 'vscode') return !under(file, editor);
    if (target === 'onnxruntime-node') return !file.startsWith('src/runtime/');
    if (target.startsWith('@vscode/webview-ui-toolkit')) return file !== 'webview/controls.ts';
    return false;
  });
  assert.deepEqual(
    wrong.map(({ file, target }) => `${file} imports ${target}`),
    [],
  );
});

test('nothing asks the network but the download of CUDA libraries, and nothing is reported to anyone', () => {
  const network = ['node:http', 'node:https', 'node:http2', 'node:net', 'node:tls', 'node:dgram', 'http', 'https', 'net'];
  const calls = /\bfetch\(|\bXMLHttpRequest\b|\bWebSocket\b|\bEventSource\b|\bsendBeacon\b|\bcreateTelemetryLogger\b/;
  const found = files.filter(
    (file) => calls.test(readFileSync(join(root, file), 'utf8')) || imports.some((i) => i.file === file && network.includes(i.target)),
  );
  // The second builds the editor that tests run in, and is in no bundle.
  assert.deepEqual(found.sort(), ['src/build/code-server.ts', 'src/jobs/cuda/download.ts']);
});

test('no source file is longer than 400 lines', () => {
  const long = files.filter((f) => !f.includes('.generated.')).filter((f) => readFileSync(join(root, f), 'utf8').split('\n').length > 401);
  assert.deepEqual(long, []);
});

test('every room of the drawing exists, and every folder of src is in it', () => {
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((e) => e.isDirectory())
    .map((e) => `src/${e.name}`);
  assert.deepEqual(
    folders.sort(),
    Object.keys(rooms)
      .filter((r) => /^src\/[a-z]+$/.test(r))
      .sort(),
  );
});
