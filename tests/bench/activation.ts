import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from '../editor/stage.ts';
import { reload } from '../editor/vscode.ts';
import { until } from '../until.ts';
import { round } from './measure.ts';

interface Activation {
  /** Milliseconds on the clock, and of them those that the extension host's thread had a processor. */
  readonly load: readonly [wall: number, cpu: number];
  readonly call: readonly [wall: number, cpu: number];
  /** The views, editors and lenses, in the turn after. */
  readonly window: readonly [wall: number, cpu: number];
}

/** Puts files in the place of the installed bundles that load them, and tell how long that, `activate` and `open` took. */
const instrument = (dist: string, told: string): void => {
  for (const bundle of ['extension', 'window']) renameSync(join(dist, `${bundle}.cjs`), join(dist, `${bundle}.timed.cjs`));
  const clock = `
const now = () => { const { user, system } = process.threadCpuUsage(); return [performance.now(), (user + system) / 1000]; };
const since = (from) => now().map((at, i) => at - from[i]);
const from = now();`;
  const extension = `${clock}
const extension = require('./extension.timed.cjs');
const load = since(from);
module.exports = { ...extension, activate(context) {
  const from = now();
  extension.activate(context);
  globalThis.assayActivation = { load, call: since(from) };
} };`;
  const window = `${clock}
const window = require('./window.timed.cjs');
module.exports = { open(context) {
  const opened = window.open(context);
  require('node:fs').writeFileSync(${JSON.stringify(told)}, JSON.stringify({ ...globalThis.assayActivation, window: since(from) }));
  return opened;
} };`;
  writeFileSync(join(dist, 'extension.cjs'), extension);
  writeFileSync(join(dist, 'window.cjs'), window);
};

/**
 * Activations of the extension in windows that are loaded anew: the least of each figure, since other programs have the machine too, and
 * the median on the clock, during which the window's own start has both processors.
 */
export const activationFigures = async ({ page, server, folder }: Stage, times = 15): Promise<Readonly<Record<string, number>>> => {
  const [installed] = readdirSync(server.extensions).filter((name) => name.startsWith('assay.'));
  const told = join(folder, '..', `activation-${process.pid}.json`);
  instrument(join(server.extensions, installed, 'dist'), told);
  const all: Activation[] = [];
  while (all.length < times) {
    rmSync(told, { force: true });
    await reload(page);
    await until(() => existsSync(told), 'an activation of the extension');
    await page.waitForTimeout(200);
    all.push(JSON.parse(readFileSync(told, 'utf8')) as Activation);
  }
  rmSync(told, { force: true });
  const least = (figure: (one: Activation) => number): number => round(Math.min(...all.map(figure)));
  const sorted = (figure: (one: Activation) => number): number[] => all.map(figure).sort((a, b) => a - b);
  const sums = sorted(({ load, call }) => load[0] + call[0]);
  return {
    activationWallMs: round(sums[0]),
    activationWallMedianMs: round(sums[sums.length >> 1]),
    activationCpuMs: least(({ load, call }) => load[1] + call[1]),
    activationLoadCpuMs: least(({ load }) => load[1]),
    activateCallCpuMs: least(({ call }) => call[1]),
    windowAfterWallMs: least(({ window }) => window[0]),
    windowAfterWallMedianMs: round(sorted(({ window }) => window[0])[times >> 1]),
    windowAfterCpuMs: least(({ window }) => window[1]),
  };
};
