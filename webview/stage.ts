import type { Report, SampleView, Selection } from '../src/report/report.ts';
import type { Followed, Following } from './following.ts';
import type { Host } from './host.ts';
import type { Sketch } from './sketch.ts';

/** What a card may ask of the page it stands on. */
export interface Stage {
  readonly host: Host;
  readonly report: Report;
  /** Zero-based place of the report on the page. */
  readonly index: number;
  /** Ends when the page shows something else. */
  readonly signal: AbortSignal;
  /** Shows the samples behind a mark under the card, and where else they are. */
  readonly select: (selection: Selection) => void;
  readonly sample: (row: number) => SampleView | undefined;
}

/** A card as drawn. */
export interface View {
  readonly element: HTMLElement;
  /** The card as vectors, for files; its tables where absent. */
  readonly sketch?: () => Sketch;
  /** The view is itself a table: no twin is needed. */
  readonly isTable?: true;
  /** Brings out the marks that hold selected rows. */
  readonly follow?: (now: Following | null) => Followed;
}
