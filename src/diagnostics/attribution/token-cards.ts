import { overlayScale } from '../../base/overlay-scale.ts';
import type { Subject } from '../../evidence/evidence.ts';
import type { Card, TextCard } from '../../report/report.ts';
import { number } from '../wording.ts';
import type { AttributionChoice } from './options.ts';
import { factLine, nameOf, type Saliency } from './saliency-result.ts';
import { piecesIn, type TokenRows, wordsIn } from './tokens.ts';

/** Rows shown in place, and words in the table of each class. */
const SHOWN = 16;
const WORDS = 15;
/** A word must stand in so many of the samples to be listed. */
const LEAST = 2;

const short = (v: number): number => Number(v.toPrecision(7));

/** Tokens of sample `b` shaded in place, padding left out. */
export const shadedTokens = (
  s: Saliency,
  tokens: TokenRows,
  b: number,
  outliers: number,
  subject: Pick<Subject, 'classes' | 'modelName' | 'ran'>,
  by?: string,
): TextCard => {
  const { scores, padding } = tokens;
  const t = scores.length / s.rows.length;
  const own = scores.subarray(b * t, (b + 1) * t);
  const facts = [
    ...(by === undefined ? [] : [by]),
    `row ${s.rows[b]}`,
    ...(subject.classes.length > 1 ? [`predicted ${nameOf(s.predicted[b], subject)}`] : []),
    ...(s.labels && subject.classes.length > 1 ? [`label ${nameOf(s.labels[b], subject)}`] : []),
  ];
  const hidden = padding[b].reduce((sum, p, k) => sum + (p ? own[k] : 0), 0);
  return {
    kind: 'text',
    title: facts.join(', '),
    caption: `${factLine(s, [b], subject)} Full strength is reached where the values hold all but ${number(outliers)} % of the total.${hidden === 0 ? '' : ` Padding, not shown, holds ${short(hidden)} of the total attribution.`}`,
    tokens: piecesIn(tokens, b),
    scale: overlayScale(own, outliers),
  };
};

/** Words by their mean attribution in the samples that hold them, for each class attributed. */
export const strongestWords = (s: Saliency, tokens: TokenRows, subject: Pick<Subject, 'classes'>): Card[] => {
  const found = new Map<
    string,
    { readonly target: number; readonly text: string; sum: number; size: number; count: number; readonly rows: Set<number> }
  >();
  s.rows.forEach((row, b) => {
    for (const { text, score, special } of wordsIn(tokens, b)) {
      if (special) continue;
      const key = `${s.targets[b]}\0${text}`;
      const of = found.get(key) ?? { target: s.targets[b], text, sum: 0, size: 0, count: 0, rows: new Set<number>() };
      of.sum += score;
      of.size += Math.abs(score);
      of.count++;
      of.rows.add(row);
      found.set(key, of);
    }
  });
  const targets = [...new Set(s.targets)].sort((a, b) => a - b);
  const rows = targets.flatMap((target) =>
    [...found.values()]
      .filter((w) => w.target === target && w.rows.size >= Math.min(LEAST, s.rows.length))
      .sort((a, b) => b.size / b.count - a.size / a.count || (a.text < b.text ? -1 : 1))
      .slice(0, WORDS)
      .map((w) => [nameOf(target, subject), w.text, w.sum / w.count, w.size / w.count, w.rows.size, [...w.rows][0]] as const),
  );
  if (rows.length === 0) return [];
  return [
    {
      kind: 'table',
      title: 'Most influential words of each class',
      caption: `Mean attribution of a word, the sum of its pieces, over the samples attributed to the class, of words in at least ${LEAST} of them; positive speaks for the class.`,
      columns: [
        { name: 'class', label: 'Class attributed', type: 'text' },
        { name: 'token', label: 'Word', type: 'text' },
        { name: 'mean', label: 'Mean attribution', type: 'number' },
        { name: 'size', label: 'Mean |attribution|', type: 'number' },
        { name: 'samples', label: 'Samples', type: 'number', unit: 'count' },
        { name: 'first', label: 'First of them', type: 'row' },
      ],
      rows: rows.map((r) => [...r]),
    },
  ];
};

export const tokenCards = (s: Saliency, tokens: TokenRows, chosen: AttributionChoice, subject: Subject): Card[] => [
  ...s.rows.slice(0, SHOWN).map((_, b) => shadedTokens(s, tokens, b, chosen.outliers, subject)),
  ...strongestWords(s, tokens, subject),
];
