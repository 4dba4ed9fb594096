import type { CardOf } from '../../src/report/report.ts';
import { checkbox, dropdown } from '../controls.ts';
import { context2d, el } from '../element.ts';
import { type Standing, standingOf, tally } from '../following.ts';
import { format, given, t, type Words } from '../l10n.ts';
import { drawnAt, stacked } from '../sketch.ts';
import type { Stage, View } from '../stage.ts';
import { css, onThemeChange, theme } from '../theme.ts';
import { type Layout, layoutOf, orderOf, rampsOf } from './heatmap-layout.ts';
import { paintGrid, rampScale, rampsSketch } from './heatmap-paint.ts';

/** Width the grid may take: all of a narrow card, or what the notes beside it leave. */
const roomFor = (holder: HTMLElement): number => {
  const all = holder.closest('.view')?.clientWidth ?? holder.clientWidth;
  return all < 600 ? all : all - 200;
};

/** A real two-dimensional grid: layers, values in the cells where they fit, pointer and arrow keys, a cell leads to its samples. */
export const heatmap = (card: CardOf<'heatmap'>, stage: Pick<Stage, 'select' | 'signal'>): View => {
  const { rows, columns, layers, selections = {} } = card;
  const [R, C] = [rows.names.length, columns.names.length];
  const square = card.diagonal === true;
  let layer = 0;
  let order = orderOf(card, false);
  let layout: Layout | null = null;
  let focus: readonly [number, number] = [0, 0];
  let active = false;
  /** Cells that hold selected rows, by their index in a layer. */
  let marked: ReadonlyMap<number, Standing> = new Map();
  const chosen = (): number | undefined => [...marked].find(([, standing]) => standing === 'chosen')?.[0];

  const canvas = el('canvas', { class: 'heatmap', 'aria-hidden': 'true' });
  const readout = el('div', { class: 'readout', 'aria-live': 'polite' });
  const scale = el('div', { class: 'ramps' });
  const holder = el(
    'div',
    {
      class: 'heatmap-frame',
      tabindex: 0,
      role: 'application',
      'aria-roledescription': t('grid'),
      'aria-label': t(
        '{0}: {1} rows ({2}), {3} columns ({4}). Use the arrow keys to walk the cells; the same numbers are in the table.',
        card.title,
        R,
        rows.label,
        C,
        columns.label,
      ),
    },
    canvas,
  );

  const body = el('div', { class: 'heatmap-body' }, holder, el('div', { class: 'heatmap-aside' }, readout, scale));

  /** Index into the layer's values of the cell shown at row r, column c. */
  const indexOf = ([r, c]: readonly [number, number]): number => order.rows[r] * C + order.columns[c];

  /** The grid as it stands without rings: painted anew only where layer, order, theme or room changed. */
  const ground = el('canvas');
  const repaint = (): void => {
    const room = roomFor(holder);
    if (room === 0 || layers.length === 0) return;
    const colours = theme();
    const context = context2d(ground);
    const font = `${colours.fontSize - 1}px ${colours.font}`;
    context.font = font;
    layout = layoutOf(card, room, (text) => context.measureText(text).width);
    const { width, height } = layout;
    const dpr = window.devicePixelRatio || 1;
    ground.width = canvas.width = Math.ceil(width * dpr);
    ground.height = canvas.height = Math.ceil(height * dpr);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    context.setTransform(dpr, 0, 0, dpr, 0, 0);
    context.font = font;
    paintGrid(context, card, layer, order, layout, colours);
    scale.replaceChildren(...rampsOf(card, layers[layer]).map((ramp) => rampScale(ramp, layers[layer].unit, colours)));
    draw();
  };
  const draw = (): void => {
    if (layout === null) return;
    const { left, top, cell } = layout;
    const colours = theme();
    const context = context2d(canvas);
    const dpr = window.devicePixelRatio || 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(ground, 0, 0);
    context.setTransform(dpr, 0, 0, dpr, 0, 0);
    outline(context, layout);
    if (active) {
      context.setLineDash([]);
      context.strokeStyle = css(colours.focus);
      context.strokeRect(left + focus[1] * cell - 0.5, top + focus[0] * cell - 0.5, cell, cell);
    }
  };
  /** Solid around the cell chosen, dashed around those linked to it. */
  const outline = (context: CanvasRenderingContext2D, { left, top, cell }: Layout): void => {
    context.strokeStyle = css(theme().foreground);
    context.lineWidth = 2;
    for (const [i, standing] of marked) {
      const [r, c] = [order.rows.indexOf(Math.floor(i / C)), order.columns.indexOf(i % C)];
      context.setLineDash(standing === 'chosen' ? [] : [3, 2]);
      context.strokeRect(left + c * cell - 0.5, top + r * cell - 0.5, cell, cell);
    }
    context.setLineDash([]);
  };

  /** Tells of a cell; with none at hand, of the one whose samples are shown. */
  const say = (at: readonly [number, number] | null): void => {
    const i = at ? indexOf(at) : chosen();
    if (i === undefined) {
      readout.replaceChildren(
        el('span', { class: 'muted' }, Object.keys(selections).length > 0 ? t('Choose a cell to see its samples.') : ''),
      );
      return;
    }
    const pairs: readonly (readonly [Words, Words])[] = [
      [given(rows.label), given(rows.names[Math.floor(i / C)])],
      [given(columns.label), given(columns.names[i % C])],
      ...layers.map((one) => [given(one.name), format(one.values[i], one.unit)] as const),
    ];
    readout.replaceChildren(el('dl', {}, ...pairs.flatMap(([name, value]) => [el('dt', {}, name), el('dd', { class: 'value' }, value)])));
  };
  /** Scrolls a wide grid so that the focused cell is seen. */
  const reveal = ([, c]: readonly [number, number]): void => {
    if (layout === null) return;
    const from = layout.left + c * layout.cell;
    if (from - layout.left < holder.scrollLeft) holder.scrollLeft = from - layout.left;
    else if (from + layout.cell > holder.scrollLeft + holder.clientWidth) holder.scrollLeft = from + layout.cell - holder.clientWidth;
  };
  const choose = (at: readonly [number, number]): void => {
    const selection = selections[String(indexOf(at))];
    if (selection === undefined) return;
    stage.select(selection);
    say(at);
  };
  const cellAt = (event: MouseEvent): readonly [number, number] | null => {
    if (layout === null) return null;
    const box = canvas.getBoundingClientRect();
    const c = Math.floor((event.clientX - box.left - layout.left) / layout.cell);
    const r = Math.floor((event.clientY - box.top - layout.top) / layout.cell);
    return r >= 0 && r < R && c >= 0 && c < C ? [r, c] : null;
  };
  canvas.addEventListener('mousemove', (event) => {
    const at = cellAt(event);
    say(at);
    canvas.classList.toggle('selectable', at !== null && selections[String(indexOf(at))] !== undefined);
  });
  canvas.addEventListener('mouseleave', () => say(active ? focus : null));
  canvas.addEventListener('click', (event) => {
    const at = cellAt(event);
    if (at === null) return;
    focus = at;
    choose(at);
  });
  const steps: Readonly<Record<string, (r: number, c: number) => readonly [number, number]>> = {
    ArrowUp: (r, c) => [r - 1, c],
    ArrowDown: (r, c) => [r + 1, c],
    ArrowLeft: (r, c) => [r, c - 1],
    ArrowRight: (r, c) => [r, c + 1],
    Home: (r) => [r, 0],
    End: (r) => [r, C - 1],
    PageUp: (_, c) => [0, c],
    PageDown: (_, c) => [R - 1, c],
  };
  holder.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' || event.key === ' ') choose(focus);
    else if (Object.hasOwn(steps, event.key)) {
      const [r, c] = steps[event.key](...(focus as [number, number]));
      focus = [Math.max(0, Math.min(R - 1, r)), Math.max(0, Math.min(C - 1, c))];
      draw();
      reveal(focus);
      say(focus);
    } else return;
    event.preventDefault();
  });
  holder.addEventListener('focus', () => {
    active = holder.matches(':focus-visible');
    draw();
    if (active) say(focus);
  });
  holder.addEventListener('blur', () => {
    active = false;
    draw();
    say(null);
  });
  let width = 0;
  const size = new ResizeObserver(() => {
    const room = roomFor(holder);
    if (room === width) return;
    width = room;
    repaint();
  });
  size.observe(body);
  onThemeChange(repaint, stage.signal);
  stage.signal.addEventListener('abort', () => size.disconnect());
  say(null);

  const controls =
    (layers.length > 1 || square) &&
    el(
      'div',
      { class: 'controls' },
      layers.length > 1 &&
        dropdown(
          t('Show'),
          layers.map((one, i) => ({ value: String(i), label: given(one.name) })),
          '0',
          (value) => {
            layer = Number(value);
            repaint();
          },
        ),
      square &&
        R > 2 &&
        checkbox(t('Most confused first'), false, (on) => {
          order = orderOf(card, on);
          repaint();
        }),
    );
  return {
    element: el('div', {}, controls, body),
    sketch() {
      const colours = theme();
      const font = `${colours.fontSize - 1}px ${colours.font}`;
      const measure = context2d(ground);
      const shown = layout ?? layoutOf(card, 720, (text) => measure.measureText(text).width);
      const grid = drawnAt(shown.width, shown.height, (context) => {
        context.font = font;
        if (layers.length > 0) paintGrid(context, card, layer, order, shown, colours);
        outline(context, shown);
      });
      return layers.length === 0 ? grid : stacked([grid, rampsSketch(card, layer, font, colours)], 12);
    },
    follow(now) {
      const found = tally(now);
      const next = new Map<number, Standing>();
      for (const [key, selection] of Object.entries(selections)) {
        const standing = standingOf(selection, now);
        if (standing === null) continue;
        next.set(Number(key), standing);
        found.add(selection.rows);
      }
      const changed = next.size > 0 || marked.size > 0;
      marked = next;
      if (changed) {
        draw();
        say(active ? focus : null);
      }
      return found;
    },
  };
};
