// Every kind of page, with what fills it: whatever holds of all of them is tested over this table.
import type { Page } from 'playwright-core';
import { lightCards } from '../../src/app/train-live.ts';
import type { TrainEpoch, TrainLive } from '../../src/report/tasks.ts';
import type { ToPage } from '../../src/vscode/protocol.ts';
import { sampleReport } from '../report/fixtures.ts';

/** As messages are written into the page: typed arrays as plain ones. */
type Plain<T> = T extends Float32Array | Float64Array | Int32Array
  ? readonly number[]
  : T extends object
    ? { [K in keyof T]: Plain<T[K]> }
    : T;

export interface PageCase {
  readonly name: string;
  readonly mode: 'report' | 'saliency' | 'model' | 'data' | 'diff';
  readonly messages: readonly (Plain<ToPage> | ToPage)[];
  /** Is there once the page is drawn. */
  readonly ready: string;
  /** Brings the page into the state to be looked at. */
  readonly act?: (page: Page) => Promise<void>;
}

const step = Array.from({ length: 40 }, (_, i) => i + 1);
const steps: TrainLive = {
  kind: 'steps',
  step,
  epoch: 1,
  epochs: 10,
  totalSteps: 400,
  loss: step.map((s) => 2 / s),
  accuracy: step.map((s) => 1 - 1 / s),
  learningRate: step.map(() => 0.01),
  gradientNorm: step.map(() => 1),
  stepsPerSecond: 100,
};
const kinds = sampleReport('every-kind');
/** Points of several steps, with all that a trainer tells of them. */
const told = (factor: number): TrainLive => ({
  ...steps,
  loss: step.map((s) => (factor * 2) / s),
  lossLeast: step.map((s) => (factor * 1.7) / s),
  lossMost: step.map((s) => (factor * 2.6) / s),
  seconds: step.map((s) => (factor * s) / 100),
  epochsMade: step.map((s) => s / 40),
  updateRatio: step.map((s) => 0.01 / s),
  effectiveStep: step.map((s) => 0.008 / s),
});
const epochTold: TrainEpoch = {
  kind: 'epoch',
  epoch: 1,
  validationLoss: 0.4,
  validationAccuracy: 0.9,
  diagnosed: { 'reliability/ece': 0.043, 'confusion-matrix/balanced_accuracy': 0.9 },
  cards: lightCards(kinds.cards),
};
const [sample] = kinds.cards.flatMap((card) => (card.kind === 'images' ? card.images : []));

export const pages: readonly PageCase[] = [
  { name: 'waiting', mode: 'report', messages: [], ready: '.waiting' },
  {
    name: 'report',
    mode: 'report',
    messages: [{ type: 'reports', title: 'Run', reports: [kinds] }],
    ready: '[data-kind="scatter"] canvas',
  },
  {
    name: 'report with a selection',
    mode: 'report',
    messages: [{ type: 'reports', title: 'Run', reports: [kinds] }],
    ready: '[data-kind="scatter"] canvas',
    async act(page) {
      await page.locator('.heatmap-frame').focus();
      await page.keyboard.press('Enter');
      await page.locator('.strip').waitFor();
      await page.locator('.reading summary').first().click();
      for (const table of await page.locator('.toolbar vscode-button[aria-pressed]').all()) await table.click();
      await page.getByRole('button', { name: 'Save Scores' }).click();
    },
  },
  {
    name: 'suite',
    mode: 'report',
    messages: [
      {
        type: 'reports',
        title: 'Suite',
        reports: ['unavailable', 'stopped'].map(sampleReport),
        checks: [
          { name: 'calibrated', status: 'failed', sentence: 'ece 0.051 must be at most 0.05.', report: 0 },
          { name: 'accurate', status: 'passed', sentence: 'accuracy 0.97', report: 1 },
          { name: 'gone', status: 'error', sentence: 'unknown dataset' },
        ],
      },
    ],
    ready: '.checks',
  },
  {
    name: 'live training',
    mode: 'report',
    messages: [
      { type: 'progress', title: 'Train digits', fraction: 0.1, text: 'Epoch 1' },
      { type: 'live', live: steps },
      { type: 'live', live: { kind: 'epoch', epoch: 1, validationLoss: 0.4, validationAccuracy: 0.9 } },
    ],
    ready: '.live-plots canvas',
  },
  {
    name: 'live training with all that is told, another run behind, and a table',
    mode: 'report',
    messages: [
      { type: 'progress', title: 'Train digits', fraction: 0.1, text: 'epoch 2 of 10, step 40 of 400' },
      { type: 'live', live: { kind: 'standing', paused: false } },
      { type: 'live', live: told(1) },
      { type: 'live', live: epochTold },
      { type: 'overlay', title: 'Train digits.onnx, yesterday', live: [told(1.6)] },
    ],
    ready: '.live-cards canvas',
    async act(page) {
      await page.getByRole('button', { name: /Loss.* as a table/ }).click();
    },
  },
  {
    name: 'paused training',
    mode: 'report',
    messages: [
      { type: 'progress', title: 'Train digits', fraction: 0.1, text: 'paused after step 40 of 400' },
      { type: 'live', live: told(1) },
      { type: 'live', live: { kind: 'standing', paused: true } },
    ],
    ready: '.live-plots canvas',
  },
  {
    name: 'report of a training beside another',
    mode: 'report',
    messages: [
      { type: 'reports', title: 'Train', reports: [{ ...kinds, cards: kinds.cards.slice(0, 2) }], out: '/models/digits.onnx' },
      { type: 'overlay', title: 'Train digits.onnx, yesterday', live: [told(1.6)], own: [told(1)] },
    ],
    ready: '.beside canvas',
  },
  {
    name: 'problem',
    mode: 'report',
    messages: [{ type: 'problem', sentence: "'broken.onnx' is not a complete ONNX model." }],
    ready: '[role=alert]',
  },
  {
    name: 'image tab',
    mode: 'saliency',
    messages: [
      {
        type: 'saliency',
        name: 'digits.onnx on digits.npz',
        form: {
          methods: [
            { id: 'integrated-gradients', title: 'Integrated Gradients', group: 'Paths', reads: ['steps'] },
            { id: 'gradient', title: 'Gradient', group: 'Gradients', reads: [] },
          ],
          always: [],
          options: { steps: { kind: 'int', default: 50, min: 1, max: 1024, help: 'Steps.' } },
        },
        asked: { position: 0, method: 'integrated-gradients', options: {} },
        models: [
          {
            name: 'digits.onnx',
            attribution: {
              row: sample.row,
              position: 0,
              count: 359,
              shown: { kind: 'map', picture: sample.picture, width: 8, height: 8 },
              values: sample.overlays[0].values,
              outliers: 2,
              classes: ['0', '1', '2'],
              probs: [0.1, 0.2, 0.7],
              label: 2,
              prediction: 2,
              target: 2,
              method: 'integrated-gradients',
              layers: [],
              facts: [{ label: 'Device', value: 'cpu' }],
              notes: ['Data is 8-bit and was divided by 255.'],
            },
          },
        ],
      },
    ],
    ready: '.pictures canvas',
  },
  {
    name: 'model editor',
    mode: 'model',
    messages: [
      {
        type: 'model',
        name: 'net.onnx',
        measuring: true,
        trusted: true,
        facts: {
          path: '/models/net.onnx',
          bytes: 9216,
          irVersion: 8,
          opsets: { 'ai.onnx': 17 },
          producer: 'pytorch',
          inputs: [{ name: 'x', dtype: 'float32', dims: ['N', 3, 8, 8] }],
          outputs: [{ name: 'y', dtype: 'float32', dims: ['N', 10] }],
          parameters: 2304,
          weightBytes: 9216,
          macs: null,
          activationBytes: null,
          layers: ['Conv', 'Relu', 'ArgMax'].map((op, i) => ({
            name: `block.${op}`,
            op,
            inputs: [`v${i}`],
            outputs: [`v${i + 1}`],
            weights: i === 0 ? [0] : [],
            dims: ['N', 16, 8, 8],
            dtype: 'float32',
            parameters: i === 0 ? 2304 : 0,
            macs: 1000,
            ...(op === 'ArgMax' ? { noGradient: 'its output is an index' } : {}),
          })),
          weights: [{ name: 'w', dtype: 'float32', dims: [16, 16, 3, 3], bytes: 9216 }],
          measured: false,
          notes: ['A note on the file.'],
        },
      },
    ],
    ready: '.layer-rows .layer-row',
    async act(page) {
      await page.locator('.layer-rows .layer-row').first().click();
    },
  },
  {
    name: 'data editor',
    mode: 'data',
    messages: [
      {
        type: 'data',
        tell: {
          kind: 'table',
          trusted: true,
          look: { filter: 'label = 1' },
          facts: {
            name: 'pets.npz',
            format: 'npz',
            length: 3,
            rows: 3,
            columns: [
              { name: 'row', kind: 'number', size: 1, dtype: 'int', dims: [], role: 'row' },
              { name: 'label', kind: 'class', size: 1, dtype: 'int64', dims: [], role: 'label', classes: ['cat', 'dog'] },
              { name: 'loss', kind: 'number', size: 1, dtype: 'float64', dims: [], role: 'loss' },
            ],
            arrays: [{ name: 'y', dtype: 'int64', dims: [3] }],
            scored: false,
            notes: ['A note.'],
          },
        },
      },
      {
        type: 'data',
        tell: {
          kind: 'selection',
          generation: 1,
          look: { filter: 'label = 1' },
          selection: {
            count: 3,
            balance: {
              column: 'label',
              classes: ['cat', 'dog'].map((name, value) => ({ name, value, all: 2, kept: 1 })),
              total: 2,
              missing: { all: 0, kept: 0 },
            },
          },
        },
      },
      {
        type: 'data',
        tell: {
          kind: 'slice',
          generation: 1,
          from: 0,
          slice: {
            rows: Uint32Array.of(0, 1, 2),
            columns: ['row', 'label', 'loss'],
            cells: [
              [0, 1, 2],
              [0, 1, 1],
              [0.1, 0.2, Number.NaN],
            ].map((values) => ({ kind: 'numbers', values: Float64Array.from(values) })),
          },
        },
      },
    ],
    ready: '.data-body .data-row',
    async act(page) {
      await page.locator('.data-body .data-row').nth(1).click();
    },
  },
];
