import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Page } from 'playwright-core';
import { bundle } from '../../src/build/bundle.ts';
import { root } from '../../src/build/root.ts';
import { runStore } from '../../src/jobs/store.ts';
import { supervisor } from '../../src/jobs/supervisor.ts';
import { type LaunchPorts, launch } from '../../src/vscode/launch.ts';
import { openStage } from '../editor/stage.ts';
import { runCommand, showReliability } from '../editor/vscode.ts';
import { close as closePages, launch as launchPages, openPanel, post, skip } from '../webview/browser.ts';
import { round } from './measure.ts';

/** Delay of this process's event loop, and the share of one core that it used itself: on a busy machine the first is the others' doing. */
const loopDelay = async (duration: number): Promise<{ readonly p99: number; readonly max: number; readonly cpu: number }> => {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const from = process.cpuUsage();
  delay.enable();
  await seconds(duration);
  delay.disable();
  const { user, system } = process.cpuUsage(from);
  // The histogram holds the whole interval; what is over the resolution is delay.
  const over = (nanoseconds: number): number => round(Math.max(0, nanoseconds / 1e6 - 5));
  return { p99: over(delay.percentile(99)), max: over(delay.max), cpu: round((user + system) / 1e6 / duration) };
};

const seconds = (n: number): Promise<void> => new Promise((done) => setTimeout(done, 1000 * n));

/**
 * What the extension host does while a training streams (the run kept on disk, each message cloned as a panel's would be), in this
 * process: the delay of its event loop, and how long a stop takes from the click to the end of the run.
 */
const hostFigures = async (): Promise<Readonly<Record<string, number>>> => {
  await bundle({ production: true, only: ['process'] });
  const folder = mkdtempSync(join(tmpdir(), 'assay-stress-'));
  cpSync(join(root, 'media/sample'), folder, { recursive: true });
  const recipe = join(folder, 'digits.train.json');
  const { steps: _, earlyStop: __, ...whole } = JSON.parse(readFileSync(recipe, 'utf8')) as Record<string, unknown>;
  writeFileSync(recipe, JSON.stringify({ ...whole, epochs: 10_000 }));
  const jobs = supervisor({ entry: join(root, 'dist/process.js'), yielding: true });
  let updates = 0;
  let live = (): void => {};
  const started = new Promise<void>((done) => (live = done));
  const ports: LaunchPorts = {
    jobs,
    store: runStore(join(folder, '.assay/runs')),
    view: () => ({
      post(message) {
        structuredClone(message);
        updates++;
        if (message.type === 'live') live();
      },
      close() {},
    }),
    progress: (_, work) => work(() => {}),
    changed() {},
    say() {},
    log() {},
  };
  const running = new Map<string, () => void>();
  const idle = await loopDelay(5);
  const ask = { recipe, out: join(folder, 'out.onnx'), device: 'cpu', resume: false, force: false } as const;
  const ended = launch({ task: 'train', title: 'Train', subject: 'digits', ask }, ports, running);
  await started;
  const busy = await loopDelay(10);
  const from = performance.now();
  for (const stop of running.values()) stop();
  await ended;
  const cancelMs = performance.now() - from;
  await jobs.dispose();
  rmSync(folder, { recursive: true, force: true });
  return {
    eventLoopP99Ms: busy.p99,
    eventLoopMaxMs: busy.max,
    hostCpuShare: busy.cpu,
    idleP99Ms: idle.p99,
    idleMaxMs: idle.max,
    updatesPerSecond: round(updates / 10),
    cancelMs: round(cancelMs),
  };
};

/** One message of a training that has made `to` steps. */
const steps = (to: number): unknown => {
  const step = Array.from({ length: 25 }, (_, i) => to - 24 + i);
  const loss = step.map((k) => 2.3 * Math.exp(-k / 400) + 0.05 + 0.02 * Math.sin(k));
  const accuracy = step.map((k) => 1 - 0.9 * Math.exp(-k / 300));
  const same = (value: number): number[] => step.map(() => value);
  const more = { epoch: 1 + Math.floor(to / 500), epochs: 50, totalSteps: 20_000, stepsPerSecond: 250 };
  return { type: 'live', live: { kind: 'steps', step, loss, accuracy, learningRate: same(0.001), gradientNorm: same(1), ...more } };
};

/** Time that the page of a training spends on one update after up to 10,000 steps: its handler, and what it draws in the next frames. */
const redrawFigures = async (): Promise<Readonly<Record<string, number>> | string> => {
  if (skip !== false) return skip;
  await launchPages();
  try {
    const { page } = await openPanel('redraw');
    await page.evaluate(() => {
      const frame = window.requestAnimationFrame.bind(window);
      const spent: number[] = [];
      let from = 0;
      let open = 0;
      window.requestAnimationFrame = (callback) =>
        frame((at) => {
          const began = performance.now();
          callback(at);
          open += performance.now() - began;
        });
      window.addEventListener(
        'message',
        () => {
          if (from > 0) spent.push(open);
          open = 0;
          from = performance.now();
        },
        { capture: true },
      );
      window.addEventListener('message', () => {
        open += performance.now() - from;
      });
      Object.assign(window, { spent });
    });
    for (let k = 1; k <= 400; k++) {
      await post(page, steps(25 * k));
      await page.waitForTimeout(20);
    }
    const spent: readonly number[] = await page.evaluate('window.spent');
    // The first lay the page out.
    const sorted = spent.slice(10).toSorted((x, y) => x - y);
    const at = (share: number): number => round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN);
    return { updates: sorted.length, medianMs: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), maxMs: at(1) };
  } finally {
    await closePages();
  }
};

/** Heap of the window after ten report panels were open side by side and closed, relative to after three. */
const leakFigures = async (page: Page): Promise<Readonly<Record<string, number>>> => {
  const client = await page.context().newCDPSession(page);
  const tabs = page.getByRole('tab', { name: /^Reliability Diagram/ });
  const heap = async (): Promise<number> => {
    await runCommand(page, 'View: Close All Editors');
    await seconds(2);
    for (let i = 0; i < 3; i++) await client.send('HeapProfiler.collectGarbage');
    const { usedSize } = (await client.send('Runtime.getHeapUsage')) as { usedSize: number };
    return usedSize;
  };
  // The first panels load what later ones share.
  for (let i = 0; i < 3; i++) await showReliability(page);
  const before = await heap();
  for (let i = 0; i < 10; i++) await showReliability(page);
  const panelsAtOnce = await tabs.count();
  const after = await heap();
  return {
    panelsAtOnce,
    panelsLeft: await tabs.count(),
    heapBeforeMB: round(before / 1e6),
    heapAfterTenPanelsMB: round(after / 1e6),
    heapRatio: round(after / before, 4),
  };
};

/** Parts: `host` and `redraw`, which need no VS Code, and `panels`. */
export const stressFigures = async (words: readonly string[]): Promise<unknown> => {
  const wanted = (part: string): boolean => words.length === 0 || words.includes(part);
  const host = wanted('host') ? await hostFigures() : undefined;
  const redraw = wanted('redraw') ? await redrawFigures() : undefined;
  if (!wanted('panels')) return { host, redraw };
  const stage = await openStage();
  if (typeof stage === 'string') return { host, redraw, panels: `skipped: ${stage}` };
  const { page } = stage;
  try {
    return { host, redraw, panels: await leakFigures(page) };
  } finally {
    await stage.close();
  }
};
