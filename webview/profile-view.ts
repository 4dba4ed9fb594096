import { format } from '../src/report/format.ts';
import type { LayerActivity, ModelProfile } from '../src/report/model-study.ts';
import type { ToPage } from '../src/vscode/protocol.ts';
import { button, ring } from './controls.ts';
import { el } from './element.ts';
import type { Heat } from './graph-paint.ts';
import type { Host } from './host.ts';

type Told = Extract<ToPage, { type: 'profile' }>;

/** How far a profile is, what it says in sum, or why there is none. */
export const profileLine = ({ fraction, text, facts, problem }: Told, host: Host): HTMLElement => {
  if (problem !== undefined) return el('p', { class: 'wrong', role: 'alert' }, `The layers were not profiled: ${problem}`);
  if (!facts)
    return el(
      'p',
      { class: 'profile-line', role: 'status' },
      ring('Profiling layers'),
      `Profiling layers, ${format(fraction ?? 0, 'fraction')}: ${text ?? ''}`,
      button('Cancel', () => host.post({ type: 'cancel' }), { look: 'quiet' }),
    );
  const { data, rows, batch, runs, nodesMs, optimisedMs, notes } = facts;
  return el(
    'div',
    { class: 'profile-line' },
    el(
      'p',
      {},
      el('strong', {}, 'Profile'),
      ` on the first ${format(rows, 'count')} rows of ${data}: ${format(nodesMs, 'ms')} for a batch of ${batch} node by node (median of ${runs} runs on the CPU), ${format(optimisedMs, 'ms')} as ONNX Runtime optimises it.`,
    ),
    notes.length > 0 &&
      el('details', {}, el('summary', {}, `Notes (${notes.length})`), el('ul', {}, ...notes.map((note) => el('li', {}, note)))),
  );
};

/** What a profile found of one layer. */
export const activityPairs = ({ ms, values }: LayerActivity): readonly (readonly [string, string])[] => [
  ['Time for a batch', ms === null ? 'not told' : format(ms, 'ms')],
  ...(values
    ? ([
        ...(values.mean === undefined || values.deviation === undefined
          ? []
          : [['Values', `${format(values.mean)} ± ${format(values.deviation)}`] as const]),
        ...(values.min === undefined || values.max === undefined
          ? []
          : [['Range', `${format(values.min)} to ${format(values.max)}`] as const]),
        ['Zeros', format(values.zeros, 'fraction')],
        ['Not a number', format(values.nan, 'fraction')],
        ['Infinite', format(values.infinite, 'fraction')],
      ] as const)
    : []),
];

/** Numbers of a profile that the graph can be coloured by. */
export const heats = ({ layers }: ModelProfile): Readonly<Record<string, Heat>> => {
  const share = (label: string, of: (values: NonNullable<LayerActivity['values']>) => number): Heat => ({
    label,
    values: layers.map(({ values }) => values && of(values)),
    join: 'max',
    text: (value) => format(value, 'fraction'),
  });
  return {
    time: { label: 'Time', values: layers.map(({ ms }) => ms), join: 'sum', text: (value) => format(value, 'ms') },
    deviation: {
      label: 'Deviation',
      values: layers.map(({ values }) => values?.deviation ?? null),
      join: 'max',
      text: (value) => format(value),
    },
    zeros: share('Zeros', ({ zeros }) => zeros),
    bad: share('Not finite', ({ nan, infinite }) => nan + infinite),
  };
};
