// Pages in states that take more to reach: whatever holds of all pages is tested over these too.
import type { DataTell } from '../../src/vscode/data-protocol.ts';
import { post } from './browser.ts';
import { measuredValues, profileOf, side } from './model-facts.ts';
import { type PageCase, pages } from './pages.ts';

type Message = PageCase['messages'][number];
type Of<T extends Message['type']> = Extract<Message, { type: T }>;

const messageOf = <T extends Message['type']>(type: T): Of<T> => {
  const found = pages.flatMap(({ messages }) => messages).find((message): message is Of<T> => message.type === type);
  if (found === undefined) throw new Error(`no page is told ${type}`);
  return found;
};
const model = messageOf('model');
const saliency = messageOf('saliency');
const [looked] = saliency.models;
const data = (tell: unknown): Message => ({ type: 'data', tell: tell as DataTell });
const values = { elements: 200, maxAbs: 0.0123, relative: 0.0021, cosine: 0.999998, norm: 4.2, otherNorm: 4.21, notFinite: 1 };

export const studyPages: readonly PageCase[] = [
  {
    name: 'two models compared',
    mode: 'diff',
    messages: [
      {
        type: 'diff',
        title: 'first.onnx against second.onnx',
        facts: {
          sides: [side('/a/first.onnx', { macs: 1000 }), side('/a/second.onnx')],
          headers: [{ label: 'Operator sets', first: 'ai.onnx 17', other: 'ai.onnx 18' }],
          nodes: [
            { status: 'changed', name: 'conv1', op: 'Conv', dims: ['N', 8], changes: ['pads: [1, 1] → [0, 0]'] },
            { status: 'added', name: 'tanh', op: 'Tanh', dims: null, changes: [] },
          ],
          tensors: [
            { status: 'changed', name: 'conv1.weight', otherName: 'features.weight', dtype: 'float32', dims: [8, 1], values },
            { status: 'removed', name: 'fc', dtype: 'float32', dims: [] },
          ],
          notes: ['A note on both.'],
        },
      } as Message,
    ],
    ready: '.layer-rows .layer-row',
    async act(page) {
      await page.getByRole('tab').nth(1).click();
      await page.locator('.layer-rows .layer-row').first().click();
    },
  },
  {
    name: 'two models that are alike',
    mode: 'diff',
    messages: [
      {
        type: 'diff',
        title: 'first.onnx against first.onnx',
        facts: {
          sides: [side('/a/first.onnx', { macs: 1 }), side('/a/first.onnx', { macs: 1 })],
          headers: [],
          nodes: [],
          tensors: [],
          notes: [],
        },
      } as Message,
    ],
    ready: '.diff-tab',
  },
  {
    name: 'profiled model, a layer with its weights',
    mode: 'model',
    messages: [
      { ...model, measuring: false },
      {
        type: 'profile',
        facts: profileOf(
          model.facts.layers.map((_, i) => ({ ms: i === 1 ? null : 1 + i, values: { ...measuredValues, zeros: 0.25, nan: 0.5 } })),
        ),
      },
    ],
    ready: '.profile-line strong',
    async act(page) {
      await page.locator('.layer-rows .layer-row').first().click();
      await page.locator('.weight vscode-button').click();
      await post(page, {
        type: 'weights',
        name: 'w',
        facts: {
          name: 'w',
          dtype: 'float32',
          dims: [16, 16, 3, 3],
          count: 2304,
          zeros: 2,
          notFinite: 0,
          min: -1,
          max: 1,
          mean: 0,
          deviation: 0.2,
          histogram: [1, 5, 1],
          outliers: 1,
          furthest: [{ at: [0, 1, 2, 2], value: 1 }],
        },
      });
      await page.locator('.weight-histogram').waitFor();
      await page.locator('.chooser summary').click();
    },
  },
  {
    name: 'model as a graph, in a workspace that is not trusted, whose profile failed',
    mode: 'model',
    messages: [
      { ...model, measuring: false, trusted: false },
      { type: 'profile', problem: 'The data has no column x.' },
    ],
    ready: '.layer-rows .layer-row',
    async act(page) {
      await page.locator('.layers-bar vscode-button[aria-pressed]').click();
      await page.locator('canvas.model-graph').focus();
      // From the input to the first layer.
      for (const key of [']', ']']) await page.keyboard.press(key);
      await page.locator('.layer-aside h2').waitFor();
    },
  },
  {
    name: 'model being profiled',
    mode: 'model',
    messages: [model, { type: 'profile', fraction: 0.25, text: 'Looking at 64 rows' }],
    ready: '.profile-line vscode-button',
  },
  {
    name: 'text with its attribution, and a second model that failed',
    mode: 'saliency',
    messages: [
      {
        ...saliency,
        form: {
          ...saliency.form,
          always: ['againstClass', 'layer', 'baseline'],
          options: {
            ...saliency.form.options,
            againstClass: { kind: 'pick', from: 'class', default: '', help: 'Less this class.' },
            layer: { kind: 'pick', from: 'layer', default: '', help: 'The layer.' },
            baseline: { kind: 'choice', of: ['zeros', 'mean_row'], default: 'zeros', help: 'From where.' },
          },
        },
        models: [
          {
            ...looked,
            attribution: looked.attribution && {
              ...looked.attribution,
              shown: { kind: 'tokens', words: ['free', 'prize', '[SEP]'], pieces: [{}, {}, { special: true }] },
              values: [2, -1, 0],
              facts: [{ label: 'Less the output of', value: '1' }],
              layers: [{ name: 'features', shape: '8 × 8' }],
            },
          },
          { name: 'other.onnx', problem: "There is no class '9'." },
        ],
      } as Message,
      { type: 'progress', title: '', fraction: 0.5, text: 'step 2 of 4' },
    ],
    ready: '.tokens',
  },
  {
    name: 'columns with their attribution',
    mode: 'saliency',
    messages: [
      {
        ...saliency,
        models: [
          {
            name: 'houses.onnx',
            attribution: looked.attribution && {
              ...looked.attribution,
              shown: {
                kind: 'bars',
                what: 'Input',
                names: Array.from({ length: 45 }, (_, k) => `column ${k}`),
                inputs: new Array(45).fill(1),
              },
              values: Array.from({ length: 45 }, (_, k) => k - 20),
              classes: ['price'],
              probs: [],
            },
          },
        ],
      } as Message,
    ],
    ready: '.attribution-bars',
  },
  {
    name: 'data editor with predictions, one row, arrays, a filter that is wrong and work under way',
    mode: 'data',
    messages: [
      data({
        kind: 'table',
        trusted: true,
        look: { filter: '', model: { path: '/m.onnx' } },
        facts: {
          name: 'digits.npz',
          format: 'npz',
          length: 40,
          rows: 30,
          columns: [
            { name: 'row', kind: 'number', size: 1, dtype: 'int', dims: [], role: 'row' },
            { name: 'x', kind: 'numbers', size: 64, dtype: 'uint8', dims: [64], square: { width: 8, height: 8, channels: 1 } },
            { name: 'label', kind: 'class', size: 1, dtype: 'int64', dims: [], role: 'label', classes: ['cat', 'dog'] },
            { name: 'sure', kind: 'truth', size: 1, dtype: 'bool', dims: [] },
          ],
          arrays: [
            { name: 'x_test', dtype: 'uint8', dims: [10, 64], apart: true },
            { name: 'odd', dtype: 'object', dims: [3], refused: 'It is pickled.' },
          ],
          predictions: { model: 'm.onnx', classes: ['cat', 'dog'], device: 'cpu', rows: 30, notes: ['A note on predictions.'] },
          scored: true,
          notes: [],
        },
      }),
      data({
        kind: 'selection',
        generation: 1,
        look: { filter: '' },
        selection: {
          count: 0,
          balance: {
            column: 'label',
            classes: [{ name: 'cat', value: 0, all: 20, kept: 7 }],
            total: 2,
            missing: { all: 3, kept: 3 },
          },
        },
      }),
      data({ kind: 'arrays', facts: [{ name: 'x_test', count: 640, missing: 3, infinite: 0, min: 0, max: 252, mean: 126 }] }),
      data({
        kind: 'row',
        row: {
          row: 3,
          fields: [
            { name: 'x', dims: [64], values: new Float64Array(32), total: 64 },
            { name: 'label', dims: [], values: Float64Array.of(1), total: 1 },
            { name: 'sure', dims: [], values: Float64Array.of(1), total: 1 },
            { name: 'text', dims: [], text: '', total: 1 },
            { name: 'pixels', dims: [9], problem: 'It cannot be read.', total: 9 },
          ],
        },
      }),
      data({ kind: 'work', work: 'predicting', text: '10 of 40 rows', fraction: 0.25 }),
    ],
    ready: '.row-pane h2',
    async act(page) {
      await page.locator('.filter-line vscode-button').click();
      await page.locator('.data-arrays summary').click();
      await page.locator('.data-page .actions vscode-button[aria-pressed]').first().click();
      await page.locator('input.filter').fill('nothing = 3');
      await page.keyboard.press('Enter');
      await page.locator('input.filter[aria-invalid]').waitFor();
    },
  },
];
