import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { fromJson, toJson } from '../../src/report/json.ts';
import type { Report } from '../../src/report/report.ts';
import { reportText, sampleReport } from './fixtures.ts';

for (const name of ['every-kind', 'unavailable', 'stopped']) {
  test(`${name}: reading what was written changes nothing`, () => {
    const report = sampleReport(name);
    assert.deepEqual(report, JSON.parse(reportText(name)));
    assert.deepEqual(fromJson(toJson(report)), report);
    assert.equal(toJson(fromJson(toJson(report))), toJson(report));
  });
}

const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, shuffled(item)]),
  );
};

test('keys are written in the order of the schema, whatever order they were made in', () => {
  const known = sampleReport('every-kind').cards.slice(0, -1);
  const { headline, intervals, provenance, ...rest } = { ...sampleReport('every-kind'), cards: [] };
  const report = {
    ...(shuffled(rest) as typeof rest),
    cards: known.map((card) => shuffled(card) as typeof card),
    provenance,
    intervals,
    headline,
  };
  assert.notEqual(JSON.stringify(report), JSON.stringify({ ...sampleReport('every-kind'), cards: known }));
  // Maps keep the order they were made in; what has a shape does not.
  assert.equal(toJson(report), toJson({ ...sampleReport('every-kind'), cards: known }));
});

test('nothing that is not a number is written, and the report says what was left out', () => {
  const report = sampleReport('every-kind');
  const bad: Report = {
    ...report,
    headline: { accuracy: 0.5, ece: Number.NaN },
    intervals: { accuracy: { low: Number.NaN, high: 1, level: 0.95, method: 'Wilson' } },
    samples: [{ row: 1, confidence: Number.NaN }],
    cards: [
      {
        kind: 'number',
        title: 'N',
        values: [{ name: 'a', label: 'a', value: Number.POSITIVE_INFINITY, unit: 'none', reference: Number.NaN }],
      },
      {
        kind: 'curve',
        title: 'C',
        x: { label: 'x', unit: 'none', min: Number.NaN },
        y: { label: 'y', unit: 'none' },
        lines: [
          {
            name: 'l',
            points: [
              [0, 1],
              [1, Number.NaN],
              [2, 3],
            ],
            intervals: [[0, 1], null, [2, Number.NaN]],
          },
        ],
      },
      {
        kind: 'heatmap',
        title: 'H',
        rows: { label: 'r', names: ['a'] },
        columns: { label: 'c', names: ['b'] },
        layers: [{ name: 'l', unit: 'none', values: [Number.NaN] }],
      },
      {
        kind: 'scatter',
        title: 'S',
        x: { label: 'x', unit: 'none' },
        y: { label: 'y', unit: 'none' },
        groups: [
          {
            name: 'g',
            points: [
              [Number.NaN, 1],
              [2, 2],
            ],
            rows: [5, 6],
          },
        ],
      },
    ],
  };
  const read = fromJson(toJson(bad));
  assert.deepEqual(read.headline, { accuracy: 0.5 });
  assert.deepEqual(read.intervals, {});
  assert.deepEqual(read.samples, [{ row: 1 }]);
  assert.deepEqual(read.cards[1].kind === 'curve' && read.cards[1].lines[0], {
    name: 'l',
    points: [
      [0, 1],
      [2, 3],
    ],
    intervals: [[0, 1], null],
  });
  assert.deepEqual(read.cards[3].kind === 'scatter' && read.cards[3].groups[0], { name: 'g', points: [[2, 2]], rows: [6] });
  assert.deepEqual(read.notes.slice(report.notes.length), [
    "1 value of 'N' was not finite and left out.",
    "2 values of 'C' were not finite and left out.",
    "1 value of 'H' was not finite and left out.",
    "1 value of 'S' was not finite and left out.",
  ]);
});

test('a report of a newer schema keeps what is known and notes the rest', () => {
  const report = sampleReport('newer');
  assert.deepEqual(
    report.cards.map((card) => card.kind as string),
    ['number', 'radar'],
  );
  assert.match(report.notes.join('\n'), /schema 2 by a newer version/);
  assert.match(report.notes.join('\n'), /Card 'Polar curve' \(curve\)/);
  assert.equal((report as unknown as { mood: string }).mood, 'fine', 'unknown keys are kept');
});

const every = JSON.parse(reportText('every-kind')) as Record<string, unknown> & { cards: Record<string, unknown>[] };
const without = (key: string): string => JSON.stringify({ ...every, [key]: undefined });
const refused: readonly (readonly [string, string, RegExp])[] = [
  ['text that is not JSON', '{', /'r\.json' is not a readable report: it is not JSON/],
  ['a list', '[]', /the file must be an object/],
  ['no title', without('title'), /title must be present/],
  ['a number as title', JSON.stringify({ ...every, title: 3 }), /title must be text/],
  ['an unknown outcome', JSON.stringify({ ...every, outcome: 'fine' }), /outcome must be one of measured, unavailable, failed, stopped/],
  ['a card without a kind', JSON.stringify({ ...every, cards: [{ title: 'x' }] }), /cards\[0\] must be a card with a kind/],
  [
    'a card of the wrong shape',
    JSON.stringify({ ...every, cards: [{ ...every.cards[1], edges: ['a'] }] }),
    /cards\[0\]\.edges\[0\] must be a finite number/,
  ],
  ['a null headline number', JSON.stringify({ ...every, headline: { ece: null } }), /headline\.ece must be a finite number/],
];
for (const [what, text, sentence] of refused) {
  test(`${what} is refused in one sentence that names the place`, () => {
    assert.throws(
      () => fromJson(text, 'r.json'),
      (error) => Fault.is(error, 'report/unreadable') && sentence.test(error.message),
    );
  });
}
