import assert from 'node:assert/strict';
import { test } from 'node:test';
import { junit } from '../../src/cli/junit.ts';
import type { Report } from '../../src/report/report.ts';
import type { CheckResult } from '../../src/report/tasks.ts';

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

/** A reader of the XML that a writer of attributes, elements and text can make; throws where it is not well-formed. */
const read = (xml: string): Element => {
  const token = /<\?[^>]*\?>|<(\/?)([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  const plain = (text: string): string => {
    assert.doesNotMatch(text.replace(/&#\d+;/g, ''), /&/, 'every & begins a reference');
    return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
  };
  const open: { name: string; attributes: Record<string, string>; children: Element[]; text: string }[] = [
    { name: '', attributes: {}, children: [], text: '' },
  ];
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex;
    const found = token.exec(xml);
    assert.ok(found, `no XML at ${xml.slice(at, at + 40)}`);
    const [, end, name, attributes, alone, text] = found;
    const top = open[open.length - 1];
    if (text !== undefined) top.text += plain(text.trim());
    else if (end) {
      assert.equal(top.name, name);
      open.pop();
      open[open.length - 1].children.push(top);
    } else if (name !== undefined) {
      const pairs = Array.from(attributes.matchAll(/([\w-]+)="([^"]*)"/g), ([, key, value]): [string, string] => [key, plain(value)]);
      assert.equal(new Set(pairs.map(([key]) => key)).size, pairs.length);
      const element = { name, attributes: Object.fromEntries(pairs), children: [], text: '' };
      if (alone) top.children.push(element);
      else open.push(element);
    }
  }
  assert.equal(open.length, 1);
  return open[0].children[0];
};

/**
 * What the schema that Jenkins publishes (junit-10.xsd) allows, with the `file` and `line` that GitLab, CircleCI and GitHub's reporters
 * read of a case, and its `properties` as pytest writes them: element → its required and optional attributes, and its children.
 */
const number = /^\d+(\.\d+)?$/;
const count = /^\d+$/;
const any = /^/;
const schema: Readonly<
  Record<
    string,
    { readonly must: Readonly<Record<string, RegExp>>; readonly may?: Readonly<Record<string, RegExp>>; readonly holds?: readonly string[] }
  >
> = {
  testsuites: {
    must: {},
    may: { name: any, time: number, tests: count, failures: count, errors: count, disabled: count },
    holds: ['testsuite'],
  },
  testsuite: {
    must: { name: any, tests: count },
    may: { failures: count, errors: count, skipped: count, time: number, timestamp: any, file: any },
    holds: ['properties', 'testcase', 'system-out', 'system-err'],
  },
  properties: { must: {}, holds: ['property'] },
  property: { must: { name: /./, value: any } },
  testcase: {
    must: { name: any, classname: any, time: number },
    may: { file: any, line: count },
    holds: ['properties', 'skipped', 'error', 'failure', 'system-out', 'system-err'],
  },
  skipped: { must: {}, may: { message: any } },
  error: { must: {}, may: { message: any, type: any } },
  failure: { must: {}, may: { message: any, type: any } },
  'system-out': { must: {} },
};
const validate = ({ name, attributes, children }: Element): void => {
  const { must, may = {}, holds = [] } = schema[name] ?? assert.fail(`<${name}> is not of the schema`);
  for (const key of Object.keys(must)) assert.ok(key in attributes, `<${name}> has no ${key}`);
  for (const [key, value] of Object.entries(attributes))
    assert.match(value, { ...must, ...may }[key] ?? assert.fail(`<${name} ${key}>`), key);
  for (const child of children) {
    assert.ok(holds.includes(child.name), `<${child.name}> in <${name}>`);
    validate(child);
  }
};

const provenance = { dataPath: '/w/d.npz', dataSha256: '', rows: 5, seed: 0, versions: {}, options: {}, seconds: 0.25, startedAt: '' };
const report = {
  id: 'reliability',
  headline: { ece: 0.2, rows: 5 },
  provenance: { ...provenance, modelPath: '/w/m.onnx', device: { requested: 'cpu', actual: 'cpu' } },
} as unknown as Report;
const gate = { name: 'ece', holds: false, actual: 0.2, expected: { max: 0.1 }, sentence: 'ece is 0.2, but is expected to be at most 0.1.' };
const checks: readonly CheckResult[] = [
  { name: 'fine', status: 'passed', sentence: 'As expected.', gates: [], report, seconds: 0.25, line: 4 },
  { name: 'a <b> & "c"\nd\u0001', status: 'failed', sentence: gate.sentence, gates: [gate], report, seconds: 0.5, line: 9 },
  { name: 'none', status: 'skipped', sentence: 'No labels.', gates: [], seconds: 0 },
  { name: 'odd', status: 'error', sentence: "No number 'x'.", gates: [], seconds: 0 },
];

test('JUnit is well-formed, of the schema, and tells counts, time, place, reason and numbers', () => {
  const root = read(junit({ path: 'models/assay.json', checks }));
  validate(root);
  const [suite] = root.children;
  assert.deepEqual(suite.attributes, {
    name: 'models/assay.json',
    tests: '4',
    failures: '1',
    errors: '1',
    skipped: '1',
    time: '0.750',
    file: 'models/assay.json',
  });
  const [fine, failed, none, odd] = suite.children;
  assert.deepEqual(fine.attributes, { name: 'fine', classname: 'models/assay.json', time: '0.250', file: 'models/assay.json', line: '4' });
  const properties = Object.fromEntries((fine.children[0].children ?? []).map(({ attributes: { name, value } }) => [name, value]));
  assert.deepEqual(properties, {
    diagnostic: 'reliability',
    model: '/w/m.onnx',
    data: '/w/d.npz',
    rows: '5',
    seed: '0',
    device: 'cpu',
    'headline.ece': '0.2',
    'headline.rows': '5',
  });
  // A control character has no place in XML; everything else comes back as it was.
  assert.equal(failed.attributes.name, 'a <b> & "c"\nd\ufffd');
  const failure = failed.children.find(({ name }) => name === 'failure');
  assert.deepEqual(failure?.attributes, { message: gate.sentence, type: 'gate' });
  assert.equal(failure?.text, gate.sentence);
  assert.deepEqual(none.children[0].attributes, { message: 'No labels.' });
  assert.equal(odd.children[0].text, "No number 'x'.");
});

test('an empty suite is a document of the schema too', () => {
  validate(read(junit({ path: 'assay.json', checks: [] })));
});
