import type { DataColumn, DataSlice } from '../../src/report/data-view.ts';
import type { DataLook } from '../../src/vscode/data-protocol.ts';
import { el, freshId } from '../element.ts';
import { given, t, type Words } from '../l10n.ts';
import { cellOf } from './cells.ts';
import { type ScrollMap, scrollMap } from './scroll-map.ts';

/** Rows and columns that are asked for together. */
const BLOCK = 32;
const COLUMNS = 24;
const MOST_BLOCKS = 400;
/** Columns drawn left and right of those in view. */
const MARGIN = 2;
const HEAD = 30;
const PLAIN = 28;
const PICTURES = 56;

export interface Wanted {
  readonly from: number;
  readonly to: number;
  readonly columns: readonly string[];
}
/** What the page puts into the grid, besides the columns of the data. */
export interface Extra {
  readonly column: DataColumn;
  readonly label: Words;
  cell(row: number): Node | Words;
}
export interface GridPorts {
  want(wanted: readonly Wanted[]): void;
  sort(column: DataColumn): void;
  /** A row was chosen; `firmly` by Enter or a double click. */
  choose(row: number, firmly: boolean): void;
  /** Rows of the file that are in view and here. */
  inView(rows: readonly number[]): void;
  moved(top: number): void;
}
export interface Grid {
  readonly element: HTMLElement;
  columns(columns: readonly DataColumn[], squares: readonly string[], extra: Extra | undefined): void;
  /** Another order: nothing that was read counts any longer. */
  order(count: number, sort: DataLook['sort'], top: number): void;
  slice(from: number, slice: DataSlice): void;
  redraw(): void;
}

const widthOf = ({ kind, role, name }: DataColumn, squares: readonly string[]): number => {
  if (role === 'row') return 84;
  if (kind === 'picture' || squares.includes(name)) return Math.max(72, Math.min(180, 9 * name.length + 24));
  const least = { number: 104, truth: 80, class: 120, text: role === undefined ? 260 : 140, numbers: 340, picture: 72 }[kind];
  return Math.max(least, Math.min(220, 8 * name.length + 34));
};
const isNumeric = ({ kind }: DataColumn): boolean => kind === 'number';

/** Rows of fixed height, of which only those in view are in the page; only their values are asked for. */
export const dataGrid = (ports: GridPorts): Grid => {
  const id = freshId('data');
  let shown: readonly DataColumn[] = [];
  let lefts: readonly number[] = [0];
  let squares: readonly string[] = [];
  let extra: Extra | undefined;
  let [count, top, chosen, height] = [0, 0, -1, PLAIN];
  let sort: DataLook['sort'];
  let map: ScrollMap = scrollMap(0, 0);
  /** Where the space was last scrolled to by the grid itself. */
  let set = -1;
  const blocks = new Map<string, DataSlice>();
  let asked = '';

  const head = el('div', { class: 'data-row data-head', role: 'row', 'aria-rowindex': 1 });
  const body = el('div', { class: 'data-body', role: 'rowgroup' });
  const window_ = el('div', { class: 'data-window', role: 'presentation' }, el('div', { role: 'rowgroup' }, head), body);
  const space = el('div', { class: 'data-space', role: 'presentation' }, window_);
  const view = el('div', { class: 'data-grid', role: 'grid', tabindex: 0, 'aria-label': t('Rows') }, space);
  const empty = el('p', { class: 'data-empty muted', hidden: true }, t('No row fits the filter.'));
  const element = el('div', { class: 'data-frame' }, view, empty);

  const keyOf = (block: number, group: number): string => `${block}:${group}`;
  const inside = (): number => Math.max(0, view.clientHeight - HEAD);
  const limit = (): number => Math.max(0, count * height - inside());

  const measure = (): void => {
    map = scrollMap(count * height, inside());
    space.style.height = `${map.height + HEAD}px`;
    space.style.width = `${Math.max(view.clientWidth, lefts.at(-1) ?? 0)}px`;
    window_.style.height = `${Math.min(view.clientHeight, count * height + HEAD)}px`;
  };
  const go = (to: number): void => {
    top = Math.max(0, Math.min(limit(), to));
    view.scrollTop = map.scroll(top);
    set = view.scrollTop;
    ports.moved(top);
    draw();
  };

  const columnsInView = (): readonly [number, number] => {
    const [left, right] = [view.scrollLeft, view.scrollLeft + view.clientWidth];
    const from = Math.max(0, lefts.findIndex((at) => at > left) - 1 - MARGIN);
    let to = from;
    while (to < shown.length && lefts[to] < right) to++;
    return [from, Math.min(shown.length, to + MARGIN)];
  };
  const place = (cell: HTMLElement, c: number): HTMLElement => {
    cell.style.left = `${lefts[c]}px`;
    cell.style.width = `${lefts[c + 1] - lefts[c]}px`;
    return cell;
  };
  const isExtra = (column: DataColumn): boolean => column === extra?.column;

  const drawHead = (from: number, to: number): void => {
    head.replaceChildren(
      ...shown.slice(from, to).map((column, i) => {
        const sortable = !isExtra(column) && column.kind !== 'numbers' && column.kind !== 'picture' && column.dims.length === 0;
        const label = extra && isExtra(column) ? extra.label : given(column.name);
        const text = sortable
          ? el('button', { class: 'sort', type: 'button', title: t('Sort by {0}', label), on: { click: () => ports.sort(column) } }, label)
          : el('span', {}, label);
        const direction = sort?.column === column.name ? (sort.descending ? 'descending' : 'ascending') : 'none';
        const shape = column.dims.length > 0 ? ` ${column.dims.join(' × ')}` : '';
        return place(
          el(
            'div',
            {
              role: 'columnheader',
              class: isNumeric(column) ? 'numeric' : undefined,
              'aria-colindex': from + i + 1,
              'aria-sort': sortable ? direction : undefined,
              title: given(`${label} (${column.dtype}${shape})`),
            },
            text,
          ),
          from + i,
        );
      }),
    );
  };

  const valueAt = (at: number, c: number): { readonly text: Node | Words; readonly number?: number } | undefined => {
    const column = shown[c];
    const slice = blocks.get(keyOf(Math.floor(at / BLOCK), Math.floor(c / COLUMNS)));
    const i = at % BLOCK;
    if (!slice || i >= slice.rows.length) return undefined;
    if (extra && isExtra(column)) return { text: extra.cell(slice.rows[i]) };
    const cells = slice.cells[slice.columns.indexOf(column.name)];
    if (!cells) return undefined;
    return { text: cellOf(cells, i, column), ...(cells.kind === 'numbers' ? { number: cells.values[i] } : {}) };
  };
  const rowAt = (at: number): number | undefined => {
    for (let group = 0; group * COLUMNS < shown.length; group++) {
      const slice = blocks.get(keyOf(Math.floor(at / BLOCK), group));
      if (slice && at % BLOCK < slice.rows.length) return slice.rows[at % BLOCK];
    }
    return undefined;
  };
  /** Whether the row's label and prediction are both in view and differ. */
  const isWrong = (at: number): boolean => {
    const texts = (['label', 'prediction'] as const).map((role) => {
      const c = shown.findIndex((column) => column.role === role && (column.kind === 'class' || column.kind === 'text'));
      return c < 0 ? undefined : valueAt(at, c)?.text;
    });
    return texts.every((text) => typeof text === 'string' && text !== '–') && texts[0] !== texts[1];
  };

  const drawRow = (at: number, from: number, to: number): HTMLElement => {
    const wrong = isWrong(at);
    const row = el(
      'div',
      {
        class: 'data-row',
        role: 'row',
        id: `${id}-${at}`,
        'aria-rowindex': at + 2,
        'aria-selected': String(at === chosen),
        on: { click: () => select(at, false), dblclick: () => select(at, true) },
      },
      ...shown.slice(from, to).map((column, i) => {
        const found = valueAt(at, from + i);
        const text = found?.text ?? given('…');
        const classes = [
          isNumeric(column) && 'numeric',
          (found === undefined || text === '–') && 'muted',
          wrong && column.role === 'prediction' && 'wrong unlike',
        ].filter(Boolean);
        return place(
          el(
            'div',
            {
              role: 'gridcell',
              'aria-colindex': from + i + 1,
              class: classes.length > 0 ? classes.join(' ') : undefined,
              title: typeof text === 'string' && text.length > 12 ? text : undefined,
            },
            text,
          ),
          from + i,
        );
      }),
    );
    row.style.top = `${at * height - top}px`;
    return row;
  };

  const ask = (first: number, last: number, from: number, to: number): void => {
    const wanted: Wanted[] = [];
    for (let block = Math.floor(first / BLOCK); block * BLOCK < last; block++)
      for (let group = Math.floor(from / COLUMNS); group * COLUMNS < to; group++) {
        if (blocks.has(keyOf(block, group))) continue;
        const columns = shown.slice(group * COLUMNS, (group + 1) * COLUMNS).filter((c) => !isExtra(c));
        wanted.push({ from: block * BLOCK, to: Math.min(count, (block + 1) * BLOCK), columns: columns.map((c) => c.name) });
      }
    const text = JSON.stringify(wanted);
    if (text === asked) return;
    asked = text;
    if (wanted.length > 0) ports.want(wanted);
  };

  const draw = (): void => {
    const first = Math.max(0, Math.floor(top / height));
    const last = Math.min(count, Math.ceil((top + inside()) / height) + 1);
    const [from, to] = columnsInView();
    drawHead(from, to);
    body.replaceChildren(...Array.from({ length: Math.max(0, last - first) }, (_, i) => drawRow(first + i, from, to)));
    body.style.setProperty('--row', `${height}px`);
    if (chosen >= first && chosen < last) view.setAttribute('aria-activedescendant', `${id}-${chosen}`);
    else view.removeAttribute('aria-activedescendant');
    ask(first, last, from, to);
    ports.inView(Array.from({ length: Math.max(0, last - first) }, (_, i) => rowAt(first + i)).filter((row) => row !== undefined));
  };
  let queued = false;
  const soon = (): void => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      draw();
    });
  };

  const reveal = (at: number): void => {
    if (at * height < top) go(at * height);
    else if ((at + 1) * height > top + inside()) go((at + 1) * height - inside());
    else draw();
  };
  const select = (at: number, firmly: boolean): void => {
    if (at < 0 || at >= count) return;
    chosen = at;
    reveal(at);
    const row = rowAt(at);
    if (row !== undefined) ports.choose(row, firmly);
  };

  view.addEventListener('scroll', () => {
    if (Math.abs(view.scrollTop - set) > 1) {
      top = Math.max(0, Math.min(limit(), map.top(view.scrollTop)));
      set = -1;
      ports.moved(top);
    }
    soon();
  });
  view.addEventListener(
    'wheel',
    (event) => {
      // In a stretched space one pixel of it is many of the list: the wheel moves the list itself.
      if (!map.stretched || event.ctrlKey || event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
      event.preventDefault();
      const unit = [1, height, inside()][event.deltaMode];
      top = Math.max(0, Math.min(limit(), top + event.deltaY * unit));
      view.scrollTop = map.scroll(top);
      set = view.scrollTop;
      ports.moved(top);
      soon();
    },
    { passive: false },
  );
  view.addEventListener('keydown', (event) => {
    if (event.target !== view) return;
    const page = Math.max(1, Math.floor(inside() / height) - 1);
    const last = count - 1;
    const to = {
      ArrowDown: Math.min(last, chosen + 1),
      ArrowUp: Math.max(0, chosen - 1),
      PageDown: Math.min(last, Math.max(0, chosen) + page),
      PageUp: Math.max(0, chosen - page),
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === 'Enter' && chosen >= 0) select(chosen, true);
    else if (event.key === 'ArrowRight') view.scrollLeft += 80;
    else if (event.key === 'ArrowLeft') view.scrollLeft -= 80;
    else if (to !== undefined) select(to, false);
    else return;
    event.preventDefault();
  });
  new ResizeObserver(() => {
    measure();
    go(top);
  }).observe(view);

  const forget = (): void => {
    blocks.clear();
    asked = '';
  };
  return {
    element,
    columns(columns, drawnSquares, more) {
      const after = columns.findLastIndex(({ role, kind }) => role !== undefined || kind === 'picture') + 1;
      extra = more;
      squares = drawnSquares;
      shown = more ? columns.toSpliced(after, 0, more.column) : columns;
      const tall = more !== undefined || shown.some((c) => c.kind === 'picture' || squares.includes(c.name));
      const at = top / height;
      height = tall ? PICTURES : PLAIN;
      let left = 0;
      lefts = [0, ...shown.map((column) => (left += widthOf(column, squares)))];
      view.setAttribute('aria-colcount', String(shown.length));
      forget();
      measure();
      go(at * height);
    },
    order(rows, sorted, to) {
      [count, sort, chosen] = [rows, sorted, -1];
      empty.hidden = count > 0;
      view.setAttribute('aria-rowcount', String(count + 1));
      forget();
      measure();
      go(to);
    },
    slice(from, slice) {
      const group = Math.floor(shown.findIndex((c) => c.name === slice.columns[0]) / COLUMNS);
      const key = keyOf(Math.floor(from / BLOCK), group);
      blocks.delete(key);
      blocks.set(key, slice);
      for (const oldest of blocks.keys()) if (blocks.size > MOST_BLOCKS) blocks.delete(oldest);
      soon();
    },
    redraw: soon,
  };
};
