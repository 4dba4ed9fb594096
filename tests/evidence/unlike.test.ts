import assert from 'node:assert/strict';
import test from 'node:test';
import { inputRangeKey, rangeNotes } from '../../src/evidence/unlike.ts';
import { graph, model, node, value } from '../graph/build.ts';

const plain = model(graph([value('x', ['N', 2])], [node('Relu', ['x'], ['y'])], ['y']));
const trained = (range: string) => ({ ...plain, metadata: new Map([[inputRangeKey, range]]) });
const seen = (min: number, max: number, of = plain, picture = false): string => rangeNotes(of, { min, max }, picture).join(' ');

test('the range is always stated; against the range of training a misfit is a warning', () => {
  assert.equal(seen(-1.25, 3), 'Inputs seen by the model range from -1.25 to 3.');
  assert.equal(seen(0, 0.98, trained('0 1')), 'Inputs seen by the model range from 0 to 0.98.');
  // A held-out split may go somewhat beyond what training saw.
  assert.doesNotMatch(seen(-0.2, 1.3, trained('0 1')), /trained/);
  assert.match(seen(0, 16, trained('0 1')), /trained on 0 to 1: scale the data alike/);
  assert.match(seen(0, 1, trained('0 255')), /far wider: was the data scaled twice/);
  assert.doesNotMatch(seen(0, 16, trained('nonsense')), /trained/);
});

test('pictures outside of every customary scale are pointed out, tables are not', () => {
  assert.match(seen(0, 16, plain, true), /0\.0625/);
  assert.match(seen(0, 255, plain, true), /1\/255/);
  assert.match(seen(0, 0.004, plain, true), /scaled twice/);
  for (const [min, max] of [
    [0, 1],
    [-1, 1],
    [-2.1, 2.6],
  ] as const)
    assert.doesNotMatch(seen(min, max, plain, true), /scale/);
  assert.doesNotMatch(seen(0, 4254), /scale/);
});
