import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestFirst, picturePlaces, referenceAt, rowMeant } from '../../../src/vscode/insight/references.ts';

const found = (line: string): unknown => {
  const column = line.indexOf('^');
  const reference = referenceAt(line.replace('^', ''), column);
  if (!reference) return undefined;
  const { from, to, ...rest } = reference;
  return { ...rest, text: line.replace('^', '').slice(from, to) };
};

test('a path of a picture in a string, a row of an array, and nothing else', () => {
  assert.deepEqual(found('img = Image.open("images/c^at.png")'), { kind: 'path', path: 'images/cat.png', text: '"images/cat.png"' });
  assert.deepEqual(found("load('a b/É.JPEG^')"), { kind: 'path', path: 'a b/É.JPEG', text: "'a b/É.JPEG'" });
  assert.deepEqual(found('plot(x_te^st[17])'), { kind: 'row', name: 'x_test', index: 17, text: 'x_test[17]' });
  assert.deepEqual(found('plot(x_test[17^, :, 0])'), { kind: 'row', name: 'x_test', index: 17, text: 'x_test[17,' });
  assert.deepEqual(found('d["x"]^[3]'), { kind: 'row', name: 'd', array: 'x', index: 3, text: 'd["x"][3]' });
  assert.deepEqual(found('const a = data.images[ 4^ ];'), {
    kind: 'row',
    name: 'data',
    array: 'images',
    index: 4,
    text: 'data.images[ 4 ]',
  });
  for (const line of ['open("mo^del.onnx")', 'x[i^]', 'x[-1^]', 'x[1:^5]', 'pl^ot(x[3])', '"it\'s" ^+ y', '^'])
    assert.equal(found(line), undefined, line);
});

test('pictures lie beside the code, in the workspace or in a folder of images', () => {
  assert.deepEqual(picturePlaces('cat.png', '/w/src/a.py', ['/w'], [{ path: '/data/images' }, { path: '/w/d.npz' }]), [
    '/w/src/cat.png',
    '/w/cat.png',
    '/data/images/cat.png',
    '/data/cat.png',
    '/w/d.npz/cat.png',
  ]);
  assert.deepEqual(picturePlaces('/abs/cat.png', '/w/a.py', ['/w'], []), ['/abs/cat.png']);
});

const digits = { name: 'test', ref: { path: '/w/digits.npz', x: 'x', y: 'y', split: 'test', preprocess: { scale: 0.0625 } } };
const train = { name: 'train', ref: { ...digits.ref, split: 'train' } };
const cells = { name: 'cells', ref: { path: '/w/breast_cancer.npz' } };
const all = [train, digits, cells];
const meant = (line: string, code = ''): unknown => {
  const reference = referenceAt(line, line.indexOf('[') + 1);
  assert.ok(reference?.kind === 'row');
  const sample = rowMeant(reference, code, all);
  return sample && [sample.data.name, sample.ref.split, sample.place];
};

test('a row is of the dataset whose file the variable is read from, else of the one so called or with such an array', () => {
  assert.deepEqual(meant('x_test[17]', 'x_test = np.load("digits.npz")["x"]'), ['test', 'test', { position: 17 }]);
  assert.deepEqual(meant('x_train[2]', 'z = np.load("digits.npz")'), ['train', 'train', { position: 2 }]);
  assert.deepEqual(meant('y_test[0]', 'z = np.load("digits.npz")'), ['test', 'test', { position: 0 }]);
  assert.deepEqual(meant('d["x"][5]', 'd = np.load(\n"digits.npz")\nother = np.load("breast_cancer.npz")'), [
    'train',
    undefined,
    { row: 5 },
  ]);
  assert.deepEqual(meant('d["x"][5]', 'd = np.load("data/breast_cancer.npz")'), ['cells', undefined, { row: 5 }]);
  assert.deepEqual(meant('d.x[5]', 'const d = await load("breast_cancer.npz");'), ['cells', undefined, { row: 5 }]);
  assert.deepEqual(meant('a[5]', 'a = np.load("breast_cancer.npz")["x"]\nif a == 3: pass'), ['cells', undefined, { row: 5 }]);
  assert.deepEqual(meant('cells[1]'), ['cells', undefined, { row: 1 }]);
  assert.deepEqual(meant('test[1]'), ['test', 'test', { position: 1 }]);
  assert.equal(meant('loss[1]', 'loss = []'), undefined);
  // The settings of the dataset stay.
  const reference = referenceAt('x_test[1]', 1);
  assert.ok(reference?.kind === 'row');
  assert.deepEqual(rowMeant(reference, '', all)?.ref, digits.ref);
});

test('of several assay.json the nearest above a file comes first', () => {
  const suites = ['/a/assay.json', '/b/assay.json', '/b/deep/assay.json', '/bc/assay.json'].map((path) => ({ path }));
  const order = (file: string): readonly string[] => nearestFirst(suites, file).map(({ path }) => path);
  assert.deepEqual(order('/b/deep/x.py'), ['/b/deep/assay.json', '/b/assay.json', '/a/assay.json', '/bc/assay.json']);
  assert.deepEqual(order('/bc/x.py')[0], '/bc/assay.json');
  assert.deepEqual(
    order('/z/x.py'),
    suites.map(({ path }) => path),
  );
});
