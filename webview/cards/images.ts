import type { CardOf } from '../../src/report/report.ts';
import { factsOf } from '../../src/report/twin.ts';
import { button, dropdown } from '../controls.ts';
import { dress, el, writeAt } from '../element.ts';
import { tally } from '../following.ts';
import { format, given, t, type Words } from '../l10n.ts';
import { colourKey, lookControls, lookOf, type MapLook, plainLook, scaleOf } from '../map-look.ts';
import { paint, paintPicture, sizedCanvas } from '../picture.ts';
import { drawnAt, fitted, type Sketch } from '../sketch.ts';
import type { Stage, View } from '../stage.ts';
import { css, theme } from '../theme.ts';

type Image = CardOf<'images'>['images'][number];

/** The map chosen among those of each sample, as it is to be drawn. */
interface Look extends MapLook {
  readonly name: string;
}

const written = (facts: Image['facts']): readonly Words[] =>
  facts.map(({ label, value, unit }) => given(`${label} ${typeof value === 'number' ? format(value, unit) : value}`));

/** Where maps were made, and how long the whole run took. */
const measured = ({ report }: Stage): readonly Words[] => {
  const { device, seconds } = report.provenance;
  return [t('Device {0}', device.actual), t('Time {0} for the run', format(seconds, 'seconds'))];
};

const tile = (
  image: Image,
  facts: Image['facts'],
  stage: Stage,
  /** Where tiles stand in columns, their facts are shown on demand. */
  folded: boolean,
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
      el('strong', {}, given(image.title)),
      el('span', { class: 'muted' }, t('row {0}', image.row)),
      ...(folded && facts.length > 0
        ? [
            el(
              'details',
              {},
              el('summary', { class: 'muted' }, t('How it was made')),
              ...written(facts).map((fact) => el('div', { class: 'muted' }, fact)),
            ),
          ]
        : written(facts).map((fact) => el('span', { class: 'muted' }, fact))),
      !stage.host.standalone &&
        button(t('Open saliency'), () => stage.host.post({ type: 'sample', report: stage.index, row: image.row }), {
          look: 'quiet',
          title: t('Open saliency of row {0}', image.row),
        }),
    ),
  );
  dress(canvas, { role: 'img' });
  dress(original, { role: 'img', 'aria-label': t('Row {0}, original', image.row) });
  return {
    element,
    canvas,
    draw(look) {
      const overlay = image.overlays.find((one) => one.name === look.name);
      if (overlay) paint(canvas, image.picture, { ...overlay, scale: scaleOf(overlay, look.outliers) }, look);
      else if (image.picture) paintPicture(canvas, image.picture);
      const shown = overlay ? `${image.title}, ${overlay.name}` : image.title;
      dress(canvas, { 'aria-label': t('Row {0}, {1}', image.row, shown) });
      original.hidden = !look.beside || image.picture === null;
      if (image.picture && !original.hidden) paintPicture(original, image.picture);
    },
  };
};

const [SIDE, GAP, LINE] = [160, 16, 18];

/** All tiles with what is said of them, for files. */
const sheet = (images: readonly Image[], facts: readonly Image['facts'][], canvases: readonly HTMLCanvasElement[], columns = 5): Sketch => {
  const colours = theme();
  const across = Math.max(1, Math.min(columns, canvases.length));
  const lines = images.map((image, i) => [given(image.title), t('row {0}', image.row), ...written(facts[i])]);
  const tall = SIDE + LINE * Math.max(0, ...lines.map((one) => one.length)) + GAP;
  return drawnAt(across * (SIDE + GAP), Math.max(1, Math.ceil(canvases.length / across) * tall), (context) => {
    context.font = `${colours.fontSize - 1}px ${colours.font}`;
    context.textBaseline = 'middle';
    context.imageSmoothingEnabled = false;
    canvases.forEach((canvas, i) => {
      const [x, y] = [(i % across) * (SIDE + GAP), Math.floor(i / across) * tall];
      const factor = SIDE / Math.max(canvas.width, canvas.height);
      context.drawImage(canvas, x, y, canvas.width * factor, canvas.height * factor);
      lines[i].forEach((line, l) => {
        context.fillStyle = css(l === 0 ? colours.foreground : colours.muted);
        writeAt(context, fitted(context, line, SIDE), x, y + SIDE + (l + 0.7) * LINE);
      });
    });
  });
};

/** Samples in a grid with their overlays; one set of controls for all of them. */
export const images = (card: CardOf<'images'>, stage: Stage): View => {
  const { images: all } = card;
  const { shared, own } = factsOf(card);
  const names = [...new Set(all.flatMap((image) => image.overlays.map((overlay) => overlay.name)))];
  const tiles = all.map((image, i) => tile(image, own[i], stage, card.columns !== undefined));
  const key = colourKey();
  const outliers = all.flatMap((image) => image.overlays.map((overlay) => overlay.outliers)).find((one) => one !== undefined);
  const values = all.flatMap((image) => image.overlays.map((overlay) => overlay.values));
  let look: Look = { ...plainLook, name: names[0] ?? '', ...(outliers === undefined ? {} : { outliers }) };
  const change = (part: Partial<Look>): void => {
    look = { ...look, ...part };
    for (const one of tiles) one.draw(look);
    key.paint(lookOf(values, look));
  };
  change({});
  const controls =
    names.length > 0 &&
    el(
      'div',
      { class: 'controls' },
      names.length > 1 &&
        dropdown(
          t('Map'),
          names.map((name) => ({ value: name, label: given(name) })),
          look.name,
          (name) => change({ name }),
        ),
      ...lookControls(look, change),
      key.element,
    );
  const grid = el('div', { class: 'samples-grid' }, ...tiles.map((one) => one.element));
  if (card.columns) {
    grid.classList.add('in-columns');
    grid.style.setProperty('--columns', String(card.columns));
  }
  return {
    element: el(
      'div',
      {},
      shared.length > 0 &&
        el('p', { class: 'shared-facts' }, given([...written(shared), ...(names.length > 0 ? measured(stage) : [])].join(' · '))),
      controls,
      grid,
    ),
    sketch: () =>
      sheet(
        all,
        own,
        tiles.map((one) => one.canvas),
        card.columns,
      ),
    follow(now) {
      const found = tally(now);
      tiles.forEach(({ element }, i) => {
        const held = now?.rows.has(all[i].row) === true;
        element.classList.toggle('held', held);
        if (held) found.add([all[i].row]);
      });
      return found;
    },
  };
};
