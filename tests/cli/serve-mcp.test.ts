import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { fixture, folder, root } from './program.ts';

const home = folder();
const cli = join(root, 'dist/cli.js');
const client = new Client({ name: 'test', version: '1' });

before(async () => {
  cpSync(join(root, 'media/sample'), home, { recursive: true });
  cpSync(fixture('models/mlp_digits.onnx'), join(home, 'digits.onnx'));
  cpSync(fixture('models/softmax_digits.onnx'), join(home, 'softmax.onnx'));
  const {
    steps: _,
    earlyStop: __,
    ...recipe
  } = JSON.parse(readFileSync(join(home, 'digits.train.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(home, 'short.train.json'), JSON.stringify({ ...recipe, epochs: undefined, steps: 20, schedule: 'constant' }));
  writeFileSync(join(home, 'endless.train.json'), JSON.stringify({ ...recipe, epochs: 10_000 }));
  mkdirSync(join(home, 'out'));
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [cli, 'serve-mcp', '--device', 'cpu'], cwd: home }));
});
after(() => client.close());

const call = async (name: string, given: Readonly<Record<string, unknown>>): Promise<CallToolResult> =>
  (await client.callTool({ name, arguments: { ...given } })) as CallToolResult;
const textOf = ({ content }: CallToolResult): string => content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
const said = async (name: string, given: Readonly<Record<string, unknown>>): Promise<string> => {
  const result = await call(name, given);
  assert.equal(result.isError, true, textOf(result));
  return textOf(result);
};
const digits = { model: 'digits', data: 'test' };

test('the handshake names the server and what it can do', () => {
  assert.equal(client.getServerVersion()?.name, 'assay');
  assert.deepEqual(Object.keys(client.getServerCapabilities() ?? {}).sort(), ['resources', 'tools']);
});

test('five tools are listed, with schemas and honest hints', async () => {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map(({ name }) => name).sort(), [
    'compare_models',
    'explain_prediction',
    'inspect_model',
    'run_diagnostic',
    'train_model',
  ]);
  for (const { description, inputSchema, annotations } of tools) {
    assert.ok((description ?? '').length > 80);
    assert.equal(inputSchema.type, 'object');
    assert.equal(annotations?.openWorldHint, false);
  }
  const run = tools.find(({ name }) => name === 'run_diagnostic');
  assert.deepEqual(run?.inputSchema.required, ['diagnostic', 'data']);
  assert.equal(run?.annotations?.readOnlyHint, false);
});

test('inspect_model gives shapes and sizes without running the model', async () => {
  const result = await call('inspect_model', { model: 'digits.onnx' });
  assert.ok(!result.isError, textOf(result));
  assert.match(textOf(result), /- input x: float32\[/);
  assert.match(textOf(result), /every node has a gradient/);
  assert.equal(typeof result.structuredContent?.parameters, 'number');
});

test('run_diagnostic takes names of assay.json, gives numbers with intervals, the guide and the report', async () => {
  const result = await call('run_diagnostic', { diagnostic: 'reliability', ...digits, options: { bins: 10 } });
  const text = textOf(result);
  assert.ok(!result.isError, text);
  assert.match(text, /- accuracy: 9\d\.\d+ %, \d.* \(95 % /);
  assert.match(text, /How to read this: /);
  const headline = result.structuredContent?.headline as Record<string, number>;
  assert.ok(headline.accuracy > 0.9 && headline.ece < 0.1);
  const [link] = result.content.flatMap((part) => (part.type === 'resource_link' ? [part] : []));
  const kept = JSON.parse(readFileSync(new URL(link.uri), 'utf8')) as {
    reports: { headline: unknown; provenance: { options: { bins: number } } }[];
  };
  assert.deepEqual(kept.reports[0].headline, headline);
  // The run is kept where a person finds it, and can be read as a resource.
  const { resources } = await client.listResources();
  assert.match(resources[0].name, /^Reliability diagram: digits on test$/i);
  const { contents } = await client.readResource({ uri: resources[0].uri });
  assert.match('text' in contents[0] ? String(contents[0].text) : '', /^## Reliability/);
});

test('compare_models gives differences with intervals', async () => {
  const result = await call('compare_models', { model: 'digits', against: 'softmax.onnx', data: 'test' });
  assert.ok(!result.isError, textOf(result));
  const headline = result.structuredContent?.headline as Record<string, number>;
  assert.deepEqual([headline.right_alone, headline.against_right_alone], [4, 2]);
});

test('explain_prediction names what matters most, and writes nothing', async () => {
  const before = readdirSync(join(home, '.assay/runs')).length;
  const result = await call('explain_prediction', { ...digits, method: 'gradient-x-input', target: '3' });
  const text = textOf(result);
  assert.ok(!result.isError, text);
  assert.match(text, /class 3, by gradient-x-input/);
  assert.match(text, /pixel at row \d, column \d: [+−]/);
  assert.equal((result.structuredContent?.attributions as unknown[] | undefined)?.length, 12);
  assert.equal(readdirSync(join(home, '.assay/runs')).length, before);
});

test('train_model writes the model, tells progress, and will not write over it unasked', async () => {
  const seen: number[] = [];
  const given = { recipe: 'short.train.json', out: 'out/short.onnx' };
  const result = (await client.callTool({ name: 'train_model', arguments: given }, undefined, {
    onprogress: ({ progress }) => seen.push(progress),
  })) as CallToolResult;
  assert.ok(!result.isError, textOf(result));
  assert.ok(existsSync(join(home, 'out/short.onnx')));
  assert.ok(seen.length > 0 && seen.every((p) => p >= 0 && p <= 1));
  assert.match(await said('train_model', given), /short\.onnx' exists already/);
  assert.match(await said('train_model', { ...given, out: 'short.train.json' }), /must be the path of an \.onnx file/);
});

for (const [what, name, given, sentence] of [
  ['a missing argument', 'run_diagnostic', { diagnostic: 'reliability' }, /^Missing 'data'/],
  ['an unknown argument', 'inspect_model', { modle: 'digits' }, /^Unknown option 'modle'.*Did you mean 'model'/],
  [
    'a wrong type',
    'run_diagnostic',
    { diagnostic: 'reliability', ...digits, limit: 'ten' },
    /^Option 'limit' is 'ten' but must be a whole number/,
  ],
  ['an unknown diagnostic', 'run_diagnostic', { diagnostic: 'reliabilty', ...digits }, /'reliabilty'.*reliability/],
  [
    'an unknown option',
    'run_diagnostic',
    { diagnostic: 'reliability', ...digits, options: { bin: 3 } },
    /^Unknown option 'bin'.*Did you mean 'bins'/,
  ],
  ['an option out of range', 'run_diagnostic', { diagnostic: 'reliability', ...digits, options: { bins: -1 } }, /^Option 'bins' is '-1'/],
  ['a file that is not there', 'inspect_model', { model: 'nowhere.onnx' }, /nowhere\.onnx' does not exist/],
  ['a name that is not there', 'inspect_model', { model: 'digit' }, /^Unknown model 'digit'\. Did you mean 'digits'/],
  ['a file that is no model', 'inspect_model', { model: 'digits.npz' }, /digits\.npz/],
  ['bad preprocessing', 'explain_prediction', { ...digits, preprocess: { scale: 'small' } }, /^Option 'preprocess\.scale' is '"small"'/],
  ['a row beyond the data', 'explain_prediction', { ...digits, row: 99_999 }, /row/],
  ['a recipe that is no recipe', 'train_model', { recipe: 'assay.json', out: 'out/x.onnx' }, /assay\.json/],
  ['no model where one is needed', 'run_diagnostic', { diagnostic: 'saliency', data: 'test' }, /model/],
] as const) {
  test(`${what} is one clear sentence`, async () => {
    const text = await said(name, given);
    assert.match(text, sentence);
    assert.ok(!text.startsWith('Assay failed'), text);
  });
}

test('a cancelled call ends its job, and the server goes on', async () => {
  const stop = new AbortController();
  const training = client.callTool(
    { name: 'train_model', arguments: { recipe: 'endless.train.json', out: 'out/endless.onnx' } },
    undefined,
    {
      signal: stop.signal,
      onprogress: () => stop.abort('enough'),
    },
  );
  await assert.rejects(training, /enough/);
  const heads = (): string[] =>
    readdirSync(join(home, '.assay/runs')).flatMap((id) => {
      const path = join(home, '.assay/runs', id, 'run.json');
      return existsSync(path) ? [(JSON.parse(readFileSync(path, 'utf8')) as { status: string }).status] : [];
    });
  for (let i = 0; i < 200 && !heads().includes('stopped'); i++) await new Promise((done) => setTimeout(done, 50));
  assert.ok(heads().includes('stopped') && !heads().includes('running'));
  assert.ok(!(await call('inspect_model', { model: 'digits' })).isError);
});

test('the output holds the protocol and nothing else; the program ends with its input', async () => {
  const child: ChildProcess = spawn(process.execPath, [cli, 'serve-mcp'], { cwd: home, stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const answered = new Promise<void>((done) => child.stdout?.on('data', () => out.includes('"id":2') && done()));
  const hello = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
  const send = (message: object): void => void child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  send({ id: 1, method: 'initialize', params: hello });
  send({ method: 'notifications/initialized' });
  send({ id: 2, method: 'tools/call', params: { name: 'run_diagnostic', arguments: { diagnostic: 'confusion-matrix', ...digits } } });
  await answered;
  child.stdin?.end();
  assert.equal(await ended, 0);
  for (const line of out.trim().split('\n')) assert.equal((JSON.parse(line) as { jsonrpc: string }).jsonrpc, '2.0');
});
