import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { round } from '../measure.ts';
import { openPeer } from './peer.ts';

/** Peak and present resident megabytes of this process, from Linux. */
export const resident = (): { readonly peak: number; readonly now: number } => {
  const text = readFileSync('/proc/self/status', 'utf8');
  const of = (key: string): number => Number(new RegExp(`${key}:\\s*(\\d+)`).exec(text)?.[1]) / 1024;
  return { peak: of('VmHWM'), now: of('VmRSS') };
};
/** Peaks are counted from here. */
export const resetPeak = (): void => writeFileSync('/proc/self/clear_refs', '5');

const ours = (model: string, batch: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const entry = fileURLToPath(new URL('memory-entry.ts', import.meta.url));
    const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', entry, model, String(batch)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (piece: Buffer) => {
      text += piece.toString();
    });
    child.on('close', (code) => resolve(code === 0 ? Number(text) : undefined));
  });

/** Resident megabytes that a process gains, at most, by opening the compiled gradient (PyTorch: the model) and ten gradients of all parameters. */
export const memoryFigures = async (model: string, batch: number): Promise<Readonly<Record<string, unknown>>> => {
  if (process.platform !== 'linux') return {};
  const mb = await ours(model, batch);
  const peer = await openPeer(2);
  const peerMb = peer && (await peer.memory(model, batch));
  peer?.close();
  if (mb === undefined) return {};
  return { batch, mb: round(mb), ...(peerMb === undefined ? {} : { peerMb: round(peerMb), peerRatio: round(mb / peerMb) }) };
};
