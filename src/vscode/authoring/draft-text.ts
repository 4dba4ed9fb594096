import type { Draft } from '../../report/tasks.ts';

/** Objects and lists that fit are written on one line. */
const widest = 110;

/** JSON as a person would lay it out: one line for what is short, below the second level. */
const laidOut = (value: unknown, depth: number, before: number): string => {
  const flat = JSON.stringify(value, undefined, 1).replace(/\n\s*/g, ' ').replace(/\[ /g, '[').replace(/ \]/g, ']');
  if (typeof value !== 'object' || value === null || (depth > 1 && before + flat.length <= widest)) return flat;
  const pad = '  '.repeat(depth + 1);
  const inner = Array.isArray(value)
    ? value.map((item) => `${pad}${laidOut(item, depth + 1, pad.length)}`)
    : Object.entries(value).map(([key, item]) => {
        const head = `${pad}${JSON.stringify(key)}: `;
        return head + laidOut(item, depth + 1, head.length);
      });
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return inner.length === 0 ? `${open}${close}` : `${open}\n${inner.join(',\n')}\n${'  '.repeat(depth)}${close}`;
};

/** A note as comment lines that fit. */
const commented = (note: string): readonly string[] => {
  const lines = ['//'];
  for (const word of note.split(/\s+/)) {
    const last = lines.length - 1;
    if (lines[last].length + word.length < widest) lines[last] += ` ${word}`;
    else lines.push(`//   ${word}`);
  }
  return lines;
};

/** The text of a new `assay.json`; what is to be looked at stands above it. */
export const draftText = ({ suite, notes }: Draft): string =>
  [
    '// Run the checks from the lines above them, the Test Explorer, or with `assay suite`.',
    '// The gates are wide: make them as narrow as the numbers allow.',
    ...notes.flatMap(commented),
    laidOut(suite, 0, 0),
    '',
  ].join('\n');
