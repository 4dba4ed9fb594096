import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../src/build/root.ts';
import { write } from '../../src/graph/write.ts';
import { body, graph, model, node, value } from '../graph/build.ts';
import { onStage, played, type Stage } from './stage.ts';
import { choose, openFile, painted, runCommand, useTheme, webview } from './vscode.ts';

await onStage('the model editor in a real VS Code', scenarios);

/** Models that are hard to show: without nodes, with names of hundreds of letters, and with branches. */
function layOutHard(folder: string): void {
  const long = `/model/${'transformer_block/'.repeat(12)}self_attention/MatMul_of_queries_and_keys`;
  const branch = (op: string) => graph([], [node(op, ['x'], ['t'])], [value('t', ['N', 2])]);
  const x = value('x', ['N', 2]);
  const files = {
    empty: model(graph([x], [], ['x'])),
    long: model(
      graph(
        [x],
        [
          { ...node('Relu', ['x'], ['y']), name: long },
          { ...node('Neg', ['y'], ['z']), name: `${long}_negated` },
        ],
        ['z'],
      ),
    ),
    branches: model(
      graph(
        [x],
        [node('If', ['c'], ['y'], { then_branch: body(branch('Relu')), else_branch: body({ ...branch('Neg'), name: 'e' }) })],
        ['y'],
        {
          c: { dtype: 'bool', dims: [], bytes: Uint8Array.of(1) },
        },
      ),
    ),
  };
  for (const [name, file] of Object.entries(files)) writeFileSync(join(folder, `${name}.onnx`), write(file));
  cpSync(join(root, 'tests/fixtures/models/few_digits_0.onnx'), join(folder, 'before.onnx'));
  cpSync(join(root, 'tests/fixtures/models/few_digits_1.onnx'), join(folder, 'after.onnx'));
}

function scenarios(main: Stage): void {
  const { page, folder, shot } = main;
  layOutHard(folder);
  const view = () => webview(page);
  const scenario = played(main);
  const themes = async (name: string): Promise<void> => {
    for (const theme of ['light', 'high contrast', 'dark'] as const) {
      await useTheme(page, theme);
      await shot(`${name} ${theme}`);
    }
  };
  const openModel = async (name: string): Promise<void> => {
    await runCommand(page, 'View: Close All Editors');
    await runCommand(page, 'Assay: Open Model…');
    await choose(page, name);
    await view()
      .getByRole('heading', { name: /\.onnx$/ })
      .waitFor();
  };

  scenario('layers are profiled on a dataset: columns, one layer, heat and minimap', async () => {
    await openFile(page, 'assay.json');
    await openModel('transformer.onnx');
    await view().getByText('measured by a run on the CPU').waitFor();
    await view()
      .getByRole('button', { name: /Time layers/ })
      .click();
    await choose(page, 'test');
    await view()
      .getByText(/on the first 256 rows of digits\.npz/)
      .waitFor();
    await view().locator('.layer-rows .layer-row').first().click();
    await view().getByText('Time for a batch').waitFor();
    await view().getByRole('button', { name: 'Time', exact: true }).waitFor();
    await shot('model profile dark');
    await view().getByText('Columns', { exact: true }).click();
    await shot('model columns dark');
    await page.keyboard.press('Escape');
    await view().getByRole('button', { name: 'Layers as a graph' }).click();
    await view()
      .getByText(/^Time: up to/)
      .waitFor();
    await view().getByRole('button', { name: 'Open groups' }).click();
    const map = view().locator('canvas.minimap');
    await painted(map, 100);
    await themes('model heat');
    const picture = (): Promise<string> =>
      view()
        .locator('canvas.model-graph')
        .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const before = await picture();
    const box = await map.boundingBox();
    assert.ok(box);
    await map.click({ position: { x: box.width / 2, y: box.height - 5 } });
    await page.waitForTimeout(300);
    assert.notEqual(await picture(), before);
  });

  scenario('two model files are compared from the editor, and each is opened from there', async () => {
    await openModel('before.onnx');
    await view().getByRole('button', { name: 'Compare with another model file' }).click();
    await choose(page, 'after.onnx');
    await view().getByRole('heading', { name: 'before.onnx ↔ after.onnx' }).waitFor();
    await view().getByRole('tab', { name: 'Tensors', selected: true }).waitFor();
    await view().locator('.layer-rows .layer-row').first().click();
    await view().getByText('Largest difference', { exact: true }).waitFor();
    await themes('model diff');
    await view().getByRole('button', { name: 'Open after.onnx' }).click();
    await view().getByRole('heading', { name: 'after.onnx', exact: true }).waitFor();
  });

  scenario('files with a difference in structure, and one that is broken', async () => {
    await runCommand(page, 'View: Close All Editors');
    await runCommand(page, 'Assay: Compare Model Files…');
    await choose(page, 'digits');
    await choose(page, 'transformer.onnx');
    await view().getByRole('heading', { name: 'digits.onnx ↔ transformer.onnx' }).waitFor();
    await view().locator('.diff-added').first().waitFor();
    await shot('model diff structure dark');
    await runCommand(page, 'Assay: Compare Model Files…');
    await choose(page, 'digits');
    await choose(page, 'broken.onnx');
    await view()
      .getByText(/broken\.onnx' is not a complete ONNX model/)
      .waitFor();
  });

  scenario('no nodes, very long names and branches are shown', async () => {
    await openModel('empty.onnx');
    await view().getByText('0 layers').waitFor();
    await view().getByRole('button', { name: 'Layers as a graph' }).click();
    await shot('model empty dark');
    await openModel('long.onnx');
    await view().locator('.layer-rows .layer-row').first().click();
    await shot('model long dark');
    await openModel('branches.onnx');
    await view().locator('.layer-rows .layer-row', { hasText: 'If' }).click();
    await shot('model branches dark');
  });
}
