import { overlayScale } from '../../base/overlay-scale.ts';
import { pictureOf } from '../../report/picture.ts';
import type { Card, Interval } from '../../report/report.ts';
import { number, percent } from '../wording.ts';
import type { BlockLeak, BlockModel, BlockOptions } from './block-run.ts';
import { channelSum } from './overlay.ts';

const named = ({ order, training }: BlockModel): string => `${order === 'top' ? 'top_' : ''}${training}`;
const titled = ({ order, training }: BlockModel, given = 'the model given'): string =>
  `${order === 'top' ? 'Picture on top' : 'Random order'}, ${training === 'given' ? given : training}`;

export const blockHeadline = ({ models }: BlockLeak): Record<string, number> =>
  Object.fromEntries(
    models.flatMap((m) => [
      [`${named(m)}_mass_in_signal`, m.mass.value],
      [`${named(m)}_top_tenth_in_signal`, m.top],
      [`${named(m)}_test_accuracy`, m.accuracy],
      [`${named(m)}_attacked_accuracy`, m.attacked],
    ]),
  );
export const blockIntervals = ({ models }: BlockLeak): Record<string, Interval> =>
  Object.fromEntries(models.map((m) => [`${named(m)}_mass_in_signal`, m.mass.interval]));

/** Share of all |value| left to what is drawn at full strength, in percent. */
const OUTLIERS = 2;
const SIDE = 64;

export const blockCards = (found: BlockLeak, { norm, epsilon, attackSteps }: BlockOptions): Card[] => {
  const { models, axes, examples } = found;
  return [
    {
      kind: 'number',
      title: 'Gradient in the picture',
      caption:
        'Share of Σ|∂ logit of the label / ∂ input| that lies in the picture and not in the null block, which is the same for every class. By chance 0.5; a model whose gradients show what discriminates is near 1.',
      values: models.map((m) => ({
        name: `${named(m)}_mass_in_signal`,
        label: titled(m, found.given),
        value: m.mass.value,
        unit: 'fraction' as const,
        interval: m.mass.interval,
        reference: 1,
      })),
    },
    {
      kind: 'table',
      title: 'Models',
      columns: [
        { name: 'model', label: 'Model', type: 'text' },
        { name: 'accuracy', label: 'Test accuracy', type: 'number', unit: 'fraction' },
        { name: 'mass', label: 'Gradient mass in the picture', type: 'number', unit: 'fraction' },
        { name: 'interval', label: '95 %', type: 'interval', unit: 'fraction' },
        { name: 'top', label: 'Top tenth in the picture', type: 'number', unit: 'fraction' },
        { name: 'attacked', label: `Accuracy under attack (${norm}, ${number(epsilon)})`, type: 'number', unit: 'fraction' },
      ],
      rows: models.map((m) => [
        titled(m, found.given),
        m.accuracy,
        m.mass.value,
        [m.mass.interval.low, m.mass.interval.high],
        m.top,
        m.attacked,
      ]),
    },
    ...(examples.length > 0
      ? [
          {
            kind: 'images' as const,
            title: 'Test rows with their gradients',
            caption: 'Channels are summed. Gradient on the crossed square is gradient on what tells nothing.',
            images: examples.map(({ row, label, x, maps }) => ({
              row,
              title: `class ${label}`,
              picture: pictureOf(x, axes, found.range, SIDE),
              overlays: maps.map(({ training, values }) => {
                const map = channelSum(values, 0, axes);
                const { height, width } = axes;
                return { name: training, width, height, values: Array.from(map), scale: overlayScale(map, OUTLIERS), outliers: OUTLIERS };
              }),
              facts: maps.map(({ training, mass }) => ({ label: `${training}: in the picture`, value: mass, unit: 'fraction' as const })),
            })),
          },
        ]
      : []),
    {
      kind: 'table',
      title: 'What was done',
      columns: [
        { name: 'what', label: '', type: 'text' },
        { name: 'value', label: '', type: 'text' },
      ],
      rows: [
        ['Rows', `${found.train} to train on, ${found.test} to test on`],
        ['Models', found.how === undefined ? 'none trained' : `${found.parameters} parameters, ${found.how}`],
        ...(found.given === undefined ? [] : [['Measured as it is', found.given]]),
        [
          'Robust training and attack',
          `${attackSteps} steps of ${norm} PGD within ${number(epsilon)}, inputs from ${found.range.map(number).join(' to ')}`,
        ],
      ],
    },
  ];
};

/** What a model that was trained elsewhere shows. */
const ofGiven = ({ models, given }: BlockLeak): string => {
  const [own, top] = (['random', 'top'] as const).map((order) => models.find((m) => m.order === order && m.training === 'given'));
  if (!own || !top) return '';
  const { value, interval } = own.mass;
  const verdict =
    interval.high < 0.65
      ? 'much of it lies on what tells nothing, so its gradient maps mark inputs that do not discriminate'
      : interval.low > 0.8
        ? 'nearly all of it lies where the answer is, so its gradient maps can be believed on such pictures'
        : 'part of it lies on what tells nothing: believe only the strongest places of its gradient maps';
  return `${given ?? 'The model given'} has ${percent(value)} of its gradient in the picture (${percent(top.mass.value)} where the picture is always on top), at ${percent(own.accuracy)} test accuracy: ${verdict}. It must have been trained on such pictures, or this says nothing. `;
};

export const blockGuide = (found: BlockLeak): string => {
  const { models } = found;
  const of = (order: BlockModel['order'], training: BlockModel['training']): BlockModel | undefined =>
    models.find((m) => m.order === order && m.training === training);
  const [standard, robust, top] = [of('random', 'standard'), of('random', 'robust'), of('top', 'standard')];
  if (!standard || !robust || !top) return ofGiven(found).trim();
  const leaks = standard.mass.interval.high < top.mass.interval.low;
  const cured = robust.mass.interval.low > standard.mass.interval.high;
  const leak = leaks
    ? `The standard model puts ${percent(1 - standard.mass.value)} of its gradient on the null block where its place is random, ${percent(1 - top.mass.value)} where it is always below: features leak, so its maps mark inputs that tell nothing`
    : `The standard model puts as little gradient on the null block where its place is random as where it is fixed (${percent(1 - standard.mass.value)} and ${percent(1 - top.mass.value)}): no leak is seen on these data`;
  const cure = cured
    ? `adversarial training moves the gradient into the picture (${percent(robust.mass.value)}), at ${percent(robust.accuracy)} instead of ${percent(standard.accuracy)} test accuracy`
    : `adversarial training does not move it into the picture (${percent(robust.mass.value)})`;
  return `${ofGiven(found)}${leak}; ${cure}. The test is about this architecture and these pictures, with an answer that is known, not about a model of yours: what it shows makes gradient maps of standard models of this kind more or less believable. A larger radius moves more of the gradient and costs more accuracy; where accuracy under attack stays near zero, the robust model is not robust and the comparison says nothing.`;
};
