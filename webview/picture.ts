import { hueOf, type PaletteName, palettes, underMap } from '../src/report/palette.ts';
import type { Picture } from '../src/report/report.ts';
import { context2d, el } from './element.ts';
import type { Colour } from './theme.ts';

export interface Overlay {
  readonly width: number;
  readonly height: number;
  readonly values: ArrayLike<number>;
  /** |value| drawn at full strength. */
  readonly scale: number;
}
export interface OverlayLook {
  readonly opacity: number;
  readonly mode: 'signed' | 'absolute';
  readonly palette: PaletteName;
}

/** A map that has no negative values is drawn in one hue, whatever was chosen. */
export const modeOf = (values: ArrayLike<number>, mode: OverlayLook['mode']): OverlayLook['mode'] => {
  for (let i = 0; i < values.length; i++) if (values[i] < 0) return mode;
  return 'absolute';
};

/** Behind words and lines, full strength is so opaque: what stands on it stays readable. */
const BEHIND = 0.42;

/** Colour of a strength −1..1 behind words and lines, and its share in the ground. */
export const shade = (
  strength: number,
  { mode, palette }: Pick<OverlayLook, 'mode' | 'palette'>,
): { readonly colour: Colour; readonly share: number } => ({
  colour: hueOf(strength, mode, palettes[palette]),
  share: BEHIND * Math.min(1, Math.abs(strength)),
});

const pixels = ({ width, height, channels, base64 }: Picture, grey: boolean): ImageData => {
  const bytes = atob(base64);
  const image = new ImageData(width, height);
  const { data } = image;
  for (let i = 0; i < width * height; i++) {
    const at = i * channels;
    const r = bytes.charCodeAt(at);
    const g = channels === 3 ? bytes.charCodeAt(at + 1) : r;
    const b = channels === 3 ? bytes.charCodeAt(at + 2) : r;
    const luma = underMap(r, g, b);
    data[4 * i] = grey ? luma : r;
    data[4 * i + 1] = grey ? luma : g;
    data[4 * i + 2] = grey ? luma : b;
    data[4 * i + 3] = 255;
  }
  return image;
};

/** Strength is carried by opacity over the picture, so 0 leaves the picture as it is; without a picture the ground is white. */
const heat = ({ width, height, values, scale }: Overlay, { opacity, mode, palette }: OverlayLook): ImageData => {
  const image = new ImageData(width, height);
  const { data } = image;
  const colours = palettes[palette];
  for (let i = 0; i < width * height; i++) {
    const strength = scale > 0 ? Math.max(-1, Math.min(1, values[i] / scale)) : 0;
    const colour = hueOf(strength, mode, colours);
    for (let c = 0; c < 3; c++) data[4 * i + c] = colour[c];
    data[4 * i + 3] = Math.round(255 * opacity * Math.abs(strength));
  }
  return image;
};

const stretched = (context: CanvasRenderingContext2D, image: ImageData): void => {
  const native = el('canvas', { width: image.width, height: image.height });
  context2d(native).putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(native, 0, 0, context.canvas.width, context.canvas.height);
};

/** Pixels of the picture are drawn as squares of whole canvas pixels, at least `least` wide in all. */
export const sizedCanvas = (width: number, height: number, least: number): HTMLCanvasElement => {
  const factor = Math.max(1, Math.ceil(least / Math.max(width, height, 1)));
  return el('canvas', { class: 'pixels', width: width * factor, height: height * factor });
};

/** Draws a picture as it is. */
export const paintPicture = (canvas: HTMLCanvasElement, picture: Picture): void => stretched(context2d(canvas), pixels(picture, false));

/** Draws where values speak for and against, over the picture if there is one. */
export const paint = (canvas: HTMLCanvasElement, picture: Picture | null, overlay: Overlay, look: OverlayLook): void => {
  const context = context2d(canvas);
  if (picture) stretched(context, pixels(picture, look.opacity > 0));
  else {
    context.fillStyle = '#ffffff';
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  stretched(context, heat(overlay, { ...(picture ? look : { ...look, opacity: 1 }), mode: modeOf(overlay.values, look.mode) }));
};

export const thumbnail = (picture: Picture, least = 64): HTMLCanvasElement => {
  const canvas = sizedCanvas(picture.width, picture.height, least);
  paintPicture(canvas, picture);
  return canvas;
};

/** The key of the map: what the ends of the colours mean. */
export const paintKey = (canvas: HTMLCanvasElement, look: OverlayLook): void => {
  const context = context2d(canvas);
  const { width, height } = canvas;
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  const steps = Array.from({ length: 64 }, (_, i) => (look.mode === 'signed' ? (i - 31.5) / 31.5 : i / 63));
  context.imageSmoothingEnabled = false;
  const native = el('canvas', { width: 64, height: 1 });
  context2d(native).putImageData(heat({ width: 64, height: 1, values: steps, scale: 1 }, { ...look, opacity: 1 }), 0, 0);
  context.drawImage(native, 0, 0, width, height);
};
