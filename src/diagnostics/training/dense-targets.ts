import { Fault } from '../../base/fault.ts';
import { type Boxes, matchAnchors } from '../../base/maths/anchor-match.ts';
import type { ColumnsTool, Values } from '../../evidence/evidence.ts';

export interface TargetOptions {
  readonly targets: string;
  readonly boxes: string;
  readonly boxClasses: string;
  readonly anchors: string;
  readonly boxFormat: 'xyxy' | 'xywh' | 'cxcywh';
  readonly foreground: number;
  readonly background: number;
  readonly lowQuality: boolean;
}

/** Class of every anchor of the image at a place of the data: −1 ignored, 0 background, else 1 and on. */
export type AnchorTargets = (place: number) => Int32Array;

const shapeOf = ({ dims }: Values): string => `[${dims.join(', ')}]`;

/** Corners of boxes; those whose `kept` says no are left as they are. */
const corners = (data: Float64Array, format: TargetOptions['boxFormat'], name: string, row: number): Boxes => {
  const out = data.slice();
  for (let i = 0; i < out.length; i += 4) {
    const [a, b, c, d] = data.subarray(i, i + 4);
    const found =
      format === 'xyxy' ? [a, b, c, d] : format === 'xywh' ? [a, b, a + c, b + d] : [a - c / 2, b - d / 2, a + c / 2, b + d / 2];
    if (!(found[2] > found[0] && found[3] > found[1]))
      throw new Fault('diagnostic/box', { name, row, box: `${a}, ${b}, ${c}, ${d}`, format });
    out.set(found, i);
  }
  return out;
};

const anchorsOf = async (columns: ColumnsTool, path: string, format: TargetOptions['boxFormat'], signal: AbortSignal): Promise<Boxes> => {
  const file = await columns.file(path, signal);
  const tables = file.list.filter((c) => c.dims.length === 2 && c.dims[1] === 4 && c.dtype !== 'string');
  if (tables.length !== 1)
    throw new Fault('data/corrupt', {
      path,
      where: 'its arrays',
      reason: `one of shape [anchors, 4] is due, and there are ${tables.length}`,
    });
  return corners((await file.read(tables[0].name, signal)).data, format, tables[0].name, 0);
};

/** From class numbers per anchor, or by matching boxes with anchors. */
export const anchorTargets = async (
  columns: ColumnsTool,
  options: TargetOptions,
  classes: number,
  anchors: number,
  signal: AbortSignal,
): Promise<AnchorTargets> => {
  const { targets, boxes, boxClasses, boxFormat } = options;
  const { rows } = columns;
  const classAt = (name: string, value: number, row: number, least: number): number => {
    if (Number.isNaN(value)) return 0;
    if (!Number.isInteger(value) || value < least || value > classes)
      throw new Fault('diagnostic/dense-class', { name, row, value, classes });
    return value;
  };
  if (targets !== '') {
    const found = await columns.take(targets, signal);
    const each = found.data.length / rows.length;
    if (each !== anchors) throw new Fault('diagnostic/dense-array', { name: targets, shape: shapeOf(found), due: `[rows, ${anchors}]` });
    return (p) => Int32Array.from(found.data.subarray(p * each, (p + 1) * each), (v) => classAt(targets, v, rows[p], -1));
  }
  if (options.background > options.foreground)
    throw new Fault('option/value', {
      name: 'background',
      value: String(options.background),
      expected: `at most foreground, ${options.foreground}`,
    });
  if (boxes === '' || boxClasses === '' || options.anchors === '') throw new Fault('diagnostic/dense-source', {});
  const own = await anchorsOf(columns, options.anchors, boxFormat, signal);
  if (own.length !== 4 * anchors)
    throw new Fault('diagnostic/dense-array', { name: options.anchors, shape: `[${own.length / 4}, 4]`, due: `[${anchors}, 4]` });
  const [places, kinds] = [await columns.take(boxes, signal), await columns.take(boxClasses, signal)];
  const many = kinds.data.length / rows.length;
  if (places.data.length !== 4 * kinds.data.length)
    throw new Fault('diagnostic/dense-array', { name: boxes, shape: shapeOf(places), due: `[rows, ${many}, 4]` });
  return (p) => {
    const kind = Array.from(kinds.data.subarray(p * many, (p + 1) * many), (v) => classAt(boxClasses, v, rows[p], -1));
    // A class of 0 or −1 fills up rows with fewer boxes than others.
    const real = kind.flatMap((c, i) => (c > 0 ? [i] : []));
    const data = Float64Array.from(real.flatMap((i) => Array.from(places.data.subarray(4 * (p * many + i), 4 * (p * many + i) + 4))));
    return matchAnchors(
      own,
      corners(data, boxFormat, boxes, rows[p]),
      real.map((i) => kind[i]),
      options,
    );
  };
};
