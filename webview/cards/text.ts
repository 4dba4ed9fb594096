import { format } from '../../src/report/format.ts';
import type { CardOf } from '../../src/report/report.ts';
import { el } from '../element.ts';
import { shade } from '../picture.ts';
import type { View } from '../stage.ts';

/** Paragraphs, then tokens shaded in place: red speaks for, blue against; the underline says the same without colour. */
export const text = ({ paragraphs = [], tokens, scale }: CardOf<'text'>): View => {
  const full = scale ?? Math.max(1e-12, ...(tokens ?? []).map((token) => Math.abs(token.score)));
  const shaded = (tokens ?? []).map((token) => {
    const strength = Math.max(-1, Math.min(1, token.score / full));
    const sign = Math.abs(strength) < 0.05 ? '' : strength > 0 ? ' for' : ' against';
    const span = el('span', { class: `token${sign}`, title: `${token.text}: ${format(token.score)}` }, token.text);
    span.style.backgroundColor = shade(strength);
    return span;
  });
  return {
    element: el(
      'div',
      { class: 'prose' },
      ...paragraphs.map((paragraph) => el('p', {}, paragraph)),
      tokens && el('p', { class: 'tokens' }, ...shaded.flatMap((span, i) => (i > 0 ? [' ', span] : [span]))),
    ),
  };
};
