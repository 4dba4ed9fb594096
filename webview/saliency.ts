import type { Attribution } from '../src/report/tasks.ts';
import type { Asked, Looked, ToPage } from '../src/vscode/protocol.ts';
import { drawingOf, originalOf } from './attribution-drawing.ts';
import { button, checkbox } from './controls.ts';
import { el, say } from './element.ts';
import type { Host } from './host.ts';
import { format, given, t, type Words } from './l10n.ts';
import { colourKey, lookControls, lookOf, type MapLook, plainLook, scaleAt } from './map-look.ts';
import { askControls, optionsOf } from './saliency-controls.ts';
import { answerOf, factsView, isWrong, nameOf } from './saliency-facts.ts';
import { onThemeChange } from './theme.ts';

type Message = Extract<ToPage, { type: 'saliency' }>;

export interface SaliencyView {
  readonly element: HTMLElement;
  readonly show: (message: Message) => void;
  readonly progress: (fraction: number, text: string) => void;
}

/** How maps are drawn in the tab. */
interface Look extends MapLook {
  readonly outliers: number;
  /** Two models: the same |value| is full strength in both. */
  readonly sameScale: boolean;
}

/** The second class of a difference. */
const lessOf = ({ facts }: Attribution): string | undefined => {
  const less = facts.find(({ label }) => label === 'Less the output of');
  return less && String(less.value);
};
/** What VS Code keeps of the tab: what the extension gave, where it stands, and how it draws. */
const keptBy = (host: Host): Readonly<Record<string, unknown>> => {
  try {
    const kept: unknown = JSON.parse(host.kept() ?? '{}');
    return typeof kept === 'object' && kept !== null ? { ...kept } : {};
  } catch {
    return {};
  }
};

const largest = ({ values }: Attribution): number => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

/** The image tab: a sample with the heat map over it. What is chosen here is asked of the extension; how it is drawn changes at once. */
export const saliencyView = (host: Host, signal: AbortSignal): SaliencyView => {
  const kept = keptBy(host);
  let look: Look = { ...plainLook, beside: true, outliers: 2, sameScale: false, ...(kept.look as Partial<Look> | undefined) };
  let now: Message | null = null;
  /** The newest attribution of the first model: it knows classes, layers and the place in the split. */
  let seen: Attribution | undefined;
  let asked: Asked = { position: 0, method: '', options: {} };

  const title = el('h1');
  const status = el('p', { class: 'muted', role: 'status' });
  const cancel = button(t('Cancel'), () => host.post({ type: 'cancel' }), { look: 'quiet' });
  const pictures = el('div', { class: 'pictures' });
  const facts = el('div', { class: 'saliency-aside' });
  const body = el('div', { class: 'saliency-body' }, pictures, facts);
  const choices = el('div', { class: 'controls' });
  const drawn = el('div', { class: 'controls' });
  const key = colourKey();

  const methodOf = (id: string): string => now?.form.methods.find((method) => method.id === id)?.title ?? id;
  const whatOf = (a: Attribution): Words => {
    const [method, less] = [methodOf(a.method), lessOf(a)];
    if (a.classes.length < 2) return less === undefined ? given(method) : t('{0} less {1}', method, less);
    const target = nameOf(a, a.target);
    return less === undefined ? t('{0} for {1}', method, target) : t('{0} for {1} less {2}', method, target, less);
  };
  const captionOf = (a: Attribution, name: string | undefined): Words => (name === undefined ? whatOf(a) : given(`${name}: ${whatOf(a)}`));

  const mapped = ({ name, attribution: a, problem }: Looked, all: readonly Attribution[], two: boolean): HTMLElement => {
    const caption = two ? name : undefined;
    if (problem !== undefined)
      return el(
        'figure',
        { class: 'big' },
        el(
          'div',
          { class: 'outcome failed', role: 'alert' },
          el('strong', {}, two ? t('No map of {0}', name) : t('No map')),
          el('p', {}, given(problem)),
          button(t('Try again'), () => host.post({ type: 'rerun' })),
        ),
      );
    if (!a) return el('figure', { class: 'big waiting' }, el('p', { class: 'muted' }, t('Computing…')));
    const together = look.sameScale ? all : [a];
    const scale = Math.max(...together.map((one) => scaleAt(one.values, look.outliers)));
    const label = t('Row {0} with {1} over it', a.row, captionOf(a, caption));
    return el(
      'figure',
      { class: `big shown-${a.shown.kind}` },
      drawingOf(a, label, look, scale, Math.max(...together.map(largest))),
      el('figcaption', {}, captionOf(a, caption)),
    );
  };

  const draw = (): void => {
    if (now === null) return;
    const { models } = now;
    const all = models.flatMap(({ attribution }) => (attribution ? [attribution] : []));
    const two = models.length > 1;
    const original = look.beside && seen?.position === asked.position ? originalOf(seen) : undefined;
    pictures.replaceChildren(...(original ? [original] : []), ...models.map((model) => mapped(model, all, two)));
    body.classList.toggle('two', two);
    const maps = all.map(({ values }) => values);
    key.paint(lookOf(maps, look), seen && seen.classes.length < 2 ? [t('lowers the output'), t('raises it')] : undefined);
  };
  const keep = (): void => host.keep(JSON.stringify({ ...kept, place: { position: asked.position }, look }));
  const change = (part: Partial<Look>): void => {
    look = { ...look, ...part };
    keep();
    draw();
  };

  const busy = (on: boolean): void => {
    cancel.classList.toggle('gone', !on);
    if (on) element.setAttribute('aria-busy', 'true');
    else element.removeAttribute('aria-busy');
    if (on) say(status, t('Computing…'));
  };
  const ask = (part: Partial<Omit<Asked, 'target'>> & { readonly target?: number | undefined }): void => {
    if (now === null) return;
    const { target, ...rest } = { ...asked, ...part, options: { ...asked.options, ...part.options } };
    asked = target === undefined ? rest : { ...rest, target };
    if (part.method !== undefined) choose();
    busy(true);
    host.post({ type: 'attribute', ...asked, options: optionsOf(now.form, asked.method, asked.options) });
  };
  const step = (by: number): void => {
    const next = Math.max(0, Math.min((seen?.count ?? 1) - 1, asked.position + by));
    if (next !== asked.position) ask({ position: next });
  };
  const previous = button(t('Previous'), () => step(-1), { title: t('Previous sample (left arrow)') });
  const next = button(t('Next'), () => step(1), { title: t('Next sample (right arrow)') });
  const position = el('span', { class: 'muted' });

  /** Puts controls in place of others; the one in use stays in use. */
  const refill = (place: HTMLElement, controls: readonly HTMLElement[]): void => {
    const label = place.contains(document.activeElement) ? document.activeElement?.getAttribute('aria-label') : undefined;
    place.replaceChildren(...controls);
    if (label) place.querySelector<HTMLElement>(`[aria-label="${CSS.escape(label)}"]`)?.focus();
  };
  const choose = (): void => {
    if (now !== null) refill(choices, askControls(now.form, asked, seen, ask));
  };
  const dress = (): void => {
    const two = (now?.models.length ?? 0) > 1;
    refill(drawn, [
      ...lookControls(look, change, seen?.shown.kind === 'map' && seen.shown.picture !== null),
      ...(two ? [checkbox(t('Same scale'), look.sameScale, (sameScale) => change({ sameScale }))] : []),
      two
        ? button(t('Remove second model'), () => host.post({ type: 'second', wanted: false }), { look: 'quiet' })
        : button(t('Compare with a model…'), () => host.post({ type: 'second', wanted: true }), { look: 'quiet' }),
      key.element,
    ]);
  };

  const element = el(
    'article',
    { class: 'report saliency' },
    el(
      'header',
      { class: 'report-header' },
      el('div', { class: 'report-title' }, title, el('div', { class: 'actions' }, previous, position, next)),
      el('div', { class: 'saliency-status' }, status, cancel),
    ),
    choices,
    drawn,
    body,
  );
  element.addEventListener('keydown', (event) => {
    const from = event.target;
    if (from instanceof HTMLElement && from.matches('input, vscode-dropdown')) return;
    if (event.key === 'ArrowLeft') step(-1);
    else if (event.key === 'ArrowRight') step(1);
  });
  onThemeChange(draw, signal);

  return {
    element,
    progress(fraction, text) {
      if (element.hasAttribute('aria-busy')) say(status, t('Computing… {0}, {1}', format(fraction, 'fraction'), text));
    },
    show(message) {
      const first = now === null;
      const shape = (): string => JSON.stringify([now?.models.length, seen?.shown.kind]);
      const before = shape();
      now = message;
      const [{ attribution, problem }] = message.models;
      if (!seen && attribution && kept.look === undefined) look = { ...look, outliers: attribution.outliers };
      seen = attribution ?? seen;
      // What other methods read stays chosen for them.
      asked = { ...message.asked, options: { ...asked.options, ...message.asked.options } };
      const pending = message.models.some((model) => !model.attribution && model.problem === undefined);
      busy(pending);
      say(title, seen?.position === asked.position ? t('{0}, row {1}', message.name, seen.row) : given(message.name));
      if (!pending) say(status, attribution ? answerOf(attribution) : problem === undefined ? '' : t('There is no map.'));
      status.classList.toggle('wrong', !pending && attribution !== undefined && isWrong(attribution));
      say(position, seen ? t('{0} of {1}', format(asked.position + 1, 'count'), format(seen.count, 'count')) : '');
      previous.toggleAttribute('disabled', asked.position <= 0);
      next.toggleAttribute('disabled', asked.position >= (seen?.count ?? 1) - 1);
      if (seen) keep();
      choose();
      if (first || shape() !== before) dress();
      const two = message.models.length > 1;
      facts.replaceChildren(
        ...message.models.flatMap((model) => (model.attribution ? [factsView(model.attribution, two ? model.name : undefined)] : [])),
      );
      draw();
    },
  };
};
