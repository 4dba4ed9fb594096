import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { format, formatBin, formatInterval, formatRange, intervalName, visible } from '../../src/report/format.ts';
import type { Unit } from '../../src/report/report.ts';

const cases: readonly (readonly [number | null, Unit, string])[] = [
  [0.975, 'fraction', '97.5 %'],
  [0.0123, 'fraction', '1.23 %'],
  [0.00123, 'fraction', '0.123 %'],
  [0.9986, 'fraction', '99.86 %'],
  [1, 'fraction', '100 %'],
  [0, 'fraction', '0 %'],
  [-0.0021, 'fraction', '-0.210 %'],
  [1.5, 'fraction', '150 %'],
  [2e-16, 'fraction', '2.0e-14 %'],
  [1797, 'count', '1,797'],
  [12.345, 'count', '12.35'],
  [0.11407, 'nats', '0.1141 nats'],
  [0.842, 'seconds', '842 ms'],
  [12.34, 'seconds', '12.3 s'],
  [200, 'seconds', '3 min 20 s'],
  [7260, 'seconds', '2 h 1 min'],
  [17_400_000, 'bytes', '17.4 MB'],
  [512, 'bytes', '512 B'],
  [3.1357, 'ms', '3.14 ms'],
  [0.001, 'none', '0.001'],
  [0.00001234, 'none', '1.23e-5'],
  [123456, 'none', '123,456'],
  [2.3027, 'none', '2.303'],
  [null, 'none', '–'],
  [Number.NaN, 'fraction', '–'],
  [Number.POSITIVE_INFINITY, 'none', '–'],
];

for (const [value, unit, text] of cases) {
  test(`${value} ${unit} reads ${text}`, () => assert.equal(format(value, unit), text));
}

test('an interval keeps as many decimals as its width needs', () => {
  assert.equal(formatRange(0.9528, 0.9867, 'fraction'), '95.3–98.7 %');
  assert.equal(formatRange(0.233, 0.8824, 'fraction'), '23–88 %');
  assert.equal(formatRange(-0.2, 0.35, 'none'), '-0.20 to 0.35');
  assert.equal(formatRange(3, 12, 'count'), '3–12');
  assert.equal(formatRange(0.5, 0.5, 'fraction'), '50.0 % – 50.0 %');
  assert.equal(formatRange(null, 0.5, 'fraction'), '–');
  assert.equal(formatInterval({ low: 0.1, high: 0.2, level: 0.95, method: 'Wilson' }, 'none'), '0.10–0.20');
  assert.equal(intervalName({ low: 0, high: 1, level: 0.999, method: 'bootstrap' }), '99.9 % bootstrap');
  assert.equal(formatBin(14 / 15, 1, 'fraction'), '0.933–1.000');
});

test('a fraction never reads as certain, or as nothing, unless it is', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }), (value) => {
      const text = format(value, 'fraction');
      return Number.parseFloat(text) > 0 && Number.parseFloat(text) < 100;
    }),
  );
});

test('what is written is within half a unit of the last digit', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e8, max: 1e8, noNaN: true }), (value) => {
      const read = Number(format(value, 'none').replaceAll(',', ''));
      // Four significant digits: relative error at most 5e-4; three in scientific writing: 5e-3.
      return Math.abs(read - value) <= 5e-3 * Math.abs(value) + (Math.abs(value) >= 1000 ? 0.5 : 0);
    }),
  );
});

test('control characters, line breaks and direction marks cannot act in a terminal', () => {
  assert.equal(visible('a\u001b[31mred\nb\u202e'), 'a\ufffd[31mred b\ufffd');
});
