/** Red, green and blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** Colours of signed maps, apart for every common colour blindness (ColorBrewer's RdBu, PRGn and PuOr), and of maps without a sign. */
export interface Palette {
  readonly against: Colour;
  readonly for: Colour;
  /** Strength alone: one hue. */
  readonly strength: Colour;
}

export type PaletteName = 'blue-red' | 'purple-green' | 'purple-orange';
export const palettes: Readonly<Record<PaletteName, Palette>> = {
  'blue-red': { against: [33, 102, 172], for: [202, 0, 32], strength: [217, 72, 1] },
  'purple-green': { against: [118, 42, 131], for: [0, 109, 44], strength: [106, 81, 163] },
  'purple-orange': { against: [84, 39, 136], for: [217, 95, 2], strength: [8, 81, 156] },
};
export const paletteNames = Object.keys(palettes) as PaletteName[];

/** The colour of a strength −1..1. */
export const hueOf = (strength: number, mode: 'signed' | 'absolute', palette: Palette): Colour =>
  mode === 'absolute' ? palette.strength : strength < 0 ? palette.against : palette.for;

/** Under a map the picture is grey and light, from this up to white, so that both ends of the colours stand out on dark and bright parts. */
const LIGHT = 160;
export const underMap = (r: number, g: number, b: number): number => LIGHT + ((0.299 * r + 0.587 * g + 0.114 * b) * (255 - LIGHT)) / 255;
