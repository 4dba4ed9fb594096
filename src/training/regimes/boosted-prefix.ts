import { Fault } from '../../base/fault.ts';
import { constantOf, numbersOf } from '../../graph/constant.ts';
import type { Model } from '../../graph/types.ts';

/** Under this key a model says how its boosted head was made: units of a step, and the output biases after each step. */
const key = 'assay.boosted';
interface Made {
  readonly unitsPerStep: number;
  readonly biases: readonly (readonly number[])[];
}
export const boostedMetadata = (made: Made): [string, string] => [key, JSON.stringify(made)];

const madeOf = (model: Model): Made | undefined => {
  try {
    return JSON.parse(model.metadata.get(key) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
};

/** Names of the two layers, hidden and output. */
export const layers = { hidden: 'boosted.hidden', units: 'boosted.units', output: 'boosted.output' } as const;

/** A model with a boosted head, of which the first units alone are kept: what it was after their last step. */
export const firstUnits = (model: Model, units: number, path: string): { readonly model: Model; readonly of: number } => {
  const made = madeOf(model);
  const stored = (name: string) => model.graph.initializers.get(name);
  const W = stored(`${layers.hidden}.weight`);
  const b = stored(`${layers.hidden}.bias`);
  const V = stored(`${layers.output}.weight`);
  const c = stored(`${layers.output}.bias`);
  if (!made || !W || !b || !V || !c) throw new Fault('training/no-boosted-head', { path });
  const { unitsPerStep, biases } = made;
  const [inputs, all] = W.dims;
  const [, columns] = V.dims;
  const step = units / unitsPerStep;
  if (!Number.isInteger(step) || step < 1 || units > all) throw new Fault('training/units', { path, units, all, step: unitsPerStep });
  const wide = numbersOf(W);
  const kept = new Map([
    [
      `${layers.hidden}.weight`,
      constantOf(
        W.dtype,
        [inputs, units],
        Float64Array.from({ length: inputs * units }, (_, i) => wide[Math.floor(i / units) * all + (i % units)]),
      ),
    ],
    [`${layers.hidden}.bias`, constantOf(b.dtype, [units], numbersOf(b).slice(0, units))],
    [`${layers.output}.weight`, constantOf(V.dtype, [units, columns], numbersOf(V).slice(0, units * columns))],
    [`${layers.output}.bias`, constantOf(c.dtype, c.dims, biases[step - 1])],
  ]);
  const { graph } = model;
  const wider = new Set(graph.nodes.flatMap((n) => (n.inputs.some((i) => kept.has(i)) || n.name === layers.units ? n.outputs : [])));
  const ends = new Set(graph.outputs.map((o) => o.name));
  return {
    of: all,
    model: {
      ...model,
      metadata: new Map([...model.metadata, boostedMetadata({ unitsPerStep, biases: biases.slice(0, step) })]),
      graph: {
        ...graph,
        initializers: new Map([...graph.initializers, ...kept]),
        values: new Map([...graph.values].filter(([name]) => !wider.has(name) || ends.has(name))),
      },
    },
  };
};
