import { Fault } from '../../base/fault.ts';

export type Layout = 'anchors' | 'classes-first' | 'channels';

/** Where the score of a class at an anchor stands in a row of a dense tensor. */
export interface DenseLayout {
  readonly anchors: number;
  readonly classes: number;
  at(anchor: number, c: number): number;
  /** Which of `length` biases is added to it; undefined where that cannot be told. */
  bias(length: number): ((anchor: number, c: number) => number) | undefined;
}

const due: Readonly<Record<Layout, string>> = {
  anchors: '[anchors, classes] or [anchors]',
  'classes-first': '[classes, anchors]',
  channels: '[k · classes, height, width] with the number of classes given',
};

/** Anchors of channels run over height, width, then those of a place, as RetinaNet lays them out. */
export const denseLayout = (tensor: string, shape: readonly number[], layout: Layout, given: number): DenseLayout => {
  const dims = layout === 'channels' ? shape : shape.filter((d, i) => d !== 1 || i === 0 || i === shape.length - 1);
  const bad = (): never => {
    throw new Fault('diagnostic/dense-shape', { tensor, shape: `[${shape.join(', ')}]`, layout, due: due[layout] });
  };
  if (layout === 'channels') {
    const [channels, height, width] = dims;
    const classes = given || 1;
    if (dims.length !== 3 || channels % classes !== 0) return bad();
    const each = channels / classes;
    const plane = height * width;
    return {
      anchors: plane * each,
      classes,
      at: (anchor, c) => ((anchor % each) * classes + c) * plane + Math.floor(anchor / each),
      bias: (length) => (length === channels ? (anchor, c) => (anchor % each) * classes + c : undefined),
    };
  }
  if (dims.length === 0 || dims.length > 2 || (layout === 'classes-first' && dims.length !== 2)) return bad();
  const first = layout === 'classes-first';
  const classes = dims.length === 1 ? 1 : first ? dims[0] : dims[1];
  const anchors = first ? dims[1] : dims[0];
  if (given !== 0 && given !== classes) return bad();
  return {
    anchors,
    classes,
    at: first ? (anchor, c) => c * anchors + anchor : (anchor, c) => anchor * classes + c,
    bias: (length) =>
      length === classes
        ? (_, c) => c
        : !first && length % classes === 0
          ? (anchor, c) => (anchor % (length / classes)) * classes + c
          : undefined,
  };
};
