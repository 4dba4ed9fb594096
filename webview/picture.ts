import type { Picture } from '../src/report/report.ts';
import { context2d, el } from './element.ts';
import type { Colour } from './theme.ts';

/** Ends of the diverging map (blue, white, red; told apart with every common colour blindness) and the one-hue map. */
const AGAINST: Colour = [33, 102, 172];
const FOR: Colour = [214, 47, 39];
const ABSOLUTE: Colour = [230, 85, 13];

/** Signed strength −1..1 as a CSS colour; 0 is clear. */
export const shade = (strength: number): string => {
  const [r, g, b] = strength < 0 ? AGAINST : FOR;
  return `rgba(${r}, ${g}, ${b}, ${(Math.min(1, Math.abs(strength)) * 0.55).toFixed(3)})`;
};

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
}

const pixels = ({ width, height, channels, base64 }: Picture, grey: boolean): ImageData => {
  const bytes = atob(base64);
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const at = i * channels;
    const r = bytes.charCodeAt(at);
    const g = channels === 3 ? bytes.charCodeAt(at + 1) : r;
    const b = channels === 3 ? bytes.charCodeAt(at + 2) : r;
    const luma = 0.299 * r + 0.587 * g + 0.114 * b;
    image.data.set(grey ? [luma, luma, luma, 255] : [r, g, b, 255], i * 4);
  }
  return image;
};

/** Strength is carried by opacity over the picture, so 0 leaves the picture as it is; without a picture the ground is white. */
const heat = ({ width, height, values, scale }: Overlay, { opacity, mode }: OverlayLook): ImageData => {
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const strength = scale > 0 ? Math.max(-1, Math.min(1, values[i] / scale)) : 0;
    const [r, g, b] = mode === 'absolute' ? ABSOLUTE : strength < 0 ? AGAINST : FOR;
    image.data.set([r, g, b, Math.round(255 * opacity * Math.abs(strength))], i * 4);
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

/** Draws a picture and, over it, where values speak for and against. */
export const paint = (canvas: HTMLCanvasElement, picture: Picture | null, overlay: Overlay | null, look: OverlayLook): void => {
  const context = context2d(canvas);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (picture) stretched(context, pixels(picture, overlay !== null && look.opacity > 0));
  else {
    context.fillStyle = '#ffffff';
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  if (overlay) stretched(context, heat(overlay, picture ? look : { ...look, opacity: 1 }));
};

export const thumbnail = (picture: Picture, least = 64): HTMLCanvasElement => {
  const canvas = sizedCanvas(picture.width, picture.height, least);
  paint(canvas, picture, null, { opacity: 0, mode: 'signed' });
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
