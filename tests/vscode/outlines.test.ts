import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outlines } from '../../src/vscode/authoring/outlines.ts';

test('a file is asked for once until it changes, what is missing never, and what failed again', async () => {
  const times = new Map([
    ['/a.onnx', 1],
    ['/b.npz', 1],
  ]);
  const asked: (readonly string[])[] = [];
  let works = true;
  const look = outlines({
    stat: async (path) => {
      const mtimeMs = times.get(path);
      return mtimeMs === undefined ? undefined : { mtimeMs, size: 1 };
    },
    outline: async (paths) => {
      asked.push(paths);
      if (!works) throw new Error('no process');
      return paths.map((path) => ({ path, kind: 'unreadable' as const, reason: String(times.get(path)) }));
    },
  });
  const reasons = async (...paths: readonly string[]): Promise<readonly unknown[]> =>
    Array.from((await look.look(paths)).values(), (o) => (o?.kind === 'unreadable' ? o.reason : o));
  assert.deepEqual(await reasons('/a.onnx', '/b.npz', '/none'), ['1', '1', null]);
  assert.deepEqual(await reasons('/a.onnx', '/b.npz'), ['1', '1']);
  times.set('/a.onnx', 2);
  assert.deepEqual(await Promise.all([reasons('/a.onnx'), reasons('/a.onnx')]), [['2'], ['2']]);
  assert.deepEqual(asked, [['/a.onnx', '/b.npz'], ['/a.onnx']]);
  works = false;
  times.set('/b.npz', 2);
  assert.deepEqual(await reasons('/b.npz'), [undefined]);
  works = true;
  assert.deepEqual(await reasons('/b.npz'), ['2']);
});
