import type { Emit } from '../graph/emit.ts';

/** The value as a constant: no derivative passes. (It is differentiated as Floor, which is flat almost everywhere.) */
export const stopped = (emit: Emit, value: string): string => {
  const held = emit.rename(value, emit.fresh('_held'));
  return emit.means(held, 'Floor', [value]);
};
