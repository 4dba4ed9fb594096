import { Fault } from '../base/fault.ts';
import { random } from '../base/random.ts';
import { int64, sizeOf, type Tensor } from '../base/tensor.ts';
import type { BoundBatch } from '../evidence/bound.ts';
import { endsOf, openModel, repeated } from '../evidence/model.ts';
import { constantOf, tensorOf } from '../graph/constant.ts';
import { type NonFinite, traceNonFinite } from '../graph/non-finite.ts';
import type { RunGraph } from '../graph/probe.ts';
import { feedsOf, planOf } from '../graph/probe-feeds.ts';
import type { Model } from '../graph/types.ts';
import { called } from '../graph/walk.ts';
import type { GradCheck } from '../report/tasks.ts';
import { bind } from './binding.ts';
import type { AppJob, Ports } from './ports.ts';

type Feeds = Readonly<Record<string, Tensor>>;
interface GradCheckAsk {
  /** The file differentiated, and that of its gradient. */
  readonly model: string;
  readonly out: string;
  /** A data file, or `zeros`, `ones` or `random`. */
  readonly check: string;
}
interface Batch {
  readonly feeds: Feeds;
  /** Dataset rows; none where the rows are made up. */
  readonly rows?: Float64Array;
}

const madeUp = ['zeros', 'ones', 'random'] as const;
const batchRows = 16;
const mostRows = 256;

/** Floats of one kind, class 0 as the target, 1 for other whole numbers: a token of any vocabulary. */
const invented = (model: Model, kind: (typeof madeUp)[number], rows: number): Feeds => {
  const plan = planOf(model.graph);
  const { normal } = random(1, 'check');
  return Object.fromEntries(
    Object.entries(feedsOf(plan, plan.fixed ?? rows, 1)).map(([name, t]) => {
      if (name === 'target' && t.dtype === 'int64')
        return [name, tensorOf(constantOf('int64', t.dims, new Array<number>(sizeOf(t.dims)).fill(0)))];
      if (t.dtype !== 'float32' && t.dtype !== 'float64') return [name, t];
      // Vectors of products are directions, whatever the rows are.
      const next = kind === 'random' || name.startsWith('vec/') ? normal : () => (kind === 'ones' ? 1 : 0);
      return [name, tensorOf(constantOf(t.dtype, t.dims, Array.from({ length: sizeOf(t.dims) }, next)))];
    }),
  );
};

/** The labels as the target that the graph asks for. */
const targetOf = (asked: Tensor, { labels }: BoundBatch, path: string, known: readonly string[]): Tensor => {
  if (!labels) throw new Fault('evidence/no-labels', { id: 'grad --check', path, known });
  const rows = asked.dims[0] ?? 1;
  if (sizeOf(asked.dims) !== rows) throw new Fault('grad/target', { dims: `[${asked.dims.join(', ')}]`, path });
  if (asked.dtype === 'int64') return int64(asked.dims, Array.from(labels));
  return tensorOf(constantOf(asked.dtype, asked.dims, labels));
};

async function* batchesOf(model: Model, { model: path, check: data }: GradCheckAsk, ports: Ports, job: AppJob): AsyncGenerator<Batch> {
  const kind = madeUp.find((k) => k === data);
  if (kind) {
    yield { feeds: invented(model, kind, batchRows) };
    return;
  }
  const opened = await openModel({ path }, ports, job);
  const { input } = endsOf(opened, { path }, job);
  const bound = await bind({ path: data }, ports, job, { target: input, limit: mostRows });
  const fixed = planOf(model.graph).fixed;
  try {
    for await (const batch of bound.batches(fixed ?? batchRows, job.signal)) {
      const { x, rows } = batch;
      if (!x) continue;
      const made = invented(model, 'random', x.dims[0]);
      const { target } = made;
      const full = (t: Tensor): Tensor => (fixed === undefined ? t : repeated(t, fixed));
      const own = target && targetOf({ ...target, dims: [x.dims[0], ...target.dims.slice(1)] }, batch, data, bound.known);
      yield { feeds: { ...made, [input.name]: full(x), ...(own ? { target: full(own) } : {}) }, rows };
    }
  } finally {
    await bound.close();
  }
}

const countOf = ({ data }: Tensor): number => {
  let count = 0;
  for (const v of data as Float32Array) if (!Number.isFinite(v)) count++;
  return count;
};

const text = (v: number): string => String(Number(v.toPrecision(3)));
const shown = { NaN: 'NaN', infinite: 'infinite values' } as const;

/** Who made it, in words, and the values that it was made of. */
const explained = ({ node, source, kind, turned, ranges }: NonFinite, model: Model): string => {
  const then = turned ? `, and node ${called(turned)} NaN of them` : '';
  if (!node) return `${model.graph.initializers.has(source) ? 'parameter' : 'input'} '${source}' holds ${shown[kind]}${then}`;
  const from = ranges.map(
    ({ value, low, high }) => `'${value}' ${low === high ? `is ${text(low)}` : `is in [${text(low)}, ${text(high)}]`}`,
  );
  return `node ${called(node)} makes ${shown[kind]} of finite ones${then}${from.length > 0 ? `; ${from.join(', ')}` : ''}`;
};

/** One row of the feeds, where their batch axis is free. */
const rowOf = (model: Model, feeds: Feeds, row: number): Feeds => {
  const { batchAxes } = planOf(model.graph);
  return Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => {
      if (batchAxes.get(name) !== 0) return [name, t];
      const width = t.data.length / t.dims[0];
      return [name, { ...t, dims: [1, ...t.dims.slice(1)], data: t.data.slice(row * width, (row + 1) * width) }];
    }),
  );
};

/**
 * Runs a gradient graph on rows of the data, or on made-up ones, and follows what is not finite in its loss and derivatives back to
 * the node that made it. Outputs of the model itself may be infinite.
 */
export const checkGradient = async (
  model: Model,
  own: ReadonlySet<string>,
  ask: GradCheckAsk,
  ports: Ports,
  job: AppJob,
): Promise<GradCheck> => {
  const options = { device: 'cpu', name: ask.out, brief: true, ...(model.folder === undefined ? {} : { folder: model.folder }) } as const;
  const { session } = await ports.runtime.open(ask.out, options);
  const run: RunGraph = async (bytes, feeds, wanted) => {
    const { session: other } = await ports.runtime.open(bytes, { ...options, optimize: 'off' });
    try {
      return await other.run(feeds, wanted);
    } finally {
      await other.release();
    }
  };
  const outputs = model.graph.outputs.map((o) => o.name).filter((name) => !own.has(name));
  let checked = 0;
  try {
    for await (const { feeds, rows } of batchesOf(model, ask, ports, job)) {
      const size = rows?.length ?? batchRows;
      checked += size;
      const out = await session.run(feeds, outputs);
      const output = outputs.find((name) => countOf(out[name]) > 0);
      if (output === undefined) continue;
      let [at, row]: [Feeds, number | undefined] = [feeds, undefined];
      for (let k = 0; rows && k < size && planOf(model.graph).fixed === undefined; k++) {
        const single = rowOf(model, feeds, k);
        if (countOf((await session.run(single, [output]))[output]) === 0) continue;
        [at, row] = [single, rows[k]];
        break;
      }
      const found = await traceNonFinite(model, output, at, run);
      const holds = `'${output}' is not finite (${countOf(out[output])} of ${out[output].data.length} elements${row === undefined ? '' : `, first at row ${row}`})`;
      const why = found ? explained(found, model) : 'only in the form that ONNX Runtime optimises the graph to';
      return { data: ask.check, rows: checked, finite: false, sentence: `${holds}: ${why}.` };
    }
  } finally {
    await session.release();
  }
  return {
    data: ask.check,
    rows: checked,
    finite: true,
    sentence: `The loss and all derivatives are finite on ${checked} rows of ${ask.check}.`,
  };
};
