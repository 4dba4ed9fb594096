import assert from 'node:assert/strict';
import { test } from 'node:test';
import { widthOf } from '../../src/report/grid.ts';
import { cardMarkdown, toMarkdown } from '../../src/report/markdown.ts';
import type { Card, HeatmapCard, Report } from '../../src/report/report.ts';
import { toText } from '../../src/report/text.ts';
import { golden, sampleReport } from './fixtures.ts';

for (const name of ['every-kind', 'unavailable', 'stopped']) {
  test(`${name}: text as reviewed`, () => golden(`${name}.txt`, toText(sampleReport(name), { width: 100 })));
}
test('every-kind: Markdown as reviewed', () => golden('every-kind.md', toMarkdown(sampleReport('every-kind'))));

const longest = (text: string): number => Math.max(...text.split('\n').map(widthOf));
for (const width of [60, 80, 100]) {
  test(`no line is wider than a terminal of ${width} columns`, () => {
    const lines = toText(sampleReport('every-kind'), { width }).split('\n');
    for (const line of lines) assert.ok(widthOf(line) <= width, `${widthOf(line)}: ${line}`);
  });
}

test('colour is off unless asked for, and changes nothing else', () => {
  const report = sampleReport('stopped');
  const plain = toText(report);
  assert.ok(!plain.includes('\u001b'));
  const coloured = toText(report, { colour: true });
  assert.ok(coloured.includes('\u001b[31m'));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences are what is removed
  assert.equal(coloured.replace(/\u001b\[\d+m/g, ''), plain);
});

const classes = (n: number): HeatmapCard => {
  const names = Array.from({ length: n }, (_, i) => `class ${i}`);
  const values: number[] = names.flatMap((_, r) => names.map((__, c): number => (r === c ? 50 : (r * 7 + c * 3) % 5 === 0 ? 1 : 0)));
  values[3 * n + 4] = 9;
  return {
    kind: 'heatmap',
    title: 'Confusion matrix',
    diagonal: true,
    rows: { label: 'label', names },
    columns: { label: 'prediction', names },
    layers: [{ name: 'counts', unit: 'count', values }],
  };
};
const withCards = (...cards: Card[]): Report => ({ ...sampleReport('unavailable'), outcome: 'measured', cards });

test('a thousand classes are summed up by the largest confusions, not printed', () => {
  const report = withCards(classes(1000));
  const text = toText(report);
  assert.match(text, /1000 × 1000 cells of counts, the largest off the diagonal/);
  assert.match(text, /class 3 +→ +class 4 +9/);
  assert.ok(text.split('\n').length < 40);
  const markdown = toMarkdown(report);
  assert.match(markdown, /\| class 3 \| class 4 \| 9 \|/);
  assert.ok(markdown.split('\n').length < 60);
});

test('long tables end with how much is left', () => {
  const card: Card = {
    kind: 'table',
    title: 'T',
    columns: [{ name: 'a', label: 'A', type: 'number', unit: 'count' }],
    rows: Array.from({ length: 5000 }, (_, i) => [i]),
  };
  assert.match(toText(withCards(card)), /… 4,980 more rows/);
  assert.match(cardMarkdown(card), /4,960 more rows/);
});

test('labels cannot break lines, tables or the terminal', () => {
  const card: Card = {
    kind: 'bars',
    title: 'B',
    x: { label: 'x', unit: 'none' },
    y: { label: 'y', unit: 'count' },
    categories: ['a|b', '\u001b[2J', '漢字かな', '<b>&amp;'],
    series: [{ name: 'n', values: [1, 2, 3, 4] }],
  };
  const text = toText(withCards(card), { width: 60 });
  assert.ok(!text.includes('\u001b'));
  const starts = text.split('\n').flatMap((line) => (line.includes('█') ? [widthOf(line.slice(0, line.indexOf('█')))] : []));
  assert.equal(new Set(starts).size, 1, 'bars begin in one column, also after wide letters');
  const markdown = cardMarkdown(card);
  assert.match(markdown, /\| a\\\|b \| 1 \|/);
  assert.match(markdown, /\\<b\\>\\&amp;/);
});

test('empty cards are drawn without harm', () => {
  const axis = { label: 'x', unit: 'none' } as const;
  const report = withCards(
    { kind: 'number', title: 'n', values: [] },
    { kind: 'curve', title: 'c', x: axis, y: axis, lines: [{ name: 'l', points: [] }] },
    { kind: 'bars', title: 'b', x: axis, y: axis, categories: [], series: [{ name: 's', values: [] }] },
    { kind: 'heatmap', title: 'h', rows: { label: 'r', names: [] }, columns: { label: 'c', names: [] }, layers: [] },
    { kind: 'table', title: 't', columns: [], rows: [] },
    { kind: 'images', title: 'i', images: [] },
    { kind: 'scatter', title: 's', x: axis, y: axis, groups: [{ name: 'g', points: [] }] },
    { kind: 'text', title: 'x' },
    { kind: 'graph', title: 'g', nodes: [], edges: [] },
  );
  assert.ok(!/NaN|undefined|Infinity/.test(toText(report) + toMarkdown(report)));
  assert.ok(longest(toText(report)) <= 80);
});
