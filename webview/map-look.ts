import { overlayScales } from '../src/base/overlay-scale.ts';
import { type PaletteName, paletteNames } from '../src/report/palette.ts';
import { checkbox, dropdown, slider } from './controls.ts';
import { el, say } from './element.ts';
import { t, type Words } from './l10n.ts';
import { modeOf, type Overlay, type OverlayLook, paintKey } from './picture.ts';

/** How maps are drawn, and what stands beside them. */
export interface MapLook extends OverlayLook {
  readonly beside: boolean;
  /** Share of all attribution, in percent, that lies in values drawn at full strength; absent where scales are given. */
  readonly outliers?: number;
}
export const plainLook: MapLook = { opacity: 0.6, mode: 'signed', palette: 'blue-red', beside: false };

const scales = new WeakMap<object, (percent: number) => number>();
/** |value| at full strength for a share of outliers; values are sorted once. */
export const scaleAt = (values: ArrayLike<number> & object, outliers: number): number => {
  const found = scales.get(values) ?? overlayScales(values);
  scales.set(values, found);
  return found(outliers);
};
/** The scale given, or for the share of outliers now chosen. */
export const scaleOf = ({ values, scale }: Overlay, outliers: number | undefined): number =>
  outliers === undefined ? scale : scaleAt(values as ArrayLike<number> & object, outliers);

const titles: Readonly<Record<PaletteName, Words>> = {
  'blue-red': t('Blue – red'),
  'purple-green': t('Purple – green'),
  'purple-orange': t('Purple – orange'),
};

/** Controls that are drawn at once; those of pictures only where there are pictures. */
export const lookControls = (look: MapLook, change: (part: Partial<MapLook>) => void, pictures = true): readonly HTMLElement[] => [
  ...(pictures ? [slider(t('Opacity'), Math.round(look.opacity * 100), (percent) => change({ opacity: percent / 100 }))] : []),
  ...(look.outliers === undefined
    ? []
    : [slider(t('Clip'), look.outliers, (outliers) => change({ outliers }), { min: 0, max: Math.max(20, look.outliers), step: 0.5 })]),
  dropdown(
    t('Colours'),
    paletteNames.map((name) => ({ value: name, label: titles[name] })),
    look.palette,
    (name) => change({ palette: paletteNames.find((one): one is PaletteName => one === name) ?? 'blue-red' }),
  ),
  checkbox(t('Absolute'), look.mode === 'absolute', (on) => change({ mode: on ? 'absolute' : 'signed' })),
  ...(pictures ? [checkbox(t('Original beside'), look.beside, (beside) => change({ beside }))] : []),
];

/** Colours of the map and their meaning, kept in step with the look. */
export const colourKey = (): {
  readonly element: HTMLElement;
  readonly paint: (look: OverlayLook, ends?: readonly [Words, Words]) => void;
} => {
  const canvas = el('canvas', { class: 'key', width: 128, height: 10, 'aria-hidden': 'true' });
  const [low, high] = [el('span'), el('span')];
  return {
    element: el('div', { class: 'colour-key' }, low, canvas, high),
    paint(look, ends = [t('against'), t('for the class')]) {
      paintKey(canvas, look);
      say(low, look.mode === 'signed' ? ends[0] : t('none'));
      say(high, look.mode === 'signed' ? ends[1] : t('strong'));
    },
  };
};

/** The look of several maps together: signed if one of them has a sign. */
export const lookOf = (maps: readonly ArrayLike<number>[], look: MapLook): MapLook => ({
  ...look,
  mode: maps.some((values) => modeOf(values, look.mode) === 'signed') ? 'signed' : 'absolute',
});
