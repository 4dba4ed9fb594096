import type { ModelLayers } from '../src/report/tasks.ts';
import { writeAt } from './element.ts';
import type { Words } from './l10n.ts';
import { BOX, type Box, type Placed } from './node-graph.ts';
import { fitted } from './sketch.ts';
import { css, mix, readableOn, type Theme } from './theme.ts';

/** What part of the graph is in view, in its own lengths, and how large a unit is in pixels. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly scale: number;
  readonly width: number;
  readonly height: number;
}
/** A number of each layer, shown as the colour of its box. */
export interface Heat {
  readonly label: Words;
  readonly values: readonly (number | null)[];
  /** What a group of layers has. */
  readonly join: 'sum' | 'max';
  text(value: number): Words;
}

export const heatOf = ({ layers }: Pick<Box, 'layers'>, heat: Heat): number | null => {
  let known: number | null = null;
  for (const i of layers) {
    const value = heat.values[i];
    if (value === null || value === undefined) continue;
    known = known === null ? value : heat.join === 'sum' ? known + value : Math.max(known, value);
  }
  return known;
};

export const hottest = ({ boxes }: Placed, heat: Heat): number =>
  boxes.reduce((most, box) => Math.max(most, Math.abs(heatOf(box, heat) ?? 0)), 0);

/** Fill of a box; square roots, so that what is small beside the hottest is still told apart. */
const fillOf = (box: Box, colours: Theme, heat: Heat | undefined, most: number): readonly [number, number, number] | undefined => {
  const value = heat ? heatOf(box, heat) : null;
  if (value !== null && most > 0) return mix(colours.background, colours.series(1), 0.85 * Math.sqrt(Math.abs(value) / most));
  return !heat && box.kind === 'group' && !colours.contrast ? mix(colours.background, colours.series(0), 0.16) : undefined;
};

const edgesOf = (context: CanvasRenderingContext2D, { boxes, edges }: Placed, { left, top, scale, width, height }: Window): void => {
  const [right, bottom] = [left + width / scale, top + height / scale];
  context.beginPath();
  for (const [from, to] of edges) {
    const [a, b] = [boxes[from], boxes[to]];
    const [y1, y2] = [a.y + BOX.height / 2, b.y - BOX.height / 2];
    if (Math.max(y1, y2) < top || Math.min(y1, y2) > bottom) continue;
    if (Math.max(a.x, b.x) + BOX.width < left || Math.min(a.x, b.x) - BOX.width > right) continue;
    // An edge past other rows bows out beside them.
    const beside = y2 - y1 > 2 * BOX.height && Math.abs(a.x - b.x) < BOX.width ? BOX.width * 0.75 : 0;
    const bend = Math.max(16, Math.abs(y2 - y1) / 3);
    context.moveTo(a.x, y1);
    context.bezierCurveTo(a.x + beside, y1 + bend, b.x + beside, y2 - bend, b.x, y2);
  }
  context.stroke();
};

/** Draws what is in view. */
export const paintGraph = (
  context: CanvasRenderingContext2D,
  dpr: number,
  placed: Placed,
  facts: ModelLayers | undefined,
  view: Window,
  chosen: string | undefined,
  heat: Heat | undefined,
  colours: Theme,
): void => {
  const { left, top, scale, width, height } = view;
  context.setTransform(dpr, 0, 0, dpr, 0, 0);
  context.clearRect(0, 0, width, height);
  context.setTransform(dpr * scale, 0, 0, dpr * scale, -left * scale * dpr, -top * scale * dpr);
  const [right, bottom] = [left + width / scale, top + height / scale];
  context.strokeStyle = css(colours.muted, 0.7);
  context.lineWidth = Math.max(1, 0.6 / scale);
  edgesOf(context, placed, view);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const most = heat ? hottest(placed, heat) : 0;
  for (const box of placed.boxes) {
    if (Math.abs(box.y - (top + bottom) / 2) > (bottom - top) / 2 + BOX.height) continue;
    if (Math.abs(box.x - (left + right) / 2) > (right - left) / 2 + BOX.width) continue;
    const stops = box.layers.some((i) => facts?.layers[i].noGradient);
    context.beginPath();
    context.roundRect(box.x - BOX.width / 2, box.y - BOX.height / 2, BOX.width, BOX.height, box.kind === 'end' ? BOX.height / 2 : 4);
    const fill = fillOf(box, colours, heat, most);
    context.fillStyle = css(fill ?? colours.background);
    context.fill();
    const mine = box.id === chosen;
    context.strokeStyle = css(mine ? colours.focus : stops ? colours.series(1) : colours.muted);
    context.lineWidth = (mine ? 3 : box.kind === 'group' ? 2 : 1) / Math.min(1, Math.max(0.4, scale));
    context.setLineDash(stops ? [5, 3] : []);
    context.stroke();
    context.setLineDash([]);
    if (scale < 0.35) continue;
    const value = heat ? heatOf(box, heat) : null;
    const detail = heat && value !== null ? heat.text(value) : box.detail;
    const lines = detail === '' ? [box.label] : [box.label, detail];
    lines.forEach((text, i) => {
      context.font = `${i === 0 ? 12 : 10}px ${colours.font}`;
      const ink = heat && fill ? readableOn(fill) : i === 0 ? colours.foreground : colours.muted;
      context.fillStyle = css(ink);
      writeAt(context, fitted(context, text, BOX.width - 14), box.x, box.y + (lines.length === 1 ? 0 : i === 0 ? -6 : 8));
    });
  }
};
