import { Fault } from '../base/fault.ts';
import { numbersOf } from './constant.ts';
import { type Probed, type ProbeOptions, probe, type RunGraph } from './probe.ts';
import { axisName } from './probe-feeds.ts';
import type { Constant, Model, TensorType } from './types.ts';

/** Half as long again: 8 → 12 for sequences, 64 → 96 for pictures, a past of 4 in place of none. */
const other = (length: number): number => Math.max(4, Math.round(1.5 * length));

const common = (a: TensorType, b: TensorType | undefined): TensorType => {
  const [s, t] = [a.dims, b?.dims];
  const { dims: _, ...bare } = a;
  return s && t && s.length === t.length ? { ...bare, dims: s.map((d, i) => (d === t[i] ? d : undefined)) } : bare;
};
const equal = (a: Constant, b: Constant | undefined): boolean =>
  b !== undefined && a.dims.join() === b.dims.join() && numbersOf(a).join() === numbersOf(b).join();

/**
 * What holds at every length of the free axes that no length is given for: what two lengths have in common. Those stay in
 * `axes` where the model does not run at a second length: then it all holds for the first only.
 */
export const probeAnyLength = async (model: Model, run: RunGraph, options: ProbeOptions): Promise<Probed> => {
  const one = await probe(model, run, options);
  const open = [...one.axes].filter(([name]) => options.axes?.[name] === undefined);
  if (open.length === 0) return one;
  const axes = { ...options.axes, ...Object.fromEntries(open.map(([name, length]) => [name, other(length)])) };
  const two = await probe(model, run, { ...options, axes }).catch((error: unknown) => {
    if (Fault.is(error, 'runtime/run')) return undefined;
    throw error;
  });
  if (!two) return one;
  return {
    ...one,
    types: new Map(Array.from(one.types, ([name, type]) => [name, common(type, two.types.get(name))])),
    contents: new Map([...one.contents].filter(([name, c]) => equal(c, two.contents.get(name)))),
    axes: new Map([...one.axes].filter(([name]) => options.axes?.[name] !== undefined)),
  };
};

/** The model whose inputs have these lengths on their free axes. */
export const atLengths = (model: Model, axes: ReadonlyMap<string, number>): Model => ({
  ...model,
  graph: {
    ...model.graph,
    inputs: model.graph.inputs.map((i) => {
      if (i.type?.kind !== 'tensor' || !i.type.dims) return i;
      const dims = i.type.dims.map((d, axis) => (typeof d === 'number' ? d : (axes.get(axisName(i.name, axis, d)) ?? d)));
      return { ...i, type: { ...i.type, dims } };
    }),
  },
});
