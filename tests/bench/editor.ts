import { openStage } from '../editor/stage.ts';
import { choose, painted, runCommand, webview } from '../editor/vscode.ts';
import { round } from './measure.ts';

const middle = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1];

/** In a real VS Code (headless Chromium): what VS Code says of the extension's activation, and how long an earlier report takes from the command to paint. */
export const editorFigures = async (): Promise<Readonly<Record<string, number>> | string> => {
  const stage = await openStage();
  if (typeof stage === 'string') return `skipped: ${stage}`;
  const { page } = stage;
  try {
    await runCommand(page, 'Assay: Reliability Diagram');
    await choose(page, 'digits');
    await choose(page, 'test');
    await painted(webview(page).locator('.card canvas:not(.swatch)').first());
    await runCommand(page, 'Developer: Show Running Extensions');
    const row = page.locator('.runtime-extensions-editor .extension', { hasText: 'Assay' });
    const line = (await row.locator('.activation-time').textContent()) ?? '';
    const activationMs = Number(/Activation: (\d+)ms/.exec(line)?.[1] ?? Number.NaN);
    const paints: number[] = [];
    for (let i = 0; i < 3; i++) {
      await runCommand(page, 'View: Close All Editors');
      await runCommand(page, 'Assay: Open Run…');
      const from = performance.now();
      await choose(page, /^Reliability Diagram/);
      await painted(webview(page).locator('.card canvas:not(.swatch)').first());
      paints.push(performance.now() - from);
    }
    return { activationMs, reportFirstPaintMs: round(middle(paints)) };
  } finally {
    await stage.close();
  }
};
