import { Fault } from '../base/fault.ts';
import type { Tensor } from '../base/tensor.ts';
import { intOf } from '../graph/attribute.ts';
import type { Probed } from '../graph/probe.ts';
import { feedsOf, planOf } from '../graph/probe-feeds.ts';
import type { Model, Node } from '../graph/types.ts';
import { called } from '../graph/walk.ts';
import { write } from '../graph/write.ts';
import type { Ports } from './ports.ts';

type Feeds = Readonly<Record<string, Tensor>>;
const rows = 3;

/** `feeds` with the first row of `others`; whole numbers, which are all 1, become 0 there. */
const otherFirstRow = (feeds: Feeds, others: Feeds, axes: ReadonlyMap<string, number>): Feeds =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => {
      const axis = axes.get(name);
      if (axis === undefined || t.dtype === 'string') return [name, t];
      const inner = t.dims.slice(axis + 1).reduce((n, d) => n * d, 1);
      const data = (t.data as Float32Array).slice();
      const from = others[name].data as Float32Array;
      const whole = !t.dtype.includes('float');
      for (let at = 0; at < data.length; at += rows * inner) {
        if (whole) data.fill(typeof data[0] === 'bigint' ? (0n as never) : 0, at, at + inner);
        else data.set(from.subarray(at, at + inner), at);
      }
      return [name, { ...t, data }];
    }),
  );

/** The same sums in another order, at most. */
const near = (a: number, b: number): boolean =>
  a === b || Math.abs(a - b) <= 1e-5 + 1e-4 * Math.abs(b) || (Number.isNaN(a) && Number.isNaN(b));

/** Whether the values of a tensor with rows in front are the same but for the first row. */
const sameRest = (a: Tensor, b: Tensor): boolean => {
  if (a.dims.length === 0 || a.dims[0] !== rows || a.data.length !== b.data.length) return true;
  const width = a.data.length / rows;
  for (let i = width; i < a.data.length; i++) if (!near(Number(a.data[i]), Number(b.data[i]))) return false;
  return true;
};

const described = (node: Node): string => {
  const training = node.op === 'BatchNormalization' && intOf(node, 'training_mode', 0) === 1;
  return training ? `${called(node)}, in training mode,` : called(node);
};

/**
 * Gradients of single examples are defined where another first row in a batch leaves what is computed of the other rows as it is.
 * Throws `grad/mixed` with the first node where it does not. Models that draw by chance are not judged.
 */
export const mustKeepRowsApart = async (model: Model, known: Probed, what: string, path: string, ports: Ports): Promise<void> => {
  if (known.batch !== 'free') return;
  const plan = planOf(model.graph, Object.fromEntries(known.axes));
  const [feeds, others] = [feedsOf(plan, rows, 7), feedsOf(plan, rows, 8)];
  const changed = otherFirstRow(feeds, others, plan.batchAxes);
  const options = {
    device: 'cpu',
    name: path,
    optimize: 'off',
    brief: true,
    ...(model.folder === undefined ? {} : { folder: model.folder }),
  } as const;
  const outputsOf = async (names: readonly string[]): Promise<Readonly<Record<string, Tensor>>[]> => {
    const listed = names.map((name) => {
      const type = known.types.get(name);
      return type ? { name, type: { ...type, dims: type.dims?.map(() => undefined) ?? [] } } : { name };
    });
    const { session } = await ports.runtime.open(write({ ...model, graph: { ...model.graph, outputs: listed } }), options);
    try {
      const found = [];
      for (const given of [feeds, feeds, changed]) found.push(await session.run(structuredClone(given), names));
      return found;
    } finally {
      await session.release();
    }
  };
  const withRows = (name: string): boolean => known.types.get(name)?.dims?.[0] === 'N';
  const final = model.graph.outputs.map((o) => o.name).filter(withRows);
  if (final.length === 0) return;
  const [once, again, other] = await outputsOf(final);
  const chance = final.some((name) => !sameRest(once[name], again[name]));
  if (chance || final.every((name) => sameRest(once[name], other[name]))) return;
  const values = model.graph.nodes.flatMap((n) => n.outputs.filter((o) => o && withRows(o)));
  const [before, , after] = await outputsOf(values);
  const first = values.find((name) => !sameRest(before[name], after[name])) ?? final[0];
  const node = model.graph.nodes.find((n) => n.outputs.includes(first));
  throw new Fault('grad/mixed', { what, node: node ? described(node) : `that makes '${first}'` });
};
