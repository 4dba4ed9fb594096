import { format } from '../../src/report/format.ts';
import type { CardOf } from '../../src/report/report.ts';
import { factsOf } from '../../src/report/twin.ts';
import { button, checkbox, dropdown, slider } from '../controls.ts';
import { context2d, el } from '../element.ts';
import { type OverlayLook, paint, paintKey, sizedCanvas } from '../picture.ts';
import type { Stage, View } from '../stage.ts';
import { css, theme } from '../theme.ts';

type Image = CardOf<'images'>['images'][number];

interface Look extends OverlayLook {
  readonly name: string;
  readonly beside: boolean;
}

/** Colours of the map and their meaning, kept in step with the look. */
export const colourKey = (): { readonly element: HTMLElement; readonly paint: (look: OverlayLook) => void } => {
  const canvas = el('canvas', { class: 'key', width: 128, height: 10, 'aria-hidden': 'true' });
  const [low, high] = [el('span', {}, 'against'), el('span', {}, 'for the class')];
  return {
    element: el('div', { class: 'colour-key' }, low, canvas, high),
    paint(look) {
      paintKey(canvas, look);
      low.textContent = look.mode === 'signed' ? 'against' : 'none';
      high.textContent = look.mode === 'signed' ? 'for the class' : 'strong';
    },
  };
};

const written = (facts: Image['facts']): readonly string[] =>
  facts.map(({ label, value, unit }) => `${label} ${typeof value === 'number' ? format(value, unit) : value}`);

const tile = (
  image: Image,
  facts: Image['facts'],
  stage: Stage,
): { readonly element: HTMLElement; readonly canvas: HTMLCanvasElement; readonly draw: (look: Look) => void } => {
  const [width, height] = image.picture
    ? [image.picture.width, image.picture.height]
    : [image.overlays[0]?.width ?? 1, image.overlays[0]?.height ?? 1];
  const canvas = sizedCanvas(width, height, 160);
  const original = sizedCanvas(width, height, 160);
  const element = el(
    'figure',
    { class: 'sample' },
    el('div', { class: 'sample-pictures' }, original, canvas),
    el(
      'figcaption',
      {},
      el('strong', {}, image.title),
      el('span', { class: 'muted' }, `row ${image.row}`),
      ...written(facts).map((fact) => el('span', { class: 'muted' }, fact)),
      !stage.host.standalone &&
        button('Open saliency', () => stage.host.post({ type: 'sample', report: stage.index, row: image.row }), {
          look: 'quiet',
          title: `Open the saliency of row ${image.row}`,
        }),
    ),
  );
  canvas.setAttribute('role', 'img');
  original.setAttribute('role', 'img');
  original.setAttribute('aria-label', `Row ${image.row}, original`);
  return {
    element,
    canvas,
    draw(look) {
      const overlay = image.overlays.find((one) => one.name === look.name) ?? null;
      paint(canvas, image.picture, overlay, look);
      canvas.setAttribute('aria-label', `Row ${image.row}, ${image.title}${overlay ? `, ${overlay.name}` : ''}`);
      original.hidden = !look.beside || image.picture === null;
      if (!original.hidden) paint(original, image.picture, null, look);
    },
  };
};

/** All tiles on one canvas, for export. */
const sheet = (canvases: readonly HTMLCanvasElement[]): HTMLCanvasElement => {
  const [side, gap] = [160, 8];
  const across = Math.max(1, Math.min(6, canvases.length));
  const down = Math.max(1, Math.ceil(canvases.length / across));
  const all = el('canvas', { width: across * (side + gap) + gap, height: down * (side + gap) + gap });
  const context = context2d(all);
  context.fillStyle = css(theme().background);
  context.fillRect(0, 0, all.width, all.height);
  context.imageSmoothingEnabled = false;
  canvases.forEach((canvas, i) => {
    const factor = side / Math.max(canvas.width, canvas.height);
    context.drawImage(
      canvas,
      gap + (i % across) * (side + gap),
      gap + Math.floor(i / across) * (side + gap),
      canvas.width * factor,
      canvas.height * factor,
    );
  });
  return all;
};

/** Samples in a grid with their overlays; one set of controls for all of them. */
export const images = (card: CardOf<'images'>, stage: Stage): View => {
  const { images: all } = card;
  const { shared, own } = factsOf(card);
  const names = [...new Set(all.flatMap((image) => image.overlays.map((overlay) => overlay.name)))];
  const tiles = all.map((image, i) => tile(image, own[i], stage));
  const key = colourKey();
  let look: Look = { name: names[0] ?? '', opacity: 0.6, mode: 'signed', beside: false };
  const change = (part: Partial<Look>): void => {
    look = { ...look, ...part };
    for (const one of tiles) one.draw(look);
    key.paint(look);
  };
  change({});
  const controls =
    names.length > 0 &&
    el(
      'div',
      { class: 'controls' },
      names.length > 1 &&
        dropdown(
          'Map',
          names.map((name) => ({ value: name, label: name })),
          look.name,
          (name) => change({ name }),
        ),
      slider('Opacity', look.opacity, (opacity) => change({ opacity })),
      checkbox('Absolute', false, (on) => change({ mode: on ? 'absolute' : 'signed' })),
      checkbox('Original beside', false, (beside) => change({ beside })),
      key.element,
    );
  return {
    element: el(
      'div',
      {},
      shared.length > 0 && el('p', { class: 'shared-facts' }, written(shared).join(' · ')),
      controls,
      el('div', { class: 'samples-grid' }, ...tiles.map((one) => one.element)),
    ),
    picture: () => sheet(tiles.map((one) => one.canvas)),
  };
};
