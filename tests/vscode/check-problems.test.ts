import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkProblems } from '../../src/vscode/authoring/check-problems.ts';
import type { LastResult, Verdict } from '../../src/vscode/history.ts';

const text = `{ "checks": [
  { "name": "calibrated", "run": "reliability", "data": "d", "expect": { "ece": { "max": 0.05 }, "nll": { "max": 1 } } }
] }`;
const gate = (name: string, holds: boolean, max: number): Verdict['gates'][number] => ({
  name,
  holds,
  actual: 0.2,
  expected: { max },
  sentence: `${name} is 0.2.`,
  focus: '0:1',
});
const last = (verdict: Verdict): ReadonlyMap<string, LastResult> =>
  new Map([['calibrated', { text: '', run: 'r', focus: '0:0', verdict }]]);

test('a broken gate is a problem at its line, with the card that tells of it', () => {
  const [problem, ...others] = checkProblems(
    text,
    last({ status: 'failed', sentence: '', gates: [gate('ece', false, 0.05), gate('nll', true, 1)] }),
  );
  assert.deepEqual(others, []);
  assert.equal(text.slice(problem.from, problem.to), '"ece": { "max": 0.05 }');
  assert.deepEqual([problem.message, problem.severity, problem.run, problem.focus], ['calibrated: ece is 0.2.', 'warning', 'r', '0:1']);
});

test('it goes away when the check holds again, or when the gate is another', () => {
  assert.deepEqual(checkProblems(text, last({ status: 'passed', sentence: '', gates: [gate('ece', true, 0.05)] })), []);
  assert.deepEqual(checkProblems(text, last({ status: 'failed', sentence: '', gates: [gate('ece', false, 0.01)] })), []);
  assert.deepEqual(checkProblems(text, last({ status: 'skipped', sentence: 'No labels.', gates: [] })), []);
  assert.deepEqual(checkProblems(text, new Map()), []);
});

test('a check that could not run is an error at its diagnostic', () => {
  const [problem] = checkProblems(text, last({ status: 'error', sentence: 'There is no such file.', gates: [] }));
  assert.equal(text.slice(problem.from, problem.to), '"reliability"');
  assert.deepEqual([problem.severity, problem.message], ['error', 'There is no such file.']);
});
