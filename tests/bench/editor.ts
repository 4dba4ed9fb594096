import type { Page } from 'playwright-core';
import { openStage } from '../editor/stage.ts';
import { choose, painted, pickRow, runCommand, showReliability, webview } from '../editor/vscode.ts';
import { activationFigures } from './activation.ts';
import { dataFigures } from './data-editor.ts';
import { firstMapFigures } from './first-map.ts';
import { round } from './measure.ts';
import { modelEditorFigures } from './model-editor.ts';
import { reportPanelFigures } from './report-panel.ts';

const middle = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1];

/** From a click in the image tab to another map on the screen: for the next row, and for methods that are compiled then. */
const mapFigures = async (page: Page): Promise<Readonly<Record<string, number>>> => {
  await runCommand(page, 'Assay: Saliency…');
  await choose(page, 'digits');
  await choose(page, 'test');
  const view = webview(page);
  await painted(view.locator('.pictures canvas').last());
  const article = view.locator('article.saliency');
  /** Timed inside the page: the driver's own round trips are left out. */
  const until = (act: 'next' | string): Promise<number> =>
    article.evaluate(
      (page, act) =>
        new Promise<number>((done) => {
          const from = performance.now();
          const watch = new MutationObserver(() => {
            if (page.hasAttribute('aria-busy')) return;
            watch.disconnect();
            requestAnimationFrame(() => done(performance.now() - from));
          });
          if (act === 'next') page.querySelector<HTMLElement>('[aria-label^="Next sample"]')?.click();
          else {
            const methods = page.querySelector<HTMLElement & { value: string }>('vscode-dropdown[aria-label="Method"]');
            if (methods) methods.value = act;
            methods?.dispatchEvent(new Event('change'));
          }
          watch.observe(page, { attributes: true, attributeFilter: ['aria-busy'] });
        }),
      act,
    );
  const rows: number[] = [];
  for (let i = 0; i < 11; i++) rows.push(await until('next'));
  const methods: number[] = [];
  for (const method of ['gradient', 'smoothgrad', 'occlusion', 'deeplift', 'lrp-epsilon']) methods.push(await until(method));
  return { tabNextRowMs: round(middle(rows)), tabNewMethodMs: round(middle(methods)) };
};

/**
 * In a real VS Code (headless Chromium): how long an earlier report takes from the command to paint, how long maps of the image tab take, the
 * data editor on a million rows, and the extension's activation.
 */
export const editorFigures = async (): Promise<Readonly<Record<string, number>> | string> => {
  const stage = await openStage();
  if (typeof stage === 'string') return `skipped: ${stage}`;
  const { page } = stage;
  try {
    await showReliability(page);
    const paints: number[] = [];
    for (let i = 0; i < 3; i++) {
      await runCommand(page, 'View: Close All Editors');
      await runCommand(page, 'Assay: Open Run…');
      const run = await pickRow(page, /^Reliability Diagram/);
      const from = performance.now();
      await run.click();
      await painted(webview(page).locator('.card canvas:not(.swatch)').first());
      paints.push(performance.now() - from);
    }
    return {
      reportFirstPaintMs: round(middle(paints)),
      ...(await mapFigures(page)),
      ...(await modelEditorFigures(stage)),
      ...(await dataFigures(page, stage.folder)),
      ...(await firstMapFigures()),
      ...(await reportPanelFigures()),
      ...(await activationFigures(stage)),
    };
  } finally {
    await stage.close();
  }
};
