import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { architectures } from '../../src/training/architectures/index.ts';
import { losses } from '../../src/training/losses/index.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { differences, readRecipe } from '../../src/training/recipe.ts';
import { recipeKeys } from '../../src/training/recipe-keys.ts';
import { recipeSchema } from '../../src/training/recipe-schema.ts';
import type { Shape } from '../../src/training/recipe-shape.ts';
import { schedules } from '../../src/training/schedules/index.ts';

const least = { arch: 'mlp', data: { train: 'd.npz' }, loss: 'cross-entropy', optimizer: 'sgd' };
const read = (given: object) => readRecipe(JSON.stringify(given), 'r.train.json');
const refuses = (given: object, code: FaultCode, ...words: string[]): void =>
  assert.throws(
    () => read(given),
    (e) => {
      assert.ok(Fault.is(e, code), `${e}`);
      for (const word of ['r.train.json', ...words]) assert.ok(e.message.includes(word), `'${e.message}' says nothing of '${word}'`);
      return true;
    },
  );

test('the least recipe has the defaults of the card', () => {
  const recipe = read(least);
  assert.equal(recipe.id, 'r');
  assert.deepEqual(recipe.split, { val: 0.1, seed: 0, stratified: true });
  assert.deepEqual(recipe.batch, { size: 32, dropLast: false });
  assert.equal(recipe.seed, 0);
  assert.equal(recipe.init, 'torch-default');
  assert.equal(recipe.nonfinite, 'stop');
  assert.equal(recipe.schedule.part.id, 'constant');
  assert.equal(recipe.earlyStop, undefined);
  assert.deepEqual(read({ ...least, earlyStop: true }).earlyStop, { metric: 'val_loss', patience: 10, minDelta: 0, restoreBest: true });
  assert.equal(read({ ...least, arch: undefined, model: 'm.onnx' }).init, 'keep');
});

test('an attack in training: defaults, the length of a step, what is refused', () => {
  const of = (adversarial: object) => read({ ...least, adversarial }).adversarial;
  assert.equal(read(least).adversarial, undefined);
  assert.deepEqual(of({ epsilon: 0.7 }), { norm: 'linf', epsilon: 0.7, step: (2.5 * 0.7) / 7, steps: 7, randomStart: true });
  assert.equal(of({ epsilon: 0.7, steps: 1 })?.step, 0.7);
  assert.equal(of({ epsilon: 0.7, step: 0.1 })?.step, 0.1);
  assert.deepEqual(of({ epsilon: 0.7, range: [0, 1] })?.range, [0, 1]);
  refuses({ ...least, adversarial: {} }, 'training/recipe', 'adversarial', 'epsilon');
  refuses({ ...least, adversarial: { epsilon: -1 } }, 'training/recipe', 'adversarial.epsilon');
  refuses({ ...least, adversarial: { epsilon: 1, eps: 1 } }, 'training/key', 'adversarial.eps');
  refuses({ ...least, adversarial: { epsilon: 1, norm: 'l1' } }, 'training/recipe', 'adversarial.norm', 'l2');
  for (const range of [[0], [1, 0], [0, 1, 2]])
    refuses({ ...least, adversarial: { epsilon: 1, range } }, 'training/recipe', 'adversarial.range');
});

test('a part is its kind, or an object with its options', () => {
  const recipe = read({
    ...least,
    arch: { kind: 'mlp', hidden: [32, 16], input: [64] },
    optimizer: { kind: 'adam', lr: 0.01, groups: [{ match: 'dense1.*', lrScale: 0.1 }], decayExclude: ['bias'] },
    schedule: { kind: 'step', size: 3, unit: 'step' },
    batch: { size: 'full', dropLast: true },
    clip: { norm: 2 },
  });
  assert.ok('arch' in recipe.source);
  assert.equal(recipe.source.arch.chosen.hidden, '32,16');
  assert.deepEqual(recipe.source.input, [64]);
  assert.equal(recipe.optimizer.chosen.lr, 0.01);
  assert.deepEqual(recipe.groups, [{ match: 'dense1.*', lrScale: 0.1 }]);
  assert.deepEqual(recipe.decayExclude, ['bias']);
  assert.equal(recipe.schedule.unit, 'step');
  assert.deepEqual(recipe.clip, { norm: 2 });
});

test('labelKey names the labels of every dataset that does not name its own', () => {
  const { data } = read({ ...least, data: { train: 'a.npz', val: { path: 'b.npz', y: 'z' }, labelKey: 'label' } });
  assert.deepEqual(data, { train: { path: 'a.npz', y: 'label' }, val: { path: 'b.npz', y: 'z' } });
});

test('an unknown key is refused with its path and the nearest name', () => {
  refuses({ ...least, optimiser: 'sgd' }, 'training/key', "'optimiser'", "'optimizer'");
  refuses({ ...least, optimizer: { kind: 'adam', beta_1: 0.9 } }, 'training/key', "'optimizer.beta_1'", "'beta1'");
  refuses({ ...least, optimizer: { kind: 'sgd', groups: [{ match: '*', scale: 2 }] } }, 'training/key', "'optimizer.groups[0].scale'");
  refuses(
    { ...least, data: { train: { path: 'd.npz', preprocess: { scal: 2 } } } },
    'training/key',
    "'data.train.preprocess.scal'",
    "'scale'",
  );
});

test('what the trainer does not do is refused by name, and with what to do instead', () => {
  refuses({ ...least, subset: { score: 'el2n', keep: 0.5 } }, 'training/absent', 'subset', "split: '@ARRAY'");
  refuses({ ...least, ensemble: { members: 5 } }, 'training/absent', 'ensemble', 'once for each seed');
  refuses({ ...least, lrScaling: 'linear' }, 'training/absent', 'lrScaling', 'optimizer.lr');
  refuses({ ...least, optimizer: { kind: 'sgd', lr: 'auto' } }, 'training/absent', 'sets optimizer.lr to "auto"', 'as a number');
  assert.doesNotThrow(() => read({ ...least, optimizer: { kind: 'sgd', lr: 1 } }));
});

test('losses of rows become one by their mean, and by nothing else', () => {
  const plain = read(least);
  assert.deepEqual(read({ ...least, loss: { kind: 'cross-entropy', reduction: 'mean' } }).settings, plain.settings);
  refuses({ ...least, loss: { kind: 'cross-entropy', reduction: 'sum' } }, 'training/recipe', 'loss.reduction', 'mean');
});

/** Every key of a shape with those under it, and the options of the parts that may stand there. */
const keysOf = (shape: Shape): string[] => {
  switch (shape.kind) {
    case 'option':
      return [];
    case 'list':
      return keysOf(shape.of);
    case 'either':
      return shape.of.flatMap(keysOf);
    case 'object':
      return Object.entries(shape.keys).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
    case 'part':
      return [
        ...shape.of.flatMap((part) => Object.keys(part.options)),
        ...Object.entries(shape.more ?? {}).flatMap(([key, inner]) => [key, ...keysOf(inner)]),
      ];
  }
};

test('one dialect: keys are in camel case, and regularizers are a list', () => {
  const keys = keysOf(recipeKeys);
  assert.ok(keys.includes('weightDecay') && keys.includes('labelKey'));
  assert.deepEqual(
    keys.filter((key) => key !== '$schema' && !/^[a-z][a-zA-Z0-9]*$/.test(key)),
    [],
  );
  refuses({ ...least, regularizers: { kind: 'l1' } }, 'training/recipe', 'regularizers', 'a list');
  assert.equal(read({ ...least, regularizers: ['l1'] }).extra.regularizers?.length, 1);
});

test('a wrong value is refused with its key and what is expected', () => {
  refuses({ ...least, optimizer: { kind: 'adam', lr: 'fast' } }, 'training/recipe', 'optimizer.lr', '"fast"', 'a number');
  refuses({ ...least, optimizer: 'adm' }, 'training/recipe', 'optimizer', "did you mean 'adam'?");
  refuses({ ...least, batch: 0 }, 'training/recipe', 'batch', '0');
  refuses({ ...least, batch: 'all' }, 'training/recipe', 'batch', 'full');
  refuses({ ...least, epochs: 1.5 }, 'training/recipe', 'epochs');
  refuses({ ...least, seed: -1 }, 'training/recipe', 'seed');
  refuses({ ...least, optimizer: { lr: 1 } }, 'training/recipe', "key 'kind' is missing");
  refuses({ ...least, loss: undefined }, 'training/recipe', "key 'loss' is missing");
  refuses([], 'training/recipe', 'the file');
  assert.throws(
    () => readRecipe('{ "a": ', 'r.train.json'),
    (e) => Fault.is(e, 'training/recipe') && e.message.includes('not JSON'),
  );
});

test('contradictions are refused', () => {
  refuses({ ...least, model: 'm.onnx' }, 'training/recipe', "either 'model' or 'arch'");
  refuses({ ...least, arch: undefined }, 'training/recipe', "either 'model' or 'arch'");
  refuses({ ...least, epochs: 2, steps: 3 }, 'training/recipe', "either 'epochs' or 'steps'");
  refuses({ ...least, clip: { norm: 1, value: 1 } }, 'training/recipe', 'clip');
  refuses({ ...least, clip: {} }, 'training/recipe', 'clip');
  refuses({ ...least, init: 'keep' }, 'training/recipe', 'init');
  refuses({ ...least, optimizer: { kind: 'adagrad-norm', groups: [{ match: '*' }] } }, 'training/recipe', 'adagrad-norm');
  refuses({ ...least, optimizer: { kind: 'adagrad-norm', decayExclude: ['bias'] } }, 'training/recipe', 'weight decay');
});

/** What a JSON Schema of the forms that ours uses accepts. */
const accepts = (schema: Record<string, unknown>, value: unknown): boolean => {
  if (schema.anyOf) return (schema.anyOf as Record<string, unknown>[]).some((s) => accepts(s, value));
  if (schema.enum) return (schema.enum as unknown[]).includes(value);
  if ('const' in schema) return schema.const === value;
  const kinds = [schema.type].flat() as string[];
  const kind = Array.isArray(value) ? 'array' : typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
  if (!kinds.includes(kind) && !(kind === 'integer' && kinds.includes('number'))) return false;
  if (typeof value === 'number') return value >= Number(schema.minimum ?? value) && value <= Number(schema.maximum ?? value);
  if (Array.isArray(value)) return value.every((v) => accepts(schema.items as Record<string, unknown>, v));
  if (kind !== 'object') return true;
  const properties = schema.properties as Record<string, Record<string, unknown>>;
  const entries = Object.entries(value as object).filter(([, v]) => v !== undefined);
  return (
    entries.every(([key, v]) => key in properties && accepts(properties[key], v)) &&
    ((schema.required ?? []) as string[]).every((key) => entries.some(([k]) => k === key))
  );
};

test('the schema accepts what the reader accepts, and refuses what it refuses', () => {
  const schema = recipeSchema() as Record<string, unknown>;
  const sample = JSON.parse(readFileSync(new URL('../../media/sample/digits.train.json', import.meta.url), 'utf8'));
  const good = [sample, least, { ...least, batch: 'full' }, { ...least, optimizer: { kind: 'adamw', lr: 1, groups: [{ match: 'a' }] } }];
  for (const recipe of good) {
    assert.doesNotThrow(() => read(recipe));
    assert.ok(accepts(schema, recipe), JSON.stringify(recipe));
  }
  const bad = [
    { ...least, optimiser: 'sgd' },
    { ...least, optimizer: { kind: 'adam', momentum: 1 } },
    { ...least, batch: 'all' },
    { ...least, loss: undefined },
    { ...least, seed: -1 },
    { ...least, schedule: { kind: 'cosine', unit: 'day' } },
  ];
  for (const recipe of bad) {
    assert.throws(() => read(recipe));
    assert.ok(!accepts(schema, recipe), JSON.stringify(recipe));
  }
});

test('every part can be named in a recipe, with every option at its default', () => {
  for (const [key, parts] of Object.entries({ arch: architectures, loss: losses, optimizer: optimizers, schedule: schedules })) {
    for (const part of parts) {
      const { id, options } = part;
      const given = Object.fromEntries(Object.entries(options).map(([name, o]) => [name, o.default]));
      // Some optimizers compare losses of the same rows.
      const whole = 'whole' in part && part.whole === true ? { batch: 'full' } : {};
      assert.doesNotThrow(() => read({ ...least, ...whole, [key]: { kind: id, ...given } }), `${key} ${id}`);
    }
  }
});

test('two recipes differ by the paths of their keys', () => {
  const a = read(least).settings;
  assert.deepEqual(differences(a, read({ ...least, $schema: 'x', batch: 32, schedule: 'constant', provider: 'cpu' }).settings), []);
  const b = read({ ...least, optimizer: { kind: 'sgd', lr: 0.5 }, batch: 16, schedule: 'cosine' }).settings;
  assert.deepEqual(differences(a, b).toSorted(), ['batch.size', 'optimizer.lr', 'schedule.kind', 'schedule.lrMin']);
});
