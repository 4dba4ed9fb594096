import type { ModelRef } from '../base/request.ts';
import type { ArrayFacts, AttributionMap, DataFacts, DataRow, DataSelection, DataSlice } from '../report/data-view.ts';

/** How a dataset is looked at; a page hands it to VS Code to keep. */
export interface DataLook {
  readonly filter: string;
  readonly sort?: { readonly column: string; readonly descending: boolean } | undefined;
  /** Array shown as rows, and column of labels, where they were chosen. */
  readonly x?: string | undefined;
  readonly y?: string | undefined;
  readonly model?: ModelRef | undefined;
}

/** Work that the user waits for, and can stop. */
export type DataWork = 'opening' | 'predicting' | 'counting';

/** Extension → page of the data editor. */
export type DataTell =
  /** What the file holds; everything of an earlier one is put away. */
  | {
      readonly kind: 'table';
      readonly facts: DataFacts;
      readonly trusted: boolean;
      readonly look: DataLook;
    }
  /** The order of rows now; slices of an earlier `generation` are out of date. */
  | { readonly kind: 'selection'; readonly generation: number; readonly look: DataLook; readonly selection: Omit<DataSelection, 'rows'> }
  | { readonly kind: 'slice'; readonly generation: number; readonly from: number; readonly slice: DataSlice }
  | { readonly kind: 'row'; readonly row: DataRow }
  | { readonly kind: 'arrays'; readonly facts: readonly ArrayFacts[] }
  | { readonly kind: 'maps'; readonly method: string; readonly maps: readonly AttributionMap[]; readonly without: readonly number[] }
  | { readonly kind: 'work'; readonly work: DataWork; readonly text?: string; readonly fraction?: number }
  /** What did not work; `of` says what it was asked for. */
  | { readonly kind: 'refused'; readonly of: 'filter' | 'row' | 'arrays' | 'maps' | 'predictions'; readonly sentence: string };

/** Page of the data editor → extension. */
export type DataAsk =
  /** First, and again whenever the page was loaded anew: how the data were looked at. */
  | { readonly kind: 'open'; readonly look: DataLook }
  | { readonly kind: 'look'; readonly look: DataLook }
  /** Rows by their places in the order; what was wanted before and is not here yet is no longer wanted. */
  | {
      readonly kind: 'slices';
      readonly generation: number;
      readonly squares: readonly string[];
      readonly wanted: readonly { readonly from: number; readonly to: number; readonly columns: readonly string[] }[];
    }
  | { readonly kind: 'row'; readonly row: number; readonly squares: readonly string[] }
  | { readonly kind: 'arrays' }
  | { readonly kind: 'maps'; readonly rows: readonly number[] }
  | { readonly kind: 'attach' | 'detach' | 'stop' }
  | { readonly kind: 'saliency'; readonly row: number };
