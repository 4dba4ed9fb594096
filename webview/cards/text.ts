import type { CardOf } from '../../src/report/report.ts';
import { el } from '../element.ts';
import { plainLook } from '../map-look.ts';
import { shadedWords } from '../shaded-words.ts';
import type { View } from '../stage.ts';

/** Paragraphs, then tokens shaded in place: red speaks for, blue against; the underline says the same without colour. */
export const text = ({ paragraphs = [], tokens, scale }: CardOf<'text'>): View => {
  const full = scale ?? Math.max(1e-12, ...(tokens ?? []).map((token) => Math.abs(token.score)));
  const shaded = shadedWords(
    (tokens ?? []).map(({ text }) => text),
    Float64Array.from(tokens ?? [], ({ score }) => score),
    full,
    plainLook,
  );
  return {
    element: el(
      'div',
      { class: 'prose' },
      ...paragraphs.map((paragraph) => el('p', {}, paragraph)),
      tokens && el('p', { class: 'tokens' }, ...shaded),
    ),
  };
};
