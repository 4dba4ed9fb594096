import type { Provider } from './define.ts';

export const rows: Provider<'rows'> = (batch) => batch.rows;
