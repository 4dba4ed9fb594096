import { Fault } from '../../base/fault.ts';
import { arraysDataset, openNpy, type StoredArray } from '../arrays.ts';
import { defineReader, type Reader } from '../define.ts';
import { openZip } from '../zip.ts';

/** Arrays whose length decides which ones are columns, by custom; otherwise the array with most elements decides. */
const primaries = ['x', 'X', 'probs', 'logits', 'x_test', 'X_test', 'x_train', 'X_train', 'image_embeddings', 'images', 'image_features'];

export const npz: Reader = defineReader({
  id: 'npz',
  title: 'NumPy archive',
  endings: ['.npz'],
  knows: (head) => head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5),
  async open(source, signal) {
    const arrays: StoredArray[] = [];
    const refused = new Map<string, Fault>();
    for (const [file, member] of await openZip(source, signal)) {
      if (!file.endsWith('.npy')) continue;
      const name = file.slice(0, -4);
      try {
        arrays.push(
          await openNpy(
            name,
            source.path,
            (count) => member.head(count, signal),
            (s) => member.open(s),
          ),
        );
      } catch (error) {
        if (!Fault.is(error, 'data/pickled') && !Fault.is(error, 'data/dtype')) throw error;
        refused.set(name, error);
      }
    }
    const [first] = refused.values();
    if (arrays.length === 0 && first) throw first;
    const elements = (a: StoredArray): number => a.dims.reduce((n, d) => n * d, 1);
    const known = primaries.flatMap((name) => arrays.filter((a) => a.name === name && a.dims.length > 0));
    const primary = known[0] ?? arrays.toSorted((a, b) => elements(b) - elements(a))[0];
    if (!primary || primary.dims.length === 0 || elements(primary) === 0) throw new Fault('data/no-rows', { path: source.path });
    return arraysDataset('npz', source.path, arrays, primary, { refused });
  },
});
