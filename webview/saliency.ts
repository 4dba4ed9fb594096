import { format } from '../src/report/format.ts';
import type { Attribution } from '../src/report/tasks.ts';
import type { ToPage } from '../src/vscode/protocol.ts';
import { colourKey } from './cards/images.ts';
import { button, type Choice, checkbox, dropdown, slider } from './controls.ts';
import { el } from './element.ts';
import type { Host } from './host.ts';
import { type OverlayLook, paint, sizedCanvas } from './picture.ts';

type Message = Extract<ToPage, { type: 'saliency' }>;

export interface SaliencyView {
  readonly element: HTMLElement;
  readonly show: (message: Message) => void;
}

/** The chosen class follows the prediction of each sample until the user names one. */
interface Asked {
  position: number;
  method: string;
  target: number | undefined;
}

const classChoices = ({ classes, probs, prediction }: Attribution): readonly Choice[] => [
  { value: 'predicted', label: `predicted (${classes[prediction] ?? prediction})` },
  ...probs
    .map((p, i) => ({ p, i }))
    .sort((a, b) => b.p - a.p)
    .slice(0, 100)
    .map(({ p, i }) => ({ value: String(i), label: `${classes[i] ?? i} · ${format(p, 'fraction')}` })),
];

/** The image tab: a sample with the heat map over it. What is chosen here is asked of the extension; opacity and mode are drawn at once. */
export const saliencyView = (host: Host): SaliencyView => {
  let look: OverlayLook = { opacity: 0.6, mode: 'signed' };
  let beside = true;
  let now: Message | null = null;
  const asked: Asked = { position: 0, method: '', target: undefined };

  const title = el('h1');
  const status = el('p', { class: 'muted', role: 'status' });
  const original = el('figure', { class: 'big' });
  const mapped = el('figure', { class: 'big' });
  const facts = el('dl', { class: 'facts' });
  const probabilities = el('ol', { class: 'probabilities', 'aria-label': 'Probabilities' });
  const choices = el('div', { class: 'controls' });
  const key = colourKey();

  const draw = (): void => {
    if (now === null) return;
    const { attribution: a } = now;
    const [width, height] = a.picture ? [a.picture.width, a.picture.height] : [a.width, a.height];
    const least = 384;
    const over = sizedCanvas(width, height, least);
    paint(over, a.picture, a, look);
    over.setAttribute('role', 'img');
    over.setAttribute('aria-label', `Row ${a.row} with ${a.method} for ${a.classes[a.target] ?? a.target} over it`);
    mapped.replaceChildren(over, el('figcaption', {}, `${titleOf(now, a.method)} for ${a.classes[a.target] ?? a.target}`));
    original.hidden = !beside || a.picture === null;
    if (a.picture) {
      const alone = sizedCanvas(width, height, least);
      paint(alone, a.picture, null, look);
      alone.setAttribute('role', 'img');
      alone.setAttribute('aria-label', `Row ${a.row}, original`);
      original.replaceChildren(alone, el('figcaption', {}, `original, ${width} × ${height}`));
    }
    key.paint(look);
  };
  const titleOf = (message: Message, id: string): string => message.methods.find((method) => method.id === id)?.title ?? id;

  const ask = (): void => {
    status.textContent = 'Computing…';
    element.setAttribute('aria-busy', 'true');
    host.post({
      type: 'attribute',
      position: asked.position,
      method: asked.method,
      ...(asked.target !== undefined && { target: asked.target }),
    });
  };
  const step = (by: number): void => {
    if (now === null) return;
    const next = Math.max(0, Math.min(now.attribution.count - 1, asked.position + by));
    if (next === asked.position) return;
    asked.position = next;
    ask();
  };
  const previous = button('Previous', () => step(-1), { title: 'Previous sample (left arrow)' });
  const next = button('Next', () => step(1), { title: 'Next sample (right arrow)' });
  const position = el('span', { class: 'muted' });

  const element = el(
    'article',
    { class: 'report saliency' },
    el(
      'header',
      { class: 'report-header' },
      el('div', { class: 'report-title' }, title, el('div', { class: 'actions' }, previous, position, next)),
      status,
    ),
    choices,
    el(
      'div',
      { class: 'controls' },
      slider('Opacity', look.opacity, (opacity) => {
        look = { ...look, opacity };
        draw();
      }),
      checkbox('Absolute', false, (on) => {
        look = { ...look, mode: on ? 'absolute' : 'signed' };
        draw();
      }),
      checkbox('Original beside', true, (on) => {
        beside = on;
        draw();
      }),
      key.element,
    ),
    el(
      'div',
      { class: 'saliency-body' },
      el('div', { class: 'pictures' }, original, mapped),
      el('div', { class: 'saliency-facts' }, probabilities, facts),
    ),
  );
  element.addEventListener('keydown', (event) => {
    const from = event.target;
    if (from instanceof HTMLElement && from.matches('input, vscode-dropdown')) return;
    if (event.key === 'ArrowLeft') step(-1);
    else if (event.key === 'ArrowRight') step(1);
  });

  return {
    element,
    show(message) {
      now = message;
      const { attribution: a, methods, name } = message;
      asked.method = a.method;
      asked.position = a.position;
      title.textContent = `${name}, row ${a.row}`;
      const label = a.label === undefined ? '' : `label ${a.classes[a.label] ?? a.label}, `;
      status.textContent = `${label}predicted ${a.classes[a.prediction] ?? a.prediction} at ${format(a.probs[a.prediction], 'fraction')}`;
      status.classList.toggle('wrong', a.label !== undefined && a.label !== a.prediction);
      element.removeAttribute('aria-busy');
      position.textContent = `${format(a.position + 1, 'count')} of ${format(a.count, 'count')}`;
      previous.toggleAttribute('disabled', a.position <= 0);
      next.toggleAttribute('disabled', a.position >= a.count - 1);
      const focused = [...choices.querySelectorAll('vscode-dropdown')]
        .map((one): Element => one)
        .indexOf(document.activeElement ?? element);
      choices.replaceChildren(
        dropdown(
          'Method',
          methods.map((method) => ({ value: method.id, label: method.title })),
          a.method,
          (method) => {
            asked.method = method;
            ask();
          },
        ),
        dropdown('Class', classChoices(a), asked.target === undefined ? 'predicted' : String(asked.target), (value) => {
          asked.target = value === 'predicted' ? undefined : Number(value);
          ask();
        }),
      );
      if (focused >= 0) choices.querySelectorAll<HTMLElement>('vscode-dropdown')[focused]?.focus();
      const top = a.probs
        .map((p, i) => ({ p, i }))
        .sort((x, y) => y.p - x.p)
        .slice(0, 5);
      probabilities.replaceChildren(
        ...top.map(({ p, i }) => {
          const meter = el('meter', { min: 0, max: 1, value: p, 'aria-hidden': 'true' });
          return el(
            'li',
            { class: i === a.target ? 'target' : undefined },
            el('span', { class: 'class-name' }, a.classes[i] ?? String(i)),
            meter,
            el('span', { class: 'numeric' }, format(p, 'fraction')),
          );
        }),
      );
      facts.replaceChildren(
        ...a.facts.flatMap((fact) => [
          el('dt', {}, fact.label),
          el('dd', {}, typeof fact.value === 'number' ? format(fact.value) : fact.value),
        ]),
      );
      draw();
    },
  };
};
