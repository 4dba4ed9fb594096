import { UNDEFINED } from '../src/report/format.ts';
import type { DiffSide, DiffStatus, ModelDiff, NodeDiff, TensorDiff } from '../src/report/model-study.ts';
import type { ToPage } from '../src/vscode/protocol.ts';
import { button, toggle } from './controls.ts';
import { el, say } from './element.ts';
import type { Host } from './host.ts';
import { format, given, t, type Words } from './l10n.ts';
import { shapeOf } from './layer-table.ts';
import { type Column, rowTable } from './row-table.ts';

const statuses: Readonly<Record<DiffStatus, Words>> = { added: t('added'), removed: t('removed'), changed: t('changed'), same: t('same') };
const signs: Readonly<Record<DiffStatus, Words>> = {
  added: given(`+ ${statuses.added}`),
  removed: given(`− ${statuses.removed}`),
  changed: given(`≠ ${statuses.changed}`),
  same: given(`= ${statuses.same}`),
};
const ranks: Readonly<Record<DiffStatus, number>> = { changed: 0, removed: 1, added: 2, same: 3 };

const status = <T extends { readonly status: DiffStatus }>(): Column<T> => ({
  label: t('Difference'),
  width: 96,
  text: (item) => signs[item.status],
  key: (item) => ranks[item.status],
});
const nameText = ({ name, otherName }: Pick<NodeDiff, 'name' | 'otherName'>): Words =>
  given(otherName === undefined ? name : `${name} → ${otherName}`);
const nameColumn = <T extends Pick<NodeDiff, 'name' | 'otherName'>>(): Column<T> => ({
  label: t('Name'),
  sticky: true,
  width: 160,
  grow: 2,
  text: nameText,
  key: nameText,
});

const nodeColumns: readonly Column<NodeDiff>[] = [
  nameColumn(),
  status(),
  { label: t('Operator'), width: 100, rank: 0, text: ({ op }) => given(op), key: ({ op }) => op },
  {
    label: t('What changed'),
    width: 170,
    grow: 4,
    rank: 1,
    text: ({ changes }) => given(changes.join('; ')),
    key: ({ changes }) => changes.length,
  },
  { label: t('Output shape'), width: 110, grow: 1, rank: 2, text: ({ dims }) => shapeOf(dims), key: ({ dims }) => shapeOf(dims) },
];

const shapes = ({ dims, otherDims }: TensorDiff): Words => (otherDims ? given(`${shapeOf(dims)} → ${shapeOf(otherDims)}`) : shapeOf(dims));
const types = ({ dtype, otherDtype }: TensorDiff): Words => given(otherDtype ? `${dtype} → ${otherDtype}` : dtype);
const number = (
  label: Words,
  rank: number,
  of: (values: NonNullable<TensorDiff['values']>) => number | null,
  show: (value: number) => Words = (value) => format(value),
): Column<TensorDiff> => ({
  label,
  numeric: true,
  width: label.length > 10 ? 116 : 84,
  rank,
  text({ values }) {
    if (!values) return '';
    const value = of(values);
    return value === null ? given(UNDEFINED) : show(value);
  },
  key: ({ values }) => (values ? (of(values) ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY),
});
/** A cosine near 1 by its distance from 1, which three digits would hide. */
const cosine = (value: number): Words => (value < 0.999 || value === 1 ? format(value) : given(`1 − ${format(1 - value)}`));

const tensorColumns: readonly Column<TensorDiff>[] = [
  nameColumn(),
  status(),
  { label: t('Shape'), width: 110, grow: 1, rank: 3, text: shapes, key: shapes },
  { label: t('Type'), width: 76, rank: 6, text: types, key: types },
  number(t('Max difference'), 0, ({ maxAbs }) => maxAbs),
  number(
    t('Relative'),
    1,
    ({ relative }) => relative,
    (value) => format(value, 'fraction'),
  ),
  number(t('Cosine'), 2, ({ cosine: c }) => c, cosine),
  number(t('Norm'), 4, ({ norm }) => norm),
  number(t('Other norm'), 4, ({ otherNorm }) => otherNorm),
];

const count = (list: readonly { readonly status: DiffStatus }[], of: DiffStatus): number => list.filter((one) => one.status === of).length;

const summary = ({ nodes, tensors }: ModelDiff): HTMLElement => {
  const told = (what: Words, list: readonly { readonly status: DiffStatus }[]): HTMLElement => {
    const parts = (['changed', 'added', 'removed', 'same'] as const).map((one) => `${format(count(list, one), 'count')} ${statuses[one]}`);
    return el(
      'div',
      {},
      el('dt', {}, what),
      el('dd', {}, format(list.length - count(list, 'same'), 'count')),
      el('dd', { class: 'note' }, given(parts.join(', '))),
    );
  };
  const moved = tensors.flatMap(({ values }) => values?.maxAbs ?? []);
  const far = moved.reduce((most, value) => Math.max(most, value), 0);
  return el(
    'dl',
    { class: 'headline numbers-first' },
    told(t('nodes that differ'), nodes),
    told(t('tensors that differ'), tensors),
    el('div', {}, el('dt', {}, t('largest difference')), el('dd', {}, format(far)), el('dd', { class: 'note' }, t('of two elements'))),
  );
};

const sideOf = (side: DiffSide, which: 0 | 1, host: Host): HTMLElement => {
  const name = side.path.replace(/^.*[\\/]/, '');
  const told = [
    format(side.bytes, 'bytes'),
    side.nodes === 1 ? t('1 node') : t('{0} nodes', format(side.nodes, 'count')),
    t('{0} parameters', format(side.parameters, 'count')),
    side.macs === null ? t('MACs not known') : t('{0} MACs', format(side.macs, 'count')),
  ];
  return el(
    'div',
    { class: 'diff-side' },
    el('h2', {}, el('span', { class: 'muted' }, which === 0 ? t('First') : t('Other')), ' ', given(name)),
    el('p', { class: 'muted' }, given(told.join(' · '))),
    button(t('Open'), () => host.post({ type: 'side', side: which }), { look: 'quiet', title: t('Open {0}', name) }),
  );
};

const headers = ({ headers: list }: ModelDiff): HTMLElement | false =>
  list.length > 0 &&
  el(
    'table',
    { class: 'diff-headers' },
    el(
      'thead',
      {},
      el('tr', {}, el('th', { scope: 'col' }, t('Header')), el('th', { scope: 'col' }, t('First')), el('th', { scope: 'col' }, t('Other'))),
    ),
    el(
      'tbody',
      {},
      ...list.map(({ label, first, other }) =>
        el('tr', {}, el('th', { scope: 'row' }, given(label)), el('td', {}, given(first)), el('td', {}, given(other))),
      ),
    ),
  );

const csv = (diff: ModelDiff): string => {
  const cell = (value: unknown): string => `"${String(value ?? '').replaceAll('"', '""')}"`;
  const rows = [
    [
      'kind',
      'difference',
      'name',
      'other name',
      'operator or type',
      'shape',
      'changes',
      'max difference',
      'relative',
      'cosine',
      'norm',
      'other norm',
    ],
    ...diff.nodes.map((n) => ['node', n.status, n.name, n.otherName, n.op, n.dims?.join('x'), n.changes.join('; ')]),
    ...diff.tensors.map((tensor) => {
      const v = tensor.values;
      return [
        'tensor',
        tensor.status,
        tensor.name,
        tensor.otherName,
        types(tensor),
        shapes(tensor),
        '',
        v?.maxAbs,
        v?.relative,
        v?.cosine,
        v?.norm,
        v?.otherNorm,
      ];
    }),
  ];
  return `${rows.map((row) => row.map(cell).join(',')).join('\n')}\n`;
};

/** Two model files: what differs in sum, then node by node and tensor by tensor. */
export const diffView = ({ title, facts }: Extract<ToPage, { type: 'diff' }>, host: Host): HTMLElement => {
  const chosen = el('section', { class: 'layer-aside', 'aria-label': t('Chosen difference') });
  const idle = (): void => chosen.replaceChildren(el('p', { class: 'muted' }, t('Choose a row to see what changed.')));
  const detail = (name: Words, pairs: readonly (readonly [Words, Words])[], changes: readonly string[]): void =>
    chosen.replaceChildren(
      el('h2', {}, name),
      el('dl', { class: 'pairs' }, ...pairs.flatMap(([label, text]) => [el('dt', {}, label), el('dd', {}, text)])),
      ...(changes.length > 0 ? [el('ul', { class: 'changes' }, ...changes.map((change) => el('li', {}, given(change))))] : []),
    );
  const mark = (item: { readonly status: DiffStatus }): string => `diff-${item.status}`;
  const nodes = rowTable<NodeDiff>({
    label: t('Nodes'),
    columns: nodeColumns,
    words: (n) => `${nameText(n)} ${n.op} ${statuses[n.status]} ${n.changes.join(' ')}`,
    mark,
    choose(i) {
      const n = facts.nodes[i];
      detail(
        nameText(n),
        [
          [t('Difference'), statuses[n.status]],
          [t('Operator'), given(n.op)],
          [t('Output'), shapeOf(n.dims)],
        ],
        n.changes,
      );
    },
  });
  const tensors = rowTable<TensorDiff>({
    label: t('Tensors'),
    columns: tensorColumns,
    words: (one) => `${nameText(one)} ${types(one)} ${shapes(one)} ${statuses[one.status]}`,
    mark,
    choose(i) {
      const tensor = facts.tensors[i];
      const v = tensor.values;
      const numbers: readonly (readonly [Words, Words])[] = v
        ? [
            [t('Elements'), format(v.elements, 'count')],
            [t('Largest difference'), format(v.maxAbs)],
            [t('Relative (norm)'), v.relative === null ? given(UNDEFINED) : format(v.relative, 'fraction')],
            [t('Cosine'), v.cosine === null ? given(UNDEFINED) : cosine(v.cosine)],
            [t('Norms'), t('{0} and {1}', format(v.norm), format(v.otherNorm))],
            ...(v.notFinite > 0 ? [[t('Not finite, and not the same'), format(v.notFinite, 'count')] as const] : []),
          ]
        : [];
      detail(
        nameText(tensor),
        [[t('Difference'), statuses[tensor.status]], [t('Type'), types(tensor)], [t('Shape'), shapes(tensor)], ...numbers],
        [],
      );
    },
  });
  let shown: 'nodes' | 'tensors' = 'nodes';
  let all = false;
  const told = el('p', { class: 'muted', role: 'status' });
  const search = el('input', {
    type: 'search',
    class: 'search',
    placeholder: t('Search name, operator, change'),
    'aria-label': t('Search differences'),
  });
  const place = el('div', { class: 'layers-shown' });
  const choosers = el('div', {});
  const tabs = (['nodes', 'tensors'] as const).map((which) =>
    el(
      'button',
      {
        type: 'button',
        role: 'tab',
        class: 'diff-tab',
        on: {
          click() {
            shown = which;
            draw();
          },
        },
      },
      which === 'nodes' ? t('Nodes') : t('Tensors'),
    ),
  );
  const draw = (): void => {
    const keep = (item: { readonly status: DiffStatus }): boolean => all || item.status !== 'same';
    const table = shown === 'nodes' ? nodes : tensors;
    tabs.forEach((tab, i) => {
      tab.setAttribute('aria-selected', String((i === 0) === (shown === 'nodes')));
    });
    const total = shown === 'nodes' ? facts.nodes.length : facts.tensors.length;
    place.replaceChildren(table.element);
    choosers.replaceChildren(table.chooser);
    const found = table.search(search.value, keep);
    say(
      told,
      found > 0 || search.value !== '' || all
        ? t('{0} of {1}', format(found, 'count'), format(total, 'count'))
        : shown === 'nodes'
          ? t('No node differs.')
          : t('No tensor differs.'),
    );
    idle();
  };
  nodes.show(facts.nodes);
  tensors.show(facts.tensors);
  // Where only weights moved, those come first.
  if (facts.nodes.every((node) => node.status === 'same') && facts.tensors.some((tensor) => tensor.status !== 'same')) shown = 'tensors';
  search.addEventListener('input', draw);
  search.addEventListener('keydown', ({ key }) => {
    if (key === 'Enter') (shown === 'nodes' ? nodes : tensors).next();
  });
  const save = (): void => host.save(`${title.replaceAll(' ', '')}.csv`, new TextEncoder().encode(csv(facts)), 'text/csv');
  draw();
  return el(
    'div',
    { class: 'model diff' },
    el(
      'div',
      { class: 'model-top' },
      el(
        'div',
        { class: 'report-title' },
        el('h1', {}, given(title)),
        el(
          'div',
          { class: 'actions' },
          button(t('Save CSV'), save),
          button(t('Compare again'), () => host.post({ type: 'rerun' })),
        ),
      ),
      summary(facts),
      el('div', { class: 'model-facts' }, sideOf(facts.sides[0], 0, host), sideOf(facts.sides[1], 1, host)),
      headers(facts),
      facts.notes.length > 0 && el('ul', { class: 'muted' }, ...facts.notes.map((note) => el('li', {}, given(note)))),
    ),
    el(
      'section',
      { class: 'layers-view', 'aria-label': t('Differences') },
      el(
        'div',
        { class: 'layers-bar' },
        el('div', { role: 'tablist', class: 'diff-tabs', 'aria-label': t('Nodes or tensors') }, ...tabs),
        search,
        told,
        toggle(t('Show the same too'), false, (on) => {
          all = on;
          draw();
        }),
        choosers,
      ),
      place,
    ),
    chosen,
  );
};
