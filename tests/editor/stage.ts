// One real VS Code with the packaged extension, on a copy of the sample workspace, for all the tests of one file.

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { ensureChromium } from '../../src/build/chromium.ts';
import { installVSCode, type Server, startServer } from '../../src/build/code-server.ts';
import { packageExtension } from '../../src/build/package.ts';
import { root } from '../../src/build/root.ts';
import { PATIENCE } from '../until.ts';
import { packProbe } from './probe/pack.ts';
import { launchBrowser, openWorkbench } from './vscode.ts';

export interface Stage {
  readonly page: Page;
  readonly server: Server;
  /** The workspace: the sample, a trained model, and recipes and files that go wrong. */
  readonly folder: string;
  /** Another window of the same VS Code. */
  open(folder: string): Promise<Page>;
  /** Saves a picture of the window to out/screenshots. */
  shot(name: string): Promise<void>;
  close(): Promise<void>;
}

const screenshots = join(root, 'out/screenshots');
export const screenshot = (name: string): string => join(screenshots, `${name}.png`);

/** The recipe of the sample made so long that it is still running when it is stopped. */
const endless = (recipe: string): string => {
  const { steps: _, earlyStop: __, ...rest } = JSON.parse(recipe) as Record<string, unknown>;
  return JSON.stringify({ ...rest, epochs: 10_000 }, undefined, 2);
};

const layOut = (folder: string): void => {
  cpSync(join(root, 'media/sample'), folder, { recursive: true });
  cpSync(join(root, 'tests/fixtures/models/mlp_digits.onnx'), join(folder, 'digits.onnx'));
  writeFileSync(join(folder, 'broken.onnx'), readFileSync(join(folder, 'digits.onnx')).subarray(0, 4000));
  cpSync(join(root, 'tests/fixtures/models/vit_digits.onnx'), join(folder, 'transformer.onnx'));
  writeFileSync(join(folder, 'endless.train.json'), endless(readFileSync(join(folder, 'digits.train.json'), 'utf8')));
};

/** Models of text and of a table with their data, under an assay.json of their own. */
export const layOutOthers = (folder: string): void => {
  const at = join(folder, 'others');
  mkdirSync(at, { recursive: true });
  for (const file of [
    'models/text_sms.onnx',
    'models/mlp_breast_cancer.onnx',
    'data/messages.csv',
    'data/sms_vocab.json',
    'data/breast_cancer.npz',
  ])
    cpSync(join(root, 'tests/fixtures', file), join(at, basename(file)));
  const suite = {
    models: { sms: { path: 'text_sms.onnx', labels: ['ham', 'spam'] }, cancer: { path: 'mlp_breast_cancer.onnx' } },
    datasets: { messages: { path: 'messages.csv', preprocess: { tokenizer: 'sms_vocab.json' } }, cells: { path: 'breast_cancer.npz' } },
  };
  writeFileSync(join(at, 'assay.json'), JSON.stringify(suite, undefined, 2));
};

/** The stage, or why there is none on this machine; `probed`: with the extension of the tests beside ours. */
export const openStage = async (settings: Readonly<Record<string, unknown>> = {}, probed = false): Promise<Stage | string> => {
  const chromium = ensureChromium();
  if (chromium === undefined) return 'no Chromium was found and none could be installed; install chromium, or set CHROMIUM to its path';
  const installation = installVSCode();
  if (!installation) return 'a VS Code for tests exists on linux-x64 only';
  const vsix = process.env.ASSAY_VSIX ?? (await packageExtension()).path;
  if (!existsSync(vsix)) throw new Error(`there is no ${vsix}`);
  const folder = mkdtempSync(join(tmpdir(), 'digits-'));
  layOut(folder);
  mkdirSync(screenshots, { recursive: true });
  const server = await startServer(installation, [vsix, ...(probed ? [await packProbe()] : [])], settings);
  const browser = await launchBrowser(chromium);
  const close = async (): Promise<void> => {
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    const page = await openWorkbench(browser, server.url, folder);
    const open = (other: string): Promise<Page> => openWorkbench(browser, server.url, other);
    return { page, server, folder, open, shot: async (name) => void (await page.screenshot({ path: screenshot(name) })), close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** Plays scenarios on a stage of their own; where none can be had they are skipped, and fail in CI. */
export const onStage = async (title: string, scenarios: (stage: Stage) => void, ...how: Parameters<typeof openStage>): Promise<void> => {
  const stage = await openStage(...how);
  if (typeof stage === 'string') {
    test(title, { skip: process.env.CI ? false : stage }, () => assert.fail(stage));
    return;
  }
  after(() => stage.close());
  scenarios(stage);
};

/** What a person does and sees in the window, with a picture of where it failed. */
export const played =
  ({ page, server, shot }: Stage) =>
  (name: string, act: () => Promise<void>): void => {
    test(name, { timeout: 6 * PATIENCE }, async () => {
      try {
        // A menu or question that was left open takes every key.
        await page.keyboard.press('Escape');
        await act();
      } catch (error) {
        await shot(`failed ${name.replace(/\W+/g, ' ')}`);
        console.error(server.log().slice(-2000));
        throw error;
      }
    });
  };

/** Ids of the processes of this machine whose command line has all these words. */
export const processesWith = (...words: readonly string[]): readonly number[] =>
  readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      return words.every((word) => line.includes(word)) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
