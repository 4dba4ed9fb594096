import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emitter } from '../../src/graph/emit.ts';
import type { Constant } from '../../src/graph/types.ts';
import type { Flow } from '../../src/training/architectures/layers.ts';
import { netOver } from '../../src/training/build.ts';
import { routed, squash } from '../../src/training/capsule-layers.ts';
import type { Net } from '../../src/training/define-layers.ts';
import { losses } from '../../src/training/losses/index.ts';
import { emitObjective } from '../../src/training/objective.ts';
import { inPrecision, modelOf } from '../../src/training/plan.ts';
import { float64, numbers, once } from './session.ts';
import { pick } from './subject.ts';
import { diagnosed, digitsData, workshop } from './workshop.ts';

/** Values of layers on rows, in float64, by the names of `wanted` and that of what `build` gives. */
const computed = async (
  row: readonly number[],
  rows: readonly number[],
  build: (net: Net, x: Flow) => string,
  wanted: readonly string[] = [],
) => {
  const emit = emitter({ taken: ['x'] });
  const stored = new Map<string, Constant>();
  const type = { kind: 'tensor', dtype: 'float32', dims: ['N', ...row] } as const;
  emit.typed('x', type);
  const last = build(netOver(emit, stored), { value: 'x', row });
  const outputs = [last, ...wanted].map((name) => ({ name }));
  const graph = { ...emit.graph('g', [{ name: 'x', type }], outputs), initializers: stored };
  const count = rows.length / row.reduce((a, b) => a * b, 1);
  const out = await once(modelOf({ irVersion: 9, opsets: new Map([['', 20]]) }, inPrecision(graph, 'float64')), {
    x: float64([count, ...row], rows),
  });
  return { last: numbers(out[last]), of: (name: string) => numbers(out[name]) };
};
/** The card prints ten decimals; its square roots carry the same 1e-9. */
const near = (a: readonly number[], b: readonly number[], tolerance = 1e-9): void => {
  assert.equal(a.length, b.length);
  for (const [i, v] of b.entries()) assert.ok(Math.abs(a[i] - v) <= tolerance, `${a} is not ${b}`);
};

test('squash keeps the direction and brings lengths below 1', async () => {
  const { last } = await computed([2], [3, 4, 0, 0, 300, -400], (net, x) => squash(net, x, 'squash').value);
  near(last.slice(0, 2), [0.5769230769, 0.7692307692]);
  near(last.slice(2, 4), [0, 0]);
  assert.ok(Math.hypot(last[4], last[5]) < 1);
  assert.ok(Math.abs(last[4] / last[5] + 0.75) < 1e-12);
});

const votes = [1, 0, 0.5, 0.5, 0.8, 0.6, -0.2, 0.4, 0, 1, 0.3, -0.3];
const after = (routingIterations: number, wanted: readonly string[] = []) =>
  computed([3, 2, 2], votes, (net, x) => routed(net, x, { routingIterations, routingGrad: 'last' }, 'routing').value, wanted);

test('routing by agreement: lengths, capsules and couplings of the card after each round', async () => {
  near((await after(1)).last, [0.5918367345, 0.1525423725]);
  near((await after(2)).last, [0.6831766826, 0.1072246082]);
  const { last, of } = await after(3, ['routing.3.couplings', 'routing.3.s']);
  near(last, [0.7533471269, 0.0623973496]);
  const couplings = of('routing.3.couplings');
  near(couplings, [0.6829820811, 0.3170179189, 0.7748590315, 0.2251409685, 0.6999074611, 0.3000925389]);
  for (let i = 0; i < 3; i++) near([couplings[2 * i] + couplings[2 * i + 1]], [1], 1e-12);
  const s = of('routing.3.s');
  const capsules = [0, 1].flatMap((j) => {
    const size = Math.hypot(s[2 * j], s[2 * j + 1]);
    return [s[2 * j], s[2 * j + 1]].map((v) => (v / size) * last[j]);
  });
  near(capsules, [0.5616186357, 0.5021119413, 0.0492237951, 0.0383464109]);
});

test('the margin loss of those lengths is that of the card', async () => {
  const emit = emitter({ taken: ['z', 'y'] });
  const z = { kind: 'tensor', dtype: 'float64', dims: ['N', 2] } as const;
  const y = { kind: 'tensor', dtype: 'int64', dims: ['N'] } as const;
  emit.typed('z', z);
  emit.typed('y', y);
  const hyper = { upper: emit.scalar(0.9, 'float64'), lower: emit.scalar(0.1, 'float64'), absent: emit.scalar(0.5, 'float64') };
  const { perExample } = emitObjective(emit, pick(losses, 'margin'), hyper, 'z', 'y', 2);
  const inputs = [
    { name: 'z', type: z },
    { name: 'y', type: y },
  ];
  const out = await once(modelOf({ irVersion: 9, opsets: new Map([['', 20]]) }, emit.graph('g', inputs, [{ name: perExample }])), {
    z: float64([2, 2], [0.7533471269, 0.0623973496, 0.95, 0.05]),
    y: { dtype: 'int64', dims: [2], data: BigInt64Array.of(0n, 0n) },
  });
  near(numbers(out[perExample]), [0.0215070652, 0]);
});

test('what a trained capsule network says of the classes is the shares of its lengths, while it trains and after', async () => {
  const shop = workshop();
  const recipe = {
    arch: 'capsule',
    loss: 'margin',
    data: digitsData,
    optimizer: { kind: 'adam', lr: 3e-3 },
    batch: 64,
    epochs: 3,
    seed: 0,
  };
  const { report, out } = await shop.run({ ...recipe, diagnose: ['reliability', 'confusion-matrix'] });
  const loss = report.cards.find((c) => c.title === 'Loss');
  assert.ok(loss?.kind === 'curve' && loss.y.unit === 'none');
  const said = report.cards.find((c) => c.title === 'Validation rows by epoch: reliability');
  assert.ok(said?.kind === 'curve');
  const confusion = await diagnosed('confusion-matrix', out);
  assert.equal(confusion.headline.accuracy, report.headline.test_accuracy);
  assert.ok(confusion.notes.some((n) => /lengths of class capsules; divided by their sum/.test(n)));
  const reliability = await diagnosed('reliability', out);
  // A right class of length 0.9 beside nine of 0.1 has half of their sum; a softmax of lengths would give it 0.2.
  assert.ok(reliability.headline.mean_confidence > 0.22, String(reliability.headline.mean_confidence));
  const alike = said.lines.find((l) => l.name === 'mean confidence')?.points.at(-1)?.[1] ?? 0;
  // Other rows of the same digits, by the training's own path.
  assert.ok(Math.abs(alike - reliability.headline.mean_confidence) < 0.05, String(alike));
});
