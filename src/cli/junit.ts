import type { SuiteResult } from '../report/tasks.ts';

const escaped = (text: string): string => text.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** JUnit XML as CI services read it: one test case per check. */
export const junit = ({ path, checks }: SuiteResult): string => {
  const count = (status: string): number => checks.filter((c) => c.status === status).length;
  const tag = { failed: 'failure', error: 'error', skipped: 'skipped' } as const;
  const cases = checks.map((c) => {
    const body = c.status === 'passed' ? '' : `<${tag[c.status]} message="${escaped(c.sentence)}"/>`;
    return `    <testcase classname="${escaped(path)}" name="${escaped(c.name)}" time="${c.seconds.toFixed(3)}">${body}</testcase>`;
  });
  const totals = `tests="${checks.length}" failures="${count('failed')}" errors="${count('error')}" skipped="${count('skipped')}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${totals}>\n  <testsuite name="assay" ${totals}>\n${cases.join('\n')}\n  </testsuite>\n</testsuites>\n`;
};
