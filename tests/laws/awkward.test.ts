import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import type { RunRequest } from '../../src/base/request.ts';
import { needsModel } from '../../src/diagnostics/define.ts';
import { diagnostics } from '../../src/diagnostics/index.ts';
import { world } from '../../src/jobs/world.ts';
import { fromJson, toJson } from '../../src/report/json.ts';
import { toMarkdown } from '../../src/report/markdown.ts';
import type { Report } from '../../src/report/report.ts';
import { toText } from '../../src/report/text.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-awkward-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const table = (name: string, header: string, lines: readonly string[]): RunRequest['data'] => {
  const path = join(folder, `${name}.csv`);
  writeFileSync(path, [header, ...lines].join('\n'));
  return { path };
};
const times = (n: number, of: (i: number) => string): string[] => Array.from({ length: n }, (_, i) => of(i));
const wave = (i: number): number => Number((0.5 + 0.45 * Math.sin(12.9898 * i)).toFixed(4));

/** Subjects that few diagnostics were made for; without a model unless named. */
const subjects: Readonly<Record<string, Pick<RunRequest, 'data' | 'model'>>> = {
  'a regression table': {
    data: table(
      'regression',
      'prediction,target',
      times(40, (i) => `${10 * wave(i)},${10 * wave(i) + wave(7 * i)}`),
    ),
  },
  'one class only': {
    data: table(
      'one-class',
      'prob_a,prob_b,label',
      times(30, (i) => `${wave(i)},${1 - wave(i)},1`),
    ),
  },
  'two rows': { data: table('two-rows', 'prob_a,prob_b,label', ['0.9,0.1,0', '0.3,0.7,1']) },
  'one row': { data: table('one-row', 'prob_a,prob_b,label', ['0.9,0.1,0']) },
  'scores that are NaN': {
    data: table(
      'nan',
      'prob_a,prob_b,label',
      times(20, (i) => (i === 7 ? 'nan,0.5,1' : `${wave(i)},${1 - wave(i)},${i % 2}`)),
    ),
  },
  'no rows': { data: table('no-rows', 'prob_a,prob_b,label', []) },
  'one score of two classes': {
    data: table(
      'score',
      'score,label',
      times(40, (i) => `${wave(i)},${Number(wave(i) + 0.3 * wave(3 * i) > 0.65)}`),
    ),
  },
  'no labels': {
    data: table(
      'no-labels',
      'prob_a,prob_b',
      times(20, (i) => `${wave(i)},${1 - wave(i)}`),
    ),
  },
  'nothing but text': {
    data: table(
      'words',
      'word',
      times(6, (i) => 'abcdef'[i]),
    ),
  },
  'all alike': {
    data: table(
      'alike',
      'prob_a,prob_b,label',
      times(20, (i) => `0.5,0.5,${i % 2}`),
    ),
  },
  'a model of one score': {
    model: { path: fixture('models/mlp_breast_cancer.onnx') },
    data: { path: fixture('data/breast_cancer.npz'), split: 'test' },
  },
  'a model of token ids without data for it': {
    model: { path: fixture('models/text_sms.onnx') },
    data: table(
      'not-ids',
      'prob_a,prob_b,label',
      times(10, (i) => `${wave(i)},${1 - wave(i)},${i % 2}`),
    ),
  },
};

/** Draws that make no difference to what is refused. */
const few = (id: string): Record<string, number> => {
  const options = diagnostics.find((d) => d.id === id)?.options ?? {};
  return Object.fromEntries(['bootstrap', 'nullDraws'].filter((name) => name in options).map((name) => [name, 100]));
};

/** The report, or the fault with which wrong input is thrown back. */
const outcome = async (id: string, of: Pick<RunRequest, 'data' | 'model'>, limit = 60): Promise<Report | Fault> => {
  try {
    return await diagnose({ id, device: 'cpu', seed: 0, limit, options: few(id), ...of }, ports, { ...quietJob(), live: () => {} });
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
};

/** What JavaScript writes where a value is missing; 'is undefined' is said of numbers. */
const unwritten = /\[object |'undefined'|[:=] undefined\b|\bundefined (rows|of|%)|\bNaN\b(?! or| \(not)/;

/** One or more whole sentences, without what JavaScript writes for missing values. */
const isSentence = (text: string, of: string): void => {
  assert.match(text, /^\S.*[.!?)]$/s, `${of}: '${text}' is no sentence`);
  assert.doesNotMatch(text, unwritten, of);
};

for (const [name, subject] of Object.entries(subjects))
  for (const { id } of diagnostics)
    test(`${id} on ${name}`, async () => {
      const found = await outcome(id, subject);
      if (found instanceof Fault) {
        isSentence(found.message, found.code);
        return;
      }
      if (found.outcome !== 'measured') {
        assert.equal(found.outcome, 'unavailable', `${found.reason?.code}: ${found.reason?.sentence}`);
        isSentence(found.reason?.sentence ?? '', found.reason?.code ?? '');
        return;
      }
      isSentence(found.guide, 'the guide');
      for (const note of found.notes) isSentence(note, 'a note');
      for (const [key, value] of Object.entries(found.headline)) assert.ok(Number.isFinite(value), key);
      for (const card of found.cards) assert.ok(card.title.length > 0);
      const written = toJson(found);
      assert.deepEqual(JSON.parse(toJson(fromJson(written, name))), JSON.parse(written));
      for (const said of [toText(found), toMarkdown(found)]) assert.doesNotMatch(said, unwritten);
    });

test('a regression table has no class scores, and who needs them says so', async () => {
  for (const d of diagnostics) {
    if (d.shape === 'fold' ? !d.needs.some((n) => n === 'probs' || n === 'logProbs' || n === 'logits') : !d.uses.includes('scores'))
      continue;
    const found = await outcome(d.id, subjects['a regression table']);
    assert.ok(!(found instanceof Fault), d.id);
    assert.deepEqual([found.outcome, found.reason?.code], ['unavailable', 'evidence/no-scores'], d.id);
  }
});

test('without a model, what asks one says so', async () => {
  for (const d of diagnostics) {
    if (!needsModel(d)) continue;
    const found = await outcome(d.id, subjects['two rows']);
    assert.ok(!(found instanceof Fault), d.id);
    assert.deepEqual([found.outcome, found.reason?.code], ['unavailable', 'evidence/no-model'], d.id);
  }
});

test('a table of predictions suffices wherever no model is needed and the labels are classes', async () => {
  const data = table(
    'plain',
    'prob_a,prob_b,prob_c,label',
    times(300, (i) => {
      const [a, b, c] = [wave(i), wave(2 * i), wave(5 * i)];
      const sum = a + b + c;
      return `${a / sum},${b / sum},${1 - a / sum - b / sum},${[a, b, c].indexOf(Math.max(a, b, c, i % 3 === 0 ? c : 0))}`;
    }),
  );
  for (const d of diagnostics) {
    // Features are no predictions: a table of these has none.
    const scored = d.shape === 'study' && d.uses.includes('scores') && !d.uses.includes('features');
    const classes = d.shape === 'fold' ? d.needs.includes('probs') && d.needs.includes('labels') : scored;
    if (!classes || needsModel(d)) continue;
    const found = await outcome(d.id, { data }, 300);
    assert.ok(!(found instanceof Fault), `${d.id}: ${found instanceof Fault ? found.message : ''}`);
    assert.equal(found.outcome, 'measured', `${d.id}: ${found.reason?.sentence}`);
  }
});
