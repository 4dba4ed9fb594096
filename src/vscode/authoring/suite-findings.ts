import type { Check, DataRef, Expectation, ModelRef, Preprocess, Suite } from '../../base/request.ts';
import { t } from '../l10n.ts';
import { checkFindings } from './check-findings.ts';
import { datasetFindings, modelFindings } from './entry-findings.ts';
import { type Finding, finding, meant, nameFixes, removal } from './finding.ts';
import { type Property, propertiesOf, propertyOf, type SuiteFacts, suiteTree, textOf } from './suite-tree.ts';

const keysOf = <T>(all: Readonly<Record<keyof T, 1>>): readonly string[] => Object.keys(all);
/** The keys of each object of an `assay.json`, as its types have them. */
const known = {
  suite: ['$schema', ...keysOf<Suite>({ models: 1, datasets: 1, checks: 1 })],
  model: keysOf<ModelRef>({ path: 1, input: 1, output: 1, labels: 1 }),
  dataset: keysOf<DataRef>({ path: 1, x: 1, y: 1, labels: 1, split: 1, preprocess: 1, columns: 1 }),
  preprocess: keysOf<Preprocess>({ scale: 1, mean: 1, std: 1, layout: 1, resize: 1, tokenizer: 1 }),
  check: keysOf<Check>({ name: 1, run: 1, model: 1, data: 1, against: 1, againstData: 1, options: 1, expect: 1 }),
  gate: keysOf<Expectation>({ min: 1, max: 1, bound: 1, level: 1 }),
} as const;

/** Keys that have no meaning there, and keys that are there twice. */
const keyFindings = (text: string, keys: readonly Property[], names: readonly string[] | undefined): readonly Finding[] =>
  keys.flatMap((property, i): readonly Finding[] => {
    const { key, name } = property;
    const twice = keys.slice(0, i).some((earlier) => earlier.key === key);
    if (twice)
      return [
        { ...finding(name, 'duplicate-key', t("'{0}' is there twice; remove one.", key), [removal(text, property)]), bySchema: true },
      ];
    if (!names || names.includes(key)) return [];
    const free = names.filter((one) => !propertyOf(keys, one));
    const near = nameFixes(name, key, free).filter(({ preferred }) => preferred);
    return [
      {
        ...finding(name, 'unknown-key', `${t("'{0}' is no key here.", key)}${meant(key, free)}`, [...near, removal(text, property)]),
        bySchema: true,
      },
    ];
  });

/** Everything that is wrong with an `assay.json`, as far as the facts tell. What VS Code says by the schema is marked. */
export const suiteFindings = (text: string, suite: string, facts: SuiteFacts): readonly Finding[] => {
  const tree = suiteTree(text);
  const under = (key: string): readonly Property[] => propertiesOf(propertyOf(tree.keys, key)?.value);
  const names = tree.checks.map(({ keys }) => textOf(keys, 'name')?.text ?? '');
  return [
    ...keyFindings(text, tree.keys, known.suite),
    ...['models', 'datasets'].flatMap((key) => keyFindings(text, under(key), undefined)),
    ...tree.models.flatMap((model) => [...keyFindings(text, model.keys, known.model), ...modelFindings(text, suite, model, facts)]),
    ...tree.datasets.flatMap((dataset) => [
      ...keyFindings(text, dataset.keys, known.dataset),
      ...keyFindings(text, propertiesOf(propertyOf(dataset.keys, 'preprocess')?.value), known.preprocess),
      ...datasetFindings(text, suite, dataset, facts),
    ]),
    ...tree.checks.flatMap((check, i) => [
      ...keyFindings(text, check.keys, known.check),
      ...propertiesOf(propertyOf(check.keys, 'expect')?.value).flatMap(({ value }) => keyFindings(text, propertiesOf(value), known.gate)),
      ...checkFindings(text, suite, tree, check, names.slice(0, i), facts),
    ]),
  ];
};
