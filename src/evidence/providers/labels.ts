import type { Provider } from './define.ts';

/** Whoever asks for labels is refused before the pass where the data have none. */
export const labels: Provider<'labels'> = (batch) => batch.labels ?? new Int32Array(0);
