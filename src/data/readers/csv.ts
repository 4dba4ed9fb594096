import { defineReader, type Reader } from '../define.ts';
import { openDelimited } from '../delimited.ts';

/** RFC 4180; the separator (comma, semicolon, tab, bar) is the most frequent one of the first line, of .tsv a tab. */
export const csv: Reader = defineReader({
  id: 'csv',
  title: 'Comma-separated values',
  endings: ['.csv', '.tsv', '.csv.gz', '.tsv.gz'],
  knows: (_, name) => /\.[ct]sv$/i.test(name),
  open: (source, signal) => openDelimited('csv', source, signal),
});
