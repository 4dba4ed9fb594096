import type { ModelProfile } from '../src/report/model-study.ts';
import type { LayerRow, ModelLayers, ModelValue } from '../src/report/tasks.ts';
import type { ToPage } from '../src/vscode/protocol.ts';
import { button, dropdown, ring, toggle } from './controls.ts';
import { el, say } from './element.ts';
import { type GraphView, graphView } from './graph-view.ts';
import type { Host } from './host.ts';
import { format, given, t, type Words } from './l10n.ts';
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

const pairs = (list: readonly (readonly [Words, Node | Words])[]): HTMLElement =>
  el('dl', { class: 'pairs' }, ...list.flatMap(([label, value]) => [el('dt', {}, label), el('dd', {}, value)]));

const values = (list: readonly ModelValue[]): HTMLElement =>
  el(
    'ul',
    { class: 'ends' },
    ...list.map(({ name, dtype, dims }) =>
      el('li', {}, el('code', {}, given(name)), el('span', { class: 'muted' }, given(` ${dtype} ${shapeOf(dims)}`))),
    ),
  );

const numbers = ({ parameters, macs, layers, weightBytes, activationBytes }: ModelLayers): HTMLElement => {
  const stops = layers.filter(({ noGradient }) => noGradient).length;
  const told: readonly (readonly [Words, Words, (Words | undefined)?])[] = [
    [t('parameters'), format(parameters, 'count')],
    [
      t('MACs per row'),
      macs === null ? given('–') : format(macs, 'count'),
      macs === null ? t('not all operators can be counted') : undefined,
    ],
    [t('weights'), format(weightBytes, 'bytes')],
    [
      t('activations per row'),
      activationBytes === null ? given('–') : format(activationBytes, 'bytes'),
      activationBytes === null ? t('not measured') : t('at the peak'),
    ],
    [t('layers'), format(layers.length, 'count')],
    [t('stop gradients'), format(stops, 'count')],
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
  const aside = el('section', { class: 'layer-aside', 'aria-label': t('Chosen layer') });
  const holders = new Map<string, HTMLElement>();
  const ask = (name: string): void => {
    holders.get(name)?.replaceChildren(ring(t('Reading {0}', name)));
    host.post({ type: 'weights', name });
  };
  let last: number | undefined;
  /** Shows a layer; one that is shown again may keep the weights that were asked for. */
  const choose = (index: number, keep = false): void => {
    if (!facts) return;
    last = index;
    const layer: LayerRow = facts.layers[index];
    const before = new Map(keep ? holders : []);
    holders.clear();
    const stored = layer.weights.map((w) => {
      const { name, dtype, dims } = (facts as ModelLayers).weights[w];
      const holder = before.get(name) ?? el('div');
      holders.set(name, holder);
      return el(
        'div',
        { class: 'weight' },
        el('p', {}, el('code', {}, given(name)), el('span', { class: 'muted' }, given(` ${dtype} ${shapeOf(dims)}`))),
        button(t('Show values'), () => ask(name), { title: t('Show values of {0}', name) }),
        holder,
      );
    });
    aside.replaceChildren(
      el('h2', {}, given(layer.name)),
      pairs([
        [t('Operator'), given(layer.op)],
        [t('Output'), given(`${shapeOf(layer.dims)} ${layer.dtype}`)],
        [t('Reads'), given(layer.inputs.join(', ') || '–')],
        [t('Writes'), given(layer.outputs.join(', ') || '–')],
        [t('Parameters'), format(layer.parameters, 'count')],
        [t('MACs per row'), layer.macs === null ? t('not known') : format(layer.macs, 'count')],
        [t('Gradient'), layer.noGradient ? t('Stops here: {0}', layer.noGradient) : t('Passes')],
        ...(profile ? activityPairs(profile.layers[index]) : []),
      ]),
      ...stored,
    );
  };
  const idle = (): void => aside.replaceChildren(el('p', { class: 'muted' }, t('Choose a layer to see what it reads and its weights.')));
  let graph: GraphView | undefined;
  const table = layerTable((index) => choose(index));
  const shown = el('div', { class: 'layers-shown' }, table.element);
  const paintHeat = (): void => graph?.heat(profile && heats(profile)[heat]);
  const heatChoice = el('div', { class: 'heat-choice', hidden: true });
  const profiled = el('div', {});
  const draw = (on: boolean): void => {
    table.chooser.hidden = on;
    heatChoice.hidden = !on;
    graph ??= graphView((index) => choose(index), signal);
    shown.replaceChildren(on ? graph.element : table.element);
    if (!on || !facts) return;
    graph.show(facts);
    paintHeat();
    if (last !== undefined) graph.reveal(last);
  };
  const search = el('input', {
    type: 'search',
    class: 'search',
    placeholder: t('Search name, operator, shape or type'),
    'aria-label': t('Search layers'),
  });
  const count = (found: number): void => {
    const all = facts?.layers.length ?? 0;
    const [some, whole] = [format(found, 'count'), format(all, 'count')];
    if (found === all) say(told, all === 1 ? t('{0} layer', whole) : t('{0} layers', whole));
    else say(told, all === 1 ? t('{0} of {1} layer', some, whole) : t('{0} of {1} layers', some, whole));
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
      { class: 'layers-view', 'aria-label': t('Layers') },
      el('div', { class: 'layers-bar' }, search, told, toggle(t('Graph'), false, draw, t('Layers as a graph')), table.chooser, heatChoice),
      shown,
    ),
    aside,
  );
  return {
    element,
    show({ name, facts: read, measuring, trusted }) {
      const chosen = last !== undefined && facts?.layers[last]?.name === read.layers[last]?.name ? last : undefined;
      facts = read;
      say(title, given(name));
      const opsets = Object.entries(read.opsets).map(([domain, version]) => `${domain} ${version}`);
      top.replaceChildren(
        el(
          'div',
          { class: 'report-title' },
          title,
          el(
            'div',
            { class: 'actions' },
            measuring && ring(t('Measuring shapes')),
            trusted && button(t('Run Diagnostic…'), () => host.post({ type: 'diagnose' }), { look: 'primary' }),
            trusted &&
              button(t('Profile…'), () => host.post({ type: 'profile' }), {
                title: t('Time layers and look at their values on some rows'),
              }),
            button(t('Compare with…'), () => host.post({ type: 'difference' }), { title: t('Compare with another model file') }),
            trusted && button(t('Export Gradient Graph…'), () => host.post({ type: 'gradient' })),
          ),
        ),
        numbers(read),
        el(
          'div',
          { class: 'model-facts' },
          pairs([
            [t('Inputs'), values(read.inputs)],
            [t('Outputs'), values(read.outputs)],
          ]),
          pairs([
            [t('File'), format(read.bytes, 'bytes')],
            [t('Producer'), given(read.producer || '–')],
            [t('Operator set'), given(opsets.join(', '))],
            [t('IR version'), given(String(read.irVersion))],
            [
              t('Shapes'),
              read.measured ? t('measured by a run on the CPU') : measuring ? t('being measured…') : t('implied by the operators'),
            ],
          ]),
        ),
        ...(read.notes.length > 0
          ? [
              el(
                'details',
                { class: 'muted' },
                el('summary', {}, t('Notes ({0})', read.notes.length)),
                el('ul', {}, ...read.notes.map((n) => el('li', {}, given(n)))),
              ),
            ]
          : []),
        profiled,
        ...(trusted ? [] : [el('p', { class: 'muted' }, t('This workspace is not trusted: the file is read, and not run.'))]),
      );
      if (profile && profile.layers.length !== read.layers.length) forget();
      last = chosen;
      // What a run measured is of the file that was read; a file read anew has other weights.
      if (chosen === undefined) idle();
      else choose(chosen, !measuring);
      table.show(read.layers);
      if (graph?.element.isConnected) graph.show(read);
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
        dropdown(t('Colour'), [{ value: 'none', label: t('None') }, ...choices], heat, (value) => {
          heat = value;
          paintHeat();
        }),
      );
      paintHeat();
      if (last !== undefined) choose(last, true);
    },
    weights({ name, facts: found, problem }) {
      const holder = holders.get(name);
      holder?.replaceChildren(
        found ? weightView(found) : el('p', { class: 'wrong' }, problem === undefined ? t('It cannot be shown.') : given(problem)),
      );
    },
  };
};
