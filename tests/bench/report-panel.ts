import type { TrainLive } from '../../src/report/tasks.ts';
import { sampleReport } from '../report/fixtures.ts';
import { close, launch, openPanel, post } from '../webview/browser.ts';
import { round } from './measure.ts';

const [CARDS, UPDATES] = [10, 300];

/** Steps of a run so long that its lines are thinned. */
const LONG = 100_000;

const steps = (from: number, count = 10): TrainLive => {
  const step = Array.from({ length: count }, (_, i) => from + i + 1);
  return {
    kind: 'steps',
    step,
    epoch: 1,
    epochs: 10,
    totalSteps: LONG,
    loss: step.map((s) => 2 / s),
    accuracy: step.map((s) => 1 - 1 / s),
    learningRate: step.map(() => 0.01),
    gradientNorm: step.map(() => 1),
    stepsPerSecond: 100,
  };
};

interface Redraws {
  readonly wall: readonly number[];
  readonly cpu: readonly number[];
}

/** The report page in headless Chromium under VS Code's policy: from the message to the first frame with ten cards, and what one live update costs. */
export const reportPanelFigures = async (): Promise<Readonly<Record<string, number>>> => {
  await launch();
  try {
    const report = sampleReport('every-kind');
    const message = { type: 'reports', title: 'Run', reports: [{ ...report, cards: report.cards.slice(0, CARDS) }] };
    const paints: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { page } = await openPanel(`bench-${i}`, { theme: 'dark' });
      paints.push(
        await page.evaluate(async (data) => {
          const from = performance.now();
          window.dispatchEvent(new MessageEvent('message', { data }));
          for (let drawn = false; !drawn; ) {
            await new Promise(requestAnimationFrame);
            const charts = [...document.querySelectorAll<HTMLCanvasElement>('.plot canvas')];
            drawn = charts.length > 0 && charts.every(({ width }) => width > 300);
          }
          return performance.now() - from;
        }, message),
      );
      await page.context().close();
    }
    const { page } = await openPanel('bench-live', { theme: 'dark' });
    await post(page, { type: 'progress', title: 'Train', fraction: 0, text: '' });
    const session = await page.context().newCDPSession(page);
    // Scripts, styles and layout in time of the page's own thread: on a busy machine the clock tells what others do.
    await session.send('Performance.setTimeDomain', { timeDomain: 'threadTicks' });
    await session.send('Performance.enable');
    const spent = async (): Promise<number> => {
      const { metrics } = await session.send('Performance.getMetrics');
      const parts = metrics.filter(({ name }) => ['ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration'].includes(name));
      return 1000 * parts.reduce((sum, { value }) => sum + value, 0);
    };
    const timed = async (updates: readonly TrainLive[]): Promise<Redraws> => {
      const wall: number[] = [];
      const cpu: number[] = [];
      for (const live of updates) {
        const from = await spent();
        wall.push(
          await page.evaluate(async (live) => {
            const from = performance.now();
            window.dispatchEvent(new MessageEvent('message', { data: { type: 'live', live } }));
            const said = performance.now() - from;
            // The page's own redraw was asked for first, so it is done when this is called.
            return said + (await new Promise<number>((done) => requestAnimationFrame((began) => done(performance.now() - began))));
          }, live),
        );
        cpu.push((await spent()) - from);
      }
      // The first lay the page out.
      const sorted = (times: readonly number[]): readonly number[] => times.slice(20).toSorted((a, b) => a - b);
      return { wall: sorted(wall), cpu: sorted(cpu) };
    };
    const short = await timed(Array.from({ length: UPDATES }, (_, i) => steps(10 * i)));
    for (let from = 10 * UPDATES; from < LONG; from += 1000) await post(page, { type: 'live', live: steps(from, 1000) });
    const long = await timed(Array.from({ length: UPDATES }, (_, i) => steps(LONG + 10 * i)));
    const at = (sorted: readonly number[], share: number): number => round(sorted[Math.floor(share * sorted.length)]);
    return {
      reportTenCardsFirstPaintMs: round(paints.toSorted((a, b) => a - b)[2]),
      liveRedrawMedianMs: at(short.wall, 0.5),
      liveRedrawP99Ms: at(short.wall, 0.99),
      liveRedrawCpuMedianMs: at(short.cpu, 0.5),
      liveRedrawCpuP99Ms: at(short.cpu, 0.99),
      live100kStepsRedrawCpuMedianMs: at(long.cpu, 0.5),
      live100kStepsRedrawCpuP99Ms: at(long.cpu, 0.99),
    };
  } finally {
    await close();
  }
};
