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
import { format } from '../src/report/format.ts';
import type { Axis, Selection } from '../src/report/report.ts';
import { BinController } from './bins.ts';
import { context2d, el } from './element.ts';
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

/** What one mark of a chart says, and the rows behind it. */
export interface Mark {
  readonly title: string;
  readonly lines: readonly string[];
  readonly selection?: Selection | null;
}

export interface LegendEntry {
  readonly name: string;
  /** Draws the swatch into 22 × 12 pixels. */
  readonly swatch: (context: CanvasRenderingContext2D, theme: Theme) => void;
}

export interface Plot {
  /** Said by screen readers in place of the picture. */
  readonly label: string;
  readonly square?: boolean;
  /** Nearest by place along x (bars), or by distance (points). */
  readonly nearest: 'x' | 'xy';
  readonly configure: (theme: Theme) => Pick<ChartConfiguration, 'type' | 'data'> & {
    readonly scales: NonNullable<ChartOptions['scales']>;
    readonly plugins: readonly Plugin[];
  };
  readonly mark: (dataset: number, index: number) => Mark | null;
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

export interface Drawn {
  readonly element: HTMLElement;
  /** The chart on the editor's background. */
  readonly picture: () => HTMLCanvasElement;
  /** Draws again with data that `configure` now gives. */
  readonly refresh: () => void;
}

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
      'aria-roledescription': 'chart',
      'aria-label': plot.label,
    },
    canvas,
  );
  const legend = el('ul', { class: 'legend' }, ...plot.legend.map((entry) => el('li', {}, swatchOf(entry), entry.name)));
  const element = el('div', { class: plot.square ? 'plot-frame square' : 'plot-frame' }, plot.legend.length > 1 && legend, holder, readout);
  let chart: Chart | null = null;

  const choose = (dataset: number, index: number): void => {
    const selection = plot.mark(dataset, index)?.selection;
    if (selection && selection.total > 0) select(selection);
  };
  const build = (): void => {
    chart?.destroy();
    const colours = theme();
    const { scales, plugins, ...config } = plot.configure(colours);
    const interaction = { mode: 'nearest', axis: plot.nearest, intersect: false } as const;
    chart = new Chart(canvas, {
      ...config,
      plugins: [...plugins],
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        font: { family: colours.font, size: colours.fontSize - 1 },
        layout: { padding: { top: 8, right: 12 } },
        scales,
        interaction,
        hover: interaction,
        plugins: { legend: { display: false }, tooltip: { enabled: true, ...tooltipOf(plot, colours) } },
        onHover: (_, [found]) => {
          const selection = found ? plot.mark(found.datasetIndex, found.index)?.selection : null;
          canvas.classList.toggle('selectable', (selection?.total ?? 0) > 0);
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
    readout.textContent = mark ? [mark.title, ...mark.lines, mark.selection ? 'Press Enter to see the samples.' : ''].join('. ') : '';
  };
  const lengths = (): readonly number[] => chart?.data.datasets.map((dataset, d) => (plot.mark(d, 0) ? dataset.data.length : 0)) ?? [];
  const move = (key: string): boolean => {
    const all = lengths();
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

  const size = new ResizeObserver(() => {
    if (chart === null && holder.clientWidth > 0) build();
  });
  size.observe(holder);
  onThemeChange(() => {
    if (chart !== null) build();
  }, signal);
  signal.addEventListener('abort', () => {
    size.disconnect();
    chart?.destroy();
  });
  return {
    element,
    picture: () => onBackground(canvas),
    refresh: () => {
      if (chart !== null) build();
    },
  };
};

/** A copy of a transparent canvas that stands alone. */
export const onBackground = (canvas: HTMLCanvasElement): HTMLCanvasElement => {
  const copy = el('canvas', { width: canvas.width, height: canvas.height });
  const context = context2d(copy);
  context.fillStyle = css(theme().background);
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  return copy;
};
