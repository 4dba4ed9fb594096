/** Exports the gradient graphs of tests/autodiff/stock.test.ts, with what they are fed, to a folder: node --import tsx stock.ts FOLDER; then stock.py. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeNpz } from '../../../src/data/npz-write.ts';
import { write } from '../../../src/graph/write.ts';
import { exported, exports } from '../../autodiff/stock-exports.ts';

const [folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
for (const one of exports) {
  const { model, feeds } = await exported(one);
  writeFileSync(join(folder, `${one.name}.onnx`), write(model));
  writeFileSync(join(folder, `${one.name}.npz`), writeNpz(feeds));
}
