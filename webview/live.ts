import { format } from '../src/report/format.ts';
import type { Live, TrainEpoch, TrainLive } from '../src/report/tasks.ts';
import { button, ring } from './controls.ts';
import { el } from './element.ts';
import type { Host } from './host.ts';
import { type LiveCurves, liveCurves } from './live-curves.ts';
import { thumbnails } from './live-thumbnails.ts';

/** Lines of monitors shown as numbers at most. */
const mostLines = 8;

export interface LiveView {
  readonly element: HTMLElement;
  readonly live: (message: Live) => void;
  /** Nothing was told of it yet. */
  readonly empty: () => boolean;
  readonly overlay: LiveCurves['overlay'];
  readonly progress: (title: string, fraction: number, text: string) => void;
  /** The run is over, without a report. */
  readonly end: () => void;
}

/** A run while it runs: how far, how fast, and (where it trains) its curves and what its diagnostics draw. */
export const liveView = (host: Host, signal: AbortSignal): LiveView => {
  const curves = liveCurves(signal);
  const small = thumbnails(signal);
  const title = el('h1', {}, 'Running');
  const text = el('p', { class: 'muted', 'aria-live': 'polite' });
  const meter = el('progress', { max: 1, 'aria-label': 'Progress' });
  const facts = el('dl', { class: 'headline' });
  const body = el('div', { class: 'live-body', hidden: true }, curves.element, small.element);
  let over = false;
  let paused = false;
  let timeLeft: HTMLElement | null = null;

  const words = el('div', { class: 'muted' });
  let diagnosed: readonly (readonly [string, string])[] = [];
  const show = (message: TrainLive): void => {
    const last = message.step.length - 1;
    if (last < 0) return;
    const step = message.step[last];
    const left = message.stepsPerSecond > 0 ? (message.totalSteps - step) / message.stepsPerSecond : Number.NaN;
    meter.value = message.totalSteps > 0 ? step / message.totalSteps : 0;
    const measured = (name: string, value: number | undefined): readonly (readonly [string, string])[] =>
      value !== undefined && Number.isFinite(value) ? [[name, format(value)]] : [];
    const pairs: readonly (readonly [string, string])[] = [
      ['loss', format(message.loss[last])],
      ...(message.accuracy.length > 0 ? [['accuracy', format(message.accuracy[last], 'fraction')] as const] : []),
      ['step', `${format(step, 'count')} of ${format(message.totalSteps, 'count')}`],
      ['epoch', `${format(message.epoch, 'count')} of ${format(message.epochs, 'count')}`],
      ['learning rate', format(message.learningRate[last])],
      ['gradient norm', format(message.gradientNorm[last])],
      ...measured('update-to-weight ratio', message.updateRatio?.[last]),
      ...measured('effective step size', message.effectiveStep?.[last]),
      ['steps per second', format(message.stepsPerSecond)],
      ...Object.entries(message.monitors ?? {})
        .slice(0, mostLines)
        .map(([line, values]) => [line.replace('/', ': ').replaceAll('-', ' '), format(values[last])] as const),
      ...diagnosed,
      ['time left', Number.isFinite(left) ? format(Math.max(0, left), 'seconds') : 'unknown'],
    ];
    const shown = pairs.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)));
    facts.replaceChildren(...shown);
    timeLeft = shown[shown.length - 1];
    if (over) timeLeft.remove();
    body.hidden = false;
  };
  const epoch = ({ epoch: number, diagnosed: numbers = {}, cards = [], said = [] }: TrainEpoch): void => {
    if (said.length > 0) words.replaceChildren(...said.map((sentence) => el('p', {}, sentence)));
    diagnosed = Object.entries(numbers)
      .filter(([name]) => name.endsWith('/ece') || name.endsWith('/balanced_accuracy'))
      .map(([name, value]) => [`validation ${name.split('/')[1].replaceAll('_', ' ')}`, format(value, 'fraction')]);
    if (cards.length > 0) small.show(number, cards);
  };

  const stopping = (sentence: string): void => {
    for (const control of actions.children) control.setAttribute('disabled', '');
    text.textContent = sentence;
  };
  const wait = button('Pause', () => host.post({ type: 'steer', steer: paused ? 'run' : 'pause' }), {
    title: 'Pause or resume this training (Ctrl+Alt+P)',
  });
  const keep = button(
    'Stop and Keep',
    () => {
      host.post({ type: 'steer', steer: 'stop' });
      stopping('Stopping; what was reached is kept…');
    },
    { title: 'Stop and keep the model that was reached (Ctrl+Alt+K)' },
  );
  const overlay = button('Overlay…', () => host.post({ type: 'overlay' }), { title: 'Overlay an earlier training run' });
  const cancel = button('Cancel', () => {
    host.post({ type: 'cancel' });
    stopping('Stopping…');
  });
  const actions = el('div', { class: 'actions' }, cancel);
  const spinner = ring('Running');
  const standing = (now: boolean): void => {
    paused = now;
    if (over) return;
    if (!actions.contains(wait)) actions.prepend(wait, keep, overlay);
    wait.textContent = paused ? 'Resume' : 'Pause';
    wait.setAttribute('aria-label', `${paused ? 'Resume' : 'Pause'} this training (Ctrl+Alt+P)`);
    spinner.classList.toggle('gone', paused);
  };
  return {
    element: el(
      'article',
      { class: 'report live' },
      el(
        'header',
        { class: 'report-header' },
        el('div', { class: 'report-title' }, el('div', { class: 'running' }, spinner, title), actions),
        text,
        meter,
      ),
      facts,
      words,
      body,
    ),
    live(message) {
      curves.add(message);
      if (message.kind === 'steps') show(message);
      else if (message.kind === 'epoch') epoch(message);
      else if (message.kind === 'standing') standing(message.paused);
    },
    empty: () => body.hidden === true,
    overlay(name, live) {
      curves.overlay(name, live);
      body.hidden = false;
    },
    end() {
      over = true;
      spinner.remove();
      timeLeft?.remove();
      text.textContent = '';
      // Another run can still be drawn behind what was seen.
      actions.replaceChildren(...(body.hidden ? [] : [overlay]));
      overlay.removeAttribute('disabled');
      if (title.textContent === 'Running') title.textContent = 'What had been seen by then';
    },
    progress(name, fraction, sentence) {
      title.textContent = name;
      if (cancel.getAttribute('disabled') === null) text.textContent = sentence;
      if (Number.isFinite(fraction)) meter.value = Math.max(0, Math.min(1, fraction));
    },
  };
};
