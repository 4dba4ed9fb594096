import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import { random } from '../../src/base/random.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { choose, runCommand, webview } from '../editor/vscode.ts';
import { round } from './measure.ts';

const ROWS = 1_000_000;

/** A million pictures of 8 × 8 with a label and a number each, as a dataset of the workspace. */
const layOut = (folder: string): void => {
  const draw = random(0, 'bench');
  const x = Uint8Array.from({ length: 64 * ROWS }, (_, i) => (i * 37) & 255);
  const y = BigInt64Array.from({ length: ROWS }, () => BigInt(draw.below(10)));
  const value = Float32Array.from({ length: ROWS }, () => draw.next());
  writeFileSync(
    join(folder, 'million.npz'),
    writeNpz({
      x: { dtype: 'uint8', dims: [ROWS, 8, 8], data: x },
      y: { dtype: 'int64', dims: [ROWS], data: y },
      value: { dtype: 'float32', dims: [ROWS], data: value },
    }),
  );
  const path = join(folder, 'assay.json');
  const suite = JSON.parse(readFileSync(path, 'utf8')) as { readonly datasets: Readonly<Record<string, unknown>> };
  writeFileSync(path, JSON.stringify({ ...suite, datasets: { ...suite.datasets, million: { path: 'million.npz' } } }, undefined, 2));
};

/** Timed inside the page, until no cell in view waits for its value and a frame was drawn. */
const filled = (view: FrameLocator, act: string, status?: string): Promise<number> =>
  view.locator('.data-page').evaluate(
    (page, { act, status }) =>
      new Promise<number>((done) => {
        const from = performance.now();
        const grid = page.querySelector<HTMLElement>('.data-grid');
        if (act.startsWith('filter ')) {
          const box = page.querySelector<HTMLInputElement>('input.filter');
          if (box) box.value = act.slice(7);
          box?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
        } else if (act === 'sort') page.querySelector<HTMLElement>('[title="Sort by value"]')?.click();
        else if (grid) grid.scrollTop = Number(act) * grid.scrollHeight;
        // Looked at in the frame after the act at the earliest, and then in every one.
        requestAnimationFrame(() => {
          const timer = setInterval(() => {
            const told = page.querySelector('.data-left > [role=status]')?.textContent ?? '';
            const cells = [...page.querySelectorAll('.data-body [role=gridcell]')];
            if ((status !== undefined && !told.includes(status)) || cells.length === 0 || cells.some((cell) => cell.textContent === '…'))
              return;
            clearInterval(timer);
            requestAnimationFrame(() => done(performance.now() - from));
          }, 8);
        });
      }),
    { act, ...(status === undefined ? {} : { status }) },
  );

/** Milliseconds from frame to frame while the rows are scrolled by some lines in each. */
const scrolled = (view: FrameLocator, frames: number): Promise<readonly number[]> =>
  view.locator('.data-grid').evaluate(async (grid, frames) => {
    const times: number[] = [];
    for (let from = performance.now(); times.length < frames; ) {
      grid.scrollTop += 120;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      times.push(now - from);
      from = now;
    }
    return times.slice(10).sort((a, b) => a - b);
  }, frames);

/** The data editor on a million rows: from the command to painted rows, a filter with a sort, rows somewhere else, and frames while scrolling. */
export const dataFigures = async (page: Page, folder: string): Promise<Readonly<Record<string, number>>> => {
  layOut(folder);
  await runCommand(page, 'View: Close All Editors');
  await runCommand(page, 'Assay: Open as Dataset');
  const from = performance.now();
  await choose(page, 'million');
  const view = webview(page);
  await view.locator('.data-body canvas').first().waitFor();
  const opened = performance.now() - from;
  await view.getByText('1,000,000 rows', { exact: true }).waitFor();
  const filter = await filled(view, 'filter y = 3 && value < 0.6', ' of 1,000,000 rows');
  const sorted = await filled(view, 'sort', ' of 1,000,000 rows');
  await filled(view, 'filter ', '1,000,000 rows');
  const slices: number[] = [];
  for (const place of [0.13, 0.71, 0.38, 0.92, 0.55, 0.27, 0.84]) slices.push(await filled(view, String(place)));
  const frames = await scrolled(view, 250);
  return {
    dataFrameMedianMs: round(frames[frames.length >> 1]),
    dataFrameP95Ms: round(frames[Math.floor(0.95 * frames.length)]),
    dataOpenMs: round(opened),
    dataFilterMs: round(filter),
    dataSortMs: round(sorted),
    dataSliceMs: round(slices.sort((a, b) => a - b)[slices.length >> 1]),
  };
};
