import type { Colour } from './theme.ts';

/** Colours of signed maps, apart for every common colour blindness (ColorBrewer's RdBu, PRGn and PuOr), and of maps without a sign. */
export interface Palette {
  readonly title: string;
  readonly against: Colour;
  readonly for: Colour;
  /** Strength alone: one hue. */
  readonly strength: Colour;
}

export type PaletteName = 'blue-red' | 'purple-green' | 'purple-orange';
export const palettes: Readonly<Record<PaletteName, Palette>> = {
  'blue-red': { title: 'Blue – red', against: [33, 102, 172], for: [202, 0, 32], strength: [217, 72, 1] },
  'purple-green': { title: 'Purple – green', against: [118, 42, 131], for: [0, 109, 44], strength: [106, 81, 163] },
  'purple-orange': { title: 'Purple – orange', against: [84, 39, 136], for: [217, 95, 2], strength: [8, 81, 156] },
};
export const paletteNames = Object.keys(palettes) as PaletteName[];
