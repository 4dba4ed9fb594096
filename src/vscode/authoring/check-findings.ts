import type { Node } from 'jsonc-parser';
import { type CatalogueDiagnostic, comparesTwo } from '../../base/catalogue.ts';
import { t } from '../l10n.ts';
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

type Known = 'diagnostic' | 'model' | 'dataset' | 'model or dataset';
const noSuch = (what: Known, name: string): string => {
  switch (what) {
    case 'diagnostic':
      return t("There is no diagnostic '{0}'.", name);
    case 'model':
      return t("There is no model '{0}'.", name);
    case 'dataset':
      return t("There is no dataset '{0}'.", name);
    case 'model or dataset':
      return t("There is no model or dataset '{0}'.", name);
  }
};
const noSuchHere = (from: 'layer' | 'class' | 'column' | 'output', name: string): string => {
  switch (from) {
    case 'layer':
      return t("There is no layer '{0}' here.", name);
    case 'class':
      return t("There is no class '{0}' here.", name);
    case 'column':
      return t("There is no column '{0}' here.", name);
    case 'output':
      return t("There is no output '{0}' here.", name);
  }
};

const unknownName = ({ keys }: CheckTree, key: string, what: Known, known: readonly string[], bySchema = false): readonly Finding[] => {
  const given = textOf(keys, key);
  if (!given || known.includes(given.text)) return [];
  const found = finding(
    given.node,
    `unknown-${what.replaceAll(' ', '-')}`,
    `${noSuch(what, given.text)}${meant(given.text, known)} ${t('Known: {0}.', listed(known))}`,
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
      const found = finding(
        name,
        'unknown-option',
        `${t("'{0}' has no option '{1}'.", id, key)}${meant(key, known)} ${t('Options: {0}.', listed(known))}`,
        [...nameFixes(name, key, known), removal(text, property)],
      );
      return [{ ...found, bySchema: true }];
    }
    if (option.kind === 'choice' && value?.type === 'string' && !option.of.includes(String(value.value)))
      return [
        {
          ...finding(
            value,
            'unknown-choice',
            t("'{0}' is not offered.", String(value.value)),
            nameFixes(value, String(value.value), option.of),
          ),
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
        `${noSuchHere(option.from, given)}${meant(given, known)} ${t('Known: {0}.', listed(known))}`,
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
        finding(
          name,
          'unknown-number',
          `${t("'{0}' reports no number '{1}'.", id, key)}${meant(key, names)} ${t('It reports: {0}.', listed(names))}`,
          [...nameFixes(name, key, names), removal(text, property)],
        ),
      );
    if (min && max && min.value > max.value)
      found.push(finding(min.node, 'empty-gate', t('Nothing is at least {0} and at most {1}.', min.value, max.value)));
    if (value?.type === 'object' && !propertyOf(limits, 'min') && !propertyOf(limits, 'max'))
      found.push(finding(name, 'empty-gate', t("The gate on '{0}' has neither min nor max; give one.", key), [removal(text, property)]));
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
      finding(name.node, 'duplicate-name', t("An earlier check is called '{0}' too; give each its own name.", name.text), [
        {
          title: t("Rename to '{0}'", fresh(name.text)),
          edits: [{ from: name.node.offset, to: name.node.offset + name.node.length, text: JSON.stringify(fresh(name.text)) }],
          preferred: true,
        },
      ]),
    );
  const insert = (key: string, value: string | undefined) =>
    run && value !== undefined
      ? [
          {
            title: t('Add {0}', `"${key}": ${JSON.stringify(value)}`),
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
    own.push(
      finding(run.node, 'needs-model', t("'{0}' needs a model; predictions are not enough.", diagnostic.id), insert('model', models[0])),
    );
  if (diagnostic && comparesTwo(diagnostic) && run && !propertyOf(check.keys, 'against')) {
    const other = models.find((model) => model !== textOf(check.keys, 'model')?.text);
    own.push(
      finding(run.node, 'needs-other', t("'{0}' compares two: name the other as 'against'.", diagnostic.id), insert('against', other)),
    );
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
