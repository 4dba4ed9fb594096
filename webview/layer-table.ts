import { format } from '../src/report/format.ts';
import type { LayerRow } from '../src/report/tasks.ts';
import { el, freshId } from './element.ts';

/** Pixels a row takes; the style sheet says the same. */
const ROW = 26;
/** Rows drawn above and below those in view. */
const MARGIN = 8;

export const shapeOf = (dims: LayerRow['dims']): string => (dims === null ? '?' : dims.length === 0 ? 'scalar' : dims.join(' × '));
const macsOf = ({ macs }: LayerRow): string => (macs === null ? '?' : macs === 0 ? '' : format(macs, 'count'));

interface Column {
  readonly label: string;
  readonly numeric?: true;
  text(layer: LayerRow, index: number): string;
  key(layer: LayerRow, index: number): number | string;
}
const columns: readonly Column[] = [
  { label: '#', numeric: true, text: (_, i) => String(i + 1), key: (_, i) => i },
  { label: 'Name', text: ({ name }) => name, key: ({ name }) => name },
  { label: 'Operator', text: ({ op }) => op, key: ({ op }) => op },
  { label: 'Output shape', text: ({ dims }) => shapeOf(dims), key: ({ dims }) => shapeOf(dims) },
  { label: 'Type', text: ({ dtype }) => dtype, key: ({ dtype }) => dtype },
  {
    label: 'Parameters',
    numeric: true,
    text: ({ parameters }) => (parameters === 0 ? '' : format(parameters, 'count')),
    key: (l) => l.parameters,
  },
  { label: 'MACs', numeric: true, text: macsOf, key: ({ macs }) => macs ?? -1 },
  { label: 'Gradient', text: ({ noGradient }) => (noGradient ? 'stops' : 'passes'), key: ({ noGradient }) => (noGradient ? 1 : 0) },
];

export interface LayerTable {
  readonly element: HTMLElement;
  show(layers: readonly LayerRow[]): void;
  /** Keeps the layers whose name, operator, shape or type holds all the words. */
  search(text: string): number;
  /** Chooses the layer after the chosen one, after the last the first. */
  next(): void;
}

/** A table of which only the rows in view are in the page. Rows are chosen by click, arrow keys, Home, End and page keys. */
export const layerTable = (choose: (index: number) => void): LayerTable => {
  const id = freshId('layers');
  let layers: readonly LayerRow[] = [];
  let order: readonly number[] = [];
  let [words, sorted, up] = ['', 0, true];
  /** Place in `order`. */
  let chosen = -1;

  const heads = columns.map((column, c) => {
    const press = el('button', { class: 'sort', type: 'button', on: { click: () => sort(c) } }, column.label);
    return el('div', { role: 'columnheader', class: column.numeric ? 'numeric' : undefined, 'aria-sort': 'none' }, press);
  });
  const body = el('div', { class: 'layer-rows', role: 'rowgroup' });
  const view = el(
    'div',
    { class: 'layer-table', role: 'grid', tabindex: 0, 'aria-label': 'Layers', 'aria-colcount': columns.length },
    el('div', { class: 'layer-row layer-head', role: 'row', 'aria-rowindex': 1 }, ...heads),
    body,
  );

  const draw = (): void => {
    const head = body.offsetTop;
    const from = Math.max(0, Math.floor((view.scrollTop - head) / ROW) - MARGIN);
    const to = Math.min(order.length, Math.ceil((view.scrollTop + view.clientHeight) / ROW) + MARGIN);
    body.replaceChildren(
      ...order.slice(from, to).map((index, i) => {
        const at = from + i;
        const layer = layers[index];
        const row = el(
          'div',
          {
            class: 'layer-row',
            role: 'row',
            id: `${id}-${at}`,
            'aria-rowindex': at + 2,
            'aria-selected': String(at === chosen),
            on: { click: () => select(at) },
          },
          ...columns.map((column) => {
            const text = column.text(layer, index);
            return el('div', { role: 'gridcell', class: column.numeric ? 'numeric' : undefined, title: text }, text);
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
    const kept = layers.flatMap((layer, i) => {
      const text = `${layer.name} ${layer.op} ${shapeOf(layer.dims)} ${layer.dtype}`.toLowerCase();
      return words.split(/\s+/).every((word) => text.includes(word)) ? [i] : [];
    });
    const { key } = columns[sorted];
    const sign = up ? 1 : -1;
    order = kept.sort((a, b) => {
      const [x, y] = [key(layers[a], a), key(layers[b], b)];
      const by = typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), 'en', { numeric: true });
      return sign * by || a - b;
    });
    body.style.height = `${order.length * ROW}px`;
    view.setAttribute('aria-rowcount', String(order.length + 1));
    draw();
  };
  const sort = (c: number): void => {
    up = c === sorted ? !up : true;
    sorted = c;
    heads.forEach((head, i) => {
      head.setAttribute('aria-sort', i === c ? (up ? 'ascending' : 'descending') : 'none');
    });
    chosen = -1;
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
  new ResizeObserver(draw).observe(view);
  return {
    element: view,
    show(given) {
      layers = given;
      arrange();
    },
    search(text) {
      words = text.trim().toLowerCase();
      chosen = -1;
      view.scrollTop = 0;
      arrange();
      return order.length;
    },
    next: () => select(order.length > 0 ? (chosen + 1) % order.length : -1),
  };
};
