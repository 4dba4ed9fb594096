import { context2d, el } from './element.ts';
import { type Heat, heatOf, hottest, type Window } from './graph-paint.ts';
import { t } from './l10n.ts';
import { BOX, type Placed } from './node-graph.ts';
import { css, mix, theme } from './theme.ts';

/** Pixels it takes at most. */
const [WIDE, HIGH] = [150, 190];

export interface Minimap {
  readonly element: HTMLCanvasElement;
  /** Other boxes, or other colours. */
  arrange(placed: Placed, heat: Heat | undefined): void;
  /** Marks what is in view. */
  mark(view: Window): void;
}

/** The whole graph in a corner, as high as there is `room`: a press or drag brings that place into view. The boxes are drawn once and kept as a picture. */
export const minimap = (go: (x: number, y: number) => void, room: () => number): Minimap => {
  const canvas = el('canvas', { class: 'minimap', title: t('The whole graph: press to go there'), 'aria-hidden': 'true' });
  const picture = document.createElement('canvas');
  let [scale, across, down] = [1, 0, 0];
  const dpr = window.devicePixelRatio || 1;
  const size = (of: HTMLCanvasElement, width: number, height: number): void => {
    of.width = Math.max(1, Math.round(width * dpr));
    of.height = Math.max(1, Math.round(height * dpr));
  };
  let held = false;
  const follow = ({ offsetX, offsetY }: PointerEvent): void => {
    if (held) go((offsetX - across) / scale, (offsetY - down) / scale);
  };
  canvas.addEventListener('pointerdown', (event) => {
    held = true;
    canvas.setPointerCapture(event.pointerId);
    follow(event);
  });
  canvas.addEventListener('pointermove', follow);
  for (const type of ['pointerup', 'pointercancel'] as const)
    canvas.addEventListener(type, () => {
      held = false;
    });
  return {
    element: canvas,
    arrange(placed, heat) {
      const high = Math.max(48, Math.min(HIGH, room()));
      scale = Math.min(WIDE / placed.width, high / placed.height, 0.2);
      // A chain thousands of layers deep still has a column to press on.
      const width = Math.max(24, placed.width * scale);
      const height = Math.max(24, placed.height * scale);
      across = (width - placed.width * scale) / 2;
      down = (height - placed.height * scale) / 2;
      size(picture, width, height);
      size(canvas, width, height);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
      const colours = theme();
      const context = context2d(picture);
      context.setTransform(dpr, 0, 0, dpr, 0, 0);
      context.fillStyle = css(colours.background);
      context.fillRect(0, 0, width, height);
      const most = heat ? hottest(placed, heat) : 0;
      for (const box of placed.boxes) {
        const value = heat ? heatOf(box, heat) : null;
        const fill =
          value !== null && most > 0
            ? mix(mix(colours.background, colours.muted, 0.3), colours.series(1), Math.sqrt(Math.abs(value) / most))
            : mix(colours.background, box.kind === 'group' ? colours.series(0) : colours.foreground, 0.55);
        context.fillStyle = css(fill);
        const [w, h] = [Math.max(5, BOX.width * scale), Math.max(1, BOX.height * scale)];
        context.fillRect(across + box.x * scale - w / 2, down + box.y * scale - h / 2, w, h);
      }
    },
    mark({ left, top, scale: zoom, width, height }) {
      const colours = theme();
      const context = context2d(canvas);
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.drawImage(picture, 0, 0);
      context.setTransform(dpr, 0, 0, dpr, 0, 0);
      const [w, h] = [canvas.width / dpr, canvas.height / dpr];
      const [x, y] = [Math.max(1, across + left * scale), Math.max(1, down + top * scale)];
      const [right, bottom] = [
        Math.min(w - 1, across + (left + width / zoom) * scale),
        Math.min(h - 1, down + (top + height / zoom) * scale),
      ];
      context.fillStyle = css(colours.focus, 0.15);
      context.strokeStyle = css(colours.focus);
      context.lineWidth = 1.5;
      context.beginPath();
      context.rect(x, y, Math.max(4, right - x), Math.max(4, bottom - y));
      if (!colours.contrast) context.fill();
      context.stroke();
    },
  };
};
