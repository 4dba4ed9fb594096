import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import type { SuiteResult } from '../../src/report/tasks.ts';
import type { Verdict } from '../../src/vscode/history.ts';
import { readSuite } from '../../src/vscode/suite.ts';
import { gateMessages, terminalLines } from '../../src/vscode/testing/messages.ts';
import { dependents, profilesFor } from '../../src/vscode/testing/plan.ts';
import { checkRunner } from '../../src/vscode/testing/runner.ts';

const gate = {
  name: 'ece',
  holds: false,
  actual: 0.0712,
  interval: { low: 0.05, high: 0.093, level: 0.95, method: 'bootstrap' },
  sentence: 'the upper bound of ece is 0.093 (ece 0.0712), but is expected to be at most 0.05.',
  focus: '1:2',
};
const failed: Verdict = {
  status: 'failed',
  sentence: gate.sentence,
  gates: [
    { ...gate, expected: { max: 0.05, bound: 'upper', level: 0.95 } },
    { ...gate, name: 'accuracy', holds: true, expected: { min: 0.5 } },
    { ...gate, name: 'nll', actual: 0.4, expected: { min: 0.1, max: 0.3 } },
  ],
};

test('each broken gate says what was expected and what is, in the same words, and leads to its card', () => {
  const messages = gateMessages(failed);
  assert.deepEqual(
    messages.map(({ gate: name, expected, actual, focus }) => [name, expected, actual, focus]),
    [
      ['ece', 'upper bound of ece at level 0.95 ≤ 0.05', 'upper bound of ece at level 0.95 = 0.093', '1:2'],
      ['nll', 'nll ≥ 0.1\nnll ≤ 0.3', 'nll = 0.4 (0.95 interval 0.05 to 0.093)', '1:2'],
    ],
  );
});

test('the terminal gets whole lines with carriage returns', () => {
  const text = terminalLines('calibrated', failed, { seconds: 1.26, headline: { ece: 0.0712, rows: 359 } });
  assert.ok(text.startsWith('\u001b[31m✘\u001b[0m calibrated (1.3 s)\r\n    the upper bound'), text);
  assert.match(text, /ece 0\.0712, rows 359\r\n$/);
  const skipped = terminalLines('none', { status: 'skipped', sentence: 'No labels.', gates: [] });
  assert.ok(skipped.endsWith(' none\r\n    No labels.\r\n'), skipped);
  assert.doesNotMatch(text.replaceAll('\r\n', ''), /\n/);
});

test('a check depends on its file, its models and its data with their label files', () => {
  const suite = readSuite(`{
    "models": { "a": { "path": "a.onnx" }, "b": { "path": "b.onnx" } },
    "datasets": { "d": { "path": "images-idx3-ubyte", "labels": "labels-idx1-ubyte" }, "t": { "path": "/data/t.csv" } },
    "checks": [
      { "name": "one", "run": "reliability", "model": "a", "data": "d" },
      { "name": "two", "run": "compare-models", "model": "a", "against": "b", "data": "t" },
      { "name": "three", "run": "reliability", "data": "t" }
    ]
  }`);
  assert.deepEqual(Object.fromEntries(dependents({ path: '/w/assay.json', ...suite })), {
    '/w/assay.json': ['one', 'two', 'three'],
    '/w/a.onnx': ['one', 'two'],
    '/w/b.onnx': ['two'],
    '/w/images-idx3-ubyte': ['one'],
    '/w/labels-idx1-ubyte': ['one'],
    '/data/t.csv': ['two', 'three'],
  });
});

test('profiles: all rows first, then quick, then both for each device', () => {
  assert.deepEqual(
    profilesFor(['cpu', 'cuda']).map(({ label, depth, device }) => [label, depth, device]),
    [
      ['All Rows', 'full', undefined],
      ['Quick: First 200 Rows', 'quick', undefined],
      ['All Rows on CPU', 'full', 'cpu'],
      ['Quick on CPU', 'quick', 'cpu'],
      ['All Rows on CUDA', 'full', 'cuda'],
      ['Quick on CUDA', 'quick', 'cuda'],
    ],
  );
});

test('a run of checks is kept with its reports; one that fails is kept as failed, and its error goes on', async () => {
  const written: unknown[] = [];
  let changes = 0;
  const suite: SuiteResult = { path: '/w/assay.json', checks: [{ name: 'a', status: 'passed', sentence: '', gates: [], seconds: 1 }] };
  const runner = (submit: () => Promise<unknown>) =>
    checkRunner({
      jobs: { submit } as unknown as Parameters<typeof checkRunner>[0]['jobs'],
      store: {
        start: async (about: unknown) => {
          written.push(about);
          return { id: 'r1', done: async (r: unknown) => written.push(r), failed: async (e: Error) => written.push(e.message) };
        },
      } as unknown as Parameters<typeof checkRunner>[0]['store'],
      changed: () => changes++,
    });
  const ask = { path: '/w/assay.json', only: ['a'], device: 'cpu' as const, seed: 0 };
  const { run } = await runner(async () => suite).run(ask, 'assay.json', {});
  assert.equal(run, 'r1');
  assert.deepEqual(written, [
    { kind: 'suite', title: 'a', subject: 'assay.json', request: ask },
    { reports: [], suite },
  ]);
  const stopped = new Fault('job/stopped', {});
  await assert.rejects(runner(() => Promise.reject(stopped)).run({ ...ask, only: ['a', 'b'] }, 'assay.json', {}), stopped);
  assert.deepEqual(written.slice(2), [
    { kind: 'suite', title: 'Suite', subject: 'assay.json', request: { ...ask, only: ['a', 'b'] } },
    stopped.message,
  ]);
  assert.equal(changes, 4);
});
