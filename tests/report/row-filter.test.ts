import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnsOf, type FilterColumn, filterName, filterText, parseFilter, type RowFilter } from '../../src/report/row-filter.ts';
import { type ColumnValues, rowTest } from '../../src/report/row-test.ts';

const columns: readonly FilterColumn[] = [
  { name: 'row', kind: 'number', size: 1 },
  { name: 'label', kind: 'class', size: 1, classes: ['cat', 'dog', 'red fox'] },
  { name: 'prediction', kind: 'class', size: 1, classes: ['cat', 'dog', 'red fox'] },
  { name: 'confidence', kind: 'number', size: 1 },
  { name: 'text', kind: 'text', size: 1 },
  { name: 'spam', kind: 'truth', size: 1 },
  { name: 'x', kind: 'numbers', size: 3 },
  { name: 'long name', kind: 'number', size: 1 },
];
const x = [0, 1, 2, 3, 4, 5];
const held: Readonly<Record<string, ColumnValues>> = {
  row: { kind: 'numbers', values: x },
  label: { kind: 'numbers', values: [0, 1, 2, 2, Number.NaN, 0], names: ['cat', 'dog', 'red fox'] },
  prediction: { kind: 'numbers', values: [0, 2, 2, 1, 1, 0], names: ['cat', 'dog', 'red fox'] },
  confidence: { kind: 'numbers', values: [0.9, 0.5, 0.61, 0.3, 0.2, Number.NaN] },
  text: { kind: 'text', values: ['cat', 'a dog', '', 'Say "hi"', 'dog', '2'] },
  spam: { kind: 'numbers', values: [1, 0, 0, 1, 0, 1] },
  'long name': { kind: 'numbers', values: [1, -2, 3e3, 0.5, 0, 6] },
};
const parsed = (text: string): RowFilter => {
  const found = parseFilter(text, columns);
  assert.ok('filter' in found, `${text}: ${'problem' in found ? `${found.at} ${found.problem}` : ''}`);
  return found.filter;
};
const rowsOf = (text: string): readonly number[] => {
  const holds = rowTest(parsed(text), ({ name, index }) =>
    index === undefined ? held[name] : { kind: 'numbers', values: x.map((i) => i * 10 + index) },
  );
  return x.filter(holds);
};

test('expressions keep the rows that they say', () => {
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ['label=2 && confidence<0.6', [3]],
    ['label = "red fox"', [2, 3]],
    ['"cat" = label', [0, 5]],
    ['label != prediction', [1, 3]],
    ['label == prediction and not spam', [2]],
    ['!(label = 0)', [1, 2, 3, 4]],
    ['label != 0', [1, 2, 3]],
    ['confidence >= .5 || label is missing', [0, 1, 2, 4]],
    ['confidence is not missing', [0, 1, 2, 3, 4]],
    ['text is missing', [2]],
    ['label in (0, "dog")', [0, 1, 5]],
    ['label not in (0, 1)', [2, 3, 4]],
    ['text in ("cat", "dog")', [0, 4]],
    ['text contains "DOG"', [1, 4]],
    ['text ~ "\\"hi\\""', [3]],
    ["text = 'dog'", [4]],
    ['text = 2', [5]],
    ['text = label', [0]],
    ['spam', [0, 3, 5]],
    ['spam = true', [0, 3, 5]],
    ['!spam', [1, 2, 4]],
    ['x[2] > 30', [3, 4, 5]],
    ['`long name` > 2.5e0', [2, 5]],
    ['`long name` = -2', [1]],
    ['row < 2 or row > 4', [0, 1, 5]],
    ['row < 2 && spam || row = 4', [0, 4]],
    ['row = 4 || row < 2 && spam', [0, 4]],
    ['(row = 4 || row < 2) && spam', [0]],
    ['text < "d"', [0, 1, 3, 5]],
  ];
  for (const [text, rows] of cases) assert.deepEqual(rowsOf(text), rows, text);
});

test('what is wrong is said with its place, and what is known', () => {
  const cases: readonly (readonly [string, number, RegExp])[] = [
    ['', 0, /a column, a number or a text .* not the end/],
    ['lable = 3', 0, /no column 'lable'\. Did you mean 'label'\? Columns: row, label, prediction/],
    ['label = cat', 8, /no column 'cat'\..*A text is written in quotes: "cat"/],
    ['label = "cta"', 8, /no class of 'label'\. Did you mean 'cat'\? Classes: cat, dog, red fox/],
    ['confidence = "high"', 13, /'confidence' holds numbers/],
    ['label = 3 confidence', 10, /'confidence' is not expected here; join conditions with && or \|\|/],
    ['(label = 3', 10, /'\)' is due here, not the end/],
    ['label', 5, /a comparison such as = or < is due here/],
    ['label in 3', 9, /'\(' is due here, not '3'/],
    ['label in (confidence)', 10, /a number or a text/],
    ['label is 3', 9, /'missing' is due here/],
    ['x > 3', 0, /holds 3 values a row; name one of them, as in x\[0\]/],
    ['x[3] > 3', 2, /a place from 0 to 2/],
    ['label[0] > 3', 6, /a single value/],
    ['text = "abc', 7, /never closed/],
    ['label = 3 & spam', 10, /'&' means nothing here/],
    ['3 = 4', 0, /one side must be a column/],
    ['confidence contains "a"', 0, /no text to look into/],
    ['text > 3', 7, /have no order/],
    ['3abc = label', 0, /'3' means nothing/],
  ];
  for (const [text, at, problem] of cases) {
    const found = parseFilter(text, columns);
    assert.ok('problem' in found, text);
    assert.equal(found.at, at, `${text}: ${found.problem}`);
    assert.match(found.problem, problem);
  }
});

test('columns that are read are named once; names and texts are written so that they are read again', () => {
  const filter = parsed('x[0] > 1 && (x[0] < 3 || x[1] = label) && text is missing');
  assert.deepEqual(
    columnsOf(filter).map(({ name, index }) => [name, index]),
    [
      ['x', 0],
      ['x', 1],
      ['label', undefined],
      ['text', undefined],
    ],
  );
  const name = fc.string({ minLength: 1 }).filter((s) => !s.includes('`'));
  fc.assert(
    fc.property(name, fc.string(), (column, text) => {
      const found = parseFilter(`${filterName(column)} = ${filterText(text)}`, [{ name: column, kind: 'text', size: 1 }]);
      assert.deepEqual(found, {
        filter: { kind: 'compare', operator: '=', left: { kind: 'column', name: column }, right: { kind: 'text', value: text } },
      });
    }),
  );
});

test('no text throws anything but a place inside it', () => {
  const words = fc.constantFrom(
    'label',
    '=',
    '(',
    ')',
    '&&',
    '||',
    '!',
    'in',
    'is',
    'missing',
    '3',
    '"a"',
    'x',
    '[',
    ']',
    ',',
    '~',
    'not',
    'zz',
    '`',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(words).map((list) => list.join(' ')),
      ),
      (text) => {
        const found = parseFilter(text, columns);
        assert.ok('filter' in found || (found.at >= 0 && found.at <= text.length && found.problem.length > 0));
      },
    ),
  );
});
