import type { TableCard } from './report.ts';

const field = (value: string | number | null): string => {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** RFC 4180, numbers unrounded; an interval takes two columns. */
export const toCsv = ({ columns, rows }: TableCard): string => {
  const head = columns.flatMap(({ label, type }) => (type === 'interval' ? [`${label}, low`, `${label}, high`] : [label]));
  const body = rows.map((row) =>
    columns.flatMap(({ type }, i): readonly (string | number | null)[] => {
      const value = row[i] ?? null;
      if (type === 'interval') return Array.isArray(value) ? value : [null, null];
      return [typeof value === 'object' ? null : value];
    }),
  );
  return [head, ...body].map((row) => `${row.map(field).join(',')}\r\n`).join('');
};

/** Tables one after the other, each under its title where there are several. */
export const toCsvs = (tables: readonly TableCard[]): string =>
  tables.map((table) => (tables.length > 1 ? `${field(table.title)}\r\n` : '') + toCsv(table)).join('\r\n');
