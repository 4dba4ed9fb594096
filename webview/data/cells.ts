import type { AttributionMap, DataCells, DataColumn, RawPicture } from '../../src/report/data-view.ts';
import { context2d, el } from '../element.ts';
import { format, given, t, type Words } from '../l10n.ts';
import { paint } from '../picture.ts';

/** What stands where a value is missing. */
const MISSING: Words = given('–');

const drawn = new WeakMap<object, HTMLCanvasElement>();
/** A picture as a canvas, drawn once. */
export const pictureCanvas = (picture: RawPicture, label: Words): HTMLCanvasElement => {
  const known = drawn.get(picture);
  if (known) return known;
  const { width, height, channels, pixels } = picture;
  const canvas = el('canvas', { class: 'pixels', width, height, role: 'img', 'aria-label': label });
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[i * channels + (channels === 3 ? c : 0)];
    image.data[4 * i + 3] = 255;
  }
  context2d(canvas).putImageData(image, 0, 0);
  drawn.set(picture, canvas);
  return canvas;
};

/** A small attribution in the colours of the image tab; flat rows whose number is a square are drawn as one. */
export const mapCanvas = (map: AttributionMap, square: DataColumn['square']): HTMLCanvasElement => {
  const known = drawn.get(map);
  if (known) return known;
  const folded = map.height === 1 && square?.channels === 1 && square.width * square.height === map.width;
  const [width, height] = folded && square ? [square.width, square.height] : [map.width, map.height];
  const canvas = el('canvas', { class: 'pixels', width, height, role: 'img', 'aria-label': t('Attribution of row {0}', map.row) });
  paint(canvas, null, { width, height, values: map.values, scale: map.scale }, { opacity: 1, mode: 'signed', palette: 'blue-red' });
  drawn.set(map, canvas);
  return canvas;
};

const numberText = (value: number, { kind, classes, role }: DataColumn): Words => {
  if (Number.isNaN(value)) return MISSING;
  if (kind === 'truth') return value === 0 ? t('false') : t('true');
  if (kind === 'class') return given(classes?.[value] ?? String(value));
  if (!Number.isFinite(value)) return given(value > 0 ? '∞' : '−∞');
  if (role === 'confidence') return format(value, 'fraction');
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? given(String(value)) : format(value);
};

/** Value `i` of a column as a cell shows it. */
export const cellOf = (cells: DataCells, i: number, column: DataColumn): Node | Words => {
  switch (cells.kind) {
    case 'numbers':
      return numberText(cells.values[i], column);
    case 'text':
      return cells.values[i] === '' ? MISSING : given(cells.values[i]);
    case 'vectors': {
      const part = cells.values.subarray(i * cells.width, (i + 1) * cells.width);
      return given(`${Array.from(part, (v) => numberText(v, column)).join('  ')}${column.size > cells.width ? ' …' : ''}`);
    }
    case 'pictures': {
      const picture = cells.pictures[i];
      return picture ? pictureCanvas(picture, t('Picture')) : t('not readable');
    }
  }
};
