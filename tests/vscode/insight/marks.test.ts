import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attribution } from '../../../src/report/tasks.ts';
import { cellsOf } from '../../../src/vscode/insight/cells.ts';
import { cellMarks, textMarks } from '../../../src/vscode/insight/marks.ts';
import { escaped, markHover, statusOf, statusTooltip, strongestOf } from '../../../src/vscode/insight/wording.ts';

const attribution = (over: Partial<Attribution>): Attribution => ({
  row: -1,
  position: -1,
  count: 1,
  shown: { kind: 'tokens', words: ['a', 'b', 'c'] },
  values: Float32Array.of(1, -2, 1),
  outliers: 0,
  classes: ['ham', 'spam'],
  probs: [0.25, 0.75],
  prediction: 1,
  target: 1,
  method: 'gradient-input',
  layers: [],
  facts: [
    { label: 'Baseline', value: 'zero' },
    { label: 'Device', value: 'cpu' },
  ],
  notes: [],
  ...over,
});

test('tokens become marks: parts of one place add up, those of a template have none, shares are of all attribution', () => {
  const a = attribution({
    values: Float32Array.of(0.5, 1, 1, -2, 0.5),
    placed: { kind: 'text', ranges: [null, [0, 2], [0, 2], [3, 6], null], tokens: 5 },
  });
  const found = textMarks(a, 10);
  assert.deepEqual(
    found?.marks.map(({ from, to, score, share, step }) => [from, to, score, share, step]),
    [
      [0, 2, 2, 0.4, 8],
      [3, 6, -2, 0.4, -8],
    ],
  );
  assert.deepEqual([found?.seenTo, found?.tokens], [10, { seen: 5, all: 5 }]);
  const cut = textMarks(
    {
      ...a,
      placed: {
        kind: 'text',
        ranges: [
          [0, 2],
          [3, 6],
        ],
        tokens: 9,
      },
    },
    10,
  );
  assert.deepEqual([cut?.seenTo, cut?.tokens], [6, { seen: 2, all: 9 }]);
  assert.equal(textMarks(attribution({}), 3), undefined);
});

test('cells become marks with column, input and baseline', () => {
  const text = 'id,"1.5",2,spam';
  const cells = cellsOf(text, { from: 0, to: text.length }, ',');
  const placed = {
    kind: 'fields',
    fields: [1, 2],
    values: Float32Array.of(-1, 0.5),
    inputs: Float32Array.of(1.5, 4),
    baseline: Float32Array.of(1, 3),
  } as const;
  const found = cellMarks(attribution({ placed, values: Float32Array.of(-1, 0.5) }), cells, ['id', 'a', 'b', 'y']);
  assert.deepEqual(
    found?.marks.map(({ from, to, step, cell }) => [text.slice(from, to), step, cell]),
    [
      ['"1.5"', -8, { column: 'a', value: '1.5', input: 1.5, baseline: 1 }],
      ['2', 4, { column: 'b', value: '2', input: 4, baseline: 3 }],
    ],
  );
});

test('tokens of a quoted cell stand where the text has them, doubled quotes and all', () => {
  const text = 'x,"say ""free"" now",1';
  const cells = cellsOf(text, { from: 0, to: text.length }, ',');
  assert.equal(cells[1].value, 'say "free" now');
  const placed = {
    kind: 'text',
    field: 1,
    tokens: 3,
    ranges: [
      [0, 3],
      [5, 9],
      [11, 14],
    ],
  } as const;
  const found = cellMarks(attribution({ placed }), cells, []);
  assert.deepEqual(
    found?.marks.map(({ from, to }) => text.slice(from, to)),
    ['say', 'free', 'now'],
  );
});

test('hovers say number, class, share and token in words, with nothing taken for Markdown', () => {
  const a = attribution({});
  const mark = { from: 0, to: 1, score: -2, share: 0.5, step: -8 };
  const hover = markHover(mark, '*b*', a, 'sms_2', 'Gradient × Input');
  assert.match(hover, /^\*\*-2\*\* against \*\*spam\*\* · 50\.0 % of all attribution/);
  assert.match(hover, /token \*\*\\\*b\\\*\*\*/);
  assert.match(hover, /sms\\_2/);
  const cell = markHover(
    { ...mark, score: 1, cell: { column: 'area', value: '0.1', input: Math.fround(0.1), baseline: 2.5 } },
    '"0.1"',
    a,
    'm',
    'IG',
  );
  assert.match(cell, /\*\*\+1\*\* for \*\*spam\*\*/);
  assert.match(cell, /area = \*\*0\\\.1\*\* · baseline 2\\\.5/);
  assert.match(markHover({ ...mark, cell: { column: 'area', value: '3', input: 0.3 } }, '3', a, 'm', 'IG'), /the model is given 0\\\.3/);
  assert.match(markHover(mark, 'b', attribution({ classes: [] }), 'm', 'IG'), /lowers the output/);
  assert.match(
    markHover({ ...mark, score: 2 }, 'b', attribution({ values: Float32Array.of(1, 2) }), 'm', 'Saliency'),
    /strength for \*\*spam\*\*/,
  );
  assert.equal(escaped('[a](b)\n<c>'), '\\[a\\]\\(b\\) \\<c\\>');
});

test('the status bar names model, class and what was left out', () => {
  const a = attribution({});
  assert.equal(statusOf('sms', a, { tokens: { seen: 3, all: 3 } }, false, ''), '$(eye) sms: spam 75.0 %');
  assert.equal(statusOf('sms', a, { tokens: { seen: 3, all: 90 } }, false, ''), '$(eye) sms: spam 75.0 % · first 3 of 90 tokens');
  assert.equal(statusOf('m', attribution({ classes: ['0', '1'] }), {}, false, ''), '$(eye) m: class 1 75.0 %');
  assert.match(statusOf('sms', a, { tokens: { seen: 3, all: 90 } }, true, ''), /first 3 of more than 90 tokens$/);
  assert.equal(statusOf('m', attribution({ classes: [], probs: [] }), {}, false, 'row 2'), '$(eye) m: output · row 2');
  const tooltip = statusTooltip('sms', 'IG', a, { tokens: { seen: 3, all: 90 } }, false);
  assert.match(tooltip, /predicted \*\*spam\*\* at 75\\\.0 %/);
  assert.match(tooltip, /the rest is faded/);
});

test('without a picture the strongest parts are told', () => {
  const shown = { kind: 'bars', what: 'Input', names: ['a', 'b', 'c'], inputs: Float32Array.of(7, 8, 9) } as const;
  assert.deepEqual(strongestOf(attribution({ shown }), 2), ['b = 8: **-2**', 'a = 7: **+1**']);
});
