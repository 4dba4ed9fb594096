import { type Card, draw, type Renderer } from '../../src/report/report.ts';
import { unknownCard } from '../../src/report/twin.ts';
import { el } from '../element.ts';
import { given } from '../l10n.ts';
import type { Stage, View } from '../stage.ts';
import { bars } from './bars.ts';
import { curve } from './curve.ts';
import { graph } from './graph.ts';
import { heatmap } from './heatmap.ts';
import { images } from './images.ts';
import { number } from './number.ts';
import { scatter } from './scatter.ts';
import { table } from './table.ts';
import { text } from './text.ts';

const renderer = (stage: Stage): Renderer<View> => ({
  number,
  curve: (card) => curve(card, stage),
  bars: (card) => bars(card, stage),
  heatmap: (card) => heatmap(card, stage),
  table: (card) => table(card, stage),
  images: (card) => images(card, stage),
  scatter: (card) => scatter(card, stage),
  text,
  graph,
});

/** The card as drawn; one of a kind this version does not know is a note. */
export const drawCard = (card: Card, stage: Stage): View =>
  draw(renderer(stage), card, (kind) => ({ isTable: true, element: el('p', { class: 'muted' }, given(unknownCard(kind))) }));
