/** The anomaly map of one image and the mask of its defects, on one grid. */
export interface MappedImage {
  /** Row number in the dataset. */
  readonly row: number;
  readonly height: number;
  readonly width: number;
  readonly map: Float64Array | Float32Array;
  /** 1 at pixels of a defect. */
  readonly mask: Uint8Array;
}

/** What is resized where maps and masks differ in size: masks to the nearest pixel, maps bilinearly; or nothing. */
export type MapResize = 'maps' | 'masks' | 'off';

/** Anomaly maps of a model, or stored with the data, beside masks of defects; one image at a time is in memory. */
export interface MapsTool {
  /** What makes the maps. */
  readonly name: string;
  /** What was assumed in finding maps and masks. */
  readonly notes: readonly string[];
  readonly count: number;
  /** Pixels of defects on each mask as stored; 0 where an image is normal. */
  defects(signal: AbortSignal): Promise<Float64Array>;
  /** Images by their positions, in that order. Throws `data/not-finite`, `data/mask-size`. */
  read(positions: readonly number[], resize: MapResize, signal: AbortSignal): AsyncGenerator<MappedImage, void, undefined>;
  /** The picture itself as values in the shape `dims`, where the data hold it. */
  plain(row: number, signal: AbortSignal): Promise<{ readonly values: Float64Array; readonly dims: readonly number[] } | undefined>;
}

/** Where maps and masks are: an array of the data or a file or folder; '' for the usual names. */
export interface MapsAsk {
  readonly maps: string;
  readonly masks: string;
}

export interface MapsOpener {
  open(ask: MapsAsk): Promise<MapsTool>;
  /** The same images and masks with the maps of another model, or another array. */
  other(ask: MapsAsk, name: string): Promise<MapsTool>;
}
