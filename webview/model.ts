import { format } from '../src/report/format.ts';
import type { ModelProfile } from '../src/report/model-study.ts';
import type { LayerRow, ModelLayers, ModelValue } from '../src/report/tasks.ts';
import type { ToPage } from '../src/vscode/protocol.ts';
import { button, dropdown, ring, toggle } from './controls.ts';
import { el } from './element.ts';
import { type GraphView, graphView } from './graph-view.ts';
import type { Host } from './host.ts';
import { layerTable, shapeOf } from './layer-table.ts';
import { activityPairs, heats, profileLine } from './profile-view.ts';
import { weightView } from './weight-view.ts';

type Shown = Extract<ToPage, { type: 'model' }>;
type Profile = Extract<ToPage, { type: 'profile' }>;
type Weights = Extract<ToPage, { type: 'weights' }>;

export interface ModelView {
  readonly element: HTMLElement;
  show(message: Shown): void;
  weights(message: Weights): void;
  profile(message: Profile): void;
}

const pairs = (list: readonly (readonly [string, Node | string])[]): HTMLElement =>
  el('dl', { class: 'pairs' }, ...list.flatMap(([label, value]) => [el('dt', {}, label), el('dd', {}, value)]));

const values = (list: readonly ModelValue[]): HTMLElement =>
  el(
    'ul',
    { class: 'ends' },
    ...list.map(({ name, dtype, dims }) =>
      el('li', {}, el('code', {}, name), el('span', { class: 'muted' }, ` ${dtype} ${shapeOf(dims)}`)),
    ),
  );

const numbers = ({ parameters, macs, layers, weightBytes, activationBytes }: ModelLayers): HTMLElement => {
  const stops = layers.filter(({ noGradient }) => noGradient).length;
  const told: readonly (readonly [string, string, (string | undefined)?])[] = [
    ['parameters', format(parameters, 'count')],
    ['MACs per row', macs === null ? '–' : format(macs, 'count'), macs === null ? 'not all operators can be counted' : undefined],
    ['weights', format(weightBytes, 'bytes')],
    [
      'activations per row',
      activationBytes === null ? '–' : format(activationBytes, 'bytes'),
      activationBytes === null ? 'not measured' : 'at the peak',
    ],
    ['layers', format(layers.length, 'count')],
    ['stop gradients', format(stops, 'count')],
  ];
  return el(
    'dl',
    { class: 'headline numbers-first' },
    ...told.map(([label, value, note]) =>
      el('div', {}, el('dt', {}, label), el('dd', {}, value), note !== undefined && el('dd', { class: 'note' }, note)),
    ),
  );
};

/** The model editor's page: summary, searchable layers, and what is asked of one of them. */
export const modelView = (host: Host, signal: AbortSignal): ModelView => {
  let facts: ModelLayers | undefined;
  let profile: ModelProfile | undefined;
  let heat = 'none';
  const title = el('h1');
  const top = el('div', { class: 'model-top' });
  const told = el('p', { class: 'muted', role: 'status' });
  const aside = el('section', { class: 'layer-aside', 'aria-label': 'Chosen layer' });
  const holders = new Map<string, HTMLElement>();
  const ask = (name: string): void => {
    holders.get(name)?.replaceChildren(ring(`Reading ${name}`));
    host.post({ type: 'weights', name });
  };
  const choose = (index: number): void => {
    if (!facts) return;
    const layer: LayerRow = facts.layers[index];
    holders.clear();
    const stored = layer.weights.map((w) => {
      const { name, dtype, dims } = (facts as ModelLayers).weights[w];
      const holder = el('div');
      holders.set(name, holder);
      return el(
        'div',
        { class: 'weight' },
        el('p', {}, el('code', {}, name), el('span', { class: 'muted' }, ` ${dtype} ${shapeOf(dims)}`)),
        button('Show values', () => ask(name), { title: `Show values of ${name}` }),
        holder,
      );
    });
    aside.replaceChildren(
      el('h2', {}, layer.name),
      pairs([
        ['Operator', layer.op],
        ['Output', `${shapeOf(layer.dims)} ${layer.dtype}`],
        ['Reads', layer.inputs.join(', ') || '–'],
        ['Writes', layer.outputs.join(', ') || '–'],
        ['Parameters', format(layer.parameters, 'count')],
        ['MACs per row', layer.macs === null ? 'not known' : format(layer.macs, 'count')],
        ['Gradient', layer.noGradient ? `Stops here: ${layer.noGradient}` : 'Passes'],
        ...(profile ? activityPairs(profile.layers[index]) : []),
      ]),
      ...stored,
    );
  };
  const idle = (): void => aside.replaceChildren(el('p', { class: 'muted' }, 'Choose a layer to see what it reads and its weights.'));
  let last: number | undefined;
  let graph: GraphView | undefined;
  const table = layerTable((index) => {
    last = index;
    choose(index);
  });
  const shown = el('div', { class: 'layers-shown' }, table.element);
  const paintHeat = (): void => graph?.heat(profile && heats(profile)[heat]);
  const heatChoice = el('div', { class: 'heat-choice', hidden: true });
  const profiled = el('div', {});
  const draw = (on: boolean): void => {
    table.chooser.hidden = on;
    heatChoice.hidden = !on;
    graph ??= graphView(choose, signal);
    shown.replaceChildren(on ? graph.element : table.element);
    if (!on || !facts) return;
    graph.show(facts);
    paintHeat();
    if (last !== undefined) graph.reveal(last);
  };
  const search = el('input', {
    type: 'search',
    class: 'search',
    placeholder: 'Search name, operator, shape or type',
    'aria-label': 'Search layers',
  });
  const count = (found: number): void => {
    const all = facts?.layers.length ?? 0;
    told.textContent = `${found === all ? '' : `${format(found, 'count')} of `}${format(all, 'count')} ${all === 1 ? 'layer' : 'layers'}`;
  };
  search.addEventListener('input', () => count(table.search(search.value)));
  search.addEventListener('keydown', ({ key }) => {
    if (key !== 'Enter') return;
    table.next();
    if (last !== undefined && graph?.element.isConnected) graph.reveal(last);
  });
  /** The file is another than the one profiled. */
  const forget = (): void => {
    profile = undefined;
    table.profile(undefined);
    heatChoice.replaceChildren();
    profiled.replaceChildren();
    paintHeat();
  };
  const element = el(
    'div',
    { class: 'model' },
    top,
    el(
      'section',
      { class: 'layers-view', 'aria-label': 'Layers' },
      el('div', { class: 'layers-bar' }, search, told, toggle('Graph', false, draw, 'Layers as a graph'), table.chooser, heatChoice),
      shown,
    ),
    aside,
  );
  return {
    element,
    show({ name, facts: given, measuring, trusted }) {
      facts = given;
      title.textContent = name;
      const opsets = Object.entries(given.opsets).map(([domain, version]) => `${domain} ${version}`);
      top.replaceChildren(
        el(
          'div',
          { class: 'report-title' },
          title,
          el(
            'div',
            { class: 'actions' },
            measuring && ring('Measuring shapes'),
            trusted && button('Run Diagnostic…', () => host.post({ type: 'diagnose' }), { look: 'primary' }),
            trusted &&
              button('Profile…', () => host.post({ type: 'profile' }), { title: 'Time layers and look at their values on some rows' }),
            button('Compare with…', () => host.post({ type: 'difference' }), { title: 'Compare with another model file' }),
            trusted && button('Export Gradient Graph…', () => host.post({ type: 'gradient' })),
          ),
        ),
        numbers(given),
        el(
          'div',
          { class: 'model-facts' },
          pairs([
            ['Inputs', values(given.inputs)],
            ['Outputs', values(given.outputs)],
          ]),
          pairs([
            ['File', format(given.bytes, 'bytes')],
            ['Producer', given.producer || '–'],
            ['Operator set', opsets.join(', ')],
            ['IR version', String(given.irVersion)],
            ['Shapes', given.measured ? 'measured by a run on the CPU' : measuring ? 'being measured…' : 'implied by the operators'],
          ]),
        ),
        ...(given.notes.length > 0
          ? [
              el(
                'details',
                { class: 'muted' },
                el('summary', {}, `Notes (${given.notes.length})`),
                el('ul', {}, ...given.notes.map((n) => el('li', {}, n))),
              ),
            ]
          : []),
        profiled,
        ...(trusted ? [] : [el('p', { class: 'muted' }, 'This workspace is not trusted: the file is read, and not run.')]),
      );
      if (profile && profile.layers.length !== given.layers.length) forget();
      if (holders.size === 0) idle();
      table.show(given.layers);
      if (graph?.element.isConnected) graph.show(given);
      count(table.search(search.value));
    },
    profile(message) {
      profiled.replaceChildren(profileLine(message, host));
      if (!message.facts || message.facts.layers.length !== facts?.layers.length) return;
      profile = message.facts;
      table.profile(profile);
      heat = 'time';
      const choices = Object.entries(heats(profile)).map(([value, { label }]) => ({ value, label }));
      heatChoice.replaceChildren(
        dropdown('Colour', [{ value: 'none', label: 'None' }, ...choices], heat, (value) => {
          heat = value;
          paintHeat();
        }),
      );
      paintHeat();
      if (last !== undefined) choose(last);
    },
    weights({ name, facts: found, problem }) {
      const holder = holders.get(name);
      holder?.replaceChildren(found ? weightView(found) : el('p', { class: 'wrong' }, problem ?? 'It cannot be shown.'));
    },
  };
};
