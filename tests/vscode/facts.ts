import type { Catalogue } from '../../src/base/catalogue.ts';
import catalogue from '../../src/generated/catalogue.json' with { type: 'json' };
import type { FileOutline } from '../../src/report/tasks.ts';
import type { SuiteFacts } from '../../src/vscode/authoring/suite-tree.ts';

export const suite = '/w/assay.json';

/** Places given by name; what is not there is missing. */
export const outlined: Readonly<Record<string, FileOutline>> = {
  '/w/digits.onnx': {
    path: '/w/digits.onnx',
    kind: 'model',
    inputs: [{ name: 'x', dtype: 'float32', dims: ['N', 64] }],
    outputs: [
      { name: 'logits', dtype: 'float32', dims: ['N', 10] },
      { name: 'features', dtype: 'float32', dims: ['N', 32] },
    ],
  },
  '/w/data/digits.npz': {
    path: '/w/data/digits.npz',
    kind: 'data',
    format: 'npz',
    rows: 1797,
    columns: [
      { name: 'x', dtype: 'float64', dims: [64] },
      { name: 'y', dtype: 'int64', dims: [] },
    ],
    extras: [{ name: 'test_idx', dtype: 'int64', dims: [], length: 359 }],
  },
  '/w/broken.onnx': { path: '/w/broken.onnx', kind: 'unreadable', reason: "'broken.onnx' is cut short." },
};

export const facts: SuiteFacts = {
  catalogue: catalogue as Catalogue,
  exists: (path) => path in outlined,
  outline: (path) => outlined[path],
  models: ['/w/digits.onnx', '/w/broken.onnx'],
  data: ['/w/data/digits.npz'],
  numbers: (id) => (id === 'reliability' ? { names: ['accuracy', 'ece', 'nll'], all: true } : { names: ['accuracy'], all: false }),
};
