import type { Card } from '../report/report.ts';
import type { TrainEpoch, TrainLive } from '../report/tasks.ts';
import type { AppJob } from './ports.ts';
import type { Move } from './train-moves.ts';

const liveSeconds = 0.1;
/** Points of a whole run, about: beyond it each stands for several steps, so that a long run is told as cheaply as a short one. */
const mostPoints = 4000;
/** A point waits for its steps at most so long. */
const pointSeconds = 1;
const cardSeconds = 0.5;
/** Classes of a grid that is told every epoch, at most. */
const mostClasses = 32;
/** Points of a curve that is. */
const mostDrawn = 150;
const now = (): number => performance.now() / 1000;

/** Numbers of steps: columns of equal length. */
export interface StepColumns {
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
  readonly learningRate: readonly number[];
  readonly gradientNorm: readonly number[];
  /** By line of a monitor. */
  readonly monitors: Readonly<Record<string, readonly number[]>>;
}

/** Where a run is, as its messages say. */
interface Place {
  readonly epoch: number;
  readonly epochs: number;
  readonly totalSteps: number;
  readonly stepsPerSecond: number;
}
/** At the last of some steps. */
type Reached = Move & { readonly seconds: number; readonly epochsMade: number };

type Ended = Omit<TrainEpoch, 'kind'> & { readonly place: Place; readonly last: boolean };

/** Σ and count of the finite values of each column over the steps of one point. */
interface Point {
  steps: number;
  readonly began: number;
  readonly sums: Map<string, { sum: number; count: number }>;
  least: number;
  most: number;
}
const columns = ['loss', 'accuracy', 'learningRate', 'gradientNorm'] as const;
type Column = (typeof columns)[number] | 'step' | 'lossLeast' | 'lossMost' | 'seconds' | 'epochsMade' | keyof Move;
interface Pending {
  readonly columns: Record<Column, number[]>;
  readonly monitors: Record<string, number[]>;
}

const point = (): Point => ({
  steps: 0,
  began: now(),
  sums: new Map(),
  least: Number.POSITIVE_INFINITY,
  most: Number.NEGATIVE_INFINITY,
});
const pendingOf = (): Pending => ({
  columns: {
    step: [],
    loss: [],
    accuracy: [],
    learningRate: [],
    gradientNorm: [],
    lossLeast: [],
    lossMost: [],
    seconds: [],
    epochsMade: [],
    updateRatio: [],
    effectiveStep: [],
  },
  monitors: {},
});

/** Columns of the steps since the last message, sent at most ten times a second. */
export const liveOf = (
  job: Pick<AppJob, 'live'>,
): { add(from: number, columns: StepColumns, place: Place & Reached): void; send(place: Place): void; epoch(ended: Ended): void } => {
  let open = point();
  let pending = pendingOf();
  let last = 0;
  let carded = 0;
  let end: { readonly step: number; readonly reached: Reached } | undefined;
  const take = (name: string, values: readonly number[], from: number, to: number): void => {
    const held = open.sums.get(name) ?? { sum: 0, count: 0 };
    for (let i = from; i < to; i++) {
      if (!Number.isFinite(values[i])) continue;
      held.sum += values[i];
      held.count++;
    }
    open.sums.set(name, held);
  };
  const close = (step: number, reached: Reached): void => {
    const { columns: c, monitors } = pending;
    c.step.push(step);
    c.lossLeast.push(open.least <= open.most ? open.least : Number.NaN);
    c.lossMost.push(open.least <= open.most ? open.most : Number.NaN);
    for (const key of ['seconds', 'epochsMade', 'updateRatio', 'effectiveStep'] as const) c[key].push(reached[key]);
    for (const [name, { sum, count }] of open.sums) {
      const mean = count > 0 ? sum / count : Number.NaN;
      const known = columns.find((column) => column === name);
      if (known) c[known].push(mean);
      else {
        const line = name.slice('monitor/'.length);
        monitors[line] ??= [];
        monitors[line].push(mean);
      }
    }
    open = point();
  };
  const send = ({ epoch, epochs, totalSteps, stepsPerSecond }: Place): void => {
    if (open.steps > 0 && end) close(end.step, end.reached);
    if (pending.columns.step.length > 0) {
      const { monitors } = pending;
      const message: TrainLive = {
        kind: 'steps',
        ...pending.columns,
        ...(Object.keys(monitors).length > 0 ? { monitors } : {}),
        ...{ epoch, epochs, totalSteps, stepsPerSecond },
      };
      job.live(message);
    }
    pending = pendingOf();
    last = now();
  };
  return {
    add(from, given, place) {
      const width = Math.max(1, Math.ceil(place.totalSteps / mostPoints));
      const made = given.loss.length;
      const lines = Object.entries(given.monitors);
      for (let at = 0; at < made; ) {
        const to = Math.max(at, Math.min(made, at + width - open.steps));
        for (const column of columns) if (given[column].length > 0) take(column, given[column], at, to);
        for (const [line, values] of lines) take(`monitor/${line}`, values, at, to);
        for (let i = at; i < to; i++) {
          const loss = given.loss[i];
          if (loss < open.least) open.least = loss;
          if (loss > open.most) open.most = loss;
        }
        open.steps += to - at;
        at = to;
        if (open.steps < width) break;
        // Time and epochs pass evenly within a call.
        const share = at / made;
        const between = (was: number | undefined, is: number): number => {
          const start = was ?? (is * from) / (from + made);
          return start + share * (is - start);
        };
        close(from + at, {
          ...place,
          seconds: between(end?.reached.seconds, place.seconds),
          epochsMade: between(end?.reached.epochsMade, place.epochsMade),
        });
      }
      end = { step: from + made, reached: place };
      if (now() - last < liveSeconds) return;
      if (open.steps > 0 && now() - open.began < pointSeconds) {
        if (pending.columns.step.length === 0) return;
        const unfinished = open;
        open = point();
        send(place);
        open = unfinished;
      } else send(place);
    },
    send,
    /** The steps before it are sent first where it is time, or nothing comes after it. */
    epoch({ place, last: final, cards, ...ended }) {
      if (final || now() - last >= liveSeconds) send(place);
      const due = cards && (final || now() - carded >= cardSeconds);
      if (due) carded = now();
      job.live({ kind: 'epoch', ...ended, ...(due ? { cards: lightCards(cards) } : {}) });
    },
  };
};

/** Cards as they are told every epoch: without the rows behind their marks, and without grids and curves too large to look at so small. */
export const lightCards = (cards: readonly Card[]): readonly Card[] =>
  cards.flatMap((card): Card[] => {
    switch (card.kind) {
      case 'heatmap': {
        const { selections: _, ...light } = card;
        return card.rows.names.length > mostClasses ? [] : [light];
      }
      case 'curve':
        if (card.lines.some(({ points }) => points.length > mostDrawn)) return [];
        return [{ ...card, lines: card.lines.map(({ selections: _, ...line }) => line) }];
      case 'bars':
        return [{ ...card, series: card.series.map(({ selections: _, ...series }) => series) }];
      default:
        return [];
    }
  });
