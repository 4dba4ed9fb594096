import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainWithin } from '../../src/app/train.ts';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { workshop } from './workshop.ts';

interface Row {
  readonly x: readonly number[];
  readonly y: number;
  readonly site: string;
}
/** Two classes by the first number, with a little noise; a second number that follows the class in another way at each site. */
const made = (count: number, sites: readonly (readonly [name: string, agrees: number])[], seed: number): Row[] => {
  const r = random(seed, 'rows of sites');
  return Array.from({ length: count }, (_, i) => {
    const [site, agrees] = sites[i % sites.length];
    const y = r.below(2);
    const shown = r.next() < agrees ? y : 1 - y;
    return { x: [2 * y - 1 + 1.2 * r.normal(), 2 * (2 * shown - 1) + 0.3 * r.normal()], y, site };
  });
};
const csv = (rows: readonly Row[], columns: readonly ('site' | 'id')[]): string =>
  [
    ['a', 'b', ...columns, 'label'].join(),
    ...rows.map(({ x, y, site }, i) => [...x, ...columns.map((c) => (c === 'id' ? 1000 + i : site)), y].join()),
  ].join('\n');

const train = made(
  240,
  [
    ['north', 0.95],
    ['south', 0.85],
    ['east', 0.75],
  ],
  0,
);
const test_ = made(240, [['west', 0.05]], 1);
const base = {
  arch: { kind: 'mlp', hidden: '8' },
  split: { val: 0.2 },
  loss: 'cross-entropy',
  optimizer: { kind: 'adam', lr: 0.01 },
  batch: 30,
  epochs: 3,
};
const refused = async (shop: ReturnType<typeof workshop>, recipe: object, code: string, words: RegExp): Promise<void> => {
  await assert.rejects(shop.run(recipe), (error) => {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  });
};

test('columns of domains and numbers in a CSV are no inputs, and a test file may lack them', async () => {
  const shop = workshop();
  shop.text('train.csv', csv(train, ['site', 'id']));
  shop.text('test.csv', csv(test_, []));
  const data = { train: 'train.csv', test: 'test.csv', labelKey: 'label', domainKey: 'site', indexKey: 'id' };
  const recipe = { ...base, data, sampler: 'domains', regularizers: [{ kind: 'hgp', alpha: 0.1, beta: 0.1 }] };
  const { report, notes } = await shop.run(recipe);
  assert.equal(report.outcome, 'measured');
  assert.equal(report.headline.parameters, 2 * 8 + 8 + 8 * 2 + 2);
  const terms = report.cards.find((c) => c.title === 'Terms added to the loss');
  assert.ok(terms?.kind === 'curve' && terms.lines[0].points.every(([, v]) => v > 0));
  assert.deepEqual(
    terms.lines.map((l) => l.name),
    ['hgp', 'hgp/loss of domains', 'hgp/Hessian-gradient products', 'hgp/gradients'],
  );
  const shares = (from: typeof report): readonly (readonly [string, number])[] => {
    const table = from.cards.find((c) => c.title === 'What was minimised');
    assert.ok(table?.kind === 'table');
    return table.rows.map(([name, , share]) => [String(name), Number(share)]);
  };
  const found = shares(report);
  assert.deepEqual(
    found.map(([name]) => name),
    ['loss of domains', 'Hessian-gradient products', 'gradients'],
  );
  assert.ok(Math.abs(found.reduce((sum, [, share]) => sum + share, 0) - 1) < 1e-12 && found[0][1] > 0.9);
  // So heavy a term leaves nothing of the loss, and that is said; and a shuffle does not bring all domains into a step.
  const heavy = await shop.run({ ...recipe, sampler: 'shuffle', regularizers: [{ kind: 'hgp', alpha: 1e6, beta: 1e6 }, 'l1'] });
  const [[, left], , , [, l1]] = shares(heavy.report);
  assert.ok(left < 0.01 && l1 < 0.01, String(left));
  assert.ok(heavy.report.cards.some((c) => /loss of domains has hardly any share/.test(c.caption ?? '')));
  const unmixed = /'hgp' compares the domains that each step has rows of/;
  assert.ok(heavy.notes.some((n) => unmixed.test(n)) && !notes.some((n) => unmixed.test(n)));
  // Without a file of its own the split is of the same file, whose columns stay out alike.
  const alone = await shop.run({ ...recipe, data: { ...data, test: undefined } });
  assert.equal(alone.report.headline.parameters, report.headline.parameters);
});

test('arrays of an npz name domains by number; rows streamed from the file train as rows in memory', async () => {
  const shop = workshop();
  const sites = ['north', 'south', 'east'];
  shop.arrays('rows.npz', {
    x: float32(
      [train.length, 2],
      train.flatMap((r) => r.x),
    ),
    y: int64(
      [train.length],
      train.map((r) => r.y),
    ),
    site: int64(
      [train.length],
      train.map((r) => sites.indexOf(r.site)),
    ),
    id: int64(
      [train.length],
      train.map((_, i) => i),
    ),
  });
  const recipe = {
    ...base,
    data: { train: 'rows.npz', domainKey: 'site', indexKey: 'id' },
    sampler: 'domains',
    regularizers: ['hgp', 'diag-exact', { kind: 'hutchinson', probes: 20 }],
  };
  const [resident, streamed] = [await shop.run(recipe), await shop.run(recipe, { use: trainWithin(0) })];
  assert.ok(streamed.notes.some((n) => n.includes('too large to keep in memory')));
  assert.equal(streamed.report.headline.train_loss, resident.report.headline.train_loss);
  const unaligned = await shop.run({ ...recipe, regularizers: [] });
  assert.notEqual(unaligned.report.headline.train_loss, resident.report.headline.train_loss);
});

test('columns that cannot be what they are named for are refused', async () => {
  const shop = workshop();
  shop.text(
    'one.csv',
    csv(
      train.map((r) => ({ ...r, site: 'north' })),
      ['site'],
    ),
  );
  shop.text('named.csv', csv(train, ['site']));
  const data = { train: 'named.csv', labelKey: 'label', domainKey: 'site' };
  const regularizers = ['hgp'];
  await refused(shop, { ...base, data: { ...data, domainKey: undefined }, sampler: 'domains' }, 'training/part', /domainKey/);
  await refused(shop, { ...base, data: { ...data, domainKey: undefined }, regularizers }, 'training/part', /domainKey/);
  await refused(
    shop,
    { ...base, data: { ...data, train: 'one.csv' }, regularizers },
    'training/column-values',
    /one domain alone \('north'\)/,
  );
  await refused(shop, { ...base, data: { ...data, train: 'one.csv' }, sampler: 'domains' }, 'training/column-values', /at least two/);
  await refused(shop, { ...base, data: { ...data, domainKey: 'country' } }, 'training/column', /no column 'country'/);
  await refused(shop, { ...base, data: { ...data, indexKey: 'number' } }, 'training/column', /no column 'number'/);
  await refused(shop, { ...base, data: { ...data, domainKey: undefined, indexKey: 'site' } }, 'training/column-values', /'north' in row 0/);
  await refused(shop, { ...base, data, sampler: 'domains', batch: 2 }, 'training/domain-batch', /batch of 2 cannot hold 3 domains/);
  await refused(shop, { ...base, data, loss: 'mse', regularizers }, 'training/part', /scores of classes, which loss 'mse'/);
  await refused(shop, { ...base, data, regularizers: [{ kind: 'hgp', alpha: -1 }] }, 'training/recipe', /alpha: it is -1/);
  const embeds = { head: { kind: 'embedding', dim: 2 }, loss: 'proxy-anchor' };
  await refused(shop, { ...base, data, ...embeds, sampler: 'importance' }, 'training/part', /scores of classes/);
});

test('a class of one domain alone is said', async () => {
  const shop = workshop();
  shop.text(
    'rows.csv',
    csv(
      train.map((r) => (r.site === 'east' ? r : { ...r, y: 0 })),
      ['site'],
    ),
  );
  const data = { train: 'rows.csv', labelKey: 'label', domainKey: 'site' };
  const { notes } = await shop.run({ ...base, epochs: 1, split: { val: 0 }, data, sampler: 'domains', regularizers: ['hgp'] });
  assert.ok(
    notes.some((n) => /Class 1 \(domain 'east'\) is found in one domain alone/.test(n)),
    notes.join('\n'),
  );
});

test('a class that the draws of an epoch leave out is said', async () => {
  const shop = workshop();
  const x = Array.from({ length: 60 }, (_, i) => [i === 0 ? 9 : -9, i % 7]).flat();
  shop.arrays('rows.npz', {
    x: float32([60, 2], x),
    y: int64(
      [60],
      Array.from({ length: 60 }, (_, i) => (i === 0 ? 1 : 0)),
    ),
  });
  const { notes } = await shop.run({ ...base, data: { train: 'rows.npz' }, split: { val: 0 }, sampler: 'importance', epochs: 12 });
  assert.ok(
    notes.some((n) => /drew no row of class 1 in epoch \d+/.test(n)),
    notes.join('\n'),
  );
});
