import { floatOf, intOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import { type Emit, float } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Rule, Rules, Site } from '../rule.ts';
import { axisOf, castLike, dimsOf, dtypeOf, isPlain, mean, num, onesLike, rankOf, sumTo, zerosLike } from '../shapes.ts';
import { channelSums } from './convolution-window.ts';

/** Per-channel values laid along axis 1 of `x`. */
const along = (emit: Emit, v: string, x: string): string =>
  emit.Reshape(v, emit.ints(Array.from({ length: rankOf(emit, x) ?? 2 }, (_, i) => (i === 1 ? -1 : 1))));
const others = (emit: Emit, x: string): readonly number[] => [0, ...Array.from({ length: (rankOf(emit, x) ?? 2) - 2 }, (_, i) => i + 2)];
const inverse = (emit: Emit, variance: string, node: Node): string =>
  emit.Reciprocal(emit.Sqrt(emit.Add(variance, num(emit, floatOf(node, 'epsilon', 1e-5), variance))));

/** Inference: y = (x − m)·r·s + b with r = (v + ε)^{−1/2}; running statistics are inputs like any other. */
const inference: Rule = {
  back: [
    (emit, g, { x: [x, s, , , v], node }) => emit.Mul(g, along(emit, emit.Mul(s, inverse(emit, v, node)), x)),
    (emit, g, site) => centred(emit, g, site, inverse(emit, site.x[4], site.node)),
    (emit, g) => channelSums(emit, g),
    (emit, g, { x: [, s, , , v], node }) => emit.Neg(emit.Mul(channelSums(emit, g), emit.Mul(s, inverse(emit, v, node)))),
    (emit, g, site) => {
      const [, s, , , v] = site.x;
      const r = inverse(emit, v, site.node);
      return emit.Mul(centred(emit, g, site, emit.Mul(emit.Mul(r, r), r)), emit.Mul(num(emit, -0.5, s), s));
    },
  ],
};
/** f·Σ g(x − m), the sum over all axes but the channels'. */
const centred = (emit: Emit, g: string, { x: [x, , , m] }: Site, f: string): string =>
  emit.Mul(f, emit.Sub(channelSums(emit, emit.Mul(g, x)), emit.Mul(m, channelSums(emit, g))));

/** Training, written out: statistics of the batch, the population variance; running ones blended by `momentum`. */
const written = (emit: Emit, { x: [x, s, b, m, v], y, node }: Site): readonly string[] => {
  const axes = others(emit, x);
  const mu = mean(emit, x, axes);
  const d = emit.Sub(x, mu);
  const variance = mean(emit, emit.Mul(d, d), axes);
  const scaled = emit.Mul(d, emit.Mul(inverse(emit, variance, node), along(emit, s, x)));
  const keep = floatOf(node, 'momentum', 0.9);
  const blend = (running: string, now: string): string =>
    emit.Add(emit.Mul(num(emit, keep, running), running), emit.Mul(num(emit, 1 - keep, running), emit.Reshape(now, emit.ints([-1]))));
  return [emit.Add(scaled, along(emit, b, x)), y[1] ? blend(m, mu) : '', y[2] ? blend(v, variance) : ''];
};

/** s·x + b with one s and b for each channel: what the operator does at inference, in one pass, with a mean of 0 and a variance of 1. */
const affine = (emit: Emit, x: string, s: string, b: string): string => {
  const channels = dimsOf(emit, x)?.[1];
  if (typeof channels !== 'number' || !isPlain(emit, x)) return emit.Add(emit.Mul(x, along(emit, s, x)), along(emit, b, x));
  const fill = (value: number): string => emit.constant(constantOf(dtypeOf(emit, x), [channels], new Float64Array(channels).fill(value)));
  const out = emit.call('BatchNormalization', [x, s, b, fill(0), fill(1)], { epsilon: float(0) });
  const type = emit.type(x);
  return type ? emit.typed(out, type) : out;
};

/** x − μ, and the variance of the batch for each channel. Without momentum the node's own outputs are those statistics. */
const centre = (emit: Emit, { x: [x, s], y: [, m, v], node }: Site): { readonly d: string; readonly variance: string } => {
  const axes = others(emit, x);
  const level = (mu: string): string => affine(emit, x, onesLike(emit, mu), emit.Neg(mu));
  if (floatOf(node, 'momentum', 0.9) !== 0 || !m || !v) {
    const d = level(mean(emit, x, axes, 0));
    return { d, variance: mean(emit, emit.Mul(d, d), axes, 0) };
  }
  const type = emit.type(s);
  if (type) for (const statistic of [m, v]) emit.typed(statistic, type);
  const d = level(emit.means(m, 'ReduceMean', [x, emit.ints(axes)], { keepdims: 0 }));
  return { d, variance: emit.means(v, 'ReduceMean', [emit.Mul(d, d), emit.ints(axes)], { keepdims: 0 }) };
};

/**
 * y = s·r·d + b with d = x − μ and r = (v + ε)^{−1/2}, over M elements of each channel: to s it is r·Σ g·d, to b Σ g, to x
 * s·r·(g − Σ g/M − d·r²·Σ g·d/M), whose factor a convolution takes to its weights.
 */
const training: Rule = {
  flow(emit, site, wanted, within) {
    const { x: inputs, g: arrived, node } = site;
    const [x, s, b] = inputs;
    const [g] = arrived;
    if (!g || arrived[1] || arrived[2]) {
      const seeds = written(emit, site).flatMap((value, i) => (value && arrived[i] ? [[value, arrived[i]] as const] : []));
      return Array.from(within.pull(emit, new Map(seeds), new Set(wanted))).filter(([value]) => wanted.includes(value));
    }
    const { d, variance } = centre(emit, site);
    const r = inverse(emit, variance, node);
    const level = channelSums(emit, g);
    const tilt = emit.Mul(r, channelSums(emit, emit.Mul(g, d)));
    const back = (): string => {
      const scale = emit.Mul(s, r);
      const channels = dimsOf(emit, s)?.[0];
      const size = typeof channels === 'number' ? num(emit, channels, x) : castLike(emit, emit.Size(s), x);
      const per = emit.Div(size, castLike(emit, emit.Size(x), x));
      const rest = affine(emit, d, emit.Mul(per, emit.Mul(r, tilt)), emit.Mul(per, level));
      const centred = emit.Sub(g, rest);
      return emit.means(affine(emit, centred, scale, zerosLike(emit, scale)), 'Mul', [centred, along(emit, scale, x)]);
    };
    const found: Readonly<Record<string, () => string>> = { [b]: () => level, [s]: () => tilt, [x]: back };
    return wanted.flatMap((value) => (found[value] ? [[value, found[value]()] as const] : []));
  },
};

/** The parts of (x − μ)·r over `axes`: x̂ and r. */
const standard = (emit: Emit, x: string, axes: readonly number[], node: Node): { readonly hat: string; readonly r: string } => {
  const d = emit.Sub(x, mean(emit, x, axes));
  const r = inverse(emit, mean(emit, emit.Mul(d, d), axes), node);
  return { hat: emit.Mul(d, r), r };
};
/** r·(u − mean u − x̂·mean(u·x̂)) */
const unstandard = (emit: Emit, u: string, { hat, r }: { readonly hat: string; readonly r: string }, axes: readonly number[]): string => {
  const level = mean(emit, u, axes);
  const slope = mean(emit, emit.Mul(u, hat), axes);
  return emit.Mul(r, emit.Sub(emit.Sub(u, level), emit.Mul(hat, slope)));
};

const trailing = (emit: Emit, site: Site): readonly number[] => {
  const axis = axisOf(emit, site, -1);
  return Array.from({ length: (rankOf(emit, site.x[0]) ?? axis + 1) - axis }, (_, i) => axis + i);
};
/** Mean and inverse deviation as the operator itself gives them, of a node that is there and makes float32. */
const layerStatistics = (
  emit: Emit,
  { node, x: [x], y: [y] }: Site,
  axes: readonly number[],
): readonly [mean: string, r: string] | undefined => {
  const made = emit.producer(y);
  if (made?.op !== 'LayerNormalization' || made.domain !== '' || dtypeOf(emit, x) !== 'float32' || !isPlain(emit, x)) return undefined;
  if (made.outputs.length === 3) return [made.outputs[1], made.outputs[2]];
  const dims = dimsOf(emit, x);
  if (!dims || !emit.nodes.includes(made)) return undefined;
  const dtype = 'float32';
  const kept = { kind: 'tensor', dtype, dims: dims.map((d, i) => (axes.includes(i) ? 1 : d)) } as const;
  const [m, r] = ['mean', 'inverse'].map((what) => emit.typed(emit.fresh(`${y}.${what}`), kept));
  emit.replace(made, { ...made, outputs: [y, m, r] });
  emit.means(m, 'ReduceMean', [x, emit.ints(axes)], { keepdims: 1 });
  const d = emit.Sub(x, m);
  emit.means(r, 'Reciprocal', [emit.Sqrt(emit.Add(mean(emit, emit.Mul(d, d), axes), num(emit, floatOf(node, 'epsilon', 1e-5), x)))]);
  return [m, r];
};
const layerStandard = (emit: Emit, site: Site): ReturnType<typeof standard> => {
  const [x] = site.x;
  const axes = trailing(emit, site);
  const statistics = layerStatistics(emit, site, axes);
  if (!statistics) return standard(emit, x, axes, site.node);
  const [m, r] = statistics;
  return { hat: emit.Mul(emit.Sub(x, m), r), r };
};
const layer = (node: Node, emit: Emit): Rule =>
  // Mean and InvStdDev are outputs too; where something else reads them, the whole is written out.
  node.outputs.slice(1).some((y) => y && emit.meaning(y) === node)
    ? {
        as: (emit, site) => {
          const { hat, r } = standard(emit, site.x[0], trailing(emit, site), node);
          const scaled = emit.Mul(hat, site.x[1]);
          return [site.x[2] ? emit.Add(scaled, site.x[2]) : scaled, mean(emit, site.x[0], trailing(emit, site)), r];
        },
      }
    : {
        back: [
          (emit, g, site) => unstandard(emit, emit.Mul(g, site.x[1]), layerStandard(emit, site), trailing(emit, site)),
          (emit, g, site) => sumTo(emit, emit.Mul(g, layerStandard(emit, site).hat), site.x[1]),
          (emit, g, { x: [, , b] }) => sumTo(emit, g, b),
        ],
      };

const spatial = (emit: Emit, x: string): readonly number[] => others(emit, x).slice(1);
const instance: Rule = {
  back: [
    (emit, g, { x: [x, s], node }) => {
      const axes = spatial(emit, x);
      return unstandard(emit, emit.Mul(g, along(emit, s, x)), standard(emit, x, axes, node), axes);
    },
    (emit, g, { x: [x], node }) => channelSums(emit, emit.Mul(g, standard(emit, x, spatial(emit, x), node).hat)),
    (emit, g) => channelSums(emit, g),
  ],
};

/** Channels in groups, each standardised over its channels and the spatial axes; scale per channel (opset 21) or group (18). */
const group: Rule = {
  as: (emit, { x: [x, s, b], node }) => {
    const groups = intOf(node, 'num_groups', 1);
    const rows = emit.Reshape(x, emit.ints([0, groups, -1]));
    const hat = emit.Reshape(standard(emit, rows, [2], node).hat, emit.Shape(x));
    const channels = dimsOf(emit, x)?.[1];
    const perGroup = typeof channels === 'number' && dimsOf(emit, s)?.[0] !== channels;
    const each = (v: string): string =>
      perGroup ? emit.Reshape(emit.Expand(emit.Unsqueeze(v, emit.ints([1])), emit.ints([groups, channels / groups])), emit.ints([-1])) : v;
    const type = emit.type(x);
    const typed = type ? emit.typed(hat, type) : hat;
    return [emit.Add(emit.Mul(typed, along(emit, each(s), x)), along(emit, each(b), x))];
  },
};

/** x·(mean x² + ε)^{−1/2}·s over the trailing axes. */
export const rms = (emit: Emit, x: string, s: string, axes: readonly number[], epsilon: number): string => {
  const power = mean(emit, emit.Mul(x, x), axes);
  return emit.Mul(emit.Mul(x, emit.Reciprocal(emit.Sqrt(emit.Add(power, num(emit, epsilon, x))))), s);
};

export const normalisation: Rules = {
  BatchNormalization: (node) => (intOf(node, 'training_mode', 0) === 1 ? training : inference),
  InstanceNormalization: instance,
  LayerNormalization: layer,
  GroupNormalization: group,
  RMSNormalization: { as: (emit, site) => [rms(emit, site.x[0], site.x[1], trailing(emit, site), floatOf(site.node, 'epsilon', 1e-5))] },
  // (x − E x)/√(E x² − (E x)²)
  MeanVarianceNormalization: {
    as: (emit, { x: [x], node }) => {
      const given = node.attributes.axes;
      const axes = given?.type === 'ints' ? given.value : [0, 2, 3];
      const d = emit.Sub(x, mean(emit, x, axes));
      return [emit.Div(d, emit.Add(emit.Sqrt(mean(emit, emit.Mul(d, d), axes)), num(emit, 1e-9, x)))];
    },
  },
  LpNormalization: {
    as: (emit, site) => {
      const [x] = site.x;
      const axes = emit.ints([axisOf(emit, site, -1)]);
      const norm = emit.call(intOf(site.node, 'p', 2) === 1 ? 'ReduceL1' : 'ReduceL2', [x, axes], { keepdims: 1 });
      return [emit.Div(x, norm)];
    },
  },
};
