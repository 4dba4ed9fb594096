/** At most `most` at once in parts of much the same size: the size of the largest. */
export const evenParts = (all: number, most: number): number => Math.ceil(all / Math.ceil(all / Math.max(1, most)));
