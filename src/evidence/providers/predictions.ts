import type { Provider } from './define.ts';

export const predictions: Provider<'predictions'> = (batch) => batch.scores;
