import { format } from '../src/report/format.ts';
import type { Live, TrainEpoch, TrainLive } from '../src/report/tasks.ts';
import { type Drawn, drawPlot, type LegendEntry, scaleOf } from './chart.ts';
import { button, ring } from './controls.ts';
import { el } from './element.ts';
import type { Host } from './host.ts';
import { lineSwatch } from './overlays.ts';
import { css } from './theme.ts';

/** Lines of monitors shown as numbers at most. */
const mostLines = 8;

/** Points kept per line: beyond it neighbours are averaged in pairs, so a long run costs no more than a short one. */
const MOST_POINTS = 1500;

interface Track {
  points: { x: number; y: number }[];
  /** Steps averaged into one point. */
  stride: number;
  waiting: number[];
}

const add = (track: Track, step: number, value: number): void => {
  if (!Number.isFinite(value)) return;
  track.waiting.push(value);
  if (track.waiting.length < track.stride) return;
  track.points.push({ x: step, y: track.waiting.reduce((a, b) => a + b, 0) / track.waiting.length });
  track.waiting = [];
  if (track.points.length < MOST_POINTS) return;
  track.stride *= 2;
  track.points = track.points.flatMap((point, i, all) => (i % 2 === 1 ? [{ x: point.x, y: (point.y + all[i - 1].y) / 2 }] : []));
};

const track = (): Track => ({ points: [], stride: 1, waiting: [] });

export interface LiveView {
  readonly element: HTMLElement;
  readonly live: (message: Live) => void;
  readonly progress: (title: string, fraction: number, text: string) => void;
  /** The run is over, without a report. */
  readonly end: () => void;
}

/** A run while it runs: how far, how fast, and (where it trains) its curves. */
export const liveView = (host: Host, signal: AbortSignal): LiveView => {
  const training: Record<'loss' | 'accuracy', Track> = { loss: track(), accuracy: track() };
  const validation: Record<'loss' | 'accuracy', { x: number; y: number }[]> = { loss: [], accuracy: [] };
  let lastStep = 0;
  let totalSteps = 0;
  let dirty = false;
  let timeLeft: HTMLElement | null = null;

  const title = el('h1', {}, 'Running');
  const text = el('p', { class: 'muted', 'aria-live': 'polite' });
  const meter = el('progress', { max: 1, 'aria-label': 'Progress' });
  const facts = el('dl', { class: 'headline' });
  const plots = el('div', { class: 'live-plots' });

  const plotOf = (name: 'loss' | 'accuracy'): Drawn => {
    const legend: readonly LegendEntry[] = [lineSwatch('training', 0), lineSwatch('validation', 1, true)];
    return drawPlot(
      {
        label: `${name} over steps, training and validation`,
        nearest: 'x',
        legend,
        configure: (theme) => ({
          type: 'line',
          data: {
            datasets: [
              {
                label: 'training',
                data: training[name].points,
                borderColor: css(theme.series(0), theme.contrast ? 1 : 0.7),
                backgroundColor: css(theme.series(0)),
                borderWidth: 1.25,
                pointRadius: training[name].points.length < 3 ? 2 : 0,
                order: 2,
              },
              {
                label: 'validation',
                data: validation[name],
                borderColor: css(theme.background),
                backgroundColor: css(theme.series(1)),
                borderWidth: 1,
                showLine: false,
                pointRadius: 3.5,
                order: 1,
              },
            ],
          },
          scales: {
            x: scaleOf({ label: 'step', unit: 'count', min: 0, ...(totalSteps > 0 && { max: totalSteps }) }, theme),
            y: {
              ...scaleOf({ label: name, unit: name === 'accuracy' ? 'fraction' : 'none', ...(name === 'accuracy' && { max: 1 }) }, theme),
              beginAtZero: true,
            } as never,
          },
          plugins: [],
        }),
        sizes: () => [training[name].points.length, validation[name].length],
        mark(dataset, index) {
          const point = (dataset === 0 ? training[name].points : validation[name])[index];
          if (point === undefined) return null;
          return {
            title: `step ${format(point.x, 'count')}`,
            lines: [`${dataset === 0 ? 'training' : 'validation'} ${name} ${format(point.y, name === 'accuracy' ? 'fraction' : 'none')}`],
          };
        },
      },
      () => {},
      signal,
    );
  };
  let drawn: readonly Drawn[] | null = null;
  const redraw = (): void => {
    if (drawn === null) {
      drawn = (['loss', 'accuracy'] as const).map((name) => {
        const plot = plotOf(name);
        plots.append(el('section', { class: 'card' }, el('header', {}, el('h2', {}, name === 'loss' ? 'Loss' : 'Accuracy')), plot.element));
        return plot;
      });
    }
    if (dirty) return;
    dirty = true;
    requestAnimationFrame(() => {
      dirty = false;
      for (const plot of drawn ?? []) plot.refresh();
    });
  };

  const words = el('div', {});
  let diagnosed: readonly (readonly [string, string])[] = [];
  const show = (message: TrainLive): void => {
    const last = message.step.length - 1;
    if (last < 0) return;
    message.step.forEach((step, i) => {
      add(training.loss, step, message.loss[i]);
      add(training.accuracy, step, message.accuracy[i]);
    });
    lastStep = message.step[last];
    totalSteps = message.totalSteps;
    const left = message.stepsPerSecond > 0 ? (message.totalSteps - lastStep) / message.stepsPerSecond : Number.NaN;
    meter.value = message.totalSteps > 0 ? lastStep / message.totalSteps : 0;
    const pairs: readonly (readonly [string, string])[] = [
      ['loss', format(message.loss[last])],
      ['accuracy', format(message.accuracy[last], 'fraction')],
      ['step', `${format(lastStep, 'count')} of ${format(message.totalSteps, 'count')}`],
      ['epoch', `${format(message.epoch, 'count')} of ${format(message.epochs, 'count')}`],
      ['learning rate', format(message.learningRate[last])],
      ['gradient norm', format(message.gradientNorm[last])],
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
    redraw();
  };
  const epoch = ({ validationLoss, validationAccuracy, diagnosed: numbers = {}, said = [] }: TrainEpoch): void => {
    if (said.length > 0) words.replaceChildren(...said.map((sentence) => el('p', {}, sentence)));
    diagnosed = Object.entries(numbers)
      .filter(([name]) => name.endsWith('/ece') || name.endsWith('/balanced_accuracy'))
      .map(([name, value]) => [`validation ${name.split('/')[1].replaceAll('_', ' ')}`, format(value, 'fraction')]);
    if (validationLoss !== undefined) validation.loss.push({ x: lastStep, y: validationLoss });
    if (validationAccuracy !== undefined) validation.accuracy.push({ x: lastStep, y: validationAccuracy });
    redraw();
  };

  const cancel = button('Cancel', () => {
    host.post({ type: 'cancel' });
    cancel.setAttribute('disabled', '');
    text.textContent = 'Stopping…';
  });
  const spinner = ring('Running');
  return {
    element: el(
      'article',
      { class: 'report live' },
      el(
        'header',
        { class: 'report-header' },
        el('div', { class: 'report-title' }, el('div', { class: 'running' }, spinner, title), cancel),
        text,
        meter,
      ),
      facts,
      words,
      plots,
    ),
    live: (message) => {
      if (message.kind === 'steps') show(message);
      else if (message.kind === 'epoch') epoch(message);
    },
    end() {
      spinner.remove();
      cancel.remove();
      timeLeft?.remove();
      text.textContent = '';
      if (title.textContent === 'Running') title.textContent = 'What had been seen by then';
    },
    progress(name, fraction, sentence) {
      title.textContent = name;
      if (cancel.getAttribute('disabled') === null) text.textContent = sentence;
      if (Number.isFinite(fraction)) meter.value = Math.max(0, Math.min(1, fraction));
    },
  };
};
