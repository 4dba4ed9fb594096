import { Fault } from '../../base/fault.ts';
import type { Random } from '../../base/random.ts';
import { sizeOf } from '../../base/tensor.ts';
import { constantOf } from '../../graph/constant.ts';
import { emitter } from '../../graph/emit.ts';
import type { Constant, Graph } from '../../graph/types.ts';
import { activate, conv, dense, type Flow, number } from '../architectures/layers.ts';
import { netOver } from '../build.ts';
import type { Net } from '../define-layers.ts';
import type { Parameter } from '../parameters.ts';
import { tensorType } from '../plan.ts';
import { drawnNet } from './drawn-net.ts';

const refused = (reason: string): Fault => new Fault('training/regime', { regime: 'supernet', reason });

/** Layers that are always there, then blocks of which each has one of its operations. */
export interface SearchSpace {
  readonly stem: readonly string[];
  readonly blocks: readonly (readonly string[])[];
}

type Operation = (net: Net, x: Flow, name: string, given: number | undefined) => Flow;

const image = (x: Flow, op: string): Flow => {
  if (x.row.length !== 3) throw refused(`has '${op}' where rows are [${x.row}]: it needs channels × height × width`);
  return x;
};
const flatten = (net: Net, { value, row }: Flow, name: string): Flow => {
  const flat = [sizeOf(row)];
  return row.length === 1
    ? { value, row }
    : { value: net.layer('Flatten', `${name}.flat`, [value], { axis: { type: 'int', value: 1 } }, flat), row: flat };
};
const layered = (net: Net, x: Flow, name: string, width: number | undefined, kind: 'relu' | 'tanh'): Flow => {
  const flat = flatten(net, x, name);
  return activate(net, dense(net, flat, name, width ?? flat.row[0]), kind);
};
const convolved =
  (kernel: number): Operation =>
  (net, x, name, channels) =>
    activate(net, conv(net, image(x, `conv${kernel}x${kernel}`), name, channels ?? x.row[0], kernel), 'relu');
const scaled = (net: Net, x: Flow, name: string, by: number): Flow => ({
  value: net.layer('Mul', name, [x.value, number(net, `${name}.factor`, by)], {}, x.row),
  row: x.row,
});
const ints = (...value: number[]) => ({ type: 'ints', value }) as const;

/** By name; a number after it is a width, a number of channels or a factor. */
const operations: Readonly<Record<string, Operation>> = {
  identity: (_net, x) => x,
  zero: (net, x, name) => scaled(net, x, name, 0),
  scale: (net, x, name, by = 0.1) => scaled(net, x, name, by),
  dense: (net, x, name, width) => layered(net, x, name, width, 'relu'),
  'dense-tanh': (net, x, name, width) => layered(net, x, name, width, 'tanh'),
  bottleneck(net, x, name, inner) {
    const flat = flatten(net, x, name);
    const narrow = activate(net, dense(net, flat, `${name}.in`, inner ?? Math.max(1, Math.floor(flat.row[0] / 4))), 'relu');
    return activate(net, dense(net, narrow, `${name}.out`, flat.row[0]), 'relu');
  },
  conv1x1: convolved(1),
  conv3x3: convolved(3),
  avgpool3x3: (net, x, name) => ({
    value: net.layer('AveragePool', name, [image(x, 'avgpool3x3').value], { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) }, x.row),
    row: x.row,
  }),
};

const operation = (text: string): ((net: Net, x: Flow, name: string) => Flow) => {
  const [name, given, ...more] = text.trim().split(/\s+/);
  const made = operations[name];
  const size = given === undefined ? undefined : Number(given);
  const fits = size === undefined || (size > 0 && size <= 1e5 && (name === 'scale' || Number.isInteger(size)));
  if (!made || more.length > 0 || !fits)
    throw refused(`has no operation '${text}'; there are ${Object.keys(operations).join(', ')}, some with a number, as in 'dense 64'`);
  return (net, x, at) => made(net, x, at, size);
};

const listOf = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.every((v): v is string => typeof v === 'string') ? value : undefined;

/** Reads `{ "stem": [OP, …], "blocks": [[OP, OP, …], …] }`. */
export const readSpace = (text: string, file: string): SearchSpace => {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw refused(`cannot read its space '${file}': it is not JSON`);
  }
  const { stem = [], blocks } = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>;
  const first = listOf(stem);
  const all = Array.isArray(blocks) ? blocks.map(listOf) : [];
  const lists = all.flatMap((b) => (b ? [b] : []));
  if (!first || lists.length === 0 || lists.length < all.length)
    throw refused(
      `cannot read its space '${file}': it has to hold "blocks", a list of lists of operations, and may hold "stem", a list of them`,
    );
  for (const [i, block] of lists.entries()) {
    if (block.length < 2) throw refused(`has no choice in block ${i + 1} of its space: give it two operations or more`);
    const twice = block.find((op, j) => block.indexOf(op) !== j);
    if (twice !== undefined) throw refused(`has '${twice}' twice in block ${i + 1} of its space`);
  }
  for (const op of [...first, ...lists.flat()]) operation(op);
  return { stem: first, blocks: lists };
};

/** The value that is 1 at the operation of each block that a step takes. */
export const GATES = 'supernet.gates';

export interface Built {
  readonly graph: Graph;
  readonly parameters: readonly Parameter[];
  /** Of the parameters of an operation: its place among all operations, block by block. */
  readonly places: ReadonlyMap<string, number>;
}

/** Space, head and all over rows `x`: with `path`, one operation in each block, else all of them, summed by their gates. */
export const buildSpace = (
  space: SearchSpace,
  input: string,
  output: string,
  row: readonly number[],
  classes: number,
  chance: Random,
  path?: readonly number[],
): Built => {
  const stored = new Map<string, Constant>();
  const emit = emitter({ taken: [input, output] });
  const info = (name: string, dims: readonly number[]) => ({ name, type: tensorType('float32', ['N', ...dims]) });
  emit.typed(input, info(input, row).type);
  const parameters: Parameter[] = [];
  const places = new Map<string, number>();
  const net = drawnNet(netOver(emit, stored), chance, parameters);
  const width = space.blocks.flat().length;
  const gates = path ? '' : net.buffer(GATES, constantOf('float32', [width], new Float32Array(width)));
  let x: Flow = { value: input, row };
  for (const [i, op] of space.stem.entries()) x = operation(op)(net, x, `stem${i + 1}`);
  let at = 0;
  for (const [b, block] of space.blocks.entries()) {
    const flows = block.map((op, i): { readonly y: Flow; readonly place: number } => {
      if (path && path[b] !== i) return { y: x, place: -1 };
      const from = parameters.length;
      const y = operation(op)(net, x, `block${b + 1}.${op.replaceAll(' ', '-')}`);
      for (const { name } of parameters.slice(from)) places.set(name, at + i);
      return { y, place: at + i };
    });
    if (path) x = flows[path[b]].y;
    else {
      const [{ y: one }] = flows;
      const other = flows.find(({ y }) => y.row.join() !== one.row.join());
      if (other)
        throw refused(
          `has operations of different shapes in block ${b + 1}: '${block[0]}' gives [${one.row}], '${block[other.place - at]}' [${other.y.row}]`,
        );
      const parts = flows.map(({ y, place }) => {
        const gate = net.tensor('Gather', `gate${place}`, [gates, net.buffer(`gate${place}.at`, constantOf('int64', [], [place]))], {}, []);
        return net.layer('Mul', `${GATES}.${place}`, [y.value, gate], {}, y.row);
      });
      x = { value: parts.reduce((sum, part, i) => net.layer('Add', `block${b + 1}.sum${i}`, [sum, part], {}, one.row)), row: one.row };
    }
    at += block.length;
  }
  if (x.row.length === 3) x = { value: net.layer('GlobalAveragePool', 'pooled', [x.value], {}, [x.row[0], 1, 1]), row: [x.row[0], 1, 1] };
  const last = dense(net, flatten(net, x, 'head'), 'head', classes);
  const out = emit.rename(last.value, output);
  const graph = emit.graph('supernet', [info(input, row)], [{ name: out, type: info(out, [classes]).type }]);
  return { graph: { ...graph, initializers: new Map([...graph.initializers, ...stored]) }, parameters, places };
};
