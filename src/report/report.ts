/**
 * The report is a language: a closed set of card kinds that hold data, units and domains, never colours, HTML or
 * formatted numbers. Everything is JSON. Each surface draws every kind (see Renderer).
 */
export const SCHEMA = 1;

export type Unit = 'fraction' | 'count' | 'nats' | 'seconds' | 'bytes' | 'ms' | 'none';
export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly level: number;
  readonly method: string;
}
/** Rows of the dataset behind a mark: how many there are, and the first of them (zero-based row numbers). */
export interface Selection {
  readonly label: string;
  readonly total: number;
  readonly rows: readonly number[];
}
export interface Axis {
  readonly label: string;
  readonly unit: Unit;
  readonly min?: number;
  readonly max?: number;
  readonly scale?: 'linear' | 'log';
}

interface CardBase {
  readonly title: string /** One sentence under the title: how to read this card. */;
  readonly caption?: string;
}

/** A table of scalars: the long name as printed, with interval and the value a perfect model would score, where there is one. */
export interface NumberCard extends CardBase {
  readonly kind: 'number';
  readonly values: readonly {
    readonly name: string;
    readonly label: string;
    readonly value: number | null;
    readonly unit: Unit;
    readonly interval?: Interval;
    readonly reference?: number;
    readonly note?: string;
  }[];
}
/** Lines and shaded bands over two axes; `diagonal` draws y = x, which is the ideal unless `diagonalName` says what else. */
export interface CurveCard extends CardBase {
  readonly kind: 'curve';
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly {
    readonly name: string;
    readonly points: readonly (readonly [number, number])[];
    readonly shape?: 'line' | 'points' | 'step';
    /** Per point, where known. */
    readonly intervals?: readonly (readonly [number, number] | null)[];
    readonly selections?: readonly (Selection | null)[];
  }[];
  readonly bands?: readonly { readonly name: string; readonly points: readonly (readonly [number, number, number])[] }[];
  readonly diagonal?: true;
  readonly diagonalName?: string;
  /** The model that was saved may be cut at a point of x: what of it is kept, in the plural. */
  readonly cut?: string;
}
/** Bars over bins (`edges`, one more than values) or categories; `marks` are points drawn over the bars. The series of `stacked` bins are parts of a whole. */
export interface BarsCard extends CardBase {
  readonly kind: 'bars';
  readonly x: Axis;
  readonly y: Axis;
  readonly edges?: readonly number[];
  readonly categories?: readonly string[];
  readonly series: readonly {
    readonly name: string;
    readonly values: readonly (number | null)[];
    readonly intervals?: readonly (readonly [number, number] | null)[];
    readonly selections?: readonly (Selection | null)[];
  }[];
  readonly bands?: readonly {
    readonly name: string;
    readonly low: readonly (number | null)[];
    readonly high: readonly (number | null)[];
  }[];
  readonly marks?: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  readonly diagonal?: true;
  readonly stacked?: true;
}
/** A grid with one or more layers of values (row-major, rows × columns): e.g. counts, row share, column share. */
export interface HeatmapCard extends CardBase {
  readonly kind: 'heatmap';
  readonly rows: { readonly label: string; readonly names: readonly string[] };
  readonly columns: { readonly label: string; readonly names: readonly string[] };
  readonly layers: readonly {
    readonly name: string;
    readonly unit: Unit;
    readonly values: readonly (number | null)[];
    readonly domain?: readonly [number, number];
  }[];
  /** Rows and columns are the same classes: the diagonal is agreement, the rest confusion. */
  readonly diagonal?: true;
  /** Sparse: cell index (row * columns + column) → rows behind it. */
  readonly selections?: Readonly<Record<string, Selection>>;
}
export interface TableCard extends CardBase {
  readonly kind: 'table';
  readonly columns: readonly {
    readonly name: string;
    readonly label: string;
    readonly type: 'text' | 'number' | 'interval' | 'row';
    readonly unit?: Unit;
  }[];
  /** Cells by column: text, number (null = undefined), [low, high], or a dataset row number. */
  readonly rows: readonly (readonly (string | number | null | readonly [number, number])[])[];
}
/** An 8-bit picture: row-major, 1 or 3 channels interleaved, base64. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly base64: string;
}
/** Something known of a sample, printed beside it. */
export interface Fact {
  readonly label: string;
  readonly value: string | number;
  readonly unit?: Unit;
}
/** Samples with signed overlays on the picture's grid. `scale` is the |value| drawn at full strength (card 00-attribution: percentile, 0 fixed). */
export interface ImagesCard extends CardBase {
  readonly kind: 'images';
  /** Tiles of a line, where they stand in columns: e.g. a sample and its maps by several methods. */
  readonly columns?: number;
  readonly images: readonly {
    readonly row: number;
    readonly title: string;
    readonly picture: Picture | null;
    readonly overlays: readonly {
      readonly name: string;
      readonly width: number;
      readonly height: number;
      readonly values: readonly number[];
      readonly scale: number;
      /** Where the scale was chosen so: share of all |value|, in percent, that lies in what is drawn at full strength. */
      readonly outliers?: number;
    }[];
    readonly facts: readonly Fact[];
  }[];
}
export interface ScatterCard extends CardBase {
  readonly kind: 'scatter';
  readonly x: Axis;
  readonly y: Axis;
  readonly groups: readonly {
    readonly name: string;
    readonly points: readonly (readonly [number, number])[];
    readonly rows?: readonly number[];
  }[];
  readonly diagonal?: true;
}
/** A token with its score. */
export interface TokenPiece {
  readonly text: string;
  readonly score: number;
  readonly continues?: true;
  readonly special?: true;
  /** At the first of several pieces: the whole word and the sum of their scores. */
  readonly word?: { readonly text: string; readonly score: number };
}
/** Paragraphs; or tokens with a signed score each, shaded in place: pieces of a word `continue` the token before, `special` ones are not of the text. */
export interface TextCard extends CardBase {
  readonly kind: 'text';
  readonly paragraphs?: readonly string[];
  readonly tokens?: readonly TokenPiece[];
  readonly scale?: number;
}
export interface GraphCard extends CardBase {
  readonly kind: 'graph';
  readonly nodes: readonly { readonly id: string; readonly label: string; readonly group?: string; readonly value?: number }[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
}

export type Card = NumberCard | CurveCard | BarsCard | HeatmapCard | TableCard | ImagesCard | ScatterCard | TextCard | GraphCard;
export type CardKind = Card['kind'];
export type CardOf<K extends CardKind> = Extract<Card, { kind: K }>;

/** A renderer is total: a new kind of card does not compile until every surface can draw it. */
export type Renderer<T> = { readonly [K in CardKind]: (card: CardOf<K>) => T };

/** Draws one card; `unknown` draws a kind this version does not know (a report saved by a newer one) as a note. */
export const draw = <T>(renderer: Renderer<T>, card: Card, unknown: (kind: string) => T): T =>
  Object.hasOwn(renderer, card.kind) ? (renderer[card.kind] as (card: Card) => T)(card) : unknown(String(card.kind));

/** measured: numbers stand. unavailable: the subject cannot supply what the diagnostic needs. */
export type Outcome = 'measured' | 'unavailable' | 'failed' | 'stopped';

export interface DeviceFacts {
  readonly requested: string;
  readonly actual: string;
  readonly reason: string;
}

export interface Provenance {
  readonly modelPath?: string;
  readonly modelSha256?: string;
  readonly dataPath: string;
  readonly dataSha256: string;
  readonly split?: string;
  /** What it was compared with. */
  readonly against?: Partial<Record<'modelPath' | 'modelSha256' | 'dataPath' | 'dataSha256', string>>;
  readonly rows: number;
  readonly seed: number;
  readonly device: DeviceFacts;
  /** assay, onnxruntime, node. */
  readonly versions: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly seconds: number;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** One row of the dataset as shown when a mark is clicked. */
export interface SampleView {
  readonly row: number;
  readonly label?: string;
  readonly prediction?: string;
  readonly confidence?: number;
  readonly picture?: Picture;
}

export interface Report {
  readonly schema: number;
  /** Id of the diagnostic (for a training run: of the recipe). */
  readonly id: string;
  readonly title: string;
  readonly question: string;
  readonly outcome: Outcome;
  /** Where outcome is not 'measured': what and why, in one sentence. */
  readonly reason?: { readonly code: string; readonly sentence: string };
  /** Stable names in the field's terms → unrounded numbers. */
  readonly headline: Readonly<Record<string, number>>;
  /** Intervals of headline numbers, for gates and display. */
  readonly intervals: Readonly<Record<string, Interval>>;
  readonly cards: readonly Card[];
  /** One plain paragraph: how to read this, and what would change the decision. */
  readonly guide: string;
  readonly notes: readonly string[];
  /** Rows that selections and tables of the cards name, bounded. */
  readonly samples: readonly SampleView[];
  readonly provenance: Provenance;
}
