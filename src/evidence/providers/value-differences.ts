import type { Job } from '../../base/job.ts';
import type { Tensor } from '../../base/tensor.ts';
import { toFloats } from '../../data/values.ts';
import { tensorValues } from '../../graph/probe.ts';
import type { Graph, Model, Node } from '../../graph/types.ts';
import { freeInputs } from '../../graph/walk.ts';
import { withOutputs } from '../../graph/with-outputs.ts';
import type { Runtime, Session } from '../../runtime/session.ts';
import { repeated } from '../model.ts';
import type { ValueDifference, ValueDifferences } from '../pair.ts';

export interface Inspected {
  readonly name: string;
  readonly folder: string;
  /** As in the file. */
  readonly model: Model;
  readonly input: string;
  /** That input for the first rows. */
  readonly x: Tensor;
}

interface Shared {
  readonly mine: string;
  readonly theirs: string;
  readonly node: Node;
}

/** Values of one name in both graphs; else outputs of nodes of one name and operator. In the order of the first. */
const sharedValues = (first: Graph, other: Graph): Shared[] => {
  const theirs = new Set(tensorValues(other));
  const mine = new Set(tensorValues(first));
  const byNode = new Map(other.nodes.flatMap((n) => (n.name ? [[`${n.op} ${n.name}`, n] as const] : [])));
  return first.nodes.flatMap((node) =>
    node.outputs.flatMap((name, i): Shared[] => {
      if (!mine.has(name)) return [];
      if (theirs.has(name)) return [{ mine: name, theirs: name, node }];
      const twin = node.name ? byNode.get(`${node.op} ${node.name}`)?.outputs[i] : undefined;
      return twin && theirs.has(twin) && !mine.has(twin) ? [{ mine: name, theirs: twin, node }] : [];
    }),
  );
};

/** Rows baked into the file. */
const fixedRows = ({ model, input }: Inspected): number | undefined => {
  const type = freeInputs(model.graph).find((i) => i.name === input)?.type;
  const dim = type?.kind === 'tensor' ? type.dims?.[0] : undefined;
  return typeof dim === 'number' ? dim : undefined;
};

const differenceOf = (a: Tensor, b: Tensor): Omit<ValueDifference, 'name' | 'op'> | undefined => {
  const numeric = ({ dtype }: Tensor): boolean => /^b?float/.test(dtype);
  if (!numeric(a) || !numeric(b) || a.dims.length !== b.dims.length || a.dims.some((d, i) => d !== b.dims[i])) return undefined;
  const [x, y] = [toFloats(a), toFloats(b)];
  let [most, gap, xx, yy, xy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const d = x[i] === y[i] ? 0 : x[i] - y[i];
    most = Math.max(most, Math.abs(d));
    gap += d * d;
    xx += x[i] * x[i];
    yy += y[i] * y[i];
    xy += x[i] * y[i];
  }
  return {
    elements: x.length,
    maxAbs: most,
    relative: gap === 0 ? 0 : yy === 0 ? null : Math.sqrt(gap / yy),
    cosine: xx === 0 || yy === 0 ? null : Math.max(-1, Math.min(1, xy / Math.sqrt(xx) / Math.sqrt(yy))),
  };
};

/** Values fetched in one run: a few, so that little is held at once. */
const AT_ONCE = 8;

/** Runs both files on the same rows, on the CPU without optimisation, and compares what they hold under one name. */
export const valueDifferences = async (
  first: Inspected,
  other: Inspected,
  runtime: Runtime,
  job: Pick<Job, 'signal' | 'note'>,
): Promise<ValueDifferences> => {
  const shared = sharedValues(first.model.graph, other.model.graph);
  const of = [first, other].map(({ model }) => tensorValues(model.graph).length) as [number, number];
  const rows = fixedRows(first) ?? fixedRows(other) ?? first.x.dims[0];
  if (shared.length === 0) return { rows, values: [], of };
  const open = async ({ model, name, folder }: Inspected, names: readonly string[]): Promise<Session> =>
    (await runtime.open(withOutputs(model, names), { device: 'cpu', name, folder, optimize: 'off' })).session;
  const sessions: Session[] = [];
  try {
    sessions.push(
      await open(
        first,
        shared.map((s) => s.mine),
      ),
    );
    sessions.push(
      await open(
        other,
        shared.map((s) => s.theirs),
      ),
    );
    const feeds = [first, other].map((of) => ({ [of.input]: repeated(of.x, fixedRows(of) ?? rows) }));
    const values: ValueDifference[] = [];
    for (let at = 0; at < shared.length && !job.signal.aborted; at += AT_ONCE) {
      const some = shared.slice(at, at + AT_ONCE);
      const mine = await sessions[0].run(
        feeds[0],
        some.map((s) => s.mine),
      );
      const theirs = await sessions[1].run(feeds[1], [...new Set(some.map((s) => s.theirs))]);
      for (const s of some) {
        const found = differenceOf(mine[s.mine], theirs[s.theirs]);
        if (found) values.push({ name: s.mine, op: s.node.op, ...found });
      }
    }
    return { rows, values, of };
  } finally {
    for (const session of sessions) await session.release();
  }
};
