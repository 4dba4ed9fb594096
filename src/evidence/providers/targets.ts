import type { Provider } from './define.ts';

/** Whoever asks for targets is refused before the pass where the data have none. */
export const targets: Provider<'targets'> = (batch) => batch.targets ?? new Float64Array(0);
