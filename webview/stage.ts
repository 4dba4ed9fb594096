import type { Report, SampleView, Selection } from '../src/report/report.ts';
import type { Host } from './host.ts';

/** What a card may ask of the page it stands on. */
export interface Stage {
  readonly host: Host;
  readonly report: Report;
  /** Zero-based place of the report on the page. */
  readonly index: number;
  /** Ends when the page shows something else. */
  readonly signal: AbortSignal;
  /** Shows the samples behind a mark, under the card. */
  readonly select: (selection: Selection) => void;
  /** Calls back with the rows now selected anywhere in the report. */
  readonly onSelection: (listener: (rows: ReadonlySet<number>) => void) => void;
  readonly sample: (row: number) => SampleView | undefined;
}

/** A card as drawn. `picture` and `drawing` are what can be exported besides the table. */
export interface View {
  readonly element: HTMLElement;
  readonly picture?: () => HTMLCanvasElement;
  readonly drawing?: () => SVGSVGElement;
  /** The view is itself a table: no twin is needed. */
  readonly isTable?: true;
}
