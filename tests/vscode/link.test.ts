import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cardAlone, cardOfNumber, focusOf, placeOf } from '../../src/report/place.ts';
import { cardQuery, targetOfLink } from '../../src/vscode/link.ts';
import { sampleReport } from '../report/fixtures.ts';

const reports = ['unavailable', 'every-kind'].map(sampleReport);

test('a link leads back to the card it was made of', () => {
  reports.forEach((report, r) => {
    report.cards.forEach((_, card) => {
      const focus = focusOf(reports, { report: r, card });
      assert.deepEqual(targetOfLink(cardQuery('2026-01-02 a', focus)), { runs: ['2026-01-02 a'], focus });
      assert.deepEqual(placeOf(reports, focus), { report: r, card });
    });
  });
  assert.equal(focusOf(reports, { report: 1, card: 3 }), '1:confusion-matrix');
});

test('cards of one title are told apart by their place, and titles that are numbers too', () => {
  const [, { cards, ...rest }] = reports;
  const twice = [{ ...rest, cards: [cards[3], cards[3], { ...cards[0], title: '7' }] }];
  assert.deepEqual(
    [0, 1, 2].map((card) => focusOf(twice, { report: 0, card })),
    ['0:confusion-matrix', '0:1', '0:2'],
  );
});

test('a report is named by its diagnostic or its place; what is not there is not shown', () => {
  assert.deepEqual(placeOf(reports, `${reports[1].id}:scores`), { report: 1, card: 0 });
  assert.deepEqual(placeOf(reports, '1:no-such-card'), { report: 1 });
  assert.deepEqual(placeOf(reports, '1'), { report: 1 });
  assert.equal(placeOf(reports, '7:0'), undefined);
  assert.equal(placeOf(reports, 'no-such-report:0'), undefined);
});

test('links to anything else, and without a run, are not followed', () => {
  assert.equal(targetOfLink({ path: '/elsewhere', query: 'run=a' }), undefined);
  assert.equal(targetOfLink({ path: '/card', query: 'card=0:0' }), undefined);
  assert.deepEqual(targetOfLink({ path: '/card', query: 'run=a' }), { runs: ['a'] });
});

test('a gate leads to the card that tells its number', () => {
  assert.equal(cardOfNumber(reports[1], 'ece'), 0);
  assert.equal(cardOfNumber({ cards: [...reports[1].cards.slice(1), reports[1].cards[0]] }, 'ece'), reports[1].cards.length - 1);
  assert.equal(cardOfNumber(reports[1], undefined), 0);
  assert.equal(cardAlone(reports[1], 3).title, 'Confusion matrix');
});
