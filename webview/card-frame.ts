import { cardMarkdown } from '../src/report/markdown.ts';
import { readingOf } from '../src/report/reading.ts';
import type { Card, CardKind, Selection } from '../src/report/report.ts';
import { twinsOf } from '../src/report/twin.ts';
import { cardSketch, formatsOf } from './card-export.ts';
import { drawCard } from './cards/index.ts';
import { button, toggle } from './controls.ts';
import { el, freshId, say } from './element.ts';
import type { Followed, Following } from './following.ts';
import { copy } from './host.ts';
import { format, given, t, type Words } from './l10n.ts';
import { menu } from './menu.ts';
import { samplesStrip } from './samples.ts';
import type { Sketch } from './sketch.ts';
import type { Stage } from './stage.ts';
import { tableOf } from './table.ts';

type Says = (...numbers: readonly [marks: Words, held: Words, selected: Words]) => Words;
const points: readonly [Says, Says] = [
  (...n) => t('{0} point here holds {1} of the {2} selected rows.', ...n),
  (...n) => t('{0} points here hold {1} of the {2} selected rows.', ...n),
];
const anyMarks: readonly [Says, Says] = [
  (...n) => t('{0} mark here holds {1} of the {2} selected rows.', ...n),
  (...n) => t('{0} marks here hold {1} of the {2} selected rows.', ...n),
];
/** What is said of marks that hold selected rows: one mark, several. */
const MARKS: Readonly<Partial<Record<CardKind, readonly [one: Says, several: Says]>>> = {
  bars: [
    (...n) => t('{0} bar here holds {1} of the {2} selected rows.', ...n),
    (...n) => t('{0} bars here hold {1} of the {2} selected rows.', ...n),
  ],
  curve: points,
  heatmap: [
    (...n) => t('{0} cell here holds {1} of the {2} selected rows.', ...n),
    (...n) => t('{0} cells here hold {1} of the {2} selected rows.', ...n),
  ],
  images: [
    (...n) => t('{0} sample here holds {1} of the {2} selected rows.', ...n),
    (...n) => t('{0} samples here hold {1} of the {2} selected rows.', ...n),
  ],
  scatter: points,
  table: [
    (...n) => t('{0} line here holds {1} of the {2} selected rows.', ...n),
    (...n) => t('{0} lines here hold {1} of the {2} selected rows.', ...n),
  ],
};

const linkedNote = (kind: CardKind, { marks, rows }: Followed, now: Following | null): Words | '' => {
  if (now === null || now.own || marks === 0) return '';
  const [one, several] = MARKS[kind] ?? anyMarks;
  return (marks === 1 ? one : several)(format(marks, 'count'), format(rows.size, 'count'), format(now.rows.size, 'count'));
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
  const title = given(String(card.title));
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
    { class: 'toolbar', role: 'group', 'aria-label': t('{0}: table and exports', title) },
    hasTwin &&
      toggle(
        t('Table'),
        framing.asTable,
        (on) => {
          asTable(on);
          framing.tableShown(on);
        },
        t('{0} as a table', title),
      ),
    button(t('Copy'), () => copy(cardMarkdown(card)), { look: 'quiet', title: t('Copy {0} as Markdown', title) }),
    menu(t('Save'), t('Save {0}', title), [
      ...formats.map(({ label, save }) => ({ label, title: t('Save {0} as {1}', title, label), press: save })),
      ...(host.standalone
        ? []
        : [
            {
              label: t('Copy link'),
              title: t('Copy link to {0}', title),
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
      card.caption !== undefined && el('p', { class: 'caption' }, given(card.caption)),
      reading.length > 0 &&
        el('details', { class: 'reading' }, el('summary', {}, t('How to read this')), el('p', {}, given(reading.join(' ')))),
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
      if (linked.textContent !== note) say(linked, note);
    },
  };
};
