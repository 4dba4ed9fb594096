import type { CheckResult, SuiteResult } from '../report/tasks.ts';

/** XML 1.0 knows no control characters but tab and line ends. */
const escaped = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what may not stand in XML.
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[<>&"'\n\r\t]/g, (c) => `&#${c.charCodeAt(0)};`);

const attributes = (all: Readonly<Record<string, string | number | undefined>>): string =>
  Object.entries(all)
    .flatMap(([name, value]) => (value === undefined ? [] : [` ${name}="${escaped(String(value))}"`]))
    .join('');

const property = (name: string, value: string | number): string => `<property${attributes({ name, value })}/>`;

const verdict = ({ status, sentence, gates }: CheckResult): readonly string[] => {
  switch (status) {
    case 'passed':
      return [];
    case 'skipped':
      return [`<skipped${attributes({ message: sentence })}/>`];
    case 'error':
      return [`<error${attributes({ message: sentence, type: 'error' })}>${escaped(sentence)}</error>`];
    case 'failed': {
      const broken = gates.filter(({ holds }) => !holds).map((gate) => gate.sentence);
      return [`<failure${attributes({ message: sentence, type: 'gate' })}>${escaped(broken.join('\n'))}</failure>`];
    }
  }
};

/** What was measured, and on what: names as in the report. */
const measured = ({ report }: CheckResult): readonly string[] => {
  if (!report) return [];
  const { modelPath, dataPath, rows, seed, device } = report.provenance;
  const about = { diagnostic: report.id, model: modelPath, data: dataPath, rows, seed, device: device.actual };
  return [
    ...Object.entries(about).flatMap(([name, value]) => (value === undefined ? [] : [property(name, value)])),
    ...Object.entries(report.headline).map(([name, value]) => property(`headline.${name}`, value)),
  ];
};

const testcase = (path: string, check: CheckResult): string => {
  const properties = measured(check);
  const inner = [
    ...(properties.length > 0 ? [`<properties>${properties.join('')}</properties>`] : []),
    ...verdict(check),
    ...(check.status === 'passed' ? [`<system-out>${escaped(check.sentence)}</system-out>`] : []),
  ];
  const head = attributes({ name: check.name, classname: path, time: check.seconds.toFixed(3), file: path, line: check.line });
  return [`    <testcase${head}>`, ...inner.map((line) => `      ${line}`), '    </testcase>'].join('\n');
};

/** JUnit XML as CI services read it: one suite for the file, one case for each check with its numbers as properties. */
export const junit = ({ path, checks }: SuiteResult): string => {
  const count = (status: CheckResult['status']): number => checks.filter((c) => c.status === status).length;
  const totals = {
    tests: checks.length,
    failures: count('failed'),
    errors: count('error'),
    skipped: count('skipped'),
    time: checks.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(3),
  };
  const { skipped: _, ...whole } = totals;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'assay', ...whole })}>`,
    `  <testsuite${attributes({ name: path, ...totals, file: path })}>`,
    ...checks.map((check) => testcase(path, check)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
};
