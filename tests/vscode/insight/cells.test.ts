import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cellsOf, rowAt, rowStarts } from '../../../src/vscode/insight/cells.ts';

/** Rows of a text as their values, and each value as it is cut out of the text by its own places. */
const table = (text: string, separator = ','): { readonly values: string[][]; readonly cut: string[][] } => {
  const starts = rowStarts(text, separator);
  const rows = starts.slice(0, -1).map((start) => cellsOf(text, rowAt(text, starts, start) ?? { from: 0, to: 0 }, separator));
  return {
    values: rows.map((cells) => cells.map(({ value }) => value)),
    cut: rows.map((cells) => cells.map(({ value, at }) => Array.from({ length: value.length }, (_, k) => text[at(k)]).join(''))),
  };
};

test('fields stand where they are: quotes, doubled quotes, line ends inside them, empty fields, CRLF, blank lines', () => {
  const text = 'a,"b ""c"" d",\r\n\r\n"x\r\ny",,2\n\n"last, one",1,';
  const { values, cut } = table(text);
  assert.deepEqual(values, [
    ['a', 'b "c" d', ''],
    ['x\r\ny', '', '2'],
    ['last, one', '1', ''],
  ]);
  assert.deepEqual(cut, values);
  const starts = rowStarts(text, ',');
  assert.deepEqual(
    starts.slice(0, -1).map((from) => text.slice(from, from + 2)),
    ['a,', '"x', '"l'],
  );
  const [, second] = cellsOf(text, { from: 0, to: text.indexOf('\r') }, ',');
  assert.equal(text.slice(second.from, second.to), '"b ""c"" d"');
});

test('other separators, emoji, a quote that is never closed, nothing at all', () => {
  assert.deepEqual(table('é😀\t1\n"a\tb"\t2', '\t').values, [
    ['é😀', '1'],
    ['a\tb', '2'],
  ]);
  assert.deepEqual(table('a;b,c', ';').values, [['a', 'b,c']]);
  assert.deepEqual(table('a,"b\nc').values, [['a', 'b\nc']]);
  assert.deepEqual(table('').values, []);
  assert.deepEqual(table('\r\n\n').values, []);
  assert.deepEqual(table('x').values, [['x']]);
});

test('the row of an offset: at its ends, between rows, behind the last', () => {
  const text = 'ab,c\r\n\r\nd,"e\nf"\n';
  const starts = rowStarts(text, ',');
  const at = (offset: number): number | undefined => rowAt(text, starts, offset)?.index;
  assert.deepEqual([at(0), at(4), at(8), at(13)], [0, 0, 1, 1]);
  // The blank line and what is behind the end belong to no row.
  assert.deepEqual([at(6), at(text.length)], [undefined, undefined]);
  assert.equal(rowAt('', [0], 0), undefined);
});

test('what is written as RFC 4180 is read as it was, from every offset of its row', () => {
  const field = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', '\r\n', ' ', '😀', 'é') });
  const rows = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(rows, fc.constantFrom('\n', '\r\n'), (given, end) => {
      const quoted = (value: string): string => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
      const text = given.map((row) => row.map(quoted).join(',')).join(end) + end;
      const { values, cut } = table(text);
      assert.deepEqual(values, given);
      assert.deepEqual(cut, given);
      const starts = rowStarts(text, ',');
      starts.slice(0, -1).forEach((start, k) => {
        const row = rowAt(text, starts, start);
        for (let offset = start; row && offset <= row.to; offset++) assert.equal(rowAt(text, starts, offset)?.index, k);
      });
    }),
  );
});
