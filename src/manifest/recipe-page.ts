import { expected } from '../base/option.ts';
import { recipeKeys } from '../training/recipe-keys.ts';
import type { Shape } from '../training/recipe-shape.ts';

type Part = Extract<Shape, { kind: 'part' }>;

const cell = (text: string): string => text.replaceAll('|', '\\|');
const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
const shownDefault = (value: unknown): string => (value === '' ? '' : `\`${value}\``);

/** The rows of what may stand at one key, and of the keys below it. */
const rowsOf = (path: string, shape: Shape, absent: boolean): string[] => {
  const help = (also: string): string => `${shape.kind === 'option' ? shape.option.help : shape.help} (${also})`;
  switch (shape.kind) {
    case 'option':
      return [row(`\`${path}\``, absent ? '' : shownDefault(shape.option.default), help(expected(shape.option)))];
    case 'list':
      return [row(`\`${path}\``, '', help('a list')), ...(shape.of.kind === 'object' ? below(`${path}[]`, shape.of) : [])];
    case 'object':
      return [row(`\`${path}\``, '', help('an object')), ...below(path, shape)];
    case 'part':
      return [
        row(`\`${path}\``, '', help(`one of ${shape.of.map((p) => p.id).join(', ')}`)),
        ...Object.entries(shape.more ?? {}).flatMap(([key, inner]) => rowsOf(`${path}.${key}`, inner, true)),
      ];
    case 'either': {
      const forms = shape.of.map((s) => (s.kind === 'option' ? expected(s.option) : s.kind === 'object' ? 'an object' : 'a list'));
      return [row(`\`${path}\``, '', help(forms.join(', or '))), ...shape.of.flatMap((s) => (s.kind === 'object' ? below(path, s) : []))];
    }
  }
};
const below = (path: string, { keys, optional = [], required = [] }: Extract<Shape, { kind: 'object' }>): string[] =>
  Object.entries(keys).flatMap(([key, shape]) =>
    rowsOf(path ? `${path}.${key}` : key, shape, optional.includes(key) || required.includes(key)),
  );

const partsOf = (key: string, { help, of }: Part): string[] => [
  `## \`${key}\``,
  '',
  help,
  '',
  ...of.flatMap(({ id, source, options, about, formula = [] }) => [
    `### ${id}`,
    '',
    `Source: ${source}.`,
    '',
    ...(about === undefined ? [] : [about, '']),
    ...(formula.length === 0 ? [] : ['```', ...formula, '```', '']),
    ...(Object.keys(options).length === 0
      ? []
      : [
          '| option | default | what it does |',
          '|---|---|---|',
          ...Object.entries(options).map(([name, o]) => row(`\`${name}\``, shownDefault(o.default), `${o.help} (${expected(o)})`)),
          '',
        ]),
  ]),
];

/** Every place where a part may stand, by its path. */
const partsWithin = (path: string, shape: Shape): readonly (readonly [string, Part])[] => {
  switch (shape.kind) {
    case 'option':
      return [];
    case 'part':
      return [[path, shape]];
    case 'list':
      return partsWithin(path, shape.of);
    case 'either':
      return shape.of.flatMap((s) => partsWithin(path, s));
    case 'object':
      return Object.entries(shape.keys).flatMap(([key, inner]) => partsWithin(path ? `${path}.${key}` : key, inner));
  }
};

/** The page of recipe files: every key, and every part that can be named, with its options and source. */
export const recipePage = (): string =>
  [
    '# Recipes',
    '',
    'A recipe (`*.train.json`) says what is trained, on what, and how. Paths are relative to the file; unknown keys are errors.',
    '',
    '- Command line: `assay train recipe.train.json -o model.onnx`',
    '- A part is written by its name, or as an object with its options: `"loss": "mse"`, `"loss": { "kind": "huber", "delta": 2 }`',
    '',
    '## Keys',
    '',
    '| key | default | what it does |',
    '|---|---|---|',
    ...below('', recipeKeys),
    '',
    ...partsWithin('', recipeKeys)
      .toSorted(([a], [b]) => Number(a.includes('.')) - Number(b.includes('.')))
      .flatMap(([key, shape]) => partsOf(key, shape)),
  ].join('\n');
