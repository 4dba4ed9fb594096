import type { AppJob } from './ports.ts';

const liveSeconds = 0.1;
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
type Pending = { readonly [K in keyof Omit<StepColumns, 'monitors'>]: number[] } & {
  readonly step: number[];
  readonly monitors: Record<string, number[]>;
};

/** Where a run is, as its messages say. */
interface Place {
  readonly epoch: number;
  readonly epochs: number;
  readonly totalSteps: number;
  readonly stepsPerSecond: number;
}

/** Columns of the steps since the last message, sent at most ten times a second. */
export const liveOf = (
  job: Pick<AppJob, 'live'>,
): { add(from: number, columns: StepColumns, place: Place): void; send(place: Place): void } => {
  let pending: Pending | undefined;
  let last = 0;
  const send = (place: Place): void => {
    if (pending) {
      const { monitors, ...columns } = pending;
      job.live({ kind: 'steps', ...columns, ...(Object.keys(monitors).length > 0 ? { monitors } : {}), ...place });
    }
    pending = undefined;
    last = now();
  };
  return {
    add(from, columns, place) {
      pending ??= { step: [], loss: [], accuracy: [], learningRate: [], gradientNorm: [], monitors: {} };
      pending.step.push(...columns.loss.map((_, i) => from + i + 1));
      for (const key of ['loss', 'accuracy', 'learningRate', 'gradientNorm'] as const) pending[key].push(...columns[key]);
      for (const [line, values] of Object.entries(columns.monitors)) {
        pending.monitors[line] ??= [];
        pending.monitors[line].push(...values);
      }
      if (now() - last >= liveSeconds) send(place);
    },
    send,
  };
};
