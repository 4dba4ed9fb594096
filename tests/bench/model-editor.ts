import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layers } from '../../src/app/layers.ts';
import { quietJob } from '../../src/base/job.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { LayerRow, ModelLayers } from '../../src/report/tasks.ts';
import { modulesIn, place } from '../../webview/node-graph.ts';
import type { Stage } from '../editor/stage.ts';
import { choose, runCommand, webview } from '../editor/vscode.ts';
import { graph, model, node, value } from '../graph/build.ts';
import { close, launch, openPanel, post } from '../webview/browser.ts';
import { round } from './measure.ts';

const middle = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1];
const share = (times: readonly number[], part: number): number => times.toSorted((a, b) => a - b)[Math.floor(part * (times.length - 1))];

/** A file of 1 GB: 64 dense layers of 16 MB each. */
const large = (): Uint8Array => {
  const width = 2048;
  const bytes = new Uint8Array(4 * width * width);
  const names = Array.from({ length: 64 }, (_, i) => i);
  const weights = Object.fromEntries(names.map((i) => [`w${i}`, { dtype: 'float32' as const, dims: [width, width], bytes }]));
  const nodes = names.map((i) => node('MatMul', [i === 0 ? 'x' : `h${i - 1}`, `w${i}`], [`h${i}`]));
  return write(model(graph([value('x', ['N', width])], nodes, ['h63'], weights)));
};

const deep = (count: number): ModelLayers => {
  const layer = (i: number): LayerRow => ({
    name: `/model/layers.${Math.floor(i / 50)}/block.${Math.floor(i / 10) % 5}/node_${i}`,
    op: i % 3 === 0 ? 'MatMul' : 'Add',
    inputs: i % 7 === 0 && i > 9 ? [`v${i}`, `v${i - 9}`] : [`v${i}`],
    outputs: [`v${i + 1}`],
    weights: [],
    dims: ['N', 128, 768],
    dtype: 'float32',
    parameters: 0,
    macs: 0,
  });
  return {
    path: '/deep.onnx',
    bytes: 1,
    irVersion: 8,
    opsets: { 'ai.onnx': 17 },
    producer: '',
    inputs: [{ name: 'v0', dtype: 'float32', dims: null }],
    outputs: [{ name: `v${count}`, dtype: 'float32', dims: null }],
    parameters: 0,
    weightBytes: 0,
    macs: 0,
    activationBytes: null,
    layers: Array.from({ length: count }, (_, i) => layer(i)),
    weights: [],
    measured: false,
    notes: [],
  };
};

/** Milliseconds between frames while the graph is panned, all groups open. */
const frames = async (facts: ModelLayers): Promise<readonly number[]> => {
  await launch();
  try {
    const { page } = await openPanel('bench graph');
    await page.evaluate(() => {
      document.body.dataset.mode = 'model';
    });
    await page.setViewportSize({ width: 1280, height: 800 });
    await post(page, { type: 'model', name: 'deep.onnx', facts, measuring: false, trusted: true });
    await page.getByRole('button', { name: 'Layers as a graph' }).click();
    await page.getByRole('button', { name: 'Open groups' }).click();
    await page.waitForTimeout(300);
    return await page.locator('canvas.model-graph').evaluate(async (canvas) => {
      const times: number[] = [];
      for (let i = 0, before = performance.now(); i < 122; i++) {
        canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: 60, cancelable: true }));
        await new Promise((drawn) => requestAnimationFrame(drawn));
        times.push(performance.now() - before);
        before = performance.now();
      }
      return times.slice(2);
    });
  } finally {
    await close();
  }
};

/** A 1 GB file from its headers, alone and from the command to the page in VS Code; the layout and the frames of 5,000 nodes. */
export const modelEditorFigures = async ({ page, folder }: Pick<Stage, 'page' | 'folder'>): Promise<Readonly<Record<string, number>>> => {
  const path = join(folder, 'large.onnx');
  try {
    writeFileSync(path, large());
    const ports = await world();
    const headers: number[] = [];
    for (let i = 0; i < 5; i++) {
      const from = performance.now();
      await layers({ model: { path }, run: false }, ports, { ...quietJob(), live: () => {} });
      headers.push(performance.now() - from);
    }
    const opens: number[] = [];
    for (let i = 0; i < 3; i++) {
      await runCommand(page, 'View: Close All Editors');
      await runCommand(page, 'Assay: Open Model…');
      await page.locator('.quick-input-list').getByText('large.onnx', { exact: true }).first().waitFor();
      const from = performance.now();
      await choose(page, 'large.onnx');
      await webview(page).getByText('64 layers').waitFor();
      opens.push(performance.now() - from);
    }
    const facts = deep(5000);
    const layouts: number[] = [];
    for (let i = 0; i < 5; i++) {
      const from = performance.now();
      const modules = modulesIn(facts.layers);
      place(facts, modules, modules.all);
      layouts.push(performance.now() - from);
    }
    const between = await frames(facts);
    return {
      modelHeaders1GbMs: round(middle(headers)),
      modelOpen1GbMs: round(middle(opens)),
      graphLayout5000Ms: round(middle(layouts)),
      graphFrame5000Ms: round(middle(between)),
      graphFrame5000P95Ms: round(share(between, 0.95)),
    };
  } finally {
    rmSync(path, { force: true });
  }
};
