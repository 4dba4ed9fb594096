import type { Provider } from './define.ts';

/** Data without such a column have no groups; who names one that is missing is refused before the pass. */
export const groups: Provider<'groups'> = (batch) => batch.groups ?? {};
