import { type Colour, palettes } from '../../report/palette.ts';

/** Steps of each sign: sixteen kinds of decoration in all, whatever the text. */
export const STEPS = 8;
/** Below this share of full strength nothing is shaded. */
const LEAST = 0.04;

/** −8 to 8; 0 is not shaded. `scale` is the |score| at full strength. */
export const stepOf = (score: number, scale: number): number => {
  const strength = scale > 0 ? Math.min(1, Math.abs(score) / scale) : 0;
  return strength < LEAST ? 0 : Math.sign(score) * Math.ceil(strength * STEPS);
};

export const steps: readonly number[] = [
  ...Array.from({ length: STEPS }, (_, i) => i - STEPS),
  ...Array.from({ length: STEPS }, (_, i) => i + 1),
];

export type Ground = 'light' | 'dark' | 'contrast light' | 'contrast dark';

/** How one step is drawn: for the class in one hue on a whole line, against it in the other on a dotted one. */
export interface StepStyle {
  readonly background?: string;
  /** CSS of a line under the text. */
  readonly line: string;
  /** Mark beside the scroll bar, of the strongest steps. */
  readonly ruler?: string;
}

const { for: positive, against: negative } = palettes['blue-red'];
/** On dark grounds the same hues, lighter. */
const lighter = ([r, g, b]: Colour): Colour => [r + (255 - r) * 0.35, g + (255 - g) * 0.35, b + (255 - b) * 0.35];

/** The most opaque a ground behind text is, so that the text stays readable. */
const MOST: Readonly<Record<'light' | 'dark', number>> = { light: 0.38, dark: 0.45 };

const rgba = ([r, g, b]: Colour, alpha: number): string =>
  `rgba(${Math.round(r)}, ${Math.round(g)}, ${Math.round(b)}, ${Number(alpha.toFixed(3))})`;

export const styleOf = (step: number, ground: Ground): StepStyle => {
  const strength = Math.abs(step) / STEPS;
  const dark = ground.endsWith('dark');
  const own = step > 0 ? positive : negative;
  const hue = dark ? lighter(own) : own;
  const kind = step > 0 ? 'solid' : 'dotted';
  const ruler = strength > 0.6 ? { ruler: rgba(hue, 0.9) } : {};
  // High contrast lets nothing stand behind text: strength is the thickness of the line.
  if (ground.startsWith('contrast')) return { line: `${1 + Math.round(3 * strength)}px ${kind} ${rgba(hue, 1)}`, ...ruler };
  return {
    background: rgba(hue, MOST[dark ? 'dark' : 'light'] * strength),
    line: `2px ${kind} ${rgba(hue, 0.25 + 0.65 * strength)}`,
    ...ruler,
  };
};
