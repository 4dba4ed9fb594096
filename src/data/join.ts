import { Fault } from '../base/fault.ts';
import type { Dataset } from './define.ts';

/** A dataset with one column of another file beside its own, under the name `as`. Both have as many rows. */
export const joinColumn = (dataset: Dataset, other: Dataset, column: string, as: string): Dataset => {
  const found = other.columns.find((c) => c.name === column);
  if (!found || other.length !== dataset.length)
    throw new Fault('data/labels-length', { path: other.path, labels: other.length, rows: dataset.length });
  const { images } = dataset;
  const own = dataset.columns.filter((c) => c.name !== as);
  const read = async (
    names: readonly string[],
    from: (part: Dataset, columns: readonly string[]) => ReturnType<Dataset['slice']>,
  ): ReturnType<Dataset['slice']> => {
    const mine = names.filter((n) => n !== as);
    const [tensors, [joined]] = await Promise.all([
      mine.length > 0 ? from(dataset, mine) : Promise.resolve([]),
      names.includes(as) ? from(other, [column]) : Promise.resolve([]),
    ]);
    return names.map((n) => (n === as ? joined : tensors[mine.indexOf(n)]));
  };
  return {
    format: dataset.format,
    path: dataset.path,
    length: dataset.length,
    columns: [...own, { ...found, name: as }],
    extras: dataset.extras,
    ...(dataset.refused && { refused: dataset.refused }),
    ...(dataset.notes && { notes: dataset.notes }),
    ...(images && {
      images: { ...images, sized: (height, width, channels) => joinColumn(images.sized(height, width, channels), other, column, as) },
    }),
    slice: (names, a, b, signal) => read(names, (part, columns) => part.slice(columns, a, b, signal)),
    take: (names, rows, signal) => read(names, (part, columns) => part.take(columns, rows, signal)),
    extra: (name, signal) => dataset.extra(name, signal),
    close: async () => {
      await Promise.all([dataset.close(), other.close()]);
    },
  };
};
