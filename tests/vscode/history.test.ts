import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run, RunRecord } from '../../src/jobs/store.ts';
import type { Report } from '../../src/report/report.ts';
import type { CheckResult } from '../../src/report/tasks.ts';
import { history, verdictsIn } from '../../src/vscode/history.ts';
import { readSuite } from '../../src/vscode/suite.ts';

const reportOf = (name: string): Report =>
  ({
    id: 'reliability',
    headline: { [name]: 0.2 },
    cards: [
      { kind: 'text', title: 'Verdict' },
      { kind: 'number', title: 'Numbers', values: [{ name, label: name, value: 0.2, unit: 'none' }] },
    ],
  }) as unknown as Report;
const check = (name: string, status: CheckResult['status'], report?: Report): CheckResult => ({
  name,
  status,
  sentence: `${name} ${status}`,
  gates: report ? [{ name: 'ece', holds: status === 'passed', actual: 0.2, expected: { max: 0.1 }, sentence: '' }] : [],
  seconds: 1,
  ...(report ? { report } : {}),
});
const about = { status: 'done', startedAt: '', subject: '', reports: [] } as const;
const suiteRun = (id: string, limit?: number): RunRecord => ({
  ...about,
  id,
  kind: 'suite',
  title: 'Suite',
  request: { path: '/w/assay.json', ...(limit === undefined ? {} : { limit }) },
});

test('links lead to the card that tells a gate; reports are counted without the checks that have none', () => {
  const found = verdictsIn([check('none', 'skipped'), check('a', 'failed', reportOf('ece')), check('b', 'failed', reportOf('other'))]);
  assert.deepEqual(
    found.map(({ name, focus, verdict }) => [name, focus, verdict.gates.map((gate) => gate.focus)]),
    [
      ['none', undefined, []],
      ['a', '0:1', ['0:1']],
      // No card of numbers names it: the first.
      ['b', '1:0', ['1:0']],
    ],
  );
});

test('the newest result of each check counts, a limited run says so, and a check that only failed to run is told too', async () => {
  const results = new Map<string, readonly CheckResult[]>([
    ['new', [check('calibrated', 'error')]],
    ['quick', [check('accurate', 'passed', reportOf('ece'))]],
    ['old', [check('calibrated', 'passed', reportOf('ece')), check('accurate', 'failed', reportOf('ece'))]],
  ]);
  const kept = history({
    list: async () => ({ runs: [suiteRun('new'), suiteRun('quick', 200), suiteRun('old')], unreadable: [] }),
    read: async (id) => ({ result: { reports: [], suite: { path: '', checks: results.get(id) ?? [] } } }) as unknown as Run,
  });
  const text = `{ "checks": [ { "name": "calibrated", "run": "reliability", "data": "d" }, { "name": "accurate", "run": "reliability", "data": "d" } ] }`;
  const { checks } = await kept.last('/w/assay.json', readSuite(text));
  assert.deepEqual([checks.get('calibrated')?.run, checks.get('calibrated')?.verdict?.status], ['new', 'error']);
  assert.equal(checks.get('accurate')?.run, 'quick');
  assert.match(checks.get('accurate')?.text ?? '', /ece 0\.2 \(first 200 rows\)$/);
});

test('a file has the newest result of a diagnostic that read it, or of the training that wrote it', async () => {
  const reports = [{ id: 'reliability', title: 'Reliability', outcome: 'measured' as const, headline: { ece: 0.1 } }];
  const runs: readonly RunRecord[] = [
    {
      ...about,
      id: 'failed',
      kind: 'run',
      title: 'x',
      status: 'failed',
      request: { model: { path: '/w/m.onnx' }, data: { path: '/w/d.npz' } },
    },
    {
      ...about,
      id: 'run',
      kind: 'run',
      title: 'Reliability',
      reports,
      request: { model: { path: '/w/m.onnx' }, data: { path: '/w/d.npz' } },
    },
    { ...about, id: 'train', kind: 'train', title: 'Train', reports, request: { out: '/w/t.onnx' } },
    { ...about, id: 'older', kind: 'run', title: 'Old', reports, request: { data: { path: '/w/d.npz' } } },
  ];
  const last = await history({
    list: async () => ({ runs, unreadable: [] }),
    read: () => Promise.reject(new Error('not needed')),
  }).lastOf();
  assert.deepEqual(
    [last('/w/m.onnx')?.run, last('/w/d.npz')?.run, last('/w/t.onnx')?.run, last('/w/none')],
    ['run', 'run', 'train', undefined],
  );
  assert.equal(last('/w/m.onnx')?.text, 'Reliability: ece 0.1');
});
