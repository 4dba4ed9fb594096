import type { ModelLayers } from '../src/report/tasks.ts';
import { button } from './controls.ts';
import { context2d, el, say } from './element.ts';
import { type Heat, hottest, paintGraph } from './graph-paint.ts';
import { given, t } from './l10n.ts';
import { minimap } from './minimap.ts';
import { BOX, type Box, type Modules, modulesIn, type Placed, place } from './node-graph.ts';
import { onThemeChange, theme } from './theme.ts';

export interface GraphView {
  readonly element: HTMLElement;
  show(facts: ModelLayers): void;
  /** Brings a layer into view, opening the groups around it, and marks it. */
  reveal(layer: number): void;
  /** Colours boxes by a number of their layers; not where undefined. */
  heat(heat: Heat | undefined): void;
}

/** Scale at which names are easily read. */
const legible = 0.8;

/** The graph on a canvas: only what is in view is drawn. Groups open and close; the layers table is its twin. */
export const graphView = (choose: (layer: number) => void, signal: AbortSignal): GraphView => {
  const canvas = el('canvas', {
    class: 'model-graph',
    tabindex: 0,
    role: 'application',
    'aria-label': t(
      'Graph of the model. Arrow keys move, plus and minus zoom, zero fits, brackets go to the layer before or after, Enter opens a group, Backspace closes it. The table lists all layers.',
    ),
  });
  const said = el('p', { class: 'visually-hidden', role: 'status' });
  let facts: ModelLayers | undefined;
  let modules: Modules = modulesIn([]);
  let open = new Set<string>();
  let placed: Placed = { boxes: [], edges: [], width: 1, height: 1 };
  let chosen: string | undefined;
  let [left, top, scale] = [0, 0, 1];
  let queued = false;
  let heat: Heat | undefined;
  /** Not all of the graph is in view. */
  let overview = false;
  const legend = el('span', { class: 'muted' });
  const map = minimap(
    (x, y) => {
      left = x - canvas.clientWidth / scale / 2;
      top = y - canvas.clientHeight / scale / 2;
      draw();
    },
    () => canvas.clientHeight - 24,
  );

  const paint = (): void => {
    queued = false;
    const dpr = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * dpr) || canvas.height !== Math.round(height * dpr)) {
      canvas.width = Math.round(width * dpr);
      canvas.height = Math.round(height * dpr);
    }
    const view = { left, top, scale, width, height };
    overview = width / scale < placed.width || height / scale < placed.height;
    map.element.hidden = !overview;
    paintGraph(context2d(canvas), dpr, placed, facts, view, chosen, heat, theme());
    if (overview) map.mark(view);
  };
  const draw = (): void => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(paint);
  };
  const fit = (least = 0.02): void => {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    scale = Math.min(1, Math.max(least, Math.min(width / (placed.width + 40), height / (placed.height + 40))));
    left = placed.width / 2 - width / scale / 2;
    const room = height / scale;
    // What does not fit is shown from its top.
    top = placed.height + 40 <= room + 1 ? placed.height / 2 - room / 2 : -20;
    draw();
  };
  const zoom = (by: number, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2): void => {
    const next = Math.min(3, Math.max(0.02, scale * by));
    left += x / scale - x / next;
    top += y / scale - y / next;
    scale = next;
    draw();
  };
  const pan = (across: number, down: number): void => {
    left += across / scale;
    top += down / scale;
    draw();
  };
  const centre = (box: Box): void => {
    left = box.x - canvas.clientWidth / scale / 2;
    top = box.y - canvas.clientHeight / scale / 2;
    draw();
  };
  const colour = (): void => {
    map.arrange(placed, heat);
    say(legend, heat ? t('{0}: up to {1}', heat.label, heat.text(hottest(placed, heat))) : '');
    draw();
  };
  const arrange = (): void => {
    if (facts) placed = place(facts, modules, open);
    colour();
  };
  /** Keeps the box under the pointer where it was. */
  const rearrange = (id: string): void => {
    const before = placed.boxes.find((box) => box.id === id);
    arrange();
    const layer = before?.layers[0];
    const now = placed.boxes.find((box) => (layer === undefined ? box.id === id : box.layers.includes(layer)));
    if (!before || !now) return;
    left += now.x - before.x;
    top += now.y - before.y;
    chosen = now.id;
  };
  const select = (box: Box): void => {
    chosen = box.id;
    say(said, given(`${box.label} ${box.detail}`));
    if (box.kind === 'node') choose(box.layers[0]);
    draw();
  };
  const toggle = (box: Box): void => {
    if (box.kind !== 'group') return;
    open.add(box.id);
    rearrange(box.id);
  };
  const close = (box: Box): void => {
    const around = box.layers.length > 0 ? modules.of(box.layers[0]).filter((module) => open.has(module)) : [];
    const inner = around.at(-1);
    if (inner === undefined) return;
    for (const module of [...open]) if (module === inner || module.startsWith(`${inner}/`)) open.delete(module);
    rearrange(box.id);
  };
  const boxAt = (x: number, y: number): Box | undefined => {
    const [px, py] = [left + x / scale, top + y / scale];
    return placed.boxes.find((box) => Math.abs(box.x - px) <= BOX.width / 2 && Math.abs(box.y - py) <= BOX.height / 2);
  };
  const current = (): Box | undefined => placed.boxes.find((box) => box.id === chosen);

  let held: { readonly x: number; readonly y: number; moved: boolean } | undefined;
  canvas.addEventListener('pointerdown', (event) => {
    held = { x: event.offsetX, y: event.offsetY, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!held) return;
    if (Math.hypot(event.offsetX - held.x, event.offsetY - held.y) > 3) held.moved = true;
    if (!held.moved) return;
    pan(-event.movementX, -event.movementY);
  });
  canvas.addEventListener('pointerup', (event) => {
    const box = held && !held.moved ? boxAt(event.offsetX, event.offsetY) : undefined;
    held = undefined;
    if (box) select(box);
  });
  canvas.addEventListener('dblclick', (event) => {
    const box = boxAt(event.offsetX, event.offsetY);
    if (box) toggle(box);
  });
  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) return zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
      if (event.shiftKey) pan(event.deltaY, 0);
      else pan(event.deltaX, event.deltaY);
    },
    { passive: false },
  );
  const step = (by: number): void => {
    const { boxes } = placed;
    const now = boxes.findIndex((box) => box.id === chosen);
    const box = boxes[now < 0 ? 0 : Math.min(boxes.length - 1, Math.max(0, now + by))];
    if (!box) return;
    select(box);
    centre(box);
  };
  canvas.addEventListener('keydown', (event) => {
    const box = current();
    const act: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => pan(-60, 0),
      ArrowRight: () => pan(60, 0),
      ArrowUp: () => pan(0, -60),
      ArrowDown: () => pan(0, 60),
      '+': () => zoom(1.25),
      '=': () => zoom(1.25),
      '-': () => zoom(0.8),
      '0': () => fit(),
      '[': () => step(-1),
      ']': () => step(1),
      Enter: () => box && toggle(box),
      Backspace: () => box && close(box),
    };
    if (!Object.hasOwn(act, event.key) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act[event.key]();
    draw();
  });
  const resized = new ResizeObserver(() => colour());
  resized.observe(canvas);
  signal.addEventListener('abort', () => resized.disconnect());
  onThemeChange(colour, signal);
  const all = (groups: ReadonlySet<string>): void => {
    open = new Set(groups);
    arrange();
    fit(legible);
  };
  return {
    element: el(
      'div',
      { class: 'graph-view' },
      el(
        'div',
        { class: 'toolbar', role: 'group', 'aria-label': t('Graph') },
        button(given('+'), () => zoom(1.25), { look: 'quiet', title: t('Zoom in') }),
        button(given('−'), () => zoom(0.8), { look: 'quiet', title: t('Zoom out') }),
        button(t('Fit'), () => fit(), { look: 'quiet' }),
        button(t('Open groups'), () => all(modules.all), { look: 'quiet' }),
        button(t('Close groups'), () => all(new Set()), { look: 'quiet' }),
        legend,
      ),
      el('div', { class: 'graph-frame-of-model' }, canvas, map.element),
      said,
    ),
    show(read) {
      const first = facts?.layers.length !== read.layers.length;
      facts = read;
      modules = modulesIn(read.layers);
      if (first) open = new Set(modules.open);
      arrange();
      if (first) fit(legible);
    },
    heat(next) {
      heat = next;
      colour();
    },
    reveal(layer) {
      for (const module of modules.of(layer)) open.add(module);
      arrange();
      const box = placed.boxes.find((one) => one.layers.includes(layer));
      if (!box) return;
      chosen = box.id;
      scale = Math.max(scale, legible);
      centre(box);
    },
  };
};
