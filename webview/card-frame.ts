import { toCsv } from '../src/report/csv.ts';
import { cardMarkdown } from '../src/report/markdown.ts';
import type { Card, Selection } from '../src/report/report.ts';
import { twinsOf } from '../src/report/twin.ts';
import { drawCard } from './cards/index.ts';
import { button, toggle } from './controls.ts';
import { context2d, el, freshId } from './element.ts';
import { copy } from './host.ts';
import { samplesStrip } from './samples.ts';
import type { Stage } from './stage.ts';
import { tableOf } from './table.ts';
import { css, theme } from './theme.ts';

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '') || 'card';

const bytesOf = async (canvas: HTMLCanvasElement): Promise<Uint8Array> => {
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
  return new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer(0));
};

/** The picture under its title, so that it can stand in a document. */
const titled = (picture: HTMLCanvasElement, title: string): HTMLCanvasElement => {
  const colours = theme();
  const dpr = window.devicePixelRatio || 1;
  const [margin, line] = [12 * dpr, 28 * dpr];
  const canvas = el('canvas', { width: picture.width + 2 * margin, height: picture.height + line + 2 * margin });
  const context = context2d(canvas);
  context.fillStyle = css(colours.background);
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = css(colours.foreground);
  context.font = `600 ${14 * dpr}px ${colours.font}`;
  context.textBaseline = 'top';
  context.fillText(title, margin, margin, canvas.width - 2 * margin);
  context.drawImage(picture, margin, margin + line);
  return canvas;
};

/** An SVG that carries its own style. */
const standing = (drawing: SVGSVGElement): string => {
  const copied = drawing.cloneNode(true) as SVGSVGElement;
  const [from, to] = [drawing.querySelectorAll('*'), copied.querySelectorAll('*')];
  from.forEach((element, i) => {
    const { fill, stroke, fontFamily, fontSize } = getComputedStyle(element);
    for (const [name, value] of Object.entries({ fill, stroke, 'font-family': fontFamily, 'font-size': fontSize }))
      to[i].setAttribute(name, value);
  });
  copied.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return new XMLSerializer().serializeToString(copied);
};

/** A card with its title, caption, table twin, exports, and the samples chosen in it. */
export const frame = (
  card: Card,
  page: Omit<Stage, 'select'>,
  select: (selection: Selection | null, strip: HTMLElement) => void,
): HTMLElement => {
  const title = String(card.title);
  const id = freshId('card');
  const strip = el('div', { class: 'strip-place' });
  let opener: Element | null = null;
  const close = (): void => {
    strip.replaceChildren();
    select(null, strip);
    if (opener instanceof HTMLElement) opener.focus({ preventScroll: true });
  };
  const stage: Stage = {
    ...page,
    select(selection) {
      opener = document.activeElement;
      select(selection, strip);
      const shown = samplesStrip(selection, { host: page.host, report: page.index, sample: page.sample, close });
      strip.replaceChildren(shown);
      shown.focus({ preventScroll: true });
      shown.scrollIntoView({ block: 'nearest' });
    },
  };
  const view = drawCard(card, stage);
  const tables = twinsOf(card);
  const twin = el('div', { class: view.isTable ? 'twin' : 'twin visually-hidden' });
  const fill = (): void => {
    if (twin.childElementCount > 0 || view.isTable || tables === null) return;
    twin.append(...tables.map((table) => tableOf(table, { caption: tables.length > 1 })));
  };
  fill();

  const copyButton = button('Copy', () => copy(cardMarkdown(card)), { look: 'quiet', title: `Copy ${title} as Markdown` });
  const saveText = (ending: string, type: string, text: string): void =>
    page.host.save(`${slug(title)}.${ending}`, new TextEncoder().encode(text), type);
  const { picture, drawing } = view;
  const toolbar = el(
    'div',
    { class: 'toolbar', role: 'group', 'aria-label': `${title}: table and exports` },
    !view.isTable &&
      tables !== null &&
      tables.length > 0 &&
      toggle(
        'Table',
        false,
        (on) => {
          twin.classList.toggle('visually-hidden', !on);
          view.element.classList.toggle('gone', on);
        },
        `${title} as a table`,
      ),
    copyButton,
    tables !== null &&
      tables.length > 0 &&
      button('CSV', () => saveText('csv', 'text/csv', tables.map(toCsv).join('\r\n')), { look: 'quiet', title: `Save ${title} as CSV` }),
    picture &&
      button(
        'PNG',
        () => void bytesOf(titled(picture(), title)).then((bytes) => page.host.save(`${slug(title)}.png`, bytes, 'image/png')),
        {
          look: 'quiet',
          title: `Save ${title} as PNG`,
        },
      ),
    drawing && button('SVG', () => saveText('svg', 'image/svg+xml', standing(drawing())), { look: 'quiet', title: `Save ${title} as SVG` }),
  );
  return el(
    'section',
    { class: 'card', 'data-kind': String(card.kind), 'aria-labelledby': id, tabindex: -1 },
    el('header', {}, el('h2', { id }, title), toolbar),
    card.caption !== undefined && el('p', { class: 'caption' }, card.caption),
    el('div', { class: 'view' }, view.element),
    !view.isTable && twin,
    strip,
  );
};
