import type { Live, TrainLive } from '../src/report/tasks.ts';

/** Points kept of a line: beyond it neighbours are put together in pairs, so that a long run costs no more than a short one. */
export const MOST_POINTS = 600;

export type Along = 'step' | 'epoch' | 'seconds';
/** A point of a line: where it stands, its mean, and the least and most of all that it stands for. */
export interface TrackPoint extends Readonly<Record<Along, number>> {
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

export interface Track {
  points: TrackPoint[];
  /** Numbers that a point stands for. */
  stride: number;
  waiting: TrackPoint[];
}
export type LineName =
  | 'loss'
  | 'accuracy'
  | 'learningRate'
  | 'gradientNorm'
  | 'updateRatio'
  | 'effectiveStep'
  | 'validationLoss'
  | 'validationAccuracy'
  | 'ece';
/** The lines of one run in bounded memory, and how far it is. */
export interface Tracks {
  readonly lines: Readonly<Record<LineName, Track>>;
  at: Readonly<Record<Along, number>>;
  totalSteps: number;
  epochs: number;
}

const names: readonly LineName[] = [
  'loss',
  'accuracy',
  'learningRate',
  'gradientNorm',
  'updateRatio',
  'effectiveStep',
  'validationLoss',
  'validationAccuracy',
  'ece',
];
const track = (): Track => ({ points: [], stride: 1, waiting: [] });
export const tracks = (): Tracks => ({
  lines: Object.fromEntries(names.map((name) => [name, track()])) as Record<LineName, Track>,
  at: { step: 0, epoch: 0, seconds: 0 },
  totalSteps: 0,
  epochs: 0,
});

/** Points as one: at the place of the last, the mean of their means. */
const together = (points: readonly TrackPoint[]): TrackPoint => ({
  ...points[points.length - 1],
  y: points.reduce((sum, { y }) => sum + y, 0) / points.length,
  low: Math.min(...points.map(({ low }) => low)),
  high: Math.max(...points.map(({ high }) => high)),
});

const add = (line: Track, point: TrackPoint): void => {
  if (!Number.isFinite(point.y)) return;
  line.waiting.push(point);
  if (line.waiting.length < line.stride) return;
  line.points.push(together(line.waiting));
  line.waiting = [];
  if (line.points.length < MOST_POINTS) return;
  line.stride *= 2;
  line.points = Array.from({ length: line.points.length >> 1 }, (_, i) => together(line.points.slice(2 * i, 2 * i + 2)));
};

const steps = (run: Tracks, live: TrainLive): void => {
  const perStep = live.totalSteps > 0 ? live.epochs / live.totalSteps : Number.NaN;
  run.totalSteps = live.totalSteps;
  run.epochs = live.epochs;
  live.step.forEach((step, i) => {
    // Saved runs of before say neither epochs nor seconds; JSON has null for what is not a number.
    run.at = { step, epoch: live.epochsMade?.[i] ?? step * perStep, seconds: live.seconds?.[i] ?? Number.NaN };
    const number = (value: number | undefined): number => value ?? Number.NaN;
    const line = (name: LineName, value: number | undefined, low = value, high = value): void =>
      add(run.lines[name], { ...run.at, y: number(value), low: number(low), high: number(high) });
    line('loss', live.loss[i], live.lossLeast?.[i], live.lossMost?.[i]);
    for (const name of ['accuracy', 'learningRate', 'gradientNorm'] as const) line(name, live[name][i]);
    for (const name of ['updateRatio', 'effectiveStep'] as const) line(name, live[name]?.[i]);
  });
};

/** Takes in what was told of a run. */
export const follow = (run: Tracks, live: Live): void => {
  if (live.kind === 'steps') steps(run, live);
  if (live.kind !== 'epoch') return;
  // Runs of before do not say where it ended.
  const { step = run.at.step, seconds = run.at.seconds } = live;
  const at = { step, seconds, epoch: live.step === undefined ? run.at.epoch : live.epoch };
  const ece = Object.entries(live.diagnosed ?? {}).find(([name]) => name.endsWith('/ece'))?.[1];
  for (const [name, value] of [
    ['validationLoss', live.validationLoss],
    ['validationAccuracy', live.validationAccuracy],
    ['ece', ece],
  ] as const)
    if (value !== undefined) add(run.lines[name], { ...at, y: value, low: value, high: value });
};
