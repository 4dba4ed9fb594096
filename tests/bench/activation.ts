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
}

/** Puts a file in the place of the installed bundle that loads it, and tells how long that and `activate` took. */
const instrument = (dist: string, told: string): void => {
  renameSync(join(dist, 'extension.cjs'), join(dist, 'timed.cjs'));
  const timed = `
const now = () => { const { user, system } = process.threadCpuUsage(); return [performance.now(), (user + system) / 1000]; };
const since = (from) => now().map((at, i) => at - from[i]);
const from = now();
const extension = require('./timed.cjs');
const load = since(from);
module.exports = { ...extension, activate(context) {
  const from = now();
  const given = extension.activate(context);
  require('node:fs').writeFileSync(${JSON.stringify(told)}, JSON.stringify({ load, call: since(from) }));
  return given;
} };`;
  writeFileSync(join(dist, 'extension.cjs'), timed);
};

/** Activations of the extension in windows that are loaded anew: the least of each figure, since other programs have the machine too. */
export const activationFigures = async ({ page, server, folder }: Stage, times = 6): Promise<Readonly<Record<string, number>>> => {
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
  const sums = all.map(({ load, call }) => load[0] + call[0]).sort((a, b) => a - b);
  return {
    activationWallMs: round(sums[0]),
    activationWallMedianMs: round(sums[sums.length >> 1]),
    activationCpuMs: least(({ load, call }) => load[1] + call[1]),
    activationLoadCpuMs: least(({ load }) => load[1]),
    activateCallCpuMs: least(({ call }) => call[1]),
  };
};
