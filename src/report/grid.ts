/** Columns a terminal gives a text: two for wide letters, none for combining marks. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u;
const ZERO = /\p{M}|\u200d|\ufe0f/u;
const columnsOf = (letter: string): number => (ZERO.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1);
export const widthOf = (text: string): number => [...text].reduce((sum, letter) => sum + columnsOf(letter), 0);

export const cut = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const letter of text) {
    used += columnsOf(letter);
    if (used > width - 1) break;
    kept += letter;
  }
  return `${kept}…`;
};

export const pad = (text: string, width: number, side: 'left' | 'right' = 'left'): string => {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return side === 'left' ? text + space : space + text;
};

/** Words broken into lines of at most `width` columns, the first after `start`, later ones indented. */
export const wrap = (text: string, width: number, indent = '', start = ''): string => {
  const lines: string[] = [];
  let line = start;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line.trim() !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = indent + word;
    } else line = line.trim() === '' ? line + word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
};

/** Aligned columns; numbers lean right. The widest text column gives way where the line is too long. */
export const columns = (rows: readonly (readonly string[])[], sides: readonly ('left' | 'right')[], width: number): readonly string[] => {
  const widths = sides.map((_, c) => Math.max(0, ...rows.map((row) => widthOf(row[c] ?? ''))));
  for (let over = widths.reduce((a, b) => a + b, 2 * (sides.length - 1)) - width; over > 0; over--) {
    const widest = widths.reduce((best, w, c) => (sides[c] === 'left' && w > (widths[best] ?? 0) ? c : best), sides.indexOf('left'));
    if (widest < 0 || widths[widest] <= 6) break;
    widths[widest]--;
  }
  return rows.map((row) =>
    sides
      .map((side, c) => pad(cut(row[c] ?? '', widths[c]), widths[c], side))
      .join('  ')
      .trimEnd(),
  );
};

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
/** A bar of `fraction` of `width` columns, to an eighth of a column. */
export const bar = (fraction: number, width: number): string => {
  const eighths = Math.round(Math.min(1, Math.max(0, fraction)) * width * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
};

const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/** Values averaged into at most `width` columns. */
export const sparkline = (values: readonly number[], width: number): string => {
  const cells = Math.min(width, values.length);
  const means = Array.from({ length: cells }, (_, i) => {
    const from = Math.floor((i * values.length) / cells);
    const to = Math.max(from + 1, Math.floor(((i + 1) * values.length) / cells));
    return values.slice(from, to).reduce((a, b) => a + b, 0) / (to - from);
  });
  const low = Math.min(...means);
  const span = Math.max(...means) - low;
  return means.map((mean) => LEVELS[span > 0 ? Math.round(((mean - low) / span) * 7) : 0]).join('');
};
