import type { LayerActivity, ModelProfile } from '../src/report/model-study.ts';
import type { ToPage } from '../src/vscode/protocol.ts';
import { button, ring } from './controls.ts';
import { el } from './element.ts';
import type { Heat } from './graph-paint.ts';
import type { Host } from './host.ts';
import { format, given, t, type Words } from './l10n.ts';

type Told = Extract<ToPage, { type: 'profile' }>;

/** How far a profile is, what it says in sum, or why there is none. */
export const profileLine = ({ fraction, text, facts, problem }: Told, host: Host): HTMLElement => {
  if (problem !== undefined) return el('p', { class: 'wrong', role: 'alert' }, t('The layers were not profiled: {0}', problem));
  if (!facts)
    return el(
      'p',
      { class: 'profile-line', role: 'status' },
      ring(t('Profiling layers')),
      t('Profiling layers, {0}: {1}', format(fraction ?? 0, 'fraction'), text ?? ''),
      button(t('Cancel'), () => host.post({ type: 'cancel' }), { look: 'quiet' }),
    );
  const { data, rows, batch, runs, nodesMs, optimisedMs, notes } = facts;
  return el(
    'div',
    { class: 'profile-line' },
    el(
      'p',
      {},
      el('strong', {}, t('Profile')),
      ' ',
      t(
        'on the first {0} rows of {1}: {2} for a batch of {3} node by node (median of {4} runs on the CPU), {5} as ONNX Runtime optimises it.',
        format(rows, 'count'),
        data,
        format(nodesMs, 'ms'),
        batch,
        runs,
        format(optimisedMs, 'ms'),
      ),
    ),
    notes.length > 0 &&
      el('details', {}, el('summary', {}, t('Notes ({0})', notes.length)), el('ul', {}, ...notes.map((note) => el('li', {}, given(note))))),
  );
};

/** What a profile found of one layer. */
export const activityPairs = ({ ms, values }: LayerActivity): readonly (readonly [Words, Words])[] => [
  [t('Time for a batch'), ms === null ? t('not told') : format(ms, 'ms')],
  ...(values
    ? ([
        ...(values.mean === undefined || values.deviation === undefined
          ? []
          : [[t('Values'), given(`${format(values.mean)} ± ${format(values.deviation)}`)] as const]),
        ...(values.min === undefined || values.max === undefined
          ? []
          : [[t('Range'), t('{0} to {1}', format(values.min), format(values.max))] as const]),
        [t('Zeros'), format(values.zeros, 'fraction')],
        [t('Not a number'), format(values.nan, 'fraction')],
        [t('Infinite'), format(values.infinite, 'fraction')],
      ] as const)
    : []),
];

/** Numbers of a profile that the graph can be coloured by. */
export const heats = ({ layers }: ModelProfile): Readonly<Record<string, Heat>> => {
  const share = (label: Words, of: (values: NonNullable<LayerActivity['values']>) => number): Heat => ({
    label,
    values: layers.map(({ values }) => values && of(values)),
    join: 'max',
    text: (value) => format(value, 'fraction'),
  });
  return {
    time: { label: t('Time'), values: layers.map(({ ms }) => ms), join: 'sum', text: (value) => format(value, 'ms') },
    deviation: {
      label: t('Deviation'),
      values: layers.map(({ values }) => values?.deviation ?? null),
      join: 'max',
      text: (value) => format(value),
    },
    zeros: share(t('Zeros'), ({ zeros }) => zeros),
    bad: share(t('Not finite'), ({ nan, infinite }) => nan + infinite),
  };
};
