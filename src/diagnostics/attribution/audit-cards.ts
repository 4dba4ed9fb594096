import type { Card, CurveCard, Interval } from '../../report/report.ts';
import { number, percent } from '../wording.ts';
import type { Audit, AuditedModel, AuditOptions } from './audit-run.ts';
import type { Level, Power, Verdict } from './audit-statistics.ts';

const words: Readonly<Record<Verdict, string>> = {
  'mask leak': 'dominated by mask leak',
  discriminative: 'highlights discriminative features',
  random: 'no better than random',
  inverted: 'inverted: the least attributed inputs say more',
};

/** What is concluded at one level, in a sentence. */
const sentence = ({ level, top, bottom, difference, verdict, leaks, maskTop, maskBottom }: Level): string => {
  const found = `At ${number(level)} % kept, fresh models reach ${percent(top.mean)} on the highest and ${percent(bottom.mean)} on the lowest attributed inputs`;
  if (verdict === 'mask leak') {
    const sides = leaks.map((side) => `${percent(side === 'top' ? maskTop.mean : maskBottom.mean)} (${side})`).join(' and ');
    return `${found}, but which inputs are kept already tells the class: masks alone reach ${sides}, so the difference of ${number(difference.value)} is dominated by mask leak.`;
  }
  if (verdict === 'random') return `${found}: the attributions do no better than a random order.`;
  return `${found}: ${verdict === 'discriminative' ? 'high attributions mark discriminative inputs' : 'the order is inverted, low attributions mark the discriminative inputs'}.`;
};

const key = (level: number): string => String(level).replace('.', '_');

export const auditHeadline = ({ models, fresh }: Audit): Record<string, number> => {
  const out: Record<string, number> = { test_accuracy: models[0].accuracy, fresh_accuracy: fresh.mean };
  for (const [m, model] of models.entries())
    for (const l of model.levels) {
      const name = (what: string): string => `${m === 0 ? '' : 'robust_'}${what}_${key(l.level)}`;
      out[name('diffroar')] = l.difference.value;
      out[name('predpower_top')] = l.top.mean;
      out[name('predpower_bottom')] = l.bottom.mean;
      out[name('mask_only_top')] = l.maskTop.mean;
      out[name('mask_only_bottom')] = l.maskBottom.mean;
      if (m === 0) out[name('random_diffroar')] = l.random.value;
    }
  return out;
};

export const auditIntervals = ({ models }: Audit): Record<string, Interval> =>
  Object.fromEntries(
    models.flatMap((model, m) =>
      model.levels.flatMap(({ level, difference, random }) => [
        [`${m === 0 ? '' : 'robust_'}diffroar_${key(level)}`, difference.interval] as const,
        ...(m === 0 ? [[`random_diffroar_${key(level)}`, random.interval] as const] : []),
      ]),
    ),
  );

const kept = { label: 'Inputs kept, in percent', unit: 'none', min: 0 } as const;

const lineOf = (name: string, levels: readonly Level[], of: (level: Level) => Power): CurveCard['lines'][number] => ({
  name,
  points: levels.map((l) => [l.level, of(l).mean] as const),
  intervals: levels.map((l) => [of(l).low, of(l).high] as const),
});

const sideCard = ({ name, levels }: AuditedModel, side: 'top' | 'bottom', fresh: Power): CurveCard => ({
  kind: 'curve',
  title: `PredPower, ${side === 'top' ? 'highest' : 'lowest'} attributed inputs kept: ${name}`,
  caption:
    'Test accuracy of fresh models trained on rows of which only these inputs are left. Bars span the runs. Masks alone: the same, told only which inputs are kept; where that line comes near the first, the masks give the class away.',
  x: kept,
  y: { label: 'Test accuracy', unit: 'fraction', min: 0, max: 1 },
  lines: [
    lineOf('masked rows', levels, (l) => l[side]),
    lineOf('masks alone', levels, (l) => (side === 'top' ? l.maskTop : l.maskBottom)),
    lineOf('random order', levels, (l) => (side === 'top' ? l.randomTop : l.randomBottom)),
    { name: 'rows as they are', points: levels.map((l) => [l.level, fresh.mean] as const) },
  ],
});

const within = ({ low, high }: Interval): readonly [number, number] => [low, high];

export const auditCards = (audit: Audit, chosen: AuditOptions): Card[] => {
  const { models } = audit;
  const [own] = models;
  const levels = own.levels;
  return [
    {
      kind: 'number',
      title: 'DiffROAR',
      caption:
        'Accuracy of fresh models on the highest attributed inputs less that on the lowest. Above 0 the attributions point at discriminative inputs, near 0 they say no more than chance, below 0 they point away from them.',
      values: models.flatMap((model, m) =>
        model.levels.map((l) => ({
          name: `${m === 0 ? '' : 'robust_'}diffroar_${key(l.level)}`,
          label: `${model.name}, ${number(l.level)} % kept`,
          value: l.difference.value,
          unit: 'none' as const,
          interval: l.difference.interval,
          note: sentence(l),
        })),
      ),
    },
    {
      kind: 'bars',
      title: 'DiffROAR by share kept',
      caption: 'Bars below zero: the lowest attributed inputs say more about the class. The inverse order has the same bars, turned over.',
      x: { label: 'Inputs kept', unit: 'none' },
      y: { label: 'DiffROAR', unit: 'none' },
      categories: levels.map((l) => `${number(l.level)} %`),
      series: [
        ...models.map((model) => ({
          name: model.name,
          values: model.levels.map((l) => l.difference.value),
          intervals: model.levels.map((l) => within(l.difference.interval)),
        })),
        {
          name: 'random order',
          values: levels.map((l) => l.random.value),
          intervals: levels.map((l) => within(l.random.interval)),
        },
        { name: 'inverse order', values: levels.map((l) => -l.difference.value) },
      ],
    },
    ...models.flatMap((model) => (['top', 'bottom'] as const).map((side) => sideCard(model, side, audit.fresh))),
    {
      kind: 'table',
      title: 'Verdicts',
      columns: [
        { name: 'model', label: 'Attributions of', type: 'text' },
        { name: 'level', label: 'Kept, %', type: 'number' },
        { name: 'kept', label: 'Inputs kept', type: 'number', unit: 'count' },
        { name: 'top', label: 'Top', type: 'number', unit: 'fraction' },
        { name: 'bottom', label: 'Bottom', type: 'number', unit: 'fraction' },
        { name: 'difference', label: 'DiffROAR', type: 'number' },
        { name: 'interval', label: '95 %', type: 'interval' },
        { name: 'maskTop', label: 'Masks alone, top', type: 'number', unit: 'fraction' },
        { name: 'maskBottom', label: 'Masks alone, bottom', type: 'number', unit: 'fraction' },
        { name: 'random', label: 'Random order', type: 'number' },
        { name: 'verdict', label: 'Verdict', type: 'text' },
      ],
      rows: models.flatMap((model) =>
        model.levels.map((l) => [
          model.name,
          l.level,
          l.kept,
          l.top.mean,
          l.bottom.mean,
          l.difference.value,
          within(l.difference.interval),
          l.maskTop.mean,
          l.maskBottom.mean,
          l.random.value,
          words[l.verdict],
        ]),
      ),
    },
    {
      kind: 'table',
      title: 'What was done',
      columns: [
        { name: 'what', label: '', type: 'text' },
        { name: 'value', label: '', type: 'text' },
      ],
      rows: [
        ...audit.how.map(({ label, value }) => [label, String(value)]),
        ['Class attributed', chosen.target],
        ['Ranked', `${audit.places} ${chosen.granularity === 'pixel' ? 'pixels' : 'inputs'} of a row`],
        ['Hidden inputs', chosen.fill === 'mean' ? 'their mean over the training rows' : 'zero'],
        ['Rows', `${audit.train} to train on, ${audit.test} to test on`],
        ['Fresh models', `${audit.parameters} parameters, ${audit.trained}`],
        ['Trainings', `${audit.trainings} of ${audit.steps} steps`],
        ['Accuracy on test rows', models.map((m) => `${m.name} ${percent(m.accuracy)}`).join(', ')],
      ],
    },
  ];
};

/** Standard errors within which a random order should find nothing. */
const EXPECTED = 3;

export const auditNotes = ({ models: [{ levels }], fresh, models }: Audit): string[] => {
  const off = levels.filter((l) => Math.abs(l.random.value) > EXPECTED * l.random.error);
  return [
    ...(off.length > 0
      ? [
          `A random order has a DiffROAR beyond ${EXPECTED} standard errors at ${off.map((l) => `${number(l.level)} %`).join(', ')}: train longer or on more runs before reading the others.`,
        ]
      : []),
    ...(fresh.mean < models[0].accuracy - 0.1
      ? [
          `Fresh models on rows as they are reach ${percent(fresh.mean)}, the model ${percent(models[0].accuracy)}: they are trained too little to be compared; raise epochs, or name the model's own recipe.`,
        ]
      : []),
  ];
};

export const auditGuide = ({ models }: Audit): string => {
  const [own, robust] = models;
  const counts = new Map<Verdict, number>();
  for (const { verdict } of own.levels) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const [[most]] = [...counts].sort((a, b) => b[1] - a[1]);
  const decision: Readonly<Record<Verdict, string>> = {
    'mask leak': `At most levels which inputs are kept tells the class by itself, so this audit does not say whether maps of ${own.name} can be trusted: the kept places follow the class, whatever the values there hold. Ask with target class-free, whose places depend on the class less, or on more data`,
    discriminative: `Maps of ${own.name} may be read as pointing at inputs that discriminate: fresh models learn more from what they mark than from what they leave out, and more than the choice of places tells by itself`,
    random: `Maps of ${own.name} should not be read as showing what discriminates: fresh models learn as much from what they leave out as from what they mark`,
    inverted: `Maps of ${own.name} should not be trusted: fresh models learn more from what they leave out than from what they mark`,
  };
  const compared = robust
    ? ` The adversarially trained copy has ${robust.levels.map((l) => `${number(l.difference.value)} at ${number(l.level)} %`).join(', ')} against ${own.levels.map((l) => number(l.difference.value)).join(', ')}: where it is higher and not dominated by the masks, adversarial training would make maps more worth reading, at the cost in accuracy that the table shows.`
    : ' Whether adversarial training would help is told by robustEpsilon, which audits a robust copy as well.';
  return `${decision[most]}.${compared} A difference must not be quoted without its two controls: masks alone (does the choice of places give the class away?) and a random order (what chance gives). More runs narrow the intervals; another share of inputs, another method or another target may change the verdict.`;
};
