import { format } from '../../src/report/format.ts';
import type { CardOf, Unit } from '../../src/report/report.ts';
import { onBackground } from '../chart.ts';
import { checkbox, dropdown } from '../controls.ts';
import { context2d, el } from '../element.ts';
import type { Stage, View } from '../stage.ts';
import { css, onThemeChange, readableOn, theme } from '../theme.ts';
import { cellColour, type Layout, layoutOf, orderOf, type Ramp, rampsOf } from './heatmap-layout.ts';

/** As short as a cell of a matrix asks for; zero is left blank. */
const brief = (value: number | null, unit: Unit): string => {
  if (value === null || value === 0) return '';
  if (unit === 'fraction') return Math.abs(value) < 0.005 ? '<1' : String(Math.round(value * 100));
  if (Math.abs(value) >= 10_000) return `${Math.round(value / 1000)}k`;
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(2)));
};

const fit = (context: CanvasRenderingContext2D, text: string, width: number): string => {
  if (context.measureText(text).width <= width) return text;
  let kept = text;
  while (kept.length > 1 && context.measureText(`${kept}…`).width > width) kept = kept.slice(0, -1);
  return `${kept}…`;
};

/** Width the grid may take: all of a narrow card, or what the notes beside it leave. */
const roomFor = (holder: HTMLElement): number => {
  const all = holder.closest('.view')?.clientWidth ?? holder.clientWidth;
  return all < 600 ? all : all - 200;
};

/** A real two-dimensional grid: layers, values in the cells where they fit, pointer and arrow keys, a cell leads to its samples. */
export const heatmap = (card: CardOf<'heatmap'>, stage: Stage): View => {
  const { rows, columns, layers, selections = {} } = card;
  const [R, C] = [rows.names.length, columns.names.length];
  const square = card.diagonal === true;
  let layer = 0;
  let order = orderOf(card, false);
  let layout: Layout | null = null;
  let focus: readonly [number, number] = [0, 0];
  let active = false;
  let chosen: string | null = null;

  const canvas = el('canvas', { class: 'heatmap', 'aria-hidden': 'true' });
  const readout = el('div', { class: 'readout', 'aria-live': 'polite' });
  const scale = el('div', { class: 'ramps' });
  const holder = el(
    'div',
    {
      class: 'heatmap-frame',
      tabindex: 0,
      role: 'application',
      'aria-roledescription': 'grid',
      'aria-label': `${card.title}: ${R} rows (${rows.label}), ${C} columns (${columns.label}). Use the arrow keys to walk the cells; the same numbers are in the table.`,
    },
    canvas,
  );

  const body = el('div', { class: 'heatmap-body' }, holder, el('div', { class: 'heatmap-aside' }, readout, scale));

  /** Index into the layer's values of the cell shown at row r, column c. */
  const indexOf = ([r, c]: readonly [number, number]): number => order.rows[r] * C + order.columns[c];
  const rampOf = (ramps: readonly Ramp[], i: number): Ramp => (ramps.length > 1 && Math.floor(i / C) !== i % C ? ramps[1] : ramps[0]);

  const draw = (): void => {
    const room = roomFor(holder);
    if (room === 0 || layers.length === 0) return;
    const colours = theme();
    const context = context2d(canvas);
    const small = `${colours.fontSize - 1}px ${colours.font}`;
    context.font = small;
    layout = layoutOf(card, room, (text) => context.measureText(text).width);
    const { left, top, cell, width, height, upright } = layout;
    const dpr = window.devicePixelRatio || 1;
    canvas.width = Math.ceil(width * dpr);
    canvas.height = Math.ceil(height * dpr);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    context.setTransform(dpr, 0, 0, dpr, 0, 0);
    context.font = small;
    const { values, unit } = layers[layer];
    const ramps = rampsOf(card, layers[layer]);
    const gap = cell >= 12 ? 1 : 0;
    const withText = cell >= 24;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    for (let r = 0; r < R; r++) {
      for (let c = 0; c < C; c++) {
        const i = indexOf([r, c]);
        const value = values[i] ?? null;
        const colour = cellColour(value, rampOf(ramps, i), colours);
        context.fillStyle = css(colour);
        context.fillRect(left + c * cell, top + r * cell, cell - gap, cell - gap);
        if (!withText) continue;
        const text = brief(value, unit);
        if (text === '' || context.measureText(text).width > cell - 4) continue;
        context.fillStyle = css(readableOn(colour));
        context.fillText(text, left + (c + 0.5) * cell, top + (r + 0.5) * cell + 0.5);
      }
    }
    context.fillStyle = css(colours.muted);
    const every = Math.max(1, Math.ceil(13 / cell));
    context.textAlign = 'right';
    for (let r = 0; r < R; r += every)
      context.fillText(fit(context, rows.names[order.rows[r]], left - 30), left - 8, top + (r + 0.5) * cell);
    for (let c = 0; c < C; c += every) {
      const name = columns.names[order.columns[c]];
      context.save();
      context.translate(left + (c + 0.5) * cell, top - 8);
      if (upright) context.rotate(-Math.PI / 2);
      context.textAlign = upright ? 'left' : 'center';
      context.fillText(fit(context, name, upright ? top - 32 : cell), 0, upright ? 0 : -4);
      context.restore();
    }
    context.fillStyle = css(colours.foreground);
    context.textAlign = 'left';
    context.fillText(`${columns.label} →`, left, 8);
    context.save();
    context.translate(8, top);
    context.rotate(-Math.PI / 2);
    context.textAlign = 'right';
    context.fillText(`← ${rows.label}`, 0, 0);
    context.restore();
    const ring = (at: readonly [number, number], colour: string, wide: number): void => {
      context.strokeStyle = colour;
      context.lineWidth = wide;
      context.strokeRect(left + at[1] * cell - 0.5, top + at[0] * cell - 0.5, cell, cell);
    };
    if (chosen !== null) {
      const i = Number(chosen);
      ring([order.rows.indexOf(Math.floor(i / C)), order.columns.indexOf(i % C)], css(colours.foreground), 2);
    }
    if (active) ring(focus, css(colours.focus), 2);
    scale.replaceChildren(
      ...ramps.map((ramp) => {
        const bar = el('canvas', { class: 'ramp', width: 64, height: 8, 'aria-hidden': 'true' });
        const paint = context2d(bar);
        for (let x = 0; x < 64; x++) {
          paint.fillStyle = css(cellColour(ramp.low + ((ramp.high - ramp.low) * (x + 0.5)) / 64, ramp, colours));
          paint.fillRect(x, 0, 1, 8);
        }
        return el(
          'div',
          {},
          el('span', { class: 'ramp-name' }, ramp.name),
          el('span', { class: 'ramp-scale' }, format(ramp.low, unit), bar, format(ramp.high, unit)),
        );
      }),
    );
  };

  /** Tells of a cell; with none at hand, of the one whose samples are shown. */
  const say = (at: readonly [number, number] | null): void => {
    const i = at ? indexOf(at) : chosen === null ? null : Number(chosen);
    if (i === null) {
      readout.replaceChildren(
        el('span', { class: 'muted' }, Object.keys(selections).length > 0 ? 'Choose a cell to see its samples.' : ''),
      );
      return;
    }
    const pairs: readonly (readonly [string, string])[] = [
      [rows.label, rows.names[Math.floor(i / C)]],
      [columns.label, columns.names[i % C]],
      ...layers.map((one) => [one.name, format(one.values[i], one.unit)] as const),
    ];
    readout.replaceChildren(el('dl', {}, ...pairs.flatMap(([name, value]) => [el('dt', {}, name), el('dd', { class: 'value' }, value)])));
  };
  const choose = (at: readonly [number, number]): void => {
    const key = String(indexOf(at));
    const selection = selections[key];
    if (selection === undefined) return;
    stage.select(selection);
    chosen = key;
    draw();
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
  stage.onSelection(() => {
    if (chosen === null) return;
    chosen = null;
    draw();
    say(null);
  });

  let width = 0;
  const size = new ResizeObserver(() => {
    const room = roomFor(holder);
    if (room === width) return;
    width = room;
    draw();
  });
  size.observe(body);
  onThemeChange(draw, stage.signal);
  stage.signal.addEventListener('abort', () => size.disconnect());
  say(null);

  const controls =
    (layers.length > 1 || square) &&
    el(
      'div',
      { class: 'controls' },
      layers.length > 1 &&
        dropdown(
          'Show',
          layers.map((one, i) => ({ value: String(i), label: one.name })),
          '0',
          (value) => {
            layer = Number(value);
            draw();
          },
        ).element,
      square &&
        R > 2 &&
        checkbox('Most confused first', false, (on) => {
          order = orderOf(card, on);
          draw();
        }),
    );
  return { element: el('div', {}, controls, body), picture: () => onBackground(canvas) };
};
