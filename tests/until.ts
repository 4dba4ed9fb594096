import { setTimeout as pause } from 'node:timers/promises';

/** Everything waits this long at most: the machine may be busy. */
export const PATIENCE = 30_000;

interface Waiting {
  /** Milliseconds to wait at most. */
  readonly patience?: number;
  /** Milliseconds between two looks. */
  readonly every?: number;
}

/** Looks again and again until it holds; a failure names what never came. */
export const until = async (
  holds: () => boolean | Promise<boolean>,
  what: string | (() => string | Promise<string>),
  { patience = PATIENCE, every = 100 }: Waiting = {},
): Promise<void> => {
  for (const end = Date.now() + patience; !(await holds()); await pause(every))
    if (Date.now() > end) throw new Error(`this never came: ${typeof what === 'string' ? what : await what()}`);
};
