import type { Axis, TableCard } from '../src/report/report.ts';
import type { Live } from '../src/report/tasks.ts';
import { type Drawn, drawPlot, scaleOf } from './chart.ts';
import { dropdown, toggle } from './controls.ts';
import { el, freshId, say } from './element.ts';
import { format, given, t, type Words } from './l10n.ts';
import { type Along, follow, type LineName, type TrackPoint, type Tracks, tracks } from './live-tracks.ts';
import { bandColour, bandSwatch, bands, lineSwatch } from './overlays.ts';
import { tableOf } from './table.ts';
import { css, dashOf } from './theme.ts';

interface Curve {
  readonly title: Words;
  readonly unit: Axis['unit'];
  readonly scale?: 'log';
  readonly max?: number;
  /** `points`: measured now and then. */
  readonly lines: readonly { readonly line: LineName; readonly name: Words; readonly points?: true }[];
}

const curves: readonly Curve[] = [
  {
    title: t('Loss'),
    unit: 'none',
    lines: [
      { line: 'loss', name: t('training') },
      { line: 'validationLoss', name: t('validation'), points: true },
    ],
  },
  {
    title: t('Accuracy'),
    unit: 'fraction',
    max: 1,
    lines: [
      { line: 'accuracy', name: t('training') },
      { line: 'validationAccuracy', name: t('validation'), points: true },
    ],
  },
  { title: t('Learning rate'), unit: 'none', lines: [{ line: 'learningRate', name: t('learning rate') }] },
  { title: t('Gradient norm'), unit: 'none', scale: 'log', lines: [{ line: 'gradientNorm', name: t('gradient norm') }] },
  {
    title: t('Step of the parameters'),
    unit: 'none',
    scale: 'log',
    lines: [
      { line: 'updateRatio', name: t('update-to-weight ratio') },
      { line: 'effectiveStep', name: t('effective step size') },
    ],
  },
  { title: t('Calibration error'), unit: 'fraction', lines: [{ line: 'ece', name: t('validation'), points: true }] },
];

const alongs: Readonly<Record<Along, Axis>> = {
  step: { label: t('step'), unit: 'count', min: 0 },
  epoch: { label: t('epoch'), unit: 'none', min: 0 },
  seconds: { label: t('seconds in steps'), unit: 'none', min: 0 },
};
/** Rows of a line in the table, at most. */
const tableRows = 20;
/** More points than these are drawn smaller, or they would be a bar. */
const crowd = 50;
const tableMs = 1000;
/** Of a frame's 16 ms what curves may begin to be drawn in. */
const frameMs = 6;

export interface LiveCurves {
  readonly element: HTMLElement;
  readonly add: (live: Live) => void;
  /** Draws another run behind. */
  readonly overlay: (title: string, live: readonly Live[]) => void;
}

/** The next of 1, 2, 5, 10, 20…: the curve has at least two fifths of the width, and the axis stands still while it grows. */
const roundAbove = (x: number): number => {
  const decade = 10 ** Math.floor(Math.log10(x));
  return decade * ([1, 2, 5].find((times) => times * decade >= x) ?? 10);
};

/** Every n-th point, the last among them. */
const spread = (points: readonly TrackPoint[]): readonly TrackPoint[] => {
  const apart = Math.ceil(points.length / tableRows);
  return points.filter((_, i) => (points.length - 1 - i) % apart === 0);
};

/** The curves of a training while it runs or afterwards, and those of another behind them. */
export const liveCurves = (signal: AbortSignal): LiveCurves => {
  const own = tracks();
  let behind: { readonly title: string; readonly run: Tracks } | undefined;
  let along: Along = 'step';
  let generation = new AbortController();
  let drawn: { readonly key: string; readonly plot: Drawn; readonly table: () => void }[] = [];
  let dirty = false;
  /** Curves that are still to be drawn, and the one drawn last. */
  let waiting = 0;
  let turn = 0;
  /** Titles of the curves shown as tables. */
  const tablesOn = new Set<string>();

  const caption = el('p', { class: 'muted', role: 'status' });
  const choice = dropdown(
    t('Along'),
    [
      { value: 'step', label: t('Step') },
      { value: 'epoch', label: t('Epoch') },
      { value: 'seconds', label: t('Seconds') },
    ],
    along,
    (value) => {
      along = value as Along;
      drawn = [];
      refresh();
    },
  );
  const plots = el('div', { class: 'live-plots' });
  signal.addEventListener('abort', () => generation.abort());

  const placed = (run: Tracks | undefined, { scale, lines }: Curve, i: number): readonly TrackPoint[] =>
    (run?.lines[lines[i].line].points ?? []).filter((point) => Number.isFinite(point[along]) && (scale !== 'log' || point.low > 0));
  const has = (run: Tracks | undefined, line: LineName): boolean => (run?.lines[line].points.length ?? 0) > 0;
  const keyOf = ({ title, lines }: Curve): string =>
    [title, ...lines.flatMap(({ line }) => [own, behind?.run].map((run) => String(has(run, line))))].join();
  const known = (curve: Curve): boolean => curve.lines.some(({ line }) => has(own, line) || has(behind?.run, line));
  const reach = (): number | undefined => {
    const most = { step: own.totalSteps, epoch: own.epochs, seconds: 0 }[along];
    return most > 0 ? Math.max(Math.min(most, roundAbove(own.at[along]) || most), behind?.run.at[along] || 0) : undefined;
  };
  /** Own lines first, then those behind them. */
  const shown = (
    curve: Curve,
  ): readonly { readonly name: Words; readonly points: readonly TrackPoint[]; readonly back: boolean; readonly i: number }[] =>
    [own, ...(behind ? [behind.run] : [])].flatMap((run, r) =>
      curve.lines.map(({ name }, i) => ({
        name: r === 0 ? name : t('{0}, run behind', name),
        points: placed(run, curve, i),
        back: r > 0,
        i,
      })),
    );

  const tableCard = (curve: Curve): TableCard => ({
    kind: 'table',
    title: curve.title,
    columns: [
      { name: 'line', label: t('Line'), type: 'text' },
      { name: 'at', label: alongs[along].label, type: 'number', unit: alongs[along].unit },
      { name: 'mean', label: curve.title, type: 'number', unit: curve.unit },
      { name: 'range', label: t('Least to most'), type: 'interval', unit: curve.unit },
    ],
    rows: shown(curve).flatMap(({ name, points }) =>
      spread(points).map((point) => [name, point[along], point.y, [point.low, point.high] as const]),
    ),
  });

  const make = (curve: Curve): (typeof drawn)[number] => {
    const axis: Axis = {
      label: curve.title.toLowerCase(),
      unit: curve.unit,
      ...(curve.scale && { scale: curve.scale }),
      ...(curve.max !== undefined && { max: curve.max }),
    };
    const { title, lines } = curve;
    const isLoss = lines[0].line === 'loss';
    const plot = drawPlot(
      {
        label: t(
          '{0}: {1}. Use the arrow keys; the same numbers are in the table.',
          title,
          shown(curve)
            .map(({ name }) => name)
            .join(', '),
        ),
        nearest: 'x',
        legend: [
          ...lines.flatMap(({ line, name, points }, i) => (has(own, line) ? [lineSwatch(name, i, points)] : [])),
          ...(isLoss ? [bandSwatch(t('least to most'), 0)] : []),
          ...lines.flatMap(({ line, name, points }, i) =>
            has(behind?.run, line) ? [lineSwatch(t('{0}, run behind', name), i + lines.length, points)] : [],
          ),
        ],
        configure: (theme) => {
          const most = reach();
          return {
            type: 'line',
            data: {
              datasets: shown(curve).map(({ name, points, back, i }) => {
                const place = back ? i + lines.length : i;
                const scattered = lines[i].points === true;
                return {
                  label: name,
                  data: points.map((point) => ({ x: point[along], y: point.y })),
                  parsing: false,
                  normalized: true,
                  borderColor: css(theme.series(place), back && !theme.contrast ? 0.75 : 1),
                  backgroundColor: css(theme.series(place)),
                  borderWidth: scattered ? 1 : back ? 1.25 : 1.75,
                  borderDash: scattered ? [] : dashOf(place),
                  showLine: !scattered || points.length > 1,
                  pointRadius: points.length < 3 ? 2.5 : scattered ? (points.length > crowd ? 1.5 : 3) : 0,
                  order: back ? 3 : scattered ? 1 : 2,
                };
              }),
            },
            scales: {
              x: scaleOf({ ...alongs[along], ...(most !== undefined && { max: most }) }, theme),
              y: { ...scaleOf(axis, theme), ...(curve.scale ? {} : { beginAtZero: true }) } as never,
            },
            plugins: isLoss
              ? [
                  bands('range', bandColour(theme, 0), theme.contrast, (chart) => {
                    const points = placed(own, curve, 0);
                    if (points.every(({ low, high }) => low === high)) return [];
                    const { x, y } = chart.scales;
                    return [
                      points.map(
                        (point) =>
                          [x.getPixelForValue(point[along]), y.getPixelForValue(point.low), y.getPixelForValue(point.high)] as const,
                      ),
                    ];
                  }),
                ]
              : [],
          };
        },
        sizes: () => shown(curve).map(({ points }) => points.length),
        mark(dataset, index) {
          const { name, points } = shown(curve)[dataset] ?? {};
          const point = points?.[index];
          if (!point) return null;
          return {
            title: given(`${alongs[along].label} ${format(point[along], alongs[along].unit)}`),
            lines: [given(`${name} ${format(point.y, curve.unit)}`)],
          };
        },
      },
      () => {},
      generation.signal,
    );
    const id = freshId('curve');
    const twin = el('div', { class: 'twin' });
    let tableAt = Number.NEGATIVE_INFINITY;
    let late: ReturnType<typeof setTimeout> | undefined;
    const table = (): void => {
      if (!tablesOn.has(title)) return;
      const wait = tableAt + tableMs - performance.now();
      if (wait > 0) {
        clearTimeout(late);
        late = setTimeout(table, wait);
        return;
      }
      tableAt = performance.now();
      twin.replaceChildren(tableOf(tableCard(curve)));
    };
    const asTable = (on: boolean): void => {
      if (on) tablesOn.add(title);
      else tablesOn.delete(title);
      tableAt = Number.NEGATIVE_INFINITY;
      plot.element.classList.toggle('gone', on);
      twin.replaceChildren();
      table();
    };
    const toolbar = el('div', { class: 'toolbar' }, toggle(t('Table'), tablesOn.has(title), asTable, t('{0} as a table', title)));
    plots.append(
      el(
        'section',
        { class: 'card', 'aria-labelledby': id },
        el('header', {}, el('h2', { id }, title), toolbar),
        el('div', { class: 'view' }, plot.element),
        twin,
      ),
    );
    asTable(tablesOn.has(title));
    return { key: keyOf(curve), plot, table };
  };

  const redraw = (): void => {
    dirty = false;
    if (signal.aborted) return;
    const due = curves.filter(known);
    // Plots stand in the order of the table above and name the lines that they have: one that begins late makes them anew.
    if (due.some((curve, i) => drawn[i]?.key !== keyOf(curve))) {
      generation.abort();
      generation = new AbortController();
      plots.replaceChildren();
      drawn = due.map(make);
    }
    waiting = drawn.length;
    drawSome();
  };
  /** One after the other in turn, the rest in the next frames, so that the page answers between them. */
  const drawSome = (): void => {
    if (signal.aborted || dirty) return;
    const from = performance.now();
    for (; waiting > 0 && performance.now() - from < frameMs; waiting--) {
      const { plot, table } = drawn[++turn % drawn.length];
      plot.refresh();
      table();
    }
    if (waiting > 0 && !dirty) requestAnimationFrame(drawSome);
  };
  const refresh = (): void => {
    if (dirty) return;
    dirty = true;
    requestAnimationFrame(redraw);
  };

  const controls = el('div', { class: 'controls' }, choice, caption);
  return {
    element: el('div', { class: 'live-curves' }, controls, plots),
    add(live) {
      follow(own, live);
      refresh();
    },
    overlay(title, live) {
      const run = tracks();
      for (const one of live) follow(run, one);
      behind = { title, run };
      say(caption, t('Behind: {0}', title));
      drawn = [];
      refresh();
    },
  };
};
