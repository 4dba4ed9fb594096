import { imageAxes } from '../base/image.ts';
import type { Preprocess } from '../base/request.ts';
import type { Dataset } from './define.ts';
import { parseSize, type Target } from './preprocess.ts';

/** Height, width and channels that an input fixes; a free axis stands for any length. */
const fixedBy = (dims: Target['dims']): { readonly size?: readonly [number, number]; readonly channels?: 1 | 3 } => {
  const free = 64;
  const axes = imageAxes((dims ?? []).map((d) => (typeof d === 'number' ? d : free)));
  if (!dims || !axes) return {};
  const [h, w] = axes.layout === 'chw' ? dims.slice(1) : dims;
  const c = axes.layout === 'hw' ? 1 : axes.layout === 'chw' ? dims[0] : dims[2];
  return {
    ...(typeof h === 'number' && typeof w === 'number' ? { size: [h, w] } : {}),
    ...(c === 1 || c === 3 ? { channels: c } : {}),
  };
};

/**
 * Image files as rows of one shape: the size asked for, else the one that the model fixes, else their own if they share one; greys
 * become colours and colours greys where the model fixes the channels.
 */
export const fitImages = (
  dataset: Dataset,
  given: Preprocess,
  target: Target | undefined,
): { readonly dataset: Dataset; readonly notes: readonly string[] } => {
  const { images } = dataset;
  if (!images || !target) return { dataset, notes: [] };
  const { size, channels } = fixedBy(target.dims);
  const own = dataset.columns.find((c) => c.name === 'x');
  const wanted = given.resize === undefined ? size : parseSize(given.resize);
  const [height, width] = wanted ?? own?.dims ?? [];
  if (height === undefined || width === undefined) return { dataset, notes: [] };
  const others = images.files.filter((f) => f.height !== height || f.width !== width);
  const sizes = new Set(others.map((f) => `${f.height}×${f.width}`));
  const fitted = images.sized(height, width, channels);
  const before = images.channels;
  const after = fitted.images?.channels ?? before;
  const resized =
    images.files.length === 1
      ? `The image of ${[...sizes].join()} was`
      : `${others.length} of ${images.files.length} images (${[...sizes].slice(0, 3).join(', ')}${sizes.size > 3 ? ` and ${sizes.size - 3} other sizes` : ''}) were`;
  return {
    dataset: fitted,
    notes: [
      ...(others.length > 0
        ? [
            `${resized} resized to ${height}×${width}${given.resize === undefined ? ', the size of the input' : ''} (bilinear, half-pixel centres, no antialiasing).`,
          ]
        : []),
      ...(before === after
        ? []
        : [
            before === 3
              ? 'Colours were turned to greys (ITU-R 601), as the input has one channel.'
              : 'Greys were repeated for the three channels of the input.',
          ]),
    ],
  };
};
