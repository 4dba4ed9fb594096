import type { CardOf } from '../../src/report/report.ts';
import { context2d, el, writeAt } from '../element.ts';
import { given } from '../l10n.ts';
import { plainLook } from '../map-look.ts';
import { shade } from '../picture.ts';
import { shadedWords } from '../shaded-words.ts';
import { drawnAt, type Sketch, stacked, written } from '../sketch.ts';
import type { View } from '../stage.ts';
import { css, theme } from '../theme.ts';

const [WIDTH, LINE, PAD] = [640, 28, 3];

/** Tokens in lines, each on its shade; what speaks for is underlined. */
const tokensSketch = (tokens: NonNullable<CardOf<'text'>['tokens']>, full: number): Sketch => {
  const colours = theme();
  const font = `${colours.fontSize}px ${colours.font}`;
  const measure = context2d(el('canvas'));
  measure.font = font;
  let [x, y] = [0, 0];
  const places = tokens.map((token) => {
    const width = measure.measureText(token.text).width + 2 * PAD;
    if (x > 0 && x + width > WIDTH) [x, y] = [0, y + LINE];
    const place = { ...token, x, y, width };
    x += width + 2;
    return place;
  });
  return drawnAt(WIDTH, y + LINE, (context) => {
    context.font = font;
    context.textBaseline = 'middle';
    for (const token of places) {
      const { colour, share } = shade(token.score / full, plainLook);
      context.fillStyle = css(colour, share);
      context.fillRect(token.x, token.y + 3, token.width, LINE - 6);
      context.fillStyle = css(colours.foreground);
      context.setLineDash(token.score > 0 ? [] : [2, 2]);
      context.strokeStyle = css(colours.foreground);
      context.beginPath();
      context.moveTo(token.x, token.y + LINE - 2);
      context.lineTo(token.x + token.width, token.y + LINE - 2);
      if (Math.abs(token.score / full) >= 0.05) context.stroke();
      writeAt(context, given(token.text), token.x + PAD, token.y + LINE / 2);
    }
  });
};

/** Paragraphs, then tokens shaded in place: red speaks for, blue against; the underline says the same without colour. */
export const text = ({ paragraphs = [], tokens, scale }: CardOf<'text'>): View => {
  const full = scale ?? Math.max(1e-12, ...(tokens ?? []).map((token) => Math.abs(token.score)));
  const shaded = shadedWords(
    tokens ?? [],
    Float64Array.from(tokens ?? [], ({ score }) => score),
    full,
    plainLook,
  );
  return {
    element: el(
      'div',
      { class: 'prose' },
      ...paragraphs.map((paragraph) => el('p', {}, given(paragraph))),
      tokens && el('p', { class: 'tokens' }, ...shaded),
    ),
    sketch: () =>
      stacked([...paragraphs.map((paragraph) => written(given(paragraph), WIDTH)), ...(tokens ? [tokensSketch(tokens, full)] : [])]),
  };
};
