import type { CheckResult } from '../../report/tasks.ts';
import { verdictsOf } from '../../report/verdict.ts';
import { type CliCommand, exits } from '../define.ts';
import { junit } from '../junit.ts';
import { checkOutputs } from '../outputs.ts';
import { present, quiet } from '../present.ts';
import { deviceOf, outputFlags, runFlags, seedOf } from '../subject.ts';

const mark: Readonly<Record<CheckResult['status'], string>> = { passed: '✔', failed: '✘', skipped: '–', error: '!' };

export const suite: CliCommand = {
  name: 'suite',
  usage: 'assay suite [assay.json] [--json F] [--html F] [--junit F]',
  words: 1,
  summary: 'Every check of an assay.json; exit code 1 where one fails.',
  flags: () => ({
    only: { value: 'NAME,…', help: 'Only these checks.' },
    device: runFlags.device,
    seed: runFlags.seed,
    ...outputFlags,
    junit: { value: 'F', help: 'Writes JUnit XML.' },
  }),
  async run(typed, terminal) {
    const path = typed.words[0] ?? 'assay.json';
    const { only } = typed.flags;
    await checkOutputs(typed, [path]);
    const result = await terminal.submit('Suite', 'suite', {
      path,
      device: deviceOf(typed),
      seed: seedOf(typed),
      ...(only !== undefined ? { only: only.split(',') } : {}),
    });
    // Which files the suite reads is known by now.
    await checkOutputs(typed, [
      path,
      ...result.checks.flatMap(({ report }) => [report?.provenance.modelPath, report?.provenance.dataPath]),
    ]);
    const { reports, verdicts } = verdictsOf(result.checks);
    await present(reports, typed, terminal, () => JSON.stringify(result, undefined, 2), { title: `Suite ${path}`, checks: verdicts });
    if (typed.flags.junit !== undefined) await terminal.save(typed.flags.junit, junit(result));
    if (!quiet(typed)) for (const check of result.checks) terminal.print(`${mark[check.status]} ${check.name}: ${check.sentence}`);
    const has = (status: CheckResult['status']): boolean => result.checks.some((c) => c.status === status);
    return has('error') ? exits.input : has('failed') ? exits.failed : exits.ok;
  },
};
