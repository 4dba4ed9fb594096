import type { TokenPiece } from '../src/report/report.ts';
import { el } from './element.ts';
import { format, given, t } from './l10n.ts';
import { modeOf, type OverlayLook, shade } from './picture.ts';
import { css } from './theme.ts';

export type ShownToken = Omit<TokenPiece, 'score'>;

/** Words shaded in place: one colour speaks for, one against; the underline says the same without colour. */
export const shadedWords = (
  words: readonly ShownToken[],
  scores: ArrayLike<number>,
  scale: number,
  look: Pick<OverlayLook, 'mode' | 'palette'>,
): readonly (HTMLElement | ' ')[] => {
  const own = { ...look, mode: modeOf(scores, look.mode) };
  return words.flatMap(({ text, continues, special, word }, k) => {
    const strength = scale > 0 ? Math.max(-1, Math.min(1, scores[k] / scale)) : 0;
    const sign = special ? ' special' : Math.abs(strength) < 0.05 ? '' : strength > 0 || own.mode === 'absolute' ? ' for' : ' against';
    const alone = given(`${text}: ${format(scores[k])}`);
    const told = word ? given(`${alone}; ${word.text}: ${format(word.score)}`) : special ? t('{0}, not of the text', alone) : alone;
    const span = el('span', { class: `token${sign}`, title: told }, given(text));
    // Mixed with the theme's ground by the style sheet.
    const { colour, share } = shade(strength, own);
    span.style.setProperty('--hue', css(colour));
    span.style.setProperty('--share', `${(100 * share).toFixed(1)}%`);
    return k > 0 && !continues ? [' ', span] : [span];
  });
};
