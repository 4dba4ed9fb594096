import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toCsv } from '../../src/report/csv.ts';
import { toHtml } from '../../src/report/html.ts';
import type { Card, CardKind, Report, TableCard } from '../../src/report/report.ts';
import { twins, twinsOf } from '../../src/report/twin.ts';
import { verdictsOf } from '../../src/report/verdict.ts';
import { golden, sampleReport } from './fixtures.ts';

const assets = { script: 'const page = "</script><!--";', style: 'body::after{content:"</style>"}' };

test('structure as reviewed', () => {
  const html = toHtml([sampleReport('every-kind'), sampleReport('unavailable')], assets);
  const noscript = html.slice(html.indexOf('<noscript>'), html.indexOf('</noscript>'));
  golden('structure.html', `${noscript.replace(/(<(?:article|h2|h3|section|table|tr|dl|ul|li|p|pre))/g, '\n$1')}\n`);
});

test('nothing of a report or of the bundle ends its element early', () => {
  const nasty = '</script><script>alert(1)</script><!-- </noscript></style>\u2028';
  const report: Report = {
    ...sampleReport('stopped'),
    title: nasty,
    question: nasty,
    guide: nasty,
    notes: [nasty],
    headline: { [nasty]: 1 },
    reason: { code: nasty, sentence: nasty },
  };
  const html = toHtml([report], assets);
  const count = (needle: string): number => html.split(needle).length - 1;
  assert.equal(count('</script>'), 2, 'the data and the bundle');
  assert.equal(count('</style>'), 1);
  assert.equal(count('</noscript>'), 1);
  assert.equal(count('<script>alert'), 0);
  const json = html.slice(html.indexOf('id="assay-report">') + 18, html.indexOf('</script>'));
  assert.equal((JSON.parse(json) as { reports: Report[] }).reports[0].title, nasty);
});

test('the file asks nothing of the network', () => {
  const html = toHtml([sampleReport('every-kind')], { script: '', style: '' });
  assert.match(html, /default-src 'none'/);
  assert.ok(!/(?:src|href)="/.test(html));
  assert.ok(!/https?:\/\//.test(html));
});

test('every known card has a table twin whose rows fit its columns', () => {
  const cards = sampleReport('every-kind').cards;
  const kinds = new Set<string>(cards.map((card) => card.kind));
  for (const kind of Object.keys(twins) as CardKind[]) assert.ok(kinds.has(kind), `the sample report shows a ${kind} card`);
  for (const card of cards) {
    const tables = twinsOf(card);
    if (!Object.hasOwn(twins, card.kind)) assert.equal(tables, null);
    for (const table of tables ?? [])
      for (const row of table.rows) assert.equal(row.length, table.columns.length, `${card.title}: ${table.title}`);
  }
});

test('CSV: RFC 4180, unrounded, intervals in two columns', () => {
  const table: TableCard = {
    kind: 'table',
    title: 't',
    columns: [
      { name: 'a', label: 'Name, "quoted"', type: 'text' },
      { name: 'b', label: 'Value', type: 'number', unit: 'fraction' },
      { name: 'c', label: '95%', type: 'interval', unit: 'fraction' },
    ],
    rows: [
      ['x,y', 0.123456789012345, [0.1, 0.2]],
      ['line\nbreak', null, null],
    ],
  };
  assert.equal(toCsv(table), '"Name, ""quoted""",Value,"95%, low","95%, high"\r\n"x,y",0.123456789012345,0.1,0.2\r\n"line\nbreak",,,\r\n');
});

test('a matrix of many classes is listed cell by cell', () => {
  const names = Array.from({ length: 60 }, (_, i) => String(i));
  const card: Card = {
    kind: 'heatmap',
    title: 'h',
    rows: { label: 'label', names },
    columns: { label: 'prediction', names },
    layers: [{ name: 'counts', unit: 'count', values: Array.from({ length: 3600 }, (_, i) => (i === 61 ? 7 : 0)) }],
  };
  assert.deepEqual(twinsOf(card)?.[0].rows, [['1', '1', 7]]);
});

test('a suite says its verdicts first, each with the place of its report', () => {
  const report = sampleReport('unavailable');
  const { reports, verdicts } = verdictsOf([
    { name: 'a', status: 'error', sentence: 'no such dataset', gates: [], seconds: 0 },
    { name: 'b', status: 'skipped', sentence: 'no <labels>', gates: [], seconds: 1, report },
  ]);
  assert.deepEqual(reports, [report]);
  assert.deepEqual(verdicts, [
    { name: 'a', status: 'error', sentence: 'no such dataset' },
    { name: 'b', status: 'skipped', sentence: 'no <labels>', report: 0 },
  ]);
  const html = toHtml(reports, { script: '', style: '' }, { title: 'Suite', checks: verdicts });
  assert.match(html, /<li>skipped: b\. no &lt;labels&gt;<\/li>/);
  const json = html.slice(html.indexOf('id="assay-report">') + 18, html.indexOf('</script>'));
  assert.deepEqual((JSON.parse(json) as { checks: unknown }).checks, verdicts);
});
