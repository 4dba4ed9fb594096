import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  type ChartConfiguration,
  type ChartOptions,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  type Plugin,
  PointElement,
  type ScaleOptionsByType,
  ScatterController,
  Tooltip,
} from 'chart.js';
import type { Axis, Selection } from '../src/report/report.ts';
import { BinController } from './bins.ts';
import { context2d, el, say, writeAt } from './element.ts';
import { type Followed, type Following, type Standing, standingOf, tally } from './following.ts';
import { format, given, t, type Words } from './l10n.ts';
import { drawnAt, type Sketch, stacked } from './sketch.ts';
import { css, onThemeChange, type Theme, theme } from './theme.ts';

Chart.register(
  BarController,
  BarElement,
  BinController,
  CategoryScale,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  ScatterController,
  Tooltip,
);

/** What one mark of a chart says. */
export interface Mark {
  readonly title: Words;
  readonly lines: readonly Words[];
}

export interface LegendEntry {
  readonly name: Words;
  /** Draws the swatch into 22 × 12 pixels. */
  readonly swatch: (context: CanvasRenderingContext2D, theme: Theme) => void;
}

export interface Plot {
  /** Said by screen readers in place of the picture. */
  readonly label: Words;
  readonly square?: boolean;
  /** Nearest by place along x (bars), or by distance (points). */
  readonly nearest: 'x' | 'xy';
  readonly configure: (theme: Theme) => Pick<ChartConfiguration, 'type' | 'data'> & {
    readonly scales: NonNullable<ChartOptions['scales']>;
    readonly plugins: readonly Plugin[];
  };
  /** How many marks each dataset has that can be walked. */
  readonly sizes: () => readonly number[];
  readonly mark: (dataset: number, index: number) => Mark | null;
  /** The rows behind a mark. */
  readonly selection?: (dataset: number, index: number) => Selection | null | undefined;
  readonly legend: readonly LegendEntry[];
}

/** Axis of a card as a Chart.js scale in the colours of the theme. */
export const scaleOf = (axis: Axis, colours: Theme): ScaleOptionsByType<'linear'> =>
  ({
    type: axis.scale === 'log' ? 'logarithmic' : 'linear',
    ...(axis.min !== undefined && { min: axis.min }),
    ...(axis.max !== undefined && { max: axis.max }),
    title: { display: true, text: axis.label, color: css(colours.muted), padding: 6 },
    ticks: {
      color: css(colours.muted),
      maxRotation: 0,
      autoSkipPadding: 16,
      maxTicksLimit: 8,
      ...(axis.unit === 'count' && { precision: 0 }),
      // Ends that are no round number get no label; round ones stand at a tick anyway.
      includeBounds: false,
      callback: (value: string | number): string =>
        axis.unit === 'fraction'
          ? `${Number((Number(value) * 100).toFixed(4))} %`
          : format(Number(value), axis.unit === 'nats' ? 'none' : axis.unit),
    },
    grid: { color: css(colours.line, colours.contrast ? 0.5 : 1), drawTicks: false },
    border: { color: css(colours.line) },
  }) as unknown as ScaleOptionsByType<'linear'>;

const tooltipOf = (plot: Plot, colours: Theme): NonNullable<ChartOptions['plugins']>['tooltip'] => ({
  animation: false,
  displayColors: false,
  backgroundColor: css(colours.hover.background),
  borderColor: css(colours.hover.border),
  borderWidth: 1,
  titleColor: css(colours.hover.foreground),
  bodyColor: css(colours.hover.foreground),
  titleFont: { weight: 'bold' },
  padding: 8,
  cornerRadius: 3,
  caretSize: 0,
  filter: (_item, i) => i === 0,
  callbacks: {
    title: ([item]) => (item ? (plot.mark(item.datasetIndex, item.dataIndex)?.title ?? '') : ''),
    label: (item) => [...(plot.mark(item.datasetIndex, item.dataIndex)?.lines ?? [])],
  },
});

const swatchOf = ({ swatch }: LegendEntry): HTMLCanvasElement => {
  const canvas = el('canvas', { class: 'swatch', width: 44, height: 24, 'aria-hidden': 'true' });
  const paint = (): void => {
    const context = context2d(canvas);
    context.setTransform(2, 0, 0, 2, 0, 0);
    context.clearRect(0, 0, 22, 12);
    swatch(context, theme());
  };
  canvas.addEventListener('assay-paint', paint);
  paint();
  return canvas;
};

/** The legend in lines of a given width. */
const legendSketch = (entries: readonly LegendEntry[], width: number, colours: Theme): Sketch => {
  const measure = context2d(el('canvas'));
  const font = `${colours.fontSize - 1}px ${colours.font}`;
  measure.font = font;
  let [x, y] = [0, 0];
  const places = entries.map((entry) => {
    const room = 28 + measure.measureText(entry.name).width;
    if (x > 0 && x + room > width) [x, y] = [0, y + 20];
    const place = { entry, x, y };
    x += room + 18;
    return place;
  });
  return drawnAt(width, y + 24, (context) => {
    for (const place of places) {
      context.save();
      context.translate(place.x, place.y + 4);
      place.entry.swatch(context, colours);
      context.restore();
      context.font = font;
      context.textBaseline = 'middle';
      context.fillStyle = css(colours.muted);
      writeAt(context, place.entry.name, place.x + 28, place.y + 10);
    }
  });
};

export interface Drawn {
  readonly element: HTMLElement;
  readonly sketch: () => Sketch;
  readonly follow: (now: Following | null) => Followed;
  /** Draws again with data that `configure` now gives. */
  readonly refresh: () => void;
}

interface Marked {
  readonly dataset: number;
  readonly index: number;
  readonly standing: Standing;
}

/** An outline around each mark that holds selected rows: solid around what was chosen, dashed around what is linked to it. */
const outlines = (colours: Theme, marked: () => readonly Marked[]): Plugin => ({
  id: 'outlines',
  afterDatasetsDraw(chart) {
    const context = chart.ctx;
    context.save();
    context.strokeStyle = css(colours.foreground);
    context.lineWidth = 2;
    for (const { dataset, index, standing } of marked()) {
      const element = chart.getDatasetMeta(dataset).data[index];
      if (element === undefined) continue;
      context.setLineDash(standing === 'chosen' ? [] : [3, 2]);
      context.beginPath();
      if (element instanceof BarElement) {
        const props = element.getProps(['x', 'y', 'base', 'width'], true);
        const [x, y, base, width] = [Number(props.x), Number(props.y), Number(props.base), Number(props.width)];
        context.rect(x - width / 2 - 1, Math.min(y, base) - 2, width + 2, Math.abs(base - y) + 3);
      } else context.arc(element.x, element.y, 7, 0, 2 * Math.PI);
      context.stroke();
    }
    context.restore();
  },
});

/** A chart that follows the theme, can be walked with the arrow keys, and tells which rows stand behind a mark. */
export const drawPlot = (plot: Plot, select: (selection: Selection) => void, signal: AbortSignal): Drawn => {
  const canvas = el('canvas', { 'aria-hidden': 'true' });
  const readout = el('p', { class: 'visually-hidden', 'aria-live': 'polite' });
  const holder = el(
    'div',
    {
      class: plot.square ? 'plot square' : 'plot',
      tabindex: 0,
      role: 'application',
      'aria-roledescription': t('chart'),
      'aria-label': plot.label,
    },
    canvas,
  );
  const legend = el('ul', { class: 'legend' }, ...plot.legend.map((entry) => el('li', {}, swatchOf(entry), entry.name)));
  const element = el('div', { class: plot.square ? 'plot-frame square' : 'plot-frame' }, plot.legend.length > 1 && legend, holder, readout);
  let chart: Chart | null = null;
  let marked: readonly Marked[] = [];

  const rowsBehind = (dataset: number, index: number): Selection | null => {
    const selection = plot.selection?.(dataset, index);
    return selection && selection.total > 0 ? selection : null;
  };
  const choose = (dataset: number, index: number): void => {
    const selection = rowsBehind(dataset, index);
    if (selection) select(selection);
  };
  const settings = (colours: Theme): ChartConfiguration & { readonly options: ChartOptions } => {
    const { scales, plugins, ...config } = plot.configure(colours);
    return {
      ...config,
      plugins: [...plugins, outlines(colours, () => marked)],
      options: {
        animation: false,
        maintainAspectRatio: false,
        font: { family: colours.font, size: colours.fontSize - 1 },
        layout: { padding: { top: 8, right: 12 } },
        scales,
      },
    };
  };
  const build = (): void => {
    chart?.destroy();
    const colours = theme();
    const { options, ...config } = settings(colours);
    const interaction = { mode: 'nearest', axis: plot.nearest, intersect: false } as const;
    chart = new Chart(canvas, {
      ...config,
      options: {
        ...options,
        responsive: true,
        interaction,
        hover: interaction,
        plugins: { legend: { display: false }, tooltip: { enabled: true, ...tooltipOf(plot, colours) } },
        onHover: (_, [found]) => {
          canvas.classList.toggle('selectable', found !== undefined && rowsBehind(found.datasetIndex, found.index) !== null);
        },
        onClick: (_, [found]) => {
          if (found) choose(found.datasetIndex, found.index);
        },
      },
    });
    for (const swatch of legend.querySelectorAll('canvas')) swatch.dispatchEvent(new Event('assay-paint'));
  };

  let at: { dataset: number; index: number } | null = null;
  const show = (): void => {
    if (chart === null || at === null) return;
    const found = [{ datasetIndex: at.dataset, index: at.index }];
    const point = chart.getDatasetMeta(at.dataset).data[at.index]?.getProps(['x', 'y'], true);
    chart.setActiveElements(found);
    chart.tooltip?.setActiveElements(found, { x: point?.x ?? 0, y: point?.y ?? 0 });
    chart.update('none');
    const mark = plot.mark(at.dataset, at.index);
    const leads = rowsBehind(at.dataset, at.index) === null ? [] : [t('Press Enter to see the samples.')];
    say(readout, mark ? given([mark.title, ...mark.lines, ...leads].join('. ')) : '');
  };
  const move = (key: string): boolean => {
    const all = plot.sizes();
    const from = at ?? { dataset: all.findIndex((n) => n > 0), index: -1 };
    if (from.dataset < 0) return false;
    const count = all[from.dataset];
    const turn = (by: number): number => {
      for (let d = from.dataset + by; d >= 0 && d < all.length; d += by) if (all[d] > 0) return d;
      return from.dataset;
    };
    const to = (dataset: number, index: number): { dataset: number; index: number } => ({
      dataset,
      index: Math.max(0, Math.min(all[dataset] - 1, index)),
    });
    if (key === 'ArrowRight') at = to(from.dataset, Math.min(count - 1, from.index + 1));
    else if (key === 'ArrowLeft') at = to(from.dataset, Math.max(0, from.index - 1));
    else if (key === 'Home') at = to(from.dataset, 0);
    else if (key === 'End') at = to(from.dataset, count - 1);
    else if (key === 'ArrowDown') at = to(turn(1), from.index);
    else if (key === 'ArrowUp') at = to(turn(-1), from.index);
    else if ((key === 'Enter' || key === ' ') && at) choose(at.dataset, at.index);
    else return false;
    return true;
  };
  holder.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !move(event.key)) return;
    event.preventDefault();
    show();
  });
  holder.addEventListener('blur', () => {
    at = null;
    chart?.setActiveElements([]);
    chart?.tooltip?.setActiveElements([], { x: 0, y: 0 });
    chart?.update('none');
  });

  let inSight = true;
  let stale = false;
  const refresh = (): void => {
    stale = !inSight;
    if (chart === null || stale) return;
    const { data, scales } = plot.configure(theme());
    chart.data = data;
    chart.options.scales = scales;
    chart.update('none');
  };
  const sight = new IntersectionObserver((entries) => {
    inSight = entries[entries.length - 1].isIntersecting;
    if (inSight && stale) refresh();
  });
  sight.observe(holder);
  const size = new ResizeObserver(() => {
    if (chart === null && holder.clientWidth > 0) build();
  });
  size.observe(holder);
  onThemeChange(() => {
    if (chart !== null) build();
  }, signal);
  signal.addEventListener('abort', () => {
    size.disconnect();
    sight.disconnect();
    chart?.destroy();
  });
  return {
    element,
    sketch() {
      const width = Math.max(plot.square ? 420 : 480, holder.clientWidth);
      const height = holder.clientHeight || (plot.square ? 420 : 300);
      const colours = theme();
      let drawn: Chart | null = null;
      const draw = (context: CanvasRenderingContext2D): void => {
        const { options, data, ...config } = settings(colours);
        drawn = new Chart(context, {
          ...config,
          // With segments a line goes straight from its points to the pen; without, through a path that cannot be read back.
          data: { ...data, datasets: data.datasets.map((one) => ({ ...one, segment: {} })) },
          options: { ...options, responsive: false, devicePixelRatio: 1, events: [], plugins: { legend: { display: false } } },
        });
      };
      const body = drawnAt(width, height, draw, () => drawn?.destroy());
      return plot.legend.length > 1 ? stacked([legendSketch(plot.legend, width, colours), body]) : body;
    },
    follow(now) {
      const found = tally(now);
      const next: Marked[] = [];
      if (now !== null)
        plot.sizes().forEach((size, dataset) => {
          for (let index = 0; index < size; index++) {
            const selection = rowsBehind(dataset, index);
            const standing = standingOf(selection, now);
            if (selection === null || standing === null) continue;
            next.push({ dataset, index, standing });
            found.add(selection.rows);
          }
        });
      const changed = next.length > 0 || marked.length > 0;
      marked = next;
      if (changed) chart?.draw();
      return found;
    },
    refresh,
  };
};
