import { sizeOf } from '../../base/tensor.ts';
import type { LayerFacts, PointRequest } from '../../evidence/evidence.ts';
import { baselinesOf } from './baselines.ts';
import { copiesOf } from './hiding.ts';
import { channelsFirst, type FeatureMaps, featureMaps, groundOf } from './layers.ts';
import {
  type Attributed,
  type AttributionMethod,
  completenessOf,
  type Grid,
  type MethodContext,
  type MethodsOf,
  type Question,
} from './method.ts';
import { integratedGradients } from './method-path.ts';
import { rules } from './quadrature.ts';
import { upsample } from './upsample.ts';

/** Values of a layer, or of its inputs, asked about at once. */
const LAYER_VALUES = 4_000_000;

const mapsOf = (
  layer: LayerFacts,
  { gradient, axes, samples }: Pick<MethodContext, 'gradient' | 'axes' | 'samples'>,
): FeatureMaps | undefined => featureMaps(layer, groundOf(axes, samples), gradient.layers);

/** A layer's values as a map over the input, channels summed, or as its units. */
const onGrid = (
  values: Float64Array,
  rows: number,
  { name: layer, dims }: LayerFacts,
  maps: FeatureMaps | undefined,
  { axes, samples }: MethodContext,
): Pick<Attributed, 'values' | 'grid'> => {
  const size = values.length / rows;
  const target = axes ?? signalAxes(samples.inputDims);
  if (!maps || !target) return { values, grid: { kind: 'units', layer, dims } };
  const area = maps.height * maps.width;
  const grid: Grid = { kind: 'map', height: target.height, width: target.width };
  const out = new Float64Array(rows * target.height * target.width);
  const first = size === area ? values : channelsFirst(values, maps);
  for (let b = 0; b < rows; b++) {
    const sum = new Float64Array(area);
    for (let k = 0; k < size; k++) sum[k % area] += first[b * size + k];
    out.set(upsample(sum, maps.height, maps.width, target.height, target.width), b * target.height * target.width);
  }
  return { values: out, grid };
};

/** A row [C, L] or [L] of a signal is a picture of height 1. */
const signalAxes = (dims: readonly number[]): { readonly height: number; readonly width: number } | undefined => {
  const length = dims.at(-1);
  return dims.length <= 2 && length !== undefined && length > 1 ? { height: 1, width: length } : undefined;
};

/** The rows of the question, or other points in their place. */
const pointsAt = ({ x, targets, against, inputs }: Question, points = x): PointRequest => ({
  points,
  targets,
  ...(against ? { against } : {}),
  ...(inputs ? { inputs } : {}),
});

interface Cam {
  /** Weight of each channel from its activation and gradient maps. */
  weights(activation: Float64Array, gradient: Float64Array): number;
}

/** ReLU(Σ_c α_c·h_c) at the layer, upsampled (Selvaraju et al. 2017, eq. 2). */
const cam = (meaning: string, { weights }: Cam): AttributionMethod => ({
  kind: 'importance',
  meaning,
  async run(context) {
    const { gradient: tool, scale, question, job } = context;
    const layer = context.layer(true);
    const { name } = layer;
    const maps = mapsOf(layer, context) ?? { channels: 1, height: 1, width: 1, last: false };
    const area = maps.height * maps.width;
    const at = await tool.layer({ ...scale, at: name }, pointsAt(question), job.signal);
    const n = question.targets.length;
    const values = new Float64Array(n * area);
    const [activation, slope] = [channelsFirst(at.activation, maps), channelsFirst(at.gradient, maps)];
    for (let b = 0; b < n; b++) {
      const map = values.subarray(b * area, (b + 1) * area);
      for (let c = 0; c < maps.channels; c++) {
        const from = (b * maps.channels + c) * area;
        const h = activation.subarray(from, from + area);
        const alpha = weights(h, slope.subarray(from, from + area));
        for (let k = 0; k < area; k++) map[k] += alpha * h[k];
      }
      for (let k = 0; k < area; k++) map[k] = Math.max(0, map[k]);
    }
    const shown = onGrid(values, n, layer, maps, context);
    return {
      found: { ...shown, output: at.values },
      how: [{ label: 'Layer', value: `${name} (${maps.channels} maps of ${maps.height} × ${maps.width})` }],
    };
  },
});

const mean = (g: Float64Array): number => g.reduce((sum, v) => sum + v, 0) / g.length;
/**
 * Σ α·ReLU(∂f/∂h), α = g²/(2g² + Σh·g³) (Chattopadhay et al. 2018, eq. 19; their Y is exp f, whose factor, the same for a whole
 * map, is left out).
 */
const plusPlus = (h: Float64Array, g: Float64Array): number => {
  const total = h.reduce((sum, v) => sum + v, 0);
  return g.reduce((sum, v) => {
    const below = 2 * v * v + total * v * v * v;
    return sum + (below === 0 ? 0 : (v * v * Math.max(0, v)) / below);
  }, 0);
};

const layerNote = (name: string, dims: readonly number[]): { readonly label: string; readonly value: string } => ({
  label: 'Layer',
  value: `${name} [${dims.join(' × ')}]`,
});

export const layerMethods: MethodsOf<
  'grad-cam' | 'grad-cam-plus-plus' | 'layer-gradient-x-activation' | 'layer-integrated-gradients' | 'layer-conductance'
> = {
  'grad-cam': cam(
    'Grad-CAM shows which regions of the last feature maps speak for the class; it cannot show detail finer than those maps, nor what speaks against the class',
    { weights: (_, g) => mean(g) },
  ),
  'grad-cam-plus-plus': cam(
    'Grad-CAM++ weighs each place of the feature maps by itself, so several instances of a class show up together; it cannot show detail finer than those maps',
    { weights: plusPlus },
  ),
  'layer-gradient-x-activation': {
    kind: 'contributions',
    meaning: 'Values are what each unit of the layer contributes to first order; the layer’s own meaning is not shown',
    async run(context) {
      const { gradient: tool, scale, question, job } = context;
      const layer = context.layer(false);
      const { name, dims } = layer;
      const at = await tool.layer({ ...scale, at: name }, pointsAt(question), job.signal);
      const values = at.gradient.map((g, k) => g * at.activation[k]);
      return {
        found: { ...onGrid(values, question.targets.length, layer, mapsOf(layer, context), context), output: at.values },
        how: [layerNote(name, dims)],
      };
    },
  },
  'layer-integrated-gradients': {
    kind: 'contributions',
    meaning:
      'The path runs in the layer, from its values at the baseline to those at the sample: each value is what a unit contributes on the way',
    async run(context) {
      const { gradient: tool, scale, question, samples, rows, axes, chosen, job } = context;
      const layer = context.layer(false);
      const { name, dims } = layer;
      const { all, name: baseline } = await baselinesOf(chosen.baseline, question.x, samples, rows, axes, job);
      const at = async (points: Float32Array): Promise<Float32Array> =>
        Float32Array.from((await tool.layer({ ...scale, at: name }, pointsAt(question, points), job.signal)).activation);
      const to = await at(question.x);
      const from: Float32Array[] = [];
      for (const b of all) from.push(await at(b));
      const inside = await context.tool({ at: name });
      const found = await integratedGradients(inside, question, from, chosen.quadrature, chosen.steps, job.signal, {
        d: sizeOf(dims),
        to,
      });
      const shown = onGrid(found.values, question.targets.length, layer, mapsOf(layer, context), context);
      return { found: { ...found, ...shown }, how: [layerNote(name, dims), { label: 'Baseline', value: baseline }] };
    },
  },
  'layer-conductance': {
    kind: 'contributions',
    meaning: 'Each value is how much of the change of the output flows through a unit on the way from the baseline to the sample',
    /** Σ_i ∂f/∂h(a_i)·(h(a_{i+1}) − h(a_i)), a_i = i/n (Dhamdhere, Sundararajan, Yan 2019, eq. 4). */
    async run(context) {
      const { gradient: tool, scale, question, samples, rows, axes, chosen, job } = context;
      const layer = context.layer(false);
      const { name, dims } = layer;
      const { x, targets, against, inputs } = question;
      const [n, size] = [targets.length, sizeOf(dims)];
      const d = x.length / n;
      const { all, name: baseline } = await baselinesOf(chosen.baseline, x, samples, rows, axes, job);
      const nodes = [...rules.riemann_left(chosen.steps).nodes, 1];
      const values = new Float64Array(n * size);
      const [output, start] = [new Float64Array(n), new Float64Array(n)];
      // Parts of a path share the node between them.
      const part = Math.max(2, Math.floor(LAYER_VALUES / Math.max(d, size)));
      for (const from of all)
        for (let b = 0; b < n; b++)
          for (let first = 0; first + 1 < nodes.length; first += part - 1) {
            const own = nodes.slice(first, first + part);
            const points = new Float32Array(own.length * d);
            own.forEach((a, i) => {
              for (let k = 0; k < d; k++)
                points[i * d + k] = a === 1 ? x[b * d + k] : from[b * d + k] + a * (x[b * d + k] - from[b * d + k]);
            });
            const repeat = (list: Int32Array): Int32Array => new Int32Array(own.length).fill(list[b]);
            const asked = {
              points,
              targets: repeat(targets),
              ...(against ? { against: repeat(against) } : {}),
              ...(inputs ? { inputs: copiesOf(inputs, b, n, own.length) } : {}),
            };
            const at = await tool.layer({ ...scale, at: name }, asked, job.signal);
            for (let i = 0; i + 1 < own.length; i++)
              for (let k = 0; k < size; k++)
                values[b * size + k] +=
                  (at.gradient[i * size + k] * (at.activation[(i + 1) * size + k] - at.activation[i * size + k])) / all.length;
            if (first === 0) start[b] += at.values[0] / all.length;
            output[b] = at.values[own.length - 1];
          }
      const completeness = completenessOf(values, output, start, new Int32Array(n).fill(chosen.steps));
      return {
        found: { ...onGrid(values, n, layer, mapsOf(layer, context), context), output, completeness },
        how: [layerNote(name, dims), { label: 'Baseline', value: baseline }],
      };
    },
  },
};
