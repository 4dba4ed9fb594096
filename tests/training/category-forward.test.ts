import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { random } from '../../src/base/random.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { numbersOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import { mixingShare } from '../../src/training/heads/category-tree.ts';
import { numbers, once } from './session.ts';
import { workshop } from './workshop.ts';

type Rows = readonly (readonly number[])[];
type Stored = (name: string) => readonly number[];

/** x·W + b of every row. */
const dense = (x: Rows, w: readonly number[], b: readonly number[]): number[][] =>
  x.map((row) => b.map((shift, k) => row.reduce((s, v, i) => s + v * w[i * b.length + k], shift)));
const relu = (x: Rows): number[][] => x.map((row) => row.map((v) => Math.max(0, v)));
const plus = (a: Rows, b: Rows): number[][] => a.map((row, i) => row.map((v, k) => v + b[i][k]));
const normal = (x: Rows, w: readonly number[], b: readonly number[]): number[][] =>
  x.map((row) => {
    const mean = row.reduce((s, v) => s + v, 0) / row.length;
    const variance = row.reduce((s, v) => s + (v - mean) ** 2, 0) / row.length;
    return row.map((v, k) => ((v - mean) / Math.sqrt(variance + 1e-5)) * w[k] + b[k]);
  });
const softmax = (x: readonly number[]): number[] => {
  const shares = x.map((v) => Math.exp(v - Math.max(...x)));
  return shares.map((s) => s / shares.reduce((a, b) => a + b, 0));
};

const at = (of: Stored, name: string) => (x: Rows) => dense(x, of(`${name}.weight`), of(`${name}.bias`));
const norm = (of: Stored, name: string) => (x: Rows) => normal(x, of(`${name}.weight`), of(`${name}.bias`));

const attend = (of: Stored, name: string, heads: number, x: Rows, from: Rows): number[][] => {
  const [q, k, v] = [at(of, `${name}.query`)(x), at(of, `${name}.key`)(from), at(of, `${name}.value`)(from)];
  const each = q[0].length / heads;
  const read = q.map((row) =>
    Array.from({ length: heads }, (_, h) => {
      const part = (r: readonly number[]): readonly number[] => r.slice(h * each, (h + 1) * each);
      const shares = softmax(k.map((r) => part(r).reduce((s, b, i) => s + b * part(row)[i], 0) / Math.sqrt(each)));
      return Array.from({ length: each }, (__, i) => shares.reduce((s, p, t) => s + p * part(v[t])[i], 0));
    }).flat(),
  );
  return at(of, `${name}.out`)(read);
};

/** Score of a selected class: v·q/√d + b. */
const scoreOf = (v: readonly number[], q: readonly number[], b: number): number =>
  v.reduce((s, x, i) => s + x * q[i], 0) / Math.sqrt(v.length) + b;

interface Shape {
  readonly classes: number;
  readonly dim: number;
  readonly heads: number;
  readonly layers: number;
  readonly select: number;
  readonly channels: number;
  /** Of inner classes, deepest first: children and descendants. */
  readonly tree?: readonly { readonly class: number; readonly children: readonly number[]; readonly below: number }[];
}

/** Scores of a row of features, −1000 where a class is not selected. */
const reference = (of: Stored, features: readonly number[], shape: Shape): number[] => {
  const table = of('head.queries');
  const width = table.length / shape.classes;
  const first = Array.from({ length: shape.classes }, (_, c) => table.slice(c * width, (c + 1) * width));
  const projected = relu(at(of, 'head.queries.projection')(first));
  const correlated = (): number[][] => {
    if (!shape.tree) return plus(projected, attend(of, 'head.among', shape.heads, projected, projected));
    const most = Math.max(...shape.tree.map((n) => n.below));
    for (const { class: n, children, below } of shape.tree) {
      const share = mixingShare(below, most);
      projected[n] = projected[n].map(
        (v, k) => (1 - share) * v + (share * children.reduce((s, c) => s + projected[c][k], 0)) / children.length,
      );
    }
    return projected;
  };
  let q = norm(of, 'head.correlated')(correlated());
  const channels = shape.channels || features.length;
  const places = features.length / channels;
  const all = Array.from({ length: places }, (_, p) => Array.from({ length: channels }, (__, k) => features[k * places + p]));
  const mean = all[0].map((_, k) => all.reduce((s, t) => s + t[k] / places, 0));
  const tokens = at(of, 'head.tokens.projection')(places === 1 ? [mean] : [mean, ...all]);
  const [v] = at(of, 'head.feature')([mean]);
  for (let l = 0; l < shape.layers; l++) {
    const name = `head.layers.${l}`;
    const middle = norm(of, `${name}.norm1`)(plus(q, attend(of, `${name}.attention`, shape.heads, q, tokens)));
    q = norm(of, `${name}.norm2`)(plus(middle, at(of, `${name}.dense2`)(relu(at(of, `${name}.dense1`)(middle)))));
  }
  const fit = at(of, 'head.fit')(q).map(([s]) => s);
  const least = fit.toSorted((a, b) => b - a)[shape.select - 1];
  return q.map((query, c) => (fit[c] >= least ? scoreOf(v, query, of('head.prior')[0]) : -1000));
};

test('the score of the card', () => {
  const b = -Math.log(99);
  assert.ok(Math.abs(b + 4.5951199) < 5e-8);
  assert.ok(Math.abs(scoreOf([1, 2, 0, -1], [1, 0, 0, 0], b) + 4.0951199) < 5e-8);
});

const [ROWS, WIDTH, CLASSES] = [40, 12, 6];
const chance = random(1, 'rows');
const x = Float32Array.from({ length: ROWS * WIDTH }, () => chance.normal());
const base = { classes: CLASSES, dim: 8, heads: 2, layers: 2, select: 3, channels: 0 };

for (const [what, shape, csv] of [
  ['one token a row', base, ''],
  ['places of a feature map as tokens', { ...base, channels: 4 }, ''],
  [
    'queries mixed along a tree',
    {
      ...base,
      layers: 1,
      tree: [
        { class: 1, children: [3, 4], below: 2 },
        { class: 0, children: [1, 2], below: 4 },
      ],
    },
    '1,0\n2,0\n3,1\n4,1\n',
  ],
] as const satisfies readonly (readonly [string, Shape, string])[])
  test(`scores of a trained head are those of plain sums: ${what}`, async () => {
    const shop = workshop();
    shop.arrays('rows.npz', {
      x: float32([ROWS, WIDTH], x),
      y: int64(
        [ROWS],
        Array.from({ length: ROWS }, (_, i) => i % CLASSES),
      ),
    });
    shop.text('tree.csv', csv);
    const { dim, heads, layers, select, channels } = shape;
    const { out } = await shop.run({
      arch: { kind: 'mlp', hidden: '' },
      data: { train: 'rows.npz' },
      split: { val: 0 },
      loss: 'sigmoid-focal',
      head: { kind: 'category-queries', dim, heads, layers, select, channels, ...(csv === '' ? {} : { hierarchy: 'tree.csv' }) },
      optimizer: { kind: 'adamw', lr: 1e-2 },
      batch: 8,
      epochs: 5,
    });
    const model = parse(readFileSync(out), out);
    const stored = (name: string): readonly number[] => {
      const found = model.graph.initializers.get(name);
      assert.ok(found, name);
      return numbersOf(found);
    };
    const scores = numbers((await once(model, { x: float32([ROWS, WIDTH], x) }))[model.graph.outputs[0].name]);
    for (let i = 0; i < ROWS; i++) {
      const wanted = reference(stored, Array.from(x.subarray(i * WIDTH, (i + 1) * WIDTH)), shape);
      // Sums of float32 through two layers of attention and five normalisations.
      for (const [c, w] of wanted.entries())
        assert.ok(
          Math.abs(scores[i * CLASSES + c] - w) < 1e-4 * Math.max(1, Math.abs(w)),
          `row ${i}, class ${c}: ${scores[i * CLASSES + c]} is not ${w}`,
        );
    }
  });
