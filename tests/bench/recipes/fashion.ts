import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { workshop } from '../../training/workshop.ts';

/** Pixels 0 to 255 of pictures of 28 × 28, one after the other, and their classes. */
export interface Pictures {
  readonly pixels: Uint8Array;
  readonly classes: Uint8Array;
}
const PIXELS = 784;

/**
 * Fashion-MNIST (Zalando, MIT), too large for the repository: the files of Debian's dataset-fashion-mnist, in fashion-mnist/ of the folder
 * that ASSAY_BENCH_DATA names, such as /usr/share/datasets.
 */
export const fashion = (part: 'train' | 't10k'): Pictures | undefined => {
  const folder = process.env.ASSAY_BENCH_DATA;
  const path = (kind: string): string => join(folder ?? '', 'fashion-mnist', `${part}-${kind}-ubyte.gz`);
  if (folder === undefined || !existsSync(path('images-idx3'))) return undefined;
  return {
    pixels: gunzipSync(readFileSync(path('images-idx3'))).subarray(16),
    classes: gunzipSync(readFileSync(path('labels-idx1'))).subarray(8),
  };
};

/** What an entry says where they are not there. */
export const withoutFashion = 'Fashion-MNIST was not there (ASSAY_BENCH_DATA).';

/** The first of the pictures as a file. */
const stored = ({ pixels, classes }: Pictures, count: number): object => ({
  path: workshop().arrays('pictures.npz', {
    x: { dtype: 'uint8', dims: [count, PIXELS], data: pixels.subarray(0, count * PIXELS) },
    y: { dtype: 'int32', dims: [count], data: Int32Array.from(classes.subarray(0, count)) },
  }),
  preprocess: { scale: 1 / 255 },
});

/** So many training and all 10,000 test pictures at 0..1, as a recipe names its data; no rows held out. */
export const fashionData = (count: number): object | undefined => {
  const [train, test] = [fashion('train'), fashion('t10k')];
  return train && test && { data: { train: stored(train, count), test: stored(test, 10_000) }, split: { val: 0 } };
};
