import { Fault } from '../base/fault.ts';
import { imageAxes } from '../base/image.ts';
import type { Job } from '../base/job.ts';
import { nearest } from '../base/nearest.ts';
import type { RunRequest } from '../base/request.ts';
import { readRows } from '../data/batches.ts';
import type { Column, Dataset } from '../data/define.ts';
import { gridOf, type Masks, masksByName, nearestMask, storedMasks } from '../data/mask.ts';
import { resized } from '../data/picture.ts';
import { toFloats } from '../data/values.ts';
import type { Bound } from '../evidence/bound.ts';
import { finiteCheck } from '../evidence/finite.ts';
import type { MappedImage, MapResize, MapsAsk, MapsOpener, MapsTool } from '../evidence/maps.ts';
import { batchRows } from '../evidence/plan.ts';
import type { Ports } from './ports.ts';
import { type OpenSubject, openSubject, type RunnableModel } from './subject.ts';

/** One map of each row asked for. */
interface MapSource {
  readonly name: string;
  take(
    positions: readonly number[],
    signal: AbortSignal,
  ): Promise<{ readonly maps: Float32Array | Float64Array; readonly height: number; readonly width: number }>;
}

const mapNames = ['maps', 'anomaly_maps', 'anomaly_map', 'map', 'heatmaps', 'heatmap'];
const maskNames = ['masks', 'mask', 'ground_truth', 'gt', 'gt_masks', 'gt_mask'];

const columnIn = ({ columns }: Dataset, names: readonly string[]): Column | undefined =>
  names.map((name) => columns.find((c) => c.name === name)).find((c) => c !== undefined);

const fromModel = (bound: Bound, model: RunnableModel): MapSource => ({
  name: model.name,
  async take(positions, signal) {
    const { x } = await bound.take(positions, signal);
    const output = x && (await model.outputs(x));
    const grid = output && gridOf(output.dims.slice(1));
    if (!output || !grid || output.dtype === 'string')
      throw new Fault('evidence/no-map', { output: model.ends.output, shape: `[${output?.dims.join(', ') ?? ''}]` });
    return { maps: toFloats(output), height: grid[0], width: grid[1] };
  },
});

const fromColumn = (bound: Bound, dataset: Dataset, column: Column): MapSource => {
  const grid = gridOf(column.dims);
  if (!grid) throw new Fault('data/no-grid', { path: dataset.path, column: column.name, dims: `[${column.dims.join(', ')}]` });
  return {
    name: dataset === bound.dataset ? column.name : (dataset.path.split(/[\\/]/).at(-1) ?? dataset.path),
    async take(positions, signal) {
      const [tensor] = await readRows(dataset, [column.name], Float64Array.from(positions, bound.rowAt), signal);
      return { maps: toFloats(tensor), height: grid[0], width: grid[1] };
    },
  };
};

const together = (
  map: Float32Array | Float64Array,
  grid: readonly [number, number],
  mask: Awaited<ReturnType<Masks['read']>>,
  row: number,
  resize: MapResize,
): MappedImage => {
  const [height, width] = grid;
  if (mask.height === height && mask.width === width) return { row, height, width, map, mask: mask.data };
  if (resize === 'off') throw new Fault('data/mask-size', { row, map: `${height}×${width}`, mask: `${mask.height}×${mask.width}` });
  if (resize === 'maps') {
    const axes = { layout: 'hw', height, width, channels: 1 } as const;
    return { row, height: mask.height, width: mask.width, map: resized(map, axes, mask.height, mask.width), mask: mask.data };
  }
  const small = nearestMask(mask, grid);
  if (!small.data.includes(1) && mask.data.includes(1)) throw new Fault('data/mask-vanished', { row, map: `${height}×${width}` });
  return { row, height, width, map, mask: small.data };
};

const toolOf = (bound: Bound, source: MapSource, masks: Masks, notes: readonly string[], job: Pick<Job, 'progress'>): MapsTool => ({
  name: source.name,
  notes,
  count: bound.count,
  async defects(signal) {
    const out = new Float64Array(bound.count);
    for (let i = 0; i < bound.count; i++) {
      signal.throwIfAborted();
      const { data } = await masks.read(bound.rowAt(i), signal);
      for (let k = 0; k < data.length; k++) out[i] += data[k];
      if (i % 16 === 0) job.progress((0.1 * i) / bound.count, `mask ${i + 1} of ${bound.count}`);
    }
    return out;
  },
  async *read(positions, resize, signal) {
    const step = Math.min(32, batchRows(bound));
    for (let from = 0; from < positions.length; from += step) {
      signal.throwIfAborted();
      const part = positions.slice(from, from + step);
      const { maps, height, width } = await source.take(part, signal);
      const rows = part.map(bound.rowAt);
      const check = finiteCheck(`maps of '${source.name}'`);
      check.add(maps, rows);
      check.finish();
      const size = height * width;
      for (const [i, row] of rows.entries())
        yield together(maps.subarray(i * size, (i + 1) * size), [height, width], await masks.read(row, signal), row, resize);
    }
  },
  async plain(row, signal) {
    const own = await bound.plain([row], signal);
    if (own) return own;
    const x = columnIn(bound.dataset, ['x', 'X', 'images', 'image']);
    if (!x || !imageAxes(x.dims)) return undefined;
    const [tensor] = await readRows(bound.dataset, [x.name], Float64Array.of(row), signal);
    return { values: Float64Array.from(toFloats(tensor)), dims: x.dims };
  },
});

/** Opens maps and masks for a study; what it opened besides the subject is closed with it. */
export const mapsTool = (
  open: OpenSubject,
  ask: RunRequest,
  ports: Ports,
  job: Job,
): { readonly tool: MapsOpener; close(): Promise<void> } => {
  const { bound } = open;
  const { dataset } = bound;
  const opened: { close(): Promise<void> }[] = [];
  const beside = async (path: string): Promise<Dataset> => {
    const found = await ports.dataset(path, job.signal);
    opened.push(found);
    return found;
  };
  /** The array of that name, or that of a file. */
  const arrayOf = async (name: string, usual: readonly string[]): Promise<readonly [Dataset, Column]> => {
    const own = dataset.columns.find((c) => c.name === name);
    if (own) return [dataset, own];
    const known = dataset.columns.map((c) => c.name);
    if (!/[\\/.]/.test(name)) throw new Fault('data/column', { path: dataset.path, name, nearest: nearest(name, known), known });
    const file = await beside(name);
    job.note(`'${name}' has SHA-256 ${await ports.sha256(name)}.`);
    const column = columnIn(file, [...usual, 'x']) ?? file.columns.find((c) => file.images ?? gridOf(c.dims));
    if (file.images && column) return [file, column];
    if (!column) throw new Fault('data/no-grid', { path: name, column: file.columns[0]?.name ?? '', dims: '[]' });
    if (file.length !== dataset.length)
      throw new Fault('data/array-rows', { path: name, name: column.name, found: file.length, rows: dataset.length });
    return [file, column];
  };
  const masksOf = async (name: string): Promise<Masks> => {
    const own = dataset.columns.find((c) => c.name === name);
    if (name === '') {
      if (dataset.images?.masks) return masksByName(dataset.path, dataset.images, dataset.images.masks);
      const usual = columnIn(dataset, maskNames);
      if (!usual) throw new Fault('evidence/no-masks', { path: dataset.path, known: dataset.columns.map((c) => c.name) });
      return storedMasks(dataset, usual);
    }
    if (own) return storedMasks(dataset, own);
    const [file, column] = await arrayOf(name, maskNames);
    if (!file.images) return storedMasks(file, column);
    if (!dataset.images) throw new Fault('data/masks-by-name', { path: name, data: dataset.path });
    return masksByName(name, dataset.images, file.images);
  };
  const mapsOf = async (name: string): Promise<MapSource> => {
    if (name !== '') return fromColumn(bound, ...(await arrayOf(name, mapNames)));
    if (open.model) return fromModel(bound, open.model);
    const usual = columnIn(dataset, mapNames);
    if (!usual) throw new Fault('evidence/no-maps', { path: dataset.path, known: dataset.columns.map((c) => c.name) });
    return fromColumn(bound, dataset, usual);
  };
  return {
    tool: {
      async open({ maps, masks }: MapsAsk) {
        const truth = await masksOf(masks);
        return toolOf(bound, await mapsOf(maps), truth, truth.notes, job);
      },
      async other({ masks }, name) {
        const truth = await masksOf(masks);
        if (!name.endsWith('.onnx')) return toolOf(bound, await mapsOf(name), truth, [], job);
        const second = await openSubject(
          {
            model: { path: name },
            data: ask.data,
            device: ask.device,
            bare: true,
            ...(ask.limit === undefined ? {} : { limit: ask.limit }),
          },
          ports,
          { ...job, note: (text) => job.note(`'${name}': ${text}`) },
        );
        opened.push(second);
        if (!second.model) throw new Fault('evidence/no-maps', { path: name, known: [] });
        const notes = second.modelSha256 ? [`'${name}' has SHA-256 ${second.modelSha256}.`] : [];
        return toolOf(second.bound, fromModel(second.bound, second.model), truth, notes, job);
      },
    },
    async close() {
      for (const one of opened) await one.close();
    },
  };
};
