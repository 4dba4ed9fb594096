import { Fault } from '../../base/fault.ts';
import type { ImageAxes } from '../../base/image.ts';
import type { LayerFacts, ModelGradients } from '../../evidence/evidence.ts';
import type { EmbeddedSamples } from './embedded.ts';

/** Feature maps of a layer: [C, H, W]; of a signal or a text [C, L], or [L, C] where `last`, a map of height 1. */
export interface FeatureMaps {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Channels are the last axis, as in transformers. */
  readonly last: boolean;
}

/** What maps of a layer lie over: a picture, or a signal or text, which has one axis. */
export interface Ground {
  readonly axes?: ImageAxes;
  /** Tokens of a row, where it is text. */
  readonly tokens?: number;
}

export const groundOf = (axes: ImageAxes | undefined, { embedding }: Pick<EmbeddedSamples, 'embedding'>): Ground => ({
  ...(axes ? { axes } : {}),
  ...(embedding ? { tokens: embedding.tokens } : {}),
});

const convolutions = new Set(['Conv', 'ConvTranspose', 'FusedConv', 'ConvInteger', 'QLinearConv']);

/** Undefined for units that stand nowhere: over a picture all but [C, H, W], so also the tokens of a vision transformer. */
export const featureMaps = (
  { name, dims }: Pick<LayerFacts, 'name' | 'dims'>,
  { axes, tokens }: Ground,
  layers: readonly LayerFacts[],
): FeatureMaps | undefined => {
  if (dims.length === 3) return { channels: dims[0], height: dims[1], width: dims[2], last: false };
  if (dims.length !== 2 || axes) return undefined;
  const [first, second] = dims;
  // Convolutions have channels first; of a text without them, tokens come first.
  const convolved = (): boolean => layers.slice(0, layers.findIndex((l) => l.name === name) + 1).some((l) => convolutions.has(l.op));
  const last = tokens !== undefined && (first === tokens) !== (second === tokens) ? first === tokens : tokens !== undefined && !convolved();
  return last ? { channels: second, height: 1, width: first, last } : { channels: first, height: 1, width: second, last };
};

/** Values [n, C·area] with channels first, whichever axis they were. */
export const channelsFirst = (values: Float64Array, { channels, height, width, last }: FeatureMaps): Float64Array => {
  if (!last) return values;
  const area = height * width;
  const out = new Float64Array(values.length);
  for (let k = 0; k < values.length; k++) {
    const within = k % (channels * area);
    out[k - within + (within % channels) * area + Math.floor(within / channels)] = values[k];
  }
  return out;
};

const pools = new Set(['MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool', 'LpPool', 'ReduceMean']);
/** After these an activation is no longer laid out as the convolution's was. */
const rearranging = new Set(['Reshape', 'Flatten', 'Transpose', 'Squeeze', 'Unsqueeze', 'Split', 'MatMul', 'Gemm', 'Softmax', 'Einsum']);

/** The last feature maps before pooling and flattening: those that follow the last convolution, or where there is none the last of all. */
const lastMaps = (layers: readonly LayerFacts[], ground: Ground): LayerFacts | undefined => {
  const fits = (l: LayerFacts): boolean => {
    const maps = featureMaps(l, ground, layers);
    return maps !== undefined && maps.height * maps.width > 1;
  };
  const from = layers.findLastIndex((l) => convolutions.has(l.op) && fits(l));
  const steps = (l: LayerFacts): boolean => pools.has(l.op) || rearranging.has(l.op);
  if (from < 0) return ground.axes ? undefined : layers.findLast((l) => fits(l) && !steps(l));
  const rest = layers.slice(from);
  const end = rest.findIndex(steps);
  return rest.slice(0, end < 0 ? rest.length : end).findLast(fits);
};

/** The layer named, else the last feature maps (with `spatial` it must have such), else the last hidden layer. */
export const layerOf = ({ layers }: ModelGradients, name: string, spatial: boolean, ground: Ground): LayerFacts => {
  if (name !== '') {
    const known = layers.map((l) => l.name);
    const found = layers.find((l) => l.name === name);
    if (!found) throw new Fault('diagnostic/layer', { layer: name, known });
    if (spatial && !featureMaps(found, ground, layers))
      throw new Fault('diagnostic/layer-rank', { layer: name, shape: `[N${found.dims.map((d) => `,${d}`).join('')}]` });
    return found;
  }
  const found = lastMaps(layers, ground) ?? (spatial ? undefined : layers.at(-2));
  if (!found)
    throw new Fault('diagnostic/no-feature-maps', { layers: layers.map((l) => `${l.name} [N${l.dims.map((d) => `,${d}`).join('')}]`) });
  return found;
};
