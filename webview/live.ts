import type { Live, TrainEpoch, TrainLive } from '../src/report/tasks.ts';
import { button, ring } from './controls.ts';
import { dress, el, say } from './element.ts';
import type { Host } from './host.ts';
import { format, given, t, type Words } from './l10n.ts';
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
  const title = el('h1', {}, t('Running'));
  const text = el('p', { class: 'muted', 'aria-live': 'polite' });
  const meter = el('progress', { max: 1, 'aria-label': t('Progress') });
  const facts = el('dl', { class: 'headline' });
  const body = el('div', { class: 'live-body', hidden: true }, curves.element, small.element);
  let named = false;
  let over = false;
  let paused = false;
  let timeLeft: HTMLElement | null = null;

  const words = el('div', { class: 'muted' });
  let diagnosed: readonly (readonly [Words, Words])[] = [];
  const show = (message: TrainLive): void => {
    const last = message.step.length - 1;
    if (last < 0) return;
    const step = message.step[last];
    const left = message.stepsPerSecond > 0 ? (message.totalSteps - step) / message.stepsPerSecond : Number.NaN;
    meter.value = message.totalSteps > 0 ? step / message.totalSteps : 0;
    const measured = (name: Words, value: number | undefined): readonly (readonly [Words, Words])[] =>
      value !== undefined && Number.isFinite(value) ? [[name, format(value)]] : [];
    const pairs: readonly (readonly [Words, Words])[] = [
      [t('loss'), format(message.loss[last])],
      ...(message.accuracy.length > 0 ? [[t('accuracy'), format(message.accuracy[last], 'fraction')] as const] : []),
      [t('step'), t('{0} of {1}', format(step, 'count'), format(message.totalSteps, 'count'))],
      [t('epoch'), t('{0} of {1}', format(message.epoch, 'count'), format(message.epochs, 'count'))],
      [t('learning rate'), format(message.learningRate[last])],
      [t('gradient norm'), format(message.gradientNorm[last])],
      ...measured(t('update-to-weight ratio'), message.updateRatio?.[last]),
      ...measured(t('effective step size'), message.effectiveStep?.[last]),
      [t('steps per second'), format(message.stepsPerSecond)],
      ...Object.entries(message.monitors ?? {})
        .slice(0, mostLines)
        .map(([line, values]) => [given(line.replace('/', ': ').replaceAll('-', ' ')), format(values[last])] as const),
      ...diagnosed,
      [t('time left'), Number.isFinite(left) ? format(Math.max(0, left), 'seconds') : t('unknown')],
    ];
    const shown = pairs.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)));
    facts.replaceChildren(...shown);
    timeLeft = shown[shown.length - 1];
    if (over) timeLeft.remove();
    body.hidden = false;
  };
  const epoch = ({ epoch: number, diagnosed: numbers = {}, cards = [], said = [] }: TrainEpoch): void => {
    if (said.length > 0) words.replaceChildren(...said.map((sentence) => el('p', {}, given(sentence))));
    diagnosed = Object.entries(numbers)
      .filter(([name]) => name.endsWith('/ece') || name.endsWith('/balanced_accuracy'))
      .map(([name, value]) => [t('validation {0}', name.split('/')[1].replaceAll('_', ' ')), format(value, 'fraction')]);
    if (cards.length > 0) small.show(number, cards);
  };

  const stopping = (sentence: Words): void => {
    for (const control of actions.children) control.setAttribute('disabled', '');
    say(text, sentence);
  };
  const wait = button(t('Pause'), () => host.post({ type: 'steer', steer: paused ? 'run' : 'pause' }), {
    title: t('Pause or resume this training (Ctrl+Alt+P)'),
  });
  const keep = button(
    t('Stop and Keep'),
    () => {
      host.post({ type: 'steer', steer: 'stop' });
      stopping(t('Stopping; what was reached is kept…'));
    },
    { title: t('Stop and keep the model that was reached (Ctrl+Alt+K)') },
  );
  const overlay = button(t('Overlay…'), () => host.post({ type: 'overlay' }), { title: t('Overlay an earlier training run') });
  const cancel = button(t('Cancel'), () => {
    host.post({ type: 'cancel' });
    stopping(t('Stopping…'));
  });
  const actions = el('div', { class: 'actions' }, cancel);
  const spinner = ring(t('Running'));
  const standing = (now: boolean): void => {
    paused = now;
    if (over) return;
    if (!actions.contains(wait)) actions.prepend(wait, keep, overlay);
    say(wait, paused ? t('Resume') : t('Pause'));
    dress(wait, { 'aria-label': paused ? t('Resume this training (Ctrl+Alt+P)') : t('Pause this training (Ctrl+Alt+P)') });
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
      say(text, '');
      // Another run can still be drawn behind what was seen.
      actions.replaceChildren(...(body.hidden ? [] : [overlay]));
      overlay.removeAttribute('disabled');
      if (!named) say(title, t('What had been seen by then'));
    },
    progress(name, fraction, sentence) {
      named = true;
      say(title, given(name));
      if (cancel.getAttribute('disabled') === null) say(text, given(sentence));
      if (Number.isFinite(fraction)) meter.value = Math.max(0, Math.min(1, fraction));
    },
  };
};
