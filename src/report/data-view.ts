import type { DataRef, Device, ModelRef } from '../base/request.ts';
import type { FilterColumn } from './row-filter.ts';

/** Tasks of the data editor. */
export interface DataTasks {
  /** What a dataset holds. */
  data: { readonly ask: DataSubject; readonly give: DataFacts };
  /** Its rows in an order, by slices, one by one, and what the values of its arrays are like. */
  dataSelection: { readonly ask: SelectionRequest; readonly give: DataSelection };
  dataSlice: { readonly ask: SliceRequest; readonly give: DataSlice };
  dataRow: { readonly ask: RowRequest; readonly give: DataRow };
  dataArrays: { readonly ask: DataSubject; readonly give: readonly ArrayFacts[] };
  /** Prediction, confidence and loss of every row, written to a file of columns. */
  predict: { readonly ask: PredictRequest; readonly give: PredictedFacts };
  /** Small attributions of the rows in view; rows outside of the split have none. */
  attributionMaps: { readonly ask: MapsRequest; readonly give: readonly AttributionMap[] };
}

/** A dataset as the data editor looks at it. */
export interface DataSubject {
  readonly data: DataRef;
  /** Changes with the file: what was kept of an earlier one is read anew. */
  readonly stamp: string;
  /** A file that task `predict` wrote: its columns stand beside the data's own. */
  readonly predictions?: string;
}
export type DataRole = 'row' | 'label' | 'prediction' | 'confidence' | 'loss';
export interface DataColumn extends FilterColumn {
  readonly dtype: string;
  /** Shape of one row; [] where it is a single value. */
  readonly dims: readonly number[];
  readonly role?: DataRole;
  /** Size in which a flat row may be drawn as a picture. */
  readonly square?: { readonly height: number; readonly width: number; readonly channels: 1 | 3 };
}
/** An array of the file, or a column. */
export interface DataArray {
  readonly name: string;
  readonly dtype: string;
  /** With the rows first. */
  readonly dims: readonly number[];
  /** Why it cannot be read. */
  readonly refused?: string;
  /** It has another length than the rows shown. */
  readonly apart?: true;
}
export interface DataFacts {
  readonly name: string;
  readonly format: string;
  /** Rows of the file, and of the split. */
  readonly length: number;
  readonly rows: number;
  readonly columns: readonly DataColumn[];
  readonly arrays: readonly DataArray[];
  /** The table holds class scores or predictions of its own. */
  readonly scored: boolean;
  readonly predictions?: PredictedFacts;
  readonly notes: readonly string[];
}

export interface SelectionRequest extends DataSubject {
  /** '' keeps all rows. */
  readonly filter: string;
  /** Rows without a value come last; file order where absent. */
  readonly sort?: { readonly column: string; readonly descending: boolean };
}
/** A class or text of the label column, with its rows in the data and among those kept. */
export interface BalanceClass {
  readonly name: string;
  /** As a filter writes it. */
  readonly value: number | string;
  readonly all: number;
  readonly kept: number;
}
export interface DataBalance {
  readonly column: string;
  readonly classes: readonly BalanceClass[];
  /** How many classes there are; only the first thousand are told. */
  readonly total: number;
  readonly missing: { readonly all: number; readonly kept: number };
}
export interface DataSelection {
  readonly count: number;
  /** Rows of the file in their order; absent where that is all of them in file order. */
  readonly rows?: Uint32Array;
  /** Absent where no column holds classes. */
  readonly balance?: DataBalance;
}

export interface SliceRequest extends DataSubject {
  /** Rows of the file. */
  readonly rows: Uint32Array;
  readonly columns: readonly string[];
  /** Those of the columns whose flat rows are drawn as pictures. */
  readonly squares: readonly string[];
}
export interface RawPicture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly pixels: Uint8ClampedArray;
}
/** One column of a slice. Text is cut to what a cell shows. */
export type DataCells =
  | { readonly kind: 'numbers'; readonly values: Float64Array }
  | { readonly kind: 'text'; readonly values: readonly string[] }
  /** The first `width` values of each row. */
  | { readonly kind: 'vectors'; readonly width: number; readonly values: Float32Array }
  /** Null where a picture cannot be read. */
  | { readonly kind: 'pictures'; readonly pictures: readonly (RawPicture | null)[] };
export interface DataSlice {
  readonly rows: Uint32Array;
  readonly columns: readonly string[];
  readonly cells: readonly DataCells[];
}

export interface RowRequest extends DataSubject {
  readonly row: number;
  readonly squares: readonly string[];
}
/** All of one row: `values` holds the first of many numbers. */
export interface DataRow {
  readonly row: number;
  readonly fields: readonly {
    readonly name: string;
    readonly dims: readonly number[];
    readonly text?: string;
    readonly values?: Float64Array;
    readonly total: number;
    readonly picture?: RawPicture;
    /** Why it cannot be read. */
    readonly problem?: string;
  }[];
}

/** What the values of one array are like; numbers only of those that are finite. */
export interface ArrayFacts {
  readonly name: string;
  readonly count: number;
  readonly missing: number;
  readonly infinite: number;
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
}

export interface PredictRequest {
  /** Absent where the data are a table of predictions. */
  readonly model?: ModelRef;
  readonly data: DataRef;
  /** The file that is written. */
  readonly out: string;
  readonly device: Device;
  readonly seed: number;
}
export interface PredictedFacts {
  /** File name of the model; absent for a table of predictions. */
  readonly model?: string;
  readonly classes: readonly string[];
  readonly device: string;
  readonly rows: number;
  readonly notes: readonly string[];
}

export interface MapsRequest {
  readonly model: ModelRef;
  readonly data: DataRef;
  readonly device: Device;
  readonly seed: number;
  readonly method: string;
  readonly rows: readonly number[];
}
/** Signed values, one line of them where rows are no pictures. */
export interface AttributionMap {
  readonly row: number;
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
  /** |value| drawn at full strength. */
  readonly scale: number;
}
