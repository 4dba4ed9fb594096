import { BarController, type Chart, type UpdateMode } from 'chart.js';

declare module 'chart.js' {
  interface ChartTypeRegistry {
    bin: ChartTypeRegistry['bar'];
  }
}

/** What a bar of a bin dataset covers on the x axis, and which of how many series it belongs to. */
export interface BinPoint {
  readonly x: number;
  readonly y: number;
  /** Where the bar stands. */
  readonly from: number;
  readonly low: number;
  readonly high: number;
  readonly lane: number;
  readonly lanes: number;
}

const UNSKIPPED = { top: false, right: false, bottom: false, left: false };

/** Bars as wide as their bins, on a linear axis; several series share a bin side by side, or stand on one another. */
export class BinController extends BarController {
  static override id: string = 'bin';
  static override defaults: Record<string, unknown> = { datasetElementType: false, dataElementType: 'bar', grouped: false };
  /** The x axis runs from edge to edge with its lines at the ticks; of bars by category, lines stand between. */
  static readonly overrides: Record<string, unknown> = { scales: { _index_: { offset: false, grid: { offset: false } } } };

  override updateElements(bars: Parameters<BarController['updateElements']>[0], start: number, count: number, mode: UpdateMode): void {
    const { xScale, yScale } = this.getMeta();
    if (xScale === undefined || yScale === undefined) return;
    const points = this.getDataset().data as unknown as readonly BinPoint[];
    for (let i = start; i < start + count; i++) {
      const { low, high, lane, lanes, y, from } = points[i];
      const base = yScale.getPixelForValue(Math.max(yScale.min, Math.min(yScale.max, from)));
      const left = xScale.getPixelForValue(low);
      const width = (xScale.getPixelForValue(high) - left) / lanes;
      const top = yScale.getPixelForValue(y);
      const gap = Math.min(1.5, width * 0.1);
      const options = this.resolveDataElementOptions(i, mode);
      this.updateElement(
        bars[i],
        i,
        {
          horizontal: false,
          base,
          x: left + (lane + 0.5) * width,
          y: top,
          width: Math.max(1, width - gap),
          height: Math.abs(base - top),
          options,
          borderSkipped: UNSKIPPED,
          inflateAmount: 0,
          enableBorderRadius: false,
        },
        mode,
      );
    }
  }
}

/** Left and right pixel of bar `i`: its bin, or its place among the categories. */
export const extentOf = (chart: Chart, i: number, edges: readonly number[] | undefined, count: number): readonly [number, number] => {
  const { x } = chart.scales;
  if (edges) return [x.getPixelForValue(edges[i]), x.getPixelForValue(edges[i + 1])];
  const half = (chart.chartArea.right - chart.chartArea.left) / Math.max(1, count) / 2;
  const centre = x.getPixelForValue(i);
  return [centre - half, centre + half];
};
