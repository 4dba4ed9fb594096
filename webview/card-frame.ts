import { format } from '../src/report/format.ts';
import { cardMarkdown } from '../src/report/markdown.ts';
import { readingOf } from '../src/report/reading.ts';
import type { Card, CardKind, Selection } from '../src/report/report.ts';
import { twinsOf } from '../src/report/twin.ts';
import { cardSketch, formatsOf } from './card-export.ts';
import { drawCard } from './cards/index.ts';
import { button, toggle } from './controls.ts';
import { el, freshId } from './element.ts';
import type { Followed, Following } from './following.ts';
import { copy } from './host.ts';
import { menu } from './menu.ts';
import { samplesStrip } from './samples.ts';
import type { Sketch } from './sketch.ts';
import type { Stage } from './stage.ts';
import { tableOf } from './table.ts';

const MARKS: Readonly<Partial<Record<CardKind, readonly [one: string, several: string]>>> = {
  bars: ['bar', 'bars'],
  curve: ['point', 'points'],
  heatmap: ['cell', 'cells'],
  images: ['sample', 'samples'],
  scatter: ['point', 'points'],
  table: ['line', 'lines'],
};

const linkedNote = (kind: CardKind, { marks, rows }: Followed, now: Following | null): string => {
  if (now === null || now.own || marks === 0) return '';
  const [one, several] = MARKS[kind] ?? ['mark', 'marks'];
  return `${format(marks, 'count')} ${marks === 1 ? one : several} here ${marks === 1 ? 'holds' : 'hold'} ${format(rows.size, 'count')} of the ${format(now.rows.size, 'count')} selected rows.`;
};

/** What a card asks of the report around it. */
export interface Framing {
  /** Zero-based place of the card in its report. */
  readonly place: number;
  readonly asTable: boolean;
  readonly select: (selection: Selection) => void;
  readonly clear: () => void;
  readonly tableShown: (shown: boolean) => void;
}

export interface Frame {
  readonly element: HTMLElement;
  readonly sketch: () => Sketch;
  /** Shows the samples of what was chosen here, or takes them away. */
  readonly strip: (selection: Selection | null) => void;
  readonly follow: (now: Following | null) => void;
}

/** A card with its title, caption, how to read it, table twin, exports, and the samples chosen in it. */
export const frame = (card: Card, page: Omit<Stage, 'select'>, framing: Framing): Frame => {
  const { host, index } = page;
  const { place } = framing;
  const title = String(card.title);
  const id = freshId('card');
  const stripPlace = el('div', { class: 'strip-place' });
  const linked = el('p', { class: 'linked', role: 'status' });
  const view = drawCard(card, { ...page, select: framing.select });
  const tables = twinsOf(card) ?? [];
  const hasTwin = view.isTable !== true && tables.length > 0;
  const twin = el('div', { class: 'twin' });
  const asTable = (on: boolean): void => {
    twin.classList.toggle('visually-hidden', !on);
    view.element.classList.toggle('gone', on);
  };
  if (hasTwin) {
    twin.append(...tables.map((table) => tableOf(table, { caption: tables.length > 1 })));
    asTable(framing.asTable);
  }
  const sketch = (): Sketch => cardSketch(card, view);
  const formats = formatsOf(host, {
    name: title,
    sketch,
    json: () => `${JSON.stringify(card, null, 1)}\n`,
    csv: tables,
    page: () => host.savePage(page.report, { report: index, card: place }),
  });
  const toolbar = el(
    'div',
    { class: 'toolbar', role: 'group', 'aria-label': `${title}: table and exports` },
    hasTwin &&
      toggle(
        'Table',
        framing.asTable,
        (on) => {
          asTable(on);
          framing.tableShown(on);
        },
        `${title} as a table`,
      ),
    button('Copy', () => copy(cardMarkdown(card)), { look: 'quiet', title: `Copy ${title} as Markdown` }),
    menu('Save', `Save ${title}`, [
      ...formats.map(({ label, save }) => ({ label, title: `Save ${title} as ${label}`, press: save })),
      ...(host.standalone
        ? []
        : [
            {
              label: 'Copy link',
              title: `Copy link to ${title}`,
              press: () => host.post({ type: 'link', report: index, card: place }),
            },
          ]),
    ]),
  );
  const reading = readingOf(card);
  return {
    element: el(
      'section',
      { class: 'card', 'data-kind': String(card.kind), 'aria-labelledby': id, tabindex: -1 },
      el('header', {}, el('h2', { id }, title), toolbar),
      card.caption !== undefined && el('p', { class: 'caption' }, card.caption),
      reading.length > 0 && el('details', { class: 'reading' }, el('summary', {}, 'How to read this'), el('p', {}, reading.join(' '))),
      linked,
      el('div', { class: 'view' }, view.element),
      hasTwin && twin,
      stripPlace,
    ),
    sketch,
    strip(selection) {
      if (selection === null) return stripPlace.replaceChildren();
      stripPlace.replaceChildren(samplesStrip(selection, { host, report: index, sample: page.sample, close: framing.clear }));
    },
    follow(now) {
      const found = view.follow?.(now);
      const note = found ? linkedNote(card.kind, found, now) : '';
      if (linked.textContent !== note) linked.textContent = note;
    },
  };
};
