/** Asks one question after another, of which only the newest counts. */
export interface Latest {
  /** A question is due after a pause in which no other is; the one that is asked now is stopped first. */
  due(pause: number): void;
  stop(): void;
}

/**
 * `ask` is given a signal and never rejects. A question that is stopped is waited for before the next is asked, so that both are asked
 * of the same process, which keeps the model open.
 */
export const latest = (ask: (signal: AbortSignal) => Promise<void>): Latest => {
  let timer: NodeJS.Timeout | undefined;
  let current: AbortController | undefined;
  let waiting = false;
  const begin = async (): Promise<void> => {
    timer = undefined;
    if (current) {
      current.abort();
      waiting = true;
      return;
    }
    const own = new AbortController();
    current = own;
    await ask(own.signal);
    current = undefined;
    if (!waiting) return;
    waiting = false;
    await begin();
  };
  return {
    due(pause) {
      clearTimeout(timer);
      timer = setTimeout(() => void begin(), pause);
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
      waiting = false;
      current?.abort();
    },
  };
};
