import type { Live, TrainLive } from './tasks.ts';

/** Points of one message at most, when messages are put together. */
const mostTogether = 500;

const joined = (a: readonly number[] | undefined, b: readonly number[] | undefined): readonly number[] | undefined =>
  a && b ? [...a, ...b] : undefined;
/** Which columns a message has. */
const columnsOf = ({ monitors = {}, ...columns }: TrainLive): string =>
  [...Object.keys(columns).sort(), ...Object.keys(monitors).sort()].join();

const together = (a: TrainLive, b: TrainLive): TrainLive => {
  const columns = ['lossLeast', 'lossMost', 'seconds', 'epochsMade', 'updateRatio', 'effectiveStep'] as const;
  return {
    ...b,
    step: [...a.step, ...b.step],
    loss: [...a.loss, ...b.loss],
    accuracy: [...a.accuracy, ...b.accuracy],
    learningRate: [...a.learningRate, ...b.learningRate],
    gradientNorm: [...a.gradientNorm, ...b.gradientNorm],
    ...Object.fromEntries(columns.flatMap((key) => (joined(a[key], b[key]) ? [[key, joined(a[key], b[key])]] : []))),
    ...(b.monitors
      ? {
          monitors: Object.fromEntries(
            Object.entries(b.monitors).map(([line, values]) => [line, [...(a.monitors?.[line] ?? []), ...values]]),
          ),
        }
      : {}),
  };
};

/** What was told, with one thing more: steps follow one another in one message, and only the newest epoch keeps its cards. */
export const withLive = (told: readonly Live[], live: Live): readonly Live[] => {
  const last = told.at(-1);
  if (live.kind === 'steps' && last?.kind === 'steps' && last.step.length < mostTogether && columnsOf(last) === columnsOf(live))
    return [...told.slice(0, -1), together(last, live)];
  if (live.kind !== 'epoch' || !live.cards) return [...told, live];
  return [
    ...told.map((one) => {
      if (one.kind !== 'epoch' || !one.cards) return one;
      const { cards: _, ...light } = one;
      return light;
    }),
    live,
  ];
};
