import type { ArrayFacts, AttributionMap, DataColumn, DataFacts } from '../../src/report/data-view.ts';
import type { DataLook, DataTell, DataWork } from '../../src/vscode/data-protocol.ts';
import { button, ring, toggle } from '../controls.ts';
import { el, say } from '../element.ts';
import type { Host } from '../host.ts';
import { format, given, t, type Words } from '../l10n.ts';
import { arraysView } from './arrays.ts';
import { balanceStrip } from './balance.ts';
import { mapCanvas } from './cells.ts';
import { filterBox } from './filter-box.ts';
import { dataGrid, type Extra } from './grid.ts';
import { rowPane } from './row-pane.ts';

/** What VS Code keeps of this page: the look, how far it was scrolled, and what else it was opened with. */
interface Kept {
  readonly look?: DataLook;
  readonly top?: number;
  readonly squares?: readonly string[];
  readonly [other: string]: unknown;
}
const keptOf = (host: Host): Kept => {
  try {
    return JSON.parse(host.kept() ?? '{}') as Kept;
  } catch {
    return {};
  }
};
export const keptLook = (host: Host): DataLook => keptOf(host).look ?? { filter: '' };

export interface DataPage {
  readonly element: HTMLElement;
  tell(tell: DataTell): void;
}

const works: Readonly<Record<DataWork, Words>> = {
  opening: t('Reading the file'),
  predicting: t('Predicting'),
  counting: t('Reading all values'),
};
/** Maps kept; the oldest go. */
const MOST_MAPS = 2000;

const mapColumn: DataColumn = { name: 'attribution', kind: 'picture', size: 0, dtype: t('gradient'), dims: [] };

/** How many rows are shown, of how many. */
const countOf = (count: number, all: number): Words => {
  const [some, whole] = [format(count, 'count'), format(all, 'count')];
  if (count === all) return all === 1 ? t('{0} row', whole) : t('{0} rows', whole);
  return all === 1 ? t('{0} of {1} row', some, whole) : t('{0} of {1} rows', some, whole);
};
const summaryOf = ({ format: kind, rows, length, predictions }: DataFacts, trusted: boolean): Words => {
  const [read, whole] = [format(rows, 'count'), format(length, 'count')];
  const part = rows === 1 ? t('{0} row of {1} in the file', read, whole) : t('{0} rows of {1} in the file', read, whole);
  const by = predictions?.model ? [t('predictions of {0} on {1}', predictions.model, predictions.device)] : [];
  const all = [kind, rows === length ? countOf(rows, rows) : part, ...by].join(', ');
  return trusted ? given(all) : t('{0}. This workspace is not trusted: data are shown, and no model is run', all);
};

/** The data editor's page: filter, class balance, rows, one row, arrays. */
export const dataPage = (host: Host, signal: AbortSignal): DataPage => {
  let facts: DataFacts | undefined;
  let found: readonly ArrayFacts[] | undefined;
  let look: DataLook = keptLook(host);
  let [trusted, generation, mapping] = [false, 0, false];
  let squares: readonly string[] = keptOf(host).squares ?? [];
  let top = keptOf(host).top ?? 0;
  let count = 0;
  const maps = new Map<number, AttributionMap | null>();
  const waiting = new Set<number>();

  let saving: ReturnType<typeof setTimeout> | undefined;
  const keep = (): void => {
    clearTimeout(saving);
    saving = setTimeout(() => host.keep(JSON.stringify({ ...keptOf(host), look, top, squares })), 150);
  };
  const turn = (part: Partial<DataLook>): void => {
    look = { ...look, ...part };
    keep();
    host.post({ type: 'data', ask: { kind: 'look', look } });
    say(status, t('Looking through the rows…'));
  };

  const title = el('h1');
  const summary = el('p', { class: 'muted' });
  const actions = el('div', { class: 'actions' });
  const status = el('p', { class: 'muted', role: 'status' });
  const work = el('div', { class: 'data-work', role: 'status' });
  const wrong = el('div', { class: 'wrong data-wrong', role: 'alert' });
  const notes = el('div');
  const balance = el('div');
  const filter = filterBox((text) => turn({ filter: text }));
  const pane = rowPane({
    saliency: (row) => host.post({ type: 'data', ask: { kind: 'saliency', row } }),
    closed: () => grid.element.querySelector<HTMLElement>('[role=grid]')?.focus(),
  });
  const extra: Extra = {
    column: mapColumn,
    label: t('attribution'),
    cell(row) {
      const map = maps.get(row);
      return map ? mapCanvas(map, facts?.columns.find((c) => c.square)?.square) : given(map === null ? '–' : '…');
    },
  };
  const grid = dataGrid({
    want: (wanted) => host.post({ type: 'data', ask: { kind: 'slices', generation, squares, wanted } }),
    sort({ name }) {
      const { sort } = look;
      const same = sort?.column === name;
      turn({ sort: same && sort.descending ? undefined : { column: name, descending: same } });
    },
    choose(row, firmly) {
      if (firmly && look.model && trusted) host.post({ type: 'data', ask: { kind: 'saliency', row } });
      else {
        pane.waiting(row);
        host.post({ type: 'data', ask: { kind: 'row', row, squares } });
      }
    },
    inView(rows) {
      if (!mapping) return;
      const missing = rows.filter((row) => !maps.has(row));
      if (missing.length === 0 || missing.every((row) => waiting.has(row))) return;
      waiting.clear();
      for (const row of missing) waiting.add(row);
      host.post({ type: 'data', ask: { kind: 'maps', rows: missing } });
    },
    moved(to) {
      if (to === top) return;
      top = to;
      keep();
    },
  });

  const arrays = el('details', { class: 'data-arrays' });
  const drawArrays = (): void => {
    if (!facts) return;
    const summary = el('summary', {}, t('Arrays ({0})', format(facts.arrays.length, 'count')));
    // Columns and labels are of the arrays shown: both are chosen anew.
    const change = (part: Partial<DataLook>): void => {
      const { filter: _, sort: __, ...rest } = look;
      look = { ...rest, ...part, filter: '' };
      top = 0;
      keep();
      host.post({ type: 'data', ask: { kind: 'look', look } });
    };
    arrays.replaceChildren(summary, arraysView(facts, found, look, change));
  };
  arrays.addEventListener('toggle', () => {
    if (arrays.open && found === undefined) host.post({ type: 'data', ask: { kind: 'arrays' } });
  });

  const columns = (): void => {
    if (facts) grid.columns(facts.columns, squares, mapping ? extra : undefined);
  };
  const dress = (): void => {
    if (!facts) return;
    const { columns: all, predictions } = facts;
    const flat = all.filter((c) => c.square);
    const model = look.model && predictions?.model;
    actions.replaceChildren(
      ...flat.map(({ name, square }) =>
        toggle(
          flat.length === 1 ? t('Pictures') : t('{0} as pictures', name),
          squares.includes(name),
          (on) => {
            squares = on ? [...squares, name] : squares.filter((other) => other !== name);
            keep();
            columns();
          },
          t('Draw {0} as pictures of {1} × {2}', name, square?.height ?? 0, square?.width ?? 0),
        ),
      ),
      ...(model && trusted
        ? [
            toggle(
              t('Attributions'),
              mapping,
              (on) => {
                mapping = on;
                columns();
              },
              t('Gradient of the predicted class of each row in view'),
            ),
            button(t('Remove Model'), () => host.post({ type: 'data', ask: { kind: 'detach' } }), {
              look: 'quiet',
              title: t('Remove the predictions of {0}', model),
            }),
          ]
        : []),
      ...(trusted
        ? [
            button(model ? t('Other Model…') : t('Predict with Model…'), () => host.post({ type: 'data', ask: { kind: 'attach' } }), {
              look: model ? 'secondary' : 'primary',
            }),
          ]
        : []),
    );
  };
  const tellWork = (told: Extract<DataTell, { kind: 'work' }> | undefined): void => {
    if (!told) {
      work.replaceChildren();
      return;
    }
    const share = told.fraction === undefined ? '' : ` ${format(told.fraction, 'fraction')}`;
    const rest = told.text === undefined ? '' : `, ${told.text}`;
    work.replaceChildren(
      ring(works[told.work]),
      el('span', {}, given(`${works[told.work]}…${share}${rest}`)),
      ...(told.work === 'opening' ? [] : [button(t('Stop'), () => host.post({ type: 'data', ask: { kind: 'stop' } }))]),
    );
  };

  const element = el(
    'div',
    { class: 'data-page' },
    el('header', { class: 'data-top' }, el('div', { class: 'report-title' }, title, actions), summary, work, wrong),
    filter.element,
    balance,
    el('div', { class: 'data-main' }, el('div', { class: 'data-left' }, status, grid.element), pane.element),
    el('footer', { class: 'data-foot' }, arrays, notes),
  );
  signal.addEventListener('abort', () => clearTimeout(saving));

  return {
    element,
    tell(told) {
      switch (told.kind) {
        case 'table': {
          const fresh = facts?.name !== told.facts.name || facts.predictions?.model !== told.facts.predictions?.model;
          facts = told.facts;
          trusted = told.trusted;
          look = told.look;
          if (fresh) {
            maps.clear();
            waiting.clear();
          }
          mapping = mapping && look.model !== undefined && facts.predictions?.model !== undefined;
          say(title, given(facts.name));
          document.title = facts.name;
          say(summary, summaryOf(facts, trusted));
          say(wrong, '');
          tellWork(undefined);
          filter.columns(facts.columns);
          filter.set(look.filter);
          const said = [...facts.notes, ...(facts.predictions?.notes ?? [])];
          notes.replaceChildren(
            ...(said.length === 0
              ? []
              : [
                  el(
                    'details',
                    { class: 'muted' },
                    el('summary', {}, t('Notes ({0})', said.length)),
                    el('ul', { class: 'data-notes' }, ...said.map((note) => el('li', {}, given(note)))),
                  ),
                ]),
          );
          drawArrays();
          dress();
          columns();
          keep();
          return;
        }
        case 'selection': {
          const { selection } = told;
          generation = told.generation;
          count = selection.count;
          filter.refuse('');
          const all = facts?.rows ?? count;
          say(status, countOf(count, all));
          balance.replaceChildren(
            ...(selection.balance
              ? [
                  balanceStrip(selection.balance, look.filter, (text) => {
                    filter.set(text);
                    turn({ filter: text });
                  }),
                ]
              : []),
          );
          grid.order(count, told.look.sort, top);
          return;
        }
        case 'slice':
          if (told.generation === generation) grid.slice(told.from, told.slice);
          return;
        case 'row':
          if (facts) pane.show(told.row, facts.columns, trusted && look.model !== undefined);
          return;
        case 'arrays':
          found = told.facts;
          tellWork(undefined);
          drawArrays();
          return;
        case 'maps':
          for (const map of told.maps) maps.set(map.row, map);
          for (const row of told.without) maps.set(row, null);
          for (const oldest of maps.keys()) if (maps.size > MOST_MAPS) maps.delete(oldest);
          waiting.clear();
          grid.redraw();
          return;
        case 'work':
          return tellWork(told);
        case 'refused':
          tellWork(undefined);
          if (told.of === 'filter') {
            filter.refuse(told.sentence);
            say(status, countOf(count, facts?.rows ?? count));
          } else if (told.of === 'row') pane.refuse(told.sentence);
          else say(wrong, given(told.sentence));
      }
    },
  };
};
