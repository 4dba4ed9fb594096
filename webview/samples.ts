import type { SampleView, Selection } from '../src/report/report.ts';
import { button } from './controls.ts';
import { el } from './element.ts';
import type { Host } from './host.ts';
import { format, given, t } from './l10n.ts';
import { thumbnail } from './picture.ts';
import { rowsOf } from './selection-bar.ts';

export interface Strip {
  readonly host: Host;
  /** Place of the report on the page. */
  readonly report: number;
  readonly sample: (row: number) => SampleView | undefined;
  readonly close: () => void;
}

const tile = (row: number, sample: SampleView | undefined, { host, report }: Strip): HTMLElement => {
  const wrong = sample?.label !== undefined && sample.prediction !== undefined && sample.label !== sample.prediction;
  const said = [
    sample?.label !== undefined && t('label {0}', sample.label),
    sample?.prediction !== undefined && t('said {0}', sample.prediction),
  ].filter((part) => part !== false);
  const where = [sample?.confidence !== undefined && format(sample.confidence, 'fraction'), t('row {0}', row)].filter(
    (part) => part !== false,
  );
  const text = [
    said.length > 0 && el('span', { class: wrong ? 'wrong' : undefined }, given(said.join(', '))),
    el('span', { class: 'muted small' }, given(where.join(', '))),
  ];
  const picture = sample?.picture && thumbnail(sample.picture, 64);
  if (host.standalone) return el('li', { class: 'tile' }, picture, ...text);
  const open = el('button', { class: 'tile', type: 'button', title: t('Open the saliency of row {0}', row) }, picture, ...text);
  open.addEventListener('click', () => host.post({ type: 'sample', report, row }));
  return el('li', {}, open);
};

/** The samples behind a mark: thumbnail, label, prediction, confidence, row. */
export const samplesStrip = (selection: Selection, strip: Strip): HTMLElement => {
  const { rows, label } = selection;
  return el(
    'section',
    { class: 'strip', 'aria-label': t('Samples: {0}', label), tabindex: -1 },
    el(
      'header',
      {},
      el('strong', {}, given(label)),
      el('span', { class: 'muted' }, rowsOf(selection)),
      button(t('Close'), strip.close, { look: 'quiet', title: t('Close the samples') }),
    ),
    el('ul', { class: 'tiles' }, ...rows.map((row) => tile(row, strip.sample(row), strip))),
  );
};
