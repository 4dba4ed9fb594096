import type { Node } from 'jsonc-parser';
import { type CatalogueDiagnostic, comparesTwo } from '../../base/catalogue.ts';
import { type Finding, finding, listed, meant, nameFixes, removal } from './finding.ts';
import {
  arraysOf,
  type CheckTree,
  contentOf,
  diagnosticOf,
  outlineOfEntry,
  propertiesOf,
  propertyOf,
  type SuiteFacts,
  type SuiteTree,
  textOf,
} from './suite-tree.ts';

const unknownName = ({ keys }: CheckTree, key: string, what: string, known: readonly string[], bySchema = false): readonly Finding[] => {
  const given = textOf(keys, key);
  if (!given || known.includes(given.text)) return [];
  const found = finding(
    given.node,
    `unknown-${what.replaceAll(' ', '-')}`,
    `There is no ${what} '${given.text}'.${meant(given.text, known)} Known: ${listed(known)}.`,
    nameFixes(given.node, given.text, known),
  );
  return [bySchema ? { ...found, bySchema } : found];
};

/** Options by name, and those that name a class of the model, a column of the data or an output. */
const optionFindings = (
  text: string,
  suite: string,
  tree: SuiteTree,
  check: CheckTree,
  { id, options }: CatalogueDiagnostic,
  facts: SuiteFacts,
): readonly Finding[] => {
  const entry = (key: 'model' | 'data') => {
    const name = textOf(check.keys, key)?.text;
    return tree[key === 'model' ? 'models' : 'datasets'].find((e) => e.name === name);
  };
  const model = entry('model');
  const labels = contentOf(propertyOf(model?.keys ?? [], 'labels')?.value);
  const outline = outlineOfEntry(suite, model, facts);
  const offered = (from: 'layer' | 'class' | 'column' | 'output'): readonly string[] => {
    switch (from) {
      case 'class':
        return Array.isArray(labels) ? labels.map(String) : [];
      case 'column':
        return arraysOf(outlineOfEntry(suite, entry('data'), facts));
      case 'output':
        return outline?.kind === 'model' ? outline.outputs.map(({ name }) => name) : [];
      case 'layer':
        return [];
    }
  };
  return propertiesOf(propertyOf(check.keys, 'options')?.value).flatMap((property): readonly Finding[] => {
    const { key, name, value } = property;
    const option = Object.hasOwn(options, key) ? options[key] : undefined;
    if (!option) {
      const known = Object.keys(options);
      const found = finding(name, 'unknown-option', `'${id}' has no option '${key}'.${meant(key, known)} Options: ${listed(known)}.`, [
        ...nameFixes(name, key, known),
        removal(text, property),
      ]);
      return [{ ...found, bySchema: true }];
    }
    if (option.kind === 'choice' && value?.type === 'string' && !option.of.includes(String(value.value)))
      return [
        {
          ...finding(value, 'unknown-choice', `'${value.value}' is not offered.`, nameFixes(value, String(value.value), option.of)),
          bySchema: true,
        },
      ];
    if (option.kind !== 'pick' || value?.type !== 'string' || value.value === '') return [];
    const known = offered(option.from);
    const given = String(value.value);
    // A class may be told by its number.
    if (known.length === 0 || known.includes(given) || (option.from === 'class' && /^\d+$/.test(given))) return [];
    return [
      finding(
        value,
        `unknown-${option.from}`,
        `There is no ${option.from} '${given}' here.${meant(given, known)} Known: ${listed(known)}.`,
        [...nameFixes(value, given, known), removal(text, property)],
      ),
    ];
  });
};

/** `*` in a name stands for any text. */
const stands = (known: string, name: string): boolean => {
  const [start, ...rest] = known.split('*');
  return rest.length === 0 ? known === name : name.startsWith(start) && name.length >= known.length - 1 && name.endsWith(rest.join('*'));
};

const gateFindings = (text: string, check: CheckTree, { id }: CatalogueDiagnostic, facts: SuiteFacts): readonly Finding[] =>
  propertiesOf(propertyOf(check.keys, 'expect')?.value).flatMap((property): readonly Finding[] => {
    const { key, name, value } = property;
    const { names: known, all } = facts.numbers(id);
    const names = known.filter((one) => !one.includes('*'));
    const limits = propertiesOf(value);
    const limit = (of: string): { readonly node: Node; readonly value: number } | undefined => {
      const node = propertyOf(limits, of)?.value;
      return node?.type === 'number' ? { node, value: Number(node.value) } : undefined;
    };
    const [min, max] = [limit('min'), limit('max')];
    const found: Finding[] = [];
    if (all && !known.some((one) => stands(one, key)))
      found.push(
        finding(name, 'unknown-number', `'${id}' reports no number '${key}'.${meant(key, names)} It reports: ${listed(names)}.`, [
          ...nameFixes(name, key, names),
          removal(text, property),
        ]),
      );
    if (min && max && min.value > max.value)
      found.push(finding(min.node, 'empty-gate', `Nothing is at least ${min.value} and at most ${max.value}.`));
    if (value?.type === 'object' && !propertyOf(limits, 'min') && !propertyOf(limits, 'max'))
      found.push(finding(name, 'empty-gate', `The gate on '${key}' has neither min nor max; give one.`, [removal(text, property)]));
    return found;
  });

/** Names that a check uses, its options and its gates. `earlier` are the names of the checks before it. */
export const checkFindings = (
  text: string,
  suite: string,
  tree: SuiteTree,
  check: CheckTree,
  earlier: readonly string[],
  facts: SuiteFacts,
): readonly Finding[] => {
  const models = tree.models.map(({ name }) => name);
  const datasets = tree.datasets.map(({ name }) => name);
  const name = textOf(check.keys, 'name');
  const diagnostic = diagnosticOf(facts, check);
  const run = textOf(check.keys, 'run');
  const fresh = (of: string): string => {
    for (let n = 2; ; n++) if (!earlier.includes(`${of} ${n}`)) return `${of} ${n}`;
  };
  const own: Finding[] = [];
  if (name && earlier.includes(name.text))
    own.push(
      finding(name.node, 'duplicate-name', `An earlier check is called '${name.text}' too; give each its own name.`, [
        {
          title: `Rename to '${fresh(name.text)}'`,
          edits: [{ from: name.node.offset, to: name.node.offset + name.node.length, text: JSON.stringify(fresh(name.text)) }],
          preferred: true,
        },
      ]),
    );
  const insert = (key: string, value: string | undefined) =>
    run && value !== undefined
      ? [
          {
            title: `Add "${key}": ${JSON.stringify(value)}`,
            edits: [
              {
                from: run.node.offset + run.node.length,
                to: run.node.offset + run.node.length,
                text: `, "${key}": ${JSON.stringify(value)}`,
              },
            ],
          },
        ]
      : [];
  if (diagnostic?.needsModel && run && !propertyOf(check.keys, 'model'))
    own.push(finding(run.node, 'needs-model', `'${diagnostic.id}' needs a model; predictions are not enough.`, insert('model', models[0])));
  if (diagnostic && comparesTwo(diagnostic) && run && !propertyOf(check.keys, 'against')) {
    const other = models.find((model) => model !== textOf(check.keys, 'model')?.text);
    own.push(finding(run.node, 'needs-other', `'${diagnostic.id}' compares two: name the other as 'against'.`, insert('against', other)));
  }
  return [
    ...own,
    ...unknownName(
      check,
      'run',
      'diagnostic',
      facts.catalogue.diagnostics.map(({ id }) => id),
      true,
    ),
    ...unknownName(check, 'model', 'model', models),
    ...unknownName(check, 'data', 'dataset', datasets),
    ...unknownName(check, 'against', 'model or dataset', [...models, ...datasets]),
    ...unknownName(check, 'againstData', 'dataset', datasets),
    ...(diagnostic ? optionFindings(text, suite, tree, check, diagnostic, facts) : []),
    ...(diagnostic ? gateFindings(text, check, diagnostic, facts) : []),
  ];
};
