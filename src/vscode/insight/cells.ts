/** A field of a row: where it stands in the text, quotes included, and what it holds. */
export interface Cell {
  readonly from: number;
  readonly to: number;
  readonly value: string;
  /** Where a character of the value stands in the text. */
  at(offset: number): number;
}

/** A row of a table in a text: its first offset, the one past its last character without the line end, and its place among rows. */
export interface Row {
  readonly from: number;
  readonly to: number;
  readonly index: number;
}

const QUOTE = 34;
const [LF, CR] = [10, 13];

/**
 * Offsets where the rows of a text table start (RFC 4180: quotes count at the start of a field, and line ends inside them do not end a
 * row; blank lines are no rows), then the end of the text.
 */
export const rowStarts = (text: string, separator: string): readonly number[] => {
  const mark = separator.charCodeAt(0);
  const starts: number[] = [];
  const end = text.length;
  for (let at = 0; at < end; ) {
    const start = at;
    for (let open = true; open; ) {
      if (text.charCodeAt(at) === QUOTE) {
        for (at++; at < end; at++) {
          if (text.charCodeAt(at) !== QUOTE) continue;
          if (text.charCodeAt(at + 1) !== QUOTE) break;
          at++;
        }
      }
      while (at < end && text.charCodeAt(at) !== mark && text.charCodeAt(at) !== LF) at++;
      open = at < end && text.charCodeAt(at) === mark;
      at++;
    }
    const last = Math.min(at - 1, end);
    const blank = last === start || (last === start + 1 && text.charCodeAt(start) === CR);
    if (!blank) starts.push(start);
  }
  return [...starts, end];
};

/** The row that an offset is in; undefined behind the last one and between rows. */
export const rowAt = (text: string, starts: readonly number[], offset: number): Row | undefined => {
  let [low, high] = [0, starts.length - 1];
  while (low < high - 1) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= offset) low = middle;
    else high = middle;
  }
  if (high === 0 || starts[low] > offset) return undefined;
  let to = starts[low + 1];
  while (to > starts[low] && (text.charCodeAt(to - 1) === LF || text.charCodeAt(to - 1) === CR)) to--;
  return offset <= to ? { from: starts[low], to, index: low } : undefined;
};

/** The fields of a row. */
export const cellsOf = (text: string, { from, to }: Pick<Row, 'from' | 'to'>, separator: string): readonly Cell[] => {
  const cells: Cell[] = [];
  for (let at = from; at <= to; at++) {
    const start = at;
    /** Offsets of the characters of a quoted value. */
    const places: number[] = [];
    let value = '';
    const take = (): void => {
      places.push(at);
      value += text[at++];
    };
    if (text.charCodeAt(at) === QUOTE) {
      for (at++; at < to; ) {
        if (text.charCodeAt(at) === QUOTE) {
          if (text.charCodeAt(at + 1) !== QUOTE) break;
          at++;
        }
        take();
      }
      at++;
    }
    while (at < to && text[at] !== separator) take();
    const end = Math.min(at, to);
    cells.push({ from: start, to: end, value, at: (offset) => places[offset] ?? end });
  }
  return cells;
};
