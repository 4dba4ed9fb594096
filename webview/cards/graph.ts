import type { CardOf } from '../../src/report/report.ts';
import { el, freshId, svg } from '../element.ts';
import { format, given, t } from '../l10n.ts';
import type { View } from '../stage.ts';

type Graph = CardOf<'graph'>;

/** Beyond this many nodes only the table is of use. */
const MOST_NODES = 200;
const [WIDTH, HEIGHT, ACROSS, DOWN] = [132, 30, 16, 34];

/**
 * Layer of each node: the longest way from a node nothing leads to. Such nodes themselves (inputs, parameters) stand right above
 * the first node they lead to. Edges that close a cycle do not count.
 */
const layersOf = ({ nodes, edges }: Pick<Graph, 'nodes' | 'edges'>): ReadonlyMap<string, number> => {
  const from = new Map<string, string[]>();
  const to = new Map<string, string[]>();
  for (const edge of edges) {
    from.set(edge.to, [...(from.get(edge.to) ?? []), edge.from]);
    to.set(edge.from, [...(to.get(edge.from) ?? []), edge.to]);
  }
  const depth = new Map<string, number>();
  const open = new Set<string>();
  const visit = (id: string): number => {
    const known = depth.get(id);
    if (known !== undefined) return known;
    if (open.has(id)) return -1;
    open.add(id);
    const deepest = Math.max(-1, ...(from.get(id) ?? []).map(visit));
    open.delete(id);
    depth.set(id, deepest + 1);
    return deepest + 1;
  };
  for (const node of nodes) visit(node.id);
  for (const { id } of nodes) {
    const next = (to.get(id) ?? []).map((one) => depth.get(one) ?? 0);
    if (!from.has(id) && next.length > 0) depth.set(id, Math.max(0, Math.min(...next) - 1));
  }
  return depth;
};

/** Nodes of each layer, ordered by the mean place of what leads to them, so that lines cross less. */
const arranged = ({ nodes, edges }: Graph): readonly (readonly Graph['nodes'][number][])[] => {
  const depth = layersOf({ nodes, edges });
  const layers: Graph['nodes'][number][][] = [];
  for (const node of nodes) {
    const at = depth.get(node.id) ?? 0;
    layers[at] = [...(layers[at] ?? []), node];
  }
  const place = new Map<string, number>();
  return layers.map((layer) => {
    const wish = (node: Graph['nodes'][number]): number => {
      const sources = edges.filter((edge) => edge.to === node.id).map((edge) => place.get(edge.from) ?? 0.5);
      return sources.length > 0 ? sources.reduce((a, b) => a + b, 0) / sources.length : 1;
    };
    const sorted = layer.map((node) => ({ node, at: wish(node) })).sort((a, b) => a.at - b.at);
    sorted.forEach(({ node }, i) => {
      place.set(node.id, (i + 0.5) / sorted.length);
    });
    return sorted.map(({ node }) => node);
  });
};

const short = (text: string): string => (text.length > 18 ? `${text.slice(0, 17)}…` : text);

/** A drawing that carries its own style. */
const standing = (drawing: SVGSVGElement): string => {
  const copied = drawing.cloneNode(true);
  if (!(copied instanceof SVGSVGElement)) return '';
  const [from, to] = [drawing.querySelectorAll('*'), copied.querySelectorAll('*')];
  from.forEach((element, i) => {
    const { fill, stroke, fontFamily, fontSize } = getComputedStyle(element);
    for (const [name, value] of Object.entries({ fill, stroke, 'font-family': fontFamily, 'font-size': fontSize }))
      to[i].setAttribute(name, value);
  });
  return new XMLSerializer().serializeToString(copied);
};

/** Boxes in layers from top to bottom. */
export const graph = (card: Graph): View => {
  const { nodes, edges, title } = card;
  if (nodes.length > MOST_NODES) {
    return {
      element: el('p', { class: 'muted' }, t('{0} nodes are too many to draw; the table lists them.', format(nodes.length, 'count'))),
    };
  }
  const layers = arranged(card);
  const widest = Math.max(1, ...layers.map((layer) => layer.length));
  const width = widest * (WIDTH + ACROSS);
  const height = layers.length * (HEIGHT + DOWN) - DOWN + 4;
  const place = new Map(
    layers.flatMap((layer, l) =>
      layer.map((node, i) => [node.id, [(width * (i + 0.5)) / layer.length, 2 + l * (HEIGHT + DOWN)] as const] as const),
    ),
  );
  const arrow = freshId('arrow');
  const lines = edges.flatMap(({ from, to }) => {
    const [a, b] = [place.get(from), place.get(to)];
    if (a === undefined || b === undefined) return [];
    const [y1, y2] = [a[1] + HEIGHT, b[1] - 3];
    const bend = Math.max(12, (y2 - y1) / 2);
    return [
      svg('path', {
        class: 'graph-edge',
        'marker-end': `url(#${arrow})`,
        d: `M ${a[0]} ${y1} C ${a[0]} ${y1 + bend}, ${b[0]} ${y2 - bend}, ${b[0]} ${y2}`,
      }),
    ];
  });
  const boxes = nodes.flatMap((node) => {
    const at = place.get(node.id);
    if (at === undefined) return [];
    const label = given(node.value === undefined ? short(node.label) : `${short(node.label)} · ${format(node.value)}`);
    return [
      svg(
        'g',
        { class: 'graph-node', 'data-group': node.group },
        svg('title', {}, given(node.group ? `${node.label} (${node.group})` : node.label)),
        svg('rect', { x: at[0] - WIDTH / 2, y: at[1], width: WIDTH, height: HEIGHT, rx: 4 }),
        svg('text', { x: at[0], y: at[1] + HEIGHT / 2, 'text-anchor': 'middle', 'dominant-baseline': 'central' }, label),
      ),
    ];
  });
  const drawing = svg(
    'svg',
    {
      class: 'graph',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-label': t('{0}: {1} nodes, {2} edges. The table lists them.', title, nodes.length, edges.length),
    },
    svg(
      'defs',
      {},
      svg(
        'marker',
        { id: arrow, viewBox: '0 0 8 8', refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' },
        svg('path', { class: 'graph-arrow', d: 'M 0 0 L 8 4 L 0 8 z' }),
      ),
    ),
    ...lines,
    ...boxes,
  );
  return {
    element: el('div', { class: 'graph-frame', tabindex: 0, role: 'region', 'aria-label': given(title) }, drawing),
    sketch: () => ({ width, height, markup: standing(drawing) }),
  };
};
