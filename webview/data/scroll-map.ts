/** Browsers cut elements off at some ten million pixels; taller lists are scrolled through a space of this height. */
export const MOST_HEIGHT = 8_000_000;

/** Pixels of a list that may be taller than its scrolled space: `top` is the place in the list, `scroll` that in the space. */
export interface ScrollMap {
  readonly height: number;
  readonly stretched: boolean;
  top(scroll: number): number;
  scroll(top: number): number;
}

/** Ends fall on ends; between them places are proportional. */
export const scrollMap = (total: number, view: number, most: number = MOST_HEIGHT): ScrollMap => {
  if (total <= most) return { height: total, stretched: false, top: (scroll) => scroll, scroll: (top) => top };
  const factor = (total - view) / Math.max(1, most - view);
  return { height: most, stretched: true, top: (scroll) => scroll * factor, scroll: (top) => top / factor };
};
