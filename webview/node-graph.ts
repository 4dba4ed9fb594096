import type { LayerRow, ModelLayers } from '../src/report/tasks.ts';
import { given, t, type Words } from './l10n.ts';

export const BOX: { readonly width: number; readonly height: number } = { width: 168, height: 34 };
const ACROSS = 24;
const DOWN = 44;
/** Groups are opened from the outside in while no more boxes than this stand side by side. */
const comfortable = 150;

/** A box: a node, a group of nodes that share a prefix of their names, or an end of the model. */
export interface Box {
  readonly id: string;
  readonly kind: 'node' | 'group' | 'end';
  readonly label: Words;
  readonly detail: Words | '';
  /** Places of its layers. */
  readonly layers: readonly number[];
  /** Centre. */
  readonly x: number;
  readonly y: number;
}
export interface Placed {
  readonly boxes: readonly Box[];
  /** Places in `boxes`. */
  readonly edges: readonly (readonly [from: number, to: number])[];
  readonly width: number;
  readonly height: number;
}

/** The modules that a name lies in, from the outside in: `/encoder/0/MatMul` and `encoder.0.MatMul` lie in encoder and encoder/0. */
const modulesOf = (name: string): readonly string[] => {
  const parts = name.split(/[/.]+/).filter((part) => part !== '');
  return parts.slice(0, -1).map((_, i) => parts.slice(0, i + 1).join('/'));
};

/** Module → how many layers lie in it; a module of one layer is no group. */
const groupsOf = (layers: readonly LayerRow[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const { name } of layers) for (const module of modulesOf(name)) counts.set(module, (counts.get(module) ?? 0) + 1);
  return new Map(Array.from(counts).filter(([, count]) => count > 1));
};

export interface Modules {
  readonly all: ReadonlySet<string>;
  /** Groups that are open at first. */
  readonly open: ReadonlySet<string>;
  /** The groups that a layer lies in, from the outside in. */
  of(layer: number): readonly string[];
}

export const modulesIn = (layers: readonly LayerRow[]): Modules => {
  const groups = groupsOf(layers);
  const own = layers.map(({ name }) => modulesOf(name).filter((module) => groups.has(module)));
  const shown = (open: ReadonlySet<string>): number => new Set(own.map((path, i) => path.find((m) => !open.has(m)) ?? i)).size;
  const open = new Set<string>();
  const deepest = Math.max(0, ...own.map((path) => path.length));
  for (let depth = 0; depth < deepest; depth++) {
    const next = new Set([...open, ...own.flatMap((path) => path[depth] ?? [])]);
    if (shown(next) > comfortable) break;
    for (const module of next) open.add(module);
  }
  return { all: new Set(groups.keys()), open, of: (layer) => own[layer] };
};

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * Boxes in rows from top to bottom, each below all that it reads, placed near the mean of what it reads: one sweep, linear in boxes and
 * edges, so that thousands stay quick. Edges against the order of the file, as closed groups may have, do not count for rows.
 */
export const place = (
  { layers, inputs, outputs }: Pick<ModelLayers, 'layers' | 'inputs' | 'outputs'>,
  modules: Modules,
  open: ReadonlySet<string>,
): Placed => {
  const made: Omit<Box, 'x' | 'y'>[] = [];
  const at = new Map<string, number>();
  const maker = new Map<string, number>();
  const box = (id: string, make: () => Omit<Box, 'x' | 'y'>): number => {
    const known = at.get(id);
    if (known !== undefined) return known;
    at.set(id, made.length);
    made.push(make());
    return made.length - 1;
  };
  const end = (name: string, what: 'input' | 'output'): number =>
    box(`${what} ${name}`, () => ({
      id: `${what} ${name}`,
      kind: 'end',
      label: given(name),
      detail: what === 'input' ? t('input') : t('output'),
      layers: [],
    }));
  const shape = (dims: LayerRow['dims']): Words | '' => (dims === null ? '' : given(dims.join(' × ')));
  for (const { name } of inputs) maker.set(name, end(name, 'input'));
  const members = new Map<number, number[]>();
  const holder = layers.map((layer, i) => {
    const closed = modules.of(i).find((module) => !open.has(module));
    const place = box(closed ?? `node ${i}`, () =>
      closed === undefined
        ? { id: `node ${i}`, kind: 'node', label: given(layer.op), detail: shape(layer.dims), layers: [i] }
        : { id: closed, kind: 'group', label: given(closed), detail: '', layers: [] },
    );
    members.set(place, [...(members.get(place) ?? []), i]);
    for (const output of layer.outputs) maker.set(output, place);
    return place;
  });
  const joined = new Set<number>();
  const edges: [number, number][] = [];
  const join = (value: string, to: number): void => {
    const from = maker.get(value);
    if (from === undefined || from === to) return;
    const key = from * 2 ** 26 + to;
    if (joined.has(key)) return;
    joined.add(key);
    edges.push([from, to]);
  };
  layers.forEach((layer, i) => {
    for (const value of layer.inputs) join(value, holder[i]);
  });
  for (const { name } of outputs) join(name, end(name, 'output'));

  const above = made.map((): number[] => []);
  for (const [from, to] of edges) if (from < to) above[to].push(from);
  const row: number[] = [];
  above.forEach((list, i) => {
    row[i] = list.reduce((deepest, from) => Math.max(deepest, row[from] + 1), 0);
  });
  const rows: number[][] = [];
  row.forEach((r, i) => {
    rows[r] = [...(rows[r] ?? []), i];
  });
  const x: number[] = [];
  const step = BOX.width + ACROSS;
  for (const list of rows) {
    const wish = new Map(list.map((i) => [i, above[i].length > 0 ? mean(above[i].map((from) => x[from])) : 0]));
    const sorted = [...list].sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0) || a - b);
    let edge = Number.NEGATIVE_INFINITY;
    for (const i of sorted) {
      x[i] = Math.max(edge, wish.get(i) ?? 0);
      edge = x[i] + step;
    }
    const shift = mean(sorted.map((i) => (wish.get(i) ?? 0) - x[i]));
    for (const i of sorted) x[i] += shift;
  }
  const left = x.reduce((a, b) => Math.min(a, b), 0);
  const right = x.reduce((a, b) => Math.max(a, b), 0);
  return {
    boxes: made.map((one, i) => {
      const held = members.get(i) ?? [];
      return {
        ...one,
        layers: held,
        detail: one.kind === 'group' ? (held.length === 1 ? t('1 layer') : t('{0} layers', held.length)) : one.detail,
        x: x[i] - left + BOX.width / 2,
        y: row[i] * (BOX.height + DOWN) + BOX.height / 2,
      };
    }),
    edges,
    width: right - left + BOX.width,
    height: rows.length * (BOX.height + DOWN) - DOWN,
  };
};
