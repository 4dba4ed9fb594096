import { checkbox } from './controls.ts';
import { el, freshId } from './element.ts';
import { given, t, type Words } from './l10n.ts';

/** Pixels a row takes; the style sheet says the same. */
const ROW = 26;
/** Rows drawn above and below those in view. */
const MARGIN = 8;
/** Between columns, and beside the first and last. */
const [GAP, EDGE] = [12, 10];

export interface Column<T> {
  readonly label: Words;
  readonly numeric?: true;
  /** Pixels it takes at least; what is left over goes to those that grow. */
  readonly width: number;
  readonly grow?: number;
  /** Where room is short, columns of the highest number go first; one without a number stays. */
  readonly rank?: number;
  /** Stays in view when the table is scrolled sideways. */
  readonly sticky?: true;
  text(item: T, index: number): Words | '';
  key(item: T, index: number): number | string;
}
export interface RowTableOptions<T> {
  readonly label: Words;
  readonly columns: readonly Column<T>[];
  /** What a search looks through. */
  words(item: T): string;
  choose(index: number): void;
  /** A class for a row, for what its state is. */
  mark?(item: T): string | undefined;
}
export interface RowTable<T> {
  readonly element: HTMLElement;
  /** Lets columns be chosen. */
  readonly chooser: HTMLElement;
  show(items: readonly T[]): void;
  /** Other columns, sorted as before where that column stays. */
  columns(next: readonly Column<T>[]): void;
  /** Keeps the items that hold all the words, and of those the ones that `keep`. */
  search(text: string, keep?: (item: T) => boolean): number;
  /** Chooses the item after the chosen one, after the last the first. */
  next(): void;
}

/** Names differ at their ends: where room is short the middle is left out. */
const TAIL = 14;
const ends = (text: Words | ''): readonly (Node | Words | '')[] =>
  text.length <= TAIL + 6
    ? [text]
    : [el('span', { class: 'name-start' }, given(text.slice(0, -TAIL))), el('span', { class: 'name-end' }, given(text.slice(-TAIL)))];

/** Columns that fit into a width, in their order: by rank, those without one always. */
const fitting = <T>(columns: readonly Column<T>[], width: number): readonly Column<T>[] => {
  const kept = new Set<Column<T>>();
  let left = width - 2 * EDGE + GAP;
  for (const column of [...columns].sort((a, b) => (a.rank ?? -1) - (b.rank ?? -1))) {
    left -= column.width + GAP;
    if (left < 0 && column.rank !== undefined) break;
    kept.add(column);
  }
  return columns.filter((column) => kept.has(column));
};

/** A table of which only the rows in view are in the page. Rows are chosen by click, arrow keys, Home, End and page keys. */
export const rowTable = <T>({ label, columns: first, words: wordsOf, choose, mark }: RowTableOptions<T>): RowTable<T> => {
  const id = freshId('rows');
  let columns = first;
  let items: readonly T[] = [];
  let order: readonly number[] = [];
  let [words, sorted, up] = ['', first[0].label, true];
  let keep: (item: T) => boolean = () => true;
  /** Labels of the columns that the user asked for; as many as fit where undefined. */
  let wanted: ReadonlySet<string> | undefined;
  let shown: readonly Column<T>[] = [];
  let lefts: readonly number[] = [];
  /** Place in `order`. */
  let chosen = -1;

  const head = el('div', { class: 'layer-row layer-head', role: 'row', 'aria-rowindex': 1 });
  const body = el('div', { class: 'layer-rows', role: 'rowgroup' });
  const view = el('div', { class: 'layer-table', role: 'grid', tabindex: 0, 'aria-label': label }, head, body);

  const dress = (cell: HTMLElement, c: number): HTMLElement => {
    if (shown[c].sticky) cell.style.left = `${lefts[c]}px`;
    return cell;
  };
  const classOf = ({ numeric, sticky }: Column<T>): string | undefined =>
    [numeric && 'numeric', sticky && 'stick'].filter(Boolean).join(' ') || undefined;

  /** Which columns are in view, and their headings. */
  const lay = (): void => {
    shown = wanted ? columns.filter((c) => c.sticky || wanted?.has(c.label)) : fitting(columns, view.clientWidth || 800);
    let at = EDGE;
    lefts = shown.map(({ width, sticky }) => {
      const left = at;
      if (sticky) at += width + GAP;
      return left;
    });
    const least = shown.reduce((sum, { width }) => sum + width + GAP, 2 * EDGE - GAP);
    view.style.setProperty('--columns', shown.map(({ width, grow }) => (grow ? `minmax(${width}px, ${grow}fr)` : `${width}px`)).join(' '));
    view.style.setProperty('--least', `${least}px`);
    view.setAttribute('aria-colcount', String(shown.length));
    head.replaceChildren(
      ...shown.map((column, c) => {
        const press = el('button', { class: 'sort', type: 'button', on: { click: () => sort(column.label) } }, column.label);
        const direction = column.label === sorted ? (up ? 'ascending' : 'descending') : 'none';
        return dress(el('div', { role: 'columnheader', class: classOf(column), 'aria-sort': direction }, press), c);
      }),
    );
  };
  const draw = (): void => {
    const from = Math.max(0, Math.floor((view.scrollTop - body.offsetTop) / ROW) - MARGIN);
    const to = Math.min(order.length, Math.ceil((view.scrollTop + view.clientHeight) / ROW) + MARGIN);
    body.replaceChildren(
      ...order.slice(from, to).map((index, i) => {
        const at = from + i;
        const item = items[index];
        const row = el(
          'div',
          {
            class: ['layer-row', mark?.(item)].filter(Boolean).join(' '),
            role: 'row',
            id: `${id}-${at}`,
            'aria-rowindex': at + 2,
            'aria-selected': String(at === chosen),
            on: { click: () => select(at) },
          },
          ...shown.map((column, c) => {
            const text = column.text(item, index);
            return dress(el('div', { role: 'gridcell', class: classOf(column), title: text }, ...(column.sticky ? ends(text) : [text])), c);
          }),
        );
        row.style.top = `${at * ROW}px`;
        return row;
      }),
    );
    if (chosen >= from && chosen < to) view.setAttribute('aria-activedescendant', `${id}-${chosen}`);
    else view.removeAttribute('aria-activedescendant');
  };
  const arrange = (): void => {
    const parts = words.split(/\s+/);
    const kept = items.flatMap((item, i) => {
      if (!keep(item)) return [];
      const text = wordsOf(item).toLowerCase();
      return parts.every((word) => text.includes(word)) ? [i] : [];
    });
    const { key } = columns.find((column) => column.label === sorted) ?? columns[0];
    const sign = up ? 1 : -1;
    order = kept.sort((a, b) => {
      const [x, y] = [key(items[a], a), key(items[b], b)];
      const by = typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), 'en', { numeric: true });
      return sign * by || a - b;
    });
    body.style.height = `${order.length * ROW}px`;
    view.setAttribute('aria-rowcount', String(order.length + 1));
    draw();
  };
  const sort = (by: Words): void => {
    up = by === sorted ? !up : true;
    sorted = by;
    chosen = -1;
    lay();
    arrange();
  };
  const select = (at: number): void => {
    if (at < 0 || at >= order.length) return;
    chosen = at;
    const [top, bottom] = [at * ROW, (at + 1) * ROW + body.offsetTop];
    if (view.scrollTop > top) view.scrollTop = top;
    else if (view.scrollTop + view.clientHeight < bottom) view.scrollTop = bottom - view.clientHeight;
    draw();
    choose(order[at]);
  };
  let queued = false;
  view.addEventListener('scroll', () => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      draw();
    });
  });
  view.addEventListener('keydown', (event) => {
    const page = Math.max(1, Math.floor(view.clientHeight / ROW) - 2);
    const last = order.length - 1;
    const to = {
      ArrowDown: Math.min(last, chosen + 1),
      ArrowUp: Math.max(0, chosen - 1),
      PageDown: Math.min(last, chosen + page),
      PageUp: Math.max(0, chosen - page),
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined || event.target !== view) return;
    event.preventDefault();
    select(to);
  });
  let wide = 0;
  new ResizeObserver(() => {
    if (view.clientWidth !== wide) {
      wide = view.clientWidth;
      lay();
    }
    draw();
  }).observe(view);

  const menu = el('div', { class: 'chooser-menu' });
  const chooser = el('details', { class: 'chooser' }, el('summary', {}, t('Columns')), menu);
  const list = (): void => {
    const boxes = columns
      .filter(({ sticky }) => !sticky)
      .map((column) =>
        checkbox(
          column.label,
          shown.some((one) => one.label === column.label),
          (on) => {
            const next = new Set(wanted ?? shown.map((one) => one.label));
            if (on) next.add(column.label);
            else next.delete(column.label);
            wanted = next;
            lay();
            draw();
          },
        ),
      );
    const automatic = el(
      'button',
      {
        type: 'button',
        class: 'chooser-reset',
        on: {
          click() {
            wanted = undefined;
            lay();
            draw();
            list();
          },
        },
      },
      t('As many as fit'),
    );
    menu.replaceChildren(...boxes, automatic);
  };
  chooser.addEventListener('toggle', () => {
    if (chooser.open) list();
  });
  chooser.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    chooser.open = false;
    chooser.querySelector('summary')?.focus();
  });
  chooser.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !chooser.contains(relatedTarget)) chooser.open = false;
  });
  lay();
  return {
    element: view,
    chooser,
    show(all) {
      items = all;
      arrange();
    },
    columns(next) {
      columns = next;
      if (!columns.some((column) => column.label === sorted)) sorted = columns[0].label;
      lay();
      arrange();
    },
    search(text, kept = () => true) {
      words = text.trim().toLowerCase();
      keep = kept;
      chosen = -1;
      view.scrollTop = 0;
      arrange();
      return order.length;
    },
    next: () => select(order.length > 0 ? (chosen + 1) % order.length : -1),
  };
};
