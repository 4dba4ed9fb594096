import assert from 'node:assert/strict';
import test from 'node:test';
import { bind } from '../../src/app/binding.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import type { DataRef } from '../../src/base/request.ts';
import type { Dataset } from '../../src/data/define.ts';
import type { Evidence, Noun, Subject } from '../../src/evidence/evidence.ts';
import { type Listener, pass } from '../../src/evidence/plan.ts';
import { world } from '../../src/jobs/world.ts';
import { file } from './models.ts';

const ports = await world();

interface Heard extends Listener {
  readonly batches: Partial<Evidence>[];
  subject?: Subject;
  fault?: Fault;
}
const listener = (...needs: Noun[]): Heard => {
  const heard: Heard = {
    needs,
    batches: [],
    begin(subject) {
      heard.subject = subject;
    },
    add: (batch) => void heard.batches.push(batch),
    fail(fault) {
      heard.fault = fault;
    },
  };
  return heard;
};

const table = (rows: readonly string[], head = 'label,prob_0,prob_1'): DataRef => ({
  path: file('table.csv', `${[head, ...rows].join('\n')}\n`),
});
const run = async (ref: DataRef, listeners: readonly Heard[], score?: (rows: number) => Float64Array) => {
  const job = quietJob();
  const target = score && { name: 'x', dtype: 'float32' as const, dims: ['D'] };
  const bound = await bind(ref, ports, job, target ? { target } : {});
  const model = score && {
    name: 'm.onnx',
    output: 'y',
    hint: 'unknown' as const,
    score: async (x: { dims: readonly number[] }) => ({ rows: x.dims[0], cols: 2, data: score(x.dims[0]) }),
  };
  return { passed: await pass({ bound, ...(model ? { model } : {}), declared: 'auto' }, listeners, job), notes: job.notes };
};
const rejects = (work: Promise<unknown>, code: string, message: RegExp): Promise<void> =>
  assert.rejects(work, (e) => e instanceof Fault && e.code === code && message.test(e.message));

test('one pass serves all listeners: every row is read once', async () => {
  let reads = 0;
  const counting = { ...ports, dataset: async (path: string): Promise<Dataset> => counted(await ports.dataset(path)) };
  const count =
    <A extends unknown[], T>(read: (...a: A) => T) =>
    (...a: A): T => {
      reads++;
      return read(...a);
    };
  const counted = (d: Dataset): Dataset => ({ ...d, slice: count(d.slice), take: count(d.take) });
  const ref = table(Array.from({ length: 9000 }, (_, i) => `${i % 2},0.25,0.75`));
  const bound = await bind(ref, counting, quietJob(), {});
  const [a, b] = [listener('labels', 'probs'), listener('rows')];
  const { subject, meaning } = await pass({ bound, declared: 'auto' }, [a, b], quietJob());
  assert.equal(reads, 3);
  assert.deepEqual(
    a.batches.map((x) => Object.keys(x).sort()),
    [
      ['labels', 'probs', 'rows'],
      ['labels', 'probs', 'rows'],
      ['labels', 'probs', 'rows'],
    ],
  );
  assert.deepEqual(
    b.batches.flatMap((x) => Array.from(x.rows ?? [])),
    Array.from({ length: 9000 }, (_, i) => i),
  );
  assert.deepEqual([subject.classes, subject.rows, subject.scores, meaning.scores], [['0', '1'], 9000, 'probabilities', 'probabilities']);
  assert.deepEqual(a.subject, subject);
});

test('labels outside the classes and missing ones: how many, and the first; only those who need labels fail', async () => {
  const [a, b] = [listener('labels'), listener('probs')];
  await run(table(['0,0.5,0.5', '1,0.5,0.5', '0,0.5,0.5'], 'label,prob_0,prob_1'), [a, b]);
  assert.equal(a.fault, undefined);
  // Columns named by other numbers than 0 to n-1: a label that names no column is refused at once.
  await rejects(run(table(['1,0.5,0.5', '5,0.5,0.5'], 'label,prob_1,prob_2'), [listener('labels')]), 'data/class-name', /Row 1 .*'5'/);
  const wrong = [listener('labels'), listener('probs')];
  await run(table(['0,0.5,0.5', '2,0.5,0.5', '7,0.5,0.5'], 'label,prob_a,prob_b'), wrong);
  assert.match(wrong[0].fault?.message ?? '', /2 rows .* outside the 2 classes \(0 to 1\), the first being row 1 with label 2/);
  assert.equal(wrong[1].fault, undefined);
  assert.equal(wrong[1].batches.length, 1);
  const missing = listener('labels');
  await run(table(['0,0.5,0.5', ',0.5,0.5'], 'label,prob_a,prob_b'), [missing]);
  assert.match(missing.fault?.message ?? '', /One row .* has no label, the first being row 1/);
  const half = listener('labels');
  await run(table(['0,0.5,0.5', '0.5,0.5,0.5'], 'label,prob_a,prob_b'), [half]);
  assert.equal(half.fault?.code, 'evidence/no-classes');
});

test('NaN in inputs and outputs: how many, in how many rows, and the first', async () => {
  const ref: DataRef = { path: file('nan.csv', `a,b,y\n1,2,0\n,2,1\n1,inf,0\n,,1\n`) };
  await rejects(
    run(ref, [listener('probs')], (n) => new Float64Array(2 * n).fill(0.5)),
    'data/not-finite',
    /4 values in the inputs .*nan\.csv' are NaN or infinite, in 3 rows, the first being row 1;/,
  );
  const clean: DataRef = { path: file('clean.csv', 'a,b,y\n1,2,0\n1,2,1\n') };
  const scores = (): Float64Array => Float64Array.of(0.5, 0.5, Number.NaN, 0.5);
  await rejects(
    run(clean, [listener('probs')], scores),
    'data/not-finite',
    /One value in the output 'y' of 'm\.onnx' is NaN or infinite, in row 1;/,
  );
});

test('the range of inputs seen', async () => {
  const { passed } = await run({ path: file('range.csv', 'a,b,y\n-1,2,0\n1,16,1\n') }, [listener('probs')], (n) =>
    new Float64Array(2 * n).fill(0.5),
  );
  assert.deepEqual(passed.range, { min: -1, max: 16 });
});

test('class names that cannot be told apart from the data alone are asked for', async () => {
  const named: DataRef = { path: file('names.csv', 'a,y\n1,cat\n2,dog\n3,cow\n') };
  await rejects(
    run(named, [listener('labels')], (n) => new Float64Array(2 * n).fill(0.5)),
    'data/classes',
    /3 class names are known, but there are 2 classes/,
  );
});
