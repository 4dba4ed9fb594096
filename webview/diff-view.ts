import { format, UNDEFINED } from '../src/report/format.ts';
import type { DiffSide, DiffStatus, ModelDiff, NodeDiff, TensorDiff } from '../src/report/model-study.ts';
import type { ToPage } from '../src/vscode/protocol.ts';
import { button, toggle } from './controls.ts';
import { el } from './element.ts';
import type { Host } from './host.ts';
import { shapeOf } from './layer-table.ts';
import { type Column, rowTable } from './row-table.ts';

const signs: Readonly<Record<DiffStatus, string>> = { added: '+ added', removed: '− removed', changed: '≠ changed', same: '= same' };
const ranks: Readonly<Record<DiffStatus, number>> = { changed: 0, removed: 1, added: 2, same: 3 };

const status = <T extends { readonly status: DiffStatus }>(): Column<T> => ({
  label: 'Difference',
  width: 96,
  text: (item) => signs[item.status],
  key: (item) => ranks[item.status],
});
const nameText = ({ name, otherName }: Pick<NodeDiff, 'name' | 'otherName'>): string =>
  otherName === undefined ? name : `${name} → ${otherName}`;
const nameColumn = <T extends Pick<NodeDiff, 'name' | 'otherName'>>(): Column<T> => ({
  label: 'Name',
  sticky: true,
  width: 160,
  grow: 2,
  text: nameText,
  key: nameText,
});

const nodeColumns: readonly Column<NodeDiff>[] = [
  nameColumn(),
  status(),
  { label: 'Operator', width: 100, rank: 0, text: ({ op }) => op, key: ({ op }) => op },
  { label: 'What changed', width: 170, grow: 4, rank: 1, text: ({ changes }) => changes.join('; '), key: ({ changes }) => changes.length },
  { label: 'Output shape', width: 110, grow: 1, rank: 2, text: ({ dims }) => shapeOf(dims), key: ({ dims }) => shapeOf(dims) },
];

const shapes = ({ dims, otherDims }: TensorDiff): string => (otherDims ? `${shapeOf(dims)} → ${shapeOf(otherDims)}` : shapeOf(dims));
const types = ({ dtype, otherDtype }: TensorDiff): string => (otherDtype ? `${dtype} → ${otherDtype}` : dtype);
const number = (
  label: string,
  rank: number,
  of: (values: NonNullable<TensorDiff['values']>) => number | null,
  show: (value: number) => string = (value) => format(value),
): Column<TensorDiff> => ({
  label,
  numeric: true,
  width: label.length > 10 ? 116 : 84,
  rank,
  text({ values }) {
    if (!values) return '';
    const value = of(values);
    return value === null ? UNDEFINED : show(value);
  },
  key: ({ values }) => (values ? (of(values) ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY),
});
/** A cosine near 1 by its distance from 1, which three digits would hide. */
const cosine = (value: number): string => (value < 0.999 || value === 1 ? format(value) : `1 − ${format(1 - value)}`);

const tensorColumns: readonly Column<TensorDiff>[] = [
  nameColumn(),
  status(),
  { label: 'Shape', width: 110, grow: 1, rank: 3, text: shapes, key: shapes },
  { label: 'Type', width: 76, rank: 6, text: types, key: types },
  number('Max difference', 0, ({ maxAbs }) => maxAbs),
  number(
    'Relative',
    1,
    ({ relative }) => relative,
    (value) => format(value, 'fraction'),
  ),
  number('Cosine', 2, ({ cosine: c }) => c, cosine),
  number('Norm', 4, ({ norm }) => norm),
  number('Other norm', 4, ({ otherNorm }) => otherNorm),
];

const count = (list: readonly { readonly status: DiffStatus }[], of: DiffStatus): number => list.filter((one) => one.status === of).length;

const summary = ({ nodes, tensors }: ModelDiff): HTMLElement => {
  const told = (what: string, list: readonly { readonly status: DiffStatus }[]): HTMLElement => {
    const parts = (['changed', 'added', 'removed', 'same'] as const).map((one) => `${format(count(list, one), 'count')} ${one}`);
    return el(
      'div',
      {},
      el('dt', {}, what),
      el('dd', {}, format(list.length - count(list, 'same'), 'count')),
      el('dd', { class: 'note' }, parts.join(', ')),
    );
  };
  const moved = tensors.flatMap(({ values }) => values?.maxAbs ?? []);
  const far = moved.reduce((most, value) => Math.max(most, value), 0);
  return el(
    'dl',
    { class: 'headline numbers-first' },
    told('nodes that differ', nodes),
    told('tensors that differ', tensors),
    el('div', {}, el('dt', {}, 'largest difference'), el('dd', {}, format(far)), el('dd', { class: 'note' }, 'of two elements')),
  );
};

const sideOf = (side: DiffSide, which: 0 | 1, host: Host): HTMLElement => {
  const name = side.path.replace(/^.*[\\/]/, '');
  return el(
    'div',
    { class: 'diff-side' },
    el('h2', {}, el('span', { class: 'muted' }, which === 0 ? 'First ' : 'Other '), name),
    el(
      'p',
      { class: 'muted' },
      `${format(side.bytes, 'bytes')} · ${format(side.nodes, 'count')} nodes · ${format(side.parameters, 'count')} parameters · ${
        side.macs === null ? 'MACs not known' : `${format(side.macs, 'count')} MACs`
      }`,
    ),
    button('Open', () => host.post({ type: 'side', side: which }), { look: 'quiet', title: `Open ${name}` }),
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
      el('tr', {}, el('th', { scope: 'col' }, 'Header'), el('th', { scope: 'col' }, 'First'), el('th', { scope: 'col' }, 'Other')),
    ),
    el(
      'tbody',
      {},
      ...list.map(({ label, first, other }) => el('tr', {}, el('th', { scope: 'row' }, label), el('td', {}, first), el('td', {}, other))),
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
    ...diff.tensors.map((t) => {
      const v = t.values;
      return ['tensor', t.status, t.name, t.otherName, types(t), shapes(t), '', v?.maxAbs, v?.relative, v?.cosine, v?.norm, v?.otherNorm];
    }),
  ];
  return `${rows.map((row) => row.map(cell).join(',')).join('\n')}\n`;
};

/** Two model files: what differs in sum, then node by node and tensor by tensor. */
export const diffView = ({ title, facts }: Extract<ToPage, { type: 'diff' }>, host: Host): HTMLElement => {
  const chosen = el('section', { class: 'layer-aside', 'aria-label': 'Chosen difference' });
  const idle = (): void => chosen.replaceChildren(el('p', { class: 'muted' }, 'Choose a row to see what changed.'));
  const detail = (name: string, pairs: readonly (readonly [string, string])[], changes: readonly string[]): void =>
    chosen.replaceChildren(
      el('h2', {}, name),
      el('dl', { class: 'pairs' }, ...pairs.flatMap(([label, text]) => [el('dt', {}, label), el('dd', {}, text)])),
      ...(changes.length > 0 ? [el('ul', { class: 'changes' }, ...changes.map((change) => el('li', {}, change)))] : []),
    );
  const mark = (item: { readonly status: DiffStatus }): string => `diff-${item.status}`;
  const nodes = rowTable<NodeDiff>({
    label: 'Nodes',
    columns: nodeColumns,
    words: (n) => `${nameText(n)} ${n.op} ${n.status} ${n.changes.join(' ')}`,
    mark,
    choose(i) {
      const n = facts.nodes[i];
      detail(
        nameText(n),
        [
          ['Difference', n.status],
          ['Operator', n.op],
          ['Output', shapeOf(n.dims)],
        ],
        n.changes,
      );
    },
  });
  const tensors = rowTable<TensorDiff>({
    label: 'Tensors',
    columns: tensorColumns,
    words: (t) => `${nameText(t)} ${types(t)} ${shapes(t)} ${t.status}`,
    mark,
    choose(i) {
      const t = facts.tensors[i];
      const v = t.values;
      const numbers: readonly (readonly [string, string])[] = v
        ? [
            ['Elements', format(v.elements, 'count')],
            ['Largest difference', format(v.maxAbs)],
            ['Relative (norm)', v.relative === null ? UNDEFINED : format(v.relative, 'fraction')],
            ['Cosine', v.cosine === null ? UNDEFINED : cosine(v.cosine)],
            ['Norms', `${format(v.norm)} and ${format(v.otherNorm)}`],
            ...(v.notFinite > 0 ? [['Not finite, and not the same', format(v.notFinite, 'count')] as const] : []),
          ]
        : [];
      detail(nameText(t), [['Difference', t.status], ['Type', types(t)], ['Shape', shapes(t)], ...numbers], []);
    },
  });
  let shown: 'nodes' | 'tensors' = 'nodes';
  let all = false;
  const told = el('p', { class: 'muted', role: 'status' });
  const search = el('input', {
    type: 'search',
    class: 'search',
    placeholder: 'Search name, operator, change',
    'aria-label': 'Search differences',
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
      which === 'nodes' ? 'Nodes' : 'Tensors',
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
    told.textContent =
      found === 0 && search.value === '' && !all
        ? `No ${shown === 'nodes' ? 'node' : 'tensor'} differs.`
        : `${format(found, 'count')} of ${format(total, 'count')}`;
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
        el('h1', {}, title),
        el(
          'div',
          { class: 'actions' },
          button('Save CSV', save),
          button('Compare again', () => host.post({ type: 'rerun' })),
        ),
      ),
      summary(facts),
      el('div', { class: 'model-facts' }, sideOf(facts.sides[0], 0, host), sideOf(facts.sides[1], 1, host)),
      headers(facts),
      facts.notes.length > 0 && el('ul', { class: 'muted' }, ...facts.notes.map((note) => el('li', {}, note))),
    ),
    el(
      'section',
      { class: 'layers-view', 'aria-label': 'Differences' },
      el(
        'div',
        { class: 'layers-bar' },
        el('div', { role: 'tablist', class: 'diff-tabs', 'aria-label': 'Nodes or tensors' }, ...tabs),
        search,
        told,
        toggle('Show the same too', false, (on) => {
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
