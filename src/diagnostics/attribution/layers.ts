import { Fault } from '../../base/fault.ts';
import type { LayerFacts, ModelGradients } from '../../evidence/evidence.ts';

/** Feature maps of a layer: [C, H, W], or [C, L] of a signal, which is a map of height 1. */
export interface FeatureMaps {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export const featureMaps = (dims: readonly number[]): FeatureMaps | undefined =>
  dims.length === 3
    ? { channels: dims[0], height: dims[1], width: dims[2] }
    : dims.length === 2
      ? { channels: dims[0], height: 1, width: dims[1] }
      : undefined;

const pools = new Set(['MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool', 'LpPool', 'ReduceMean', 'Reshape', 'Transpose']);

/** The layer named, else the last feature map before pooling and flattening (with `spatial` it must be one), else the last hidden layer. */
export const layerOf = ({ layers }: ModelGradients, name: string, spatial: boolean): LayerFacts => {
  const fits = (l: LayerFacts): boolean => featureMaps(l.dims) !== undefined;
  if (name !== '') {
    const known = layers.map((l) => l.name);
    const found = layers.find((l) => l.name === name);
    if (!found) throw new Fault('diagnostic/layer', { layer: name, known });
    if (spatial && !fits(found))
      throw new Fault('diagnostic/layer-rank', { layer: name, shape: `[N${found.dims.map((d) => `,${d}`).join('')}]` });
    return found;
  }
  const maps = layers.filter((l) => (l.dims.length === 3 ? l.dims[1] * l.dims[2] > 1 : l.dims.length === 2 && l.dims[1] > 1));
  const found = maps.findLast((l) => !pools.has(l.op)) ?? (spatial ? undefined : layers.at(-2));
  if (!found)
    throw new Fault('diagnostic/no-feature-maps', { layers: layers.map((l) => `${l.name} [N${l.dims.map((d) => `,${d}`).join('')}]`) });
  return found;
};
