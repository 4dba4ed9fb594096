import assert from 'node:assert/strict';
import test from 'node:test';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { readArguments } from '../../src/cli/arguments.ts';
import type { Flag } from '../../src/cli/define.ts';
import { againstFlags, outputFlags, runFlags, subjectFlags } from '../../src/cli/subject.ts';
import { diagnostics } from '../../src/diagnostics/index.ts';

const flags: Readonly<Record<string, Flag>> = {
  data: { value: 'FILE', help: 'Data.' },
  nullDraws: { value: 'N', help: 'Draws.' },
  class: { value: 'NAME', help: 'Class.', empty: true },
  out: { value: 'FILE', short: 'o', help: 'Output.' },
  resume: { help: 'Switch.' },
};
const read = (...argv: string[]) => readArguments(argv, { name: 'run', usage: 'assay run ID', words: 1 }, flags);

test('flags in every form, words between them', () => {
  assert.deepEqual(read('--data', 'a b.csv', 'reliability', '--null-draws=5', '-o', 'x', '--resume'), {
    words: ['reliability'],
    flags: { data: 'a b.csv', nullDraws: '5', out: 'x', resume: 'true' },
  });
  assert.equal(read('--nullDraws', '-3').flags.nullDraws, '-3');
  assert.equal(read('--class', '').flags.class, '');
  assert.equal(read('--data=--odd').flags.data, '--odd');
  assert.deepEqual(read('--', '--data').words, ['--data']);
});

for (const [argv, code, message] of [
  [['--dat', 'x'], 'option/unknown', /'--dat' for 'assay run'.*Did you mean '--data'/],
  [['-d', 'x'], 'option/unknown', /'-d' for 'assay run'\. Options: --data/],
  [['--data'], 'option/missing', /value of --data/],
  [['--data', ''], 'option/missing', /value of --data/],
  [['--data', '--resume'], 'option/missing', /value of --data/],
  [['--data', 'a', '--data', 'b'], 'option/twice', /'--data' is given twice/],
  [['--null-draws', '1', '--nullDraws', '2'], 'option/twice', /'--nullDraws'/],
  [['--resume=yes'], 'option/word', /'--resume', which takes no value/],
  [['a', 'b'], 'option/word', /'b' after 'assay run a'/],
] as const satisfies readonly (readonly [readonly string[], FaultCode, RegExp])[]) {
  test(`refused: ${argv.join(' ')}`, () => {
    assert.throws(
      () => read(...argv),
      (e) => Fault.is(e, code) && message.test(e.message),
    );
  });
}

test('no option of a diagnostic hides a flag that names its model and data', () => {
  const flags = { ...subjectFlags, ...againstFlags, ...runFlags, ...outputFlags };
  for (const { id, options } of diagnostics)
    assert.deepEqual(
      Object.keys(options).filter((name) => name in flags),
      [],
      id,
    );
});
