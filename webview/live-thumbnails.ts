import type { Card } from '../src/report/report.ts';
import { bars } from './cards/bars.ts';
import { curve } from './cards/curve.ts';
import { heatmap } from './cards/heatmap.ts';
import { el, freshId } from './element.ts';
import { given, t } from './l10n.ts';
import type { View } from './stage.ts';

/** Cards shown small at once. */
const most = 4;
/** They are drawn anew at most this often. */
const apartMs = 500;

export interface Thumbnails {
  readonly element: HTMLElement;
  readonly show: (epoch: number, cards: readonly Card[]) => void;
}

const diagonal = (card: Card): boolean => 'diagonal' in card && card.diagonal === true;

/** What the diagnostics of the newest epoch drew, small: those against an ideal (reliability, confusion) first. */
export const thumbnails = (signal: AbortSignal): Thumbnails => {
  const element = el('div', { class: 'live-cards' });
  let newest: { readonly epoch: number; readonly cards: readonly Card[] } | undefined;
  let shown = new AbortController();
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let last = Number.NEGATIVE_INFINITY;
  signal.addEventListener('abort', () => {
    clearTimeout(waiting);
    shown.abort();
  });
  const viewOf = (card: Card): View | undefined => {
    const stage = { select: () => {}, signal: shown.signal };
    if (card.kind === 'bars') return bars(card, stage);
    if (card.kind === 'curve') return curve(card, stage);
    return card.kind === 'heatmap' ? heatmap(card, stage) : undefined;
  };
  const draw = (): void => {
    // What someone is looking at closely stays until they leave it.
    if (element.contains(document.activeElement)) {
      waiting = setTimeout(draw, apartMs);
      return;
    }
    waiting = undefined;
    last = performance.now();
    if (!newest) return;
    shown.abort();
    shown = new AbortController();
    const { epoch, cards } = newest;
    element.replaceChildren(
      ...cards
        .toSorted((a, b) => Number(diagonal(b)) - Number(diagonal(a)))
        .slice(0, most)
        .flatMap((card) => {
          const view = viewOf(card);
          const id = freshId('thumbnail');
          return view
            ? [
                el(
                  'section',
                  { class: 'card', 'data-kind': card.kind, 'aria-labelledby': id },
                  el('header', {}, el('h2', { id }, given(card.title)), el('span', { class: 'muted' }, t('epoch {0}', epoch))),
                  el('div', { class: 'view' }, view.element),
                ),
              ]
            : [];
        }),
    );
  };
  return {
    element,
    show(epoch, cards) {
      newest = { epoch, cards };
      waiting ??= setTimeout(draw, Math.max(0, last + apartMs - performance.now()));
    },
  };
};
