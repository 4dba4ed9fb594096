import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { openOnStart } from '../contributions.ts';
import type { ReportPanels } from '../panels/report.ts';
import { openWalkthrough } from './sample.ts';
import type { Suites } from './suites.ts';

/** Opens what was left to be opened in this workspace: runs by `npm start`, the walkthrough by the sample. */
export const openLeft = async (home: string, suites: Pick<Suites, 'all'>, panels: Pick<ReportPanels, 'show'>): Promise<void> => {
  const path = join(home, openOnStart);
  const left = await readFile(path, 'utf8').catch(() => undefined);
  if (left === undefined) return;
  await rm(path);
  const { runs, walkthrough } = JSON.parse(left) as { readonly runs: readonly string[]; readonly walkthrough?: true };
  const [suite] = await suites.all();
  // Reports stand beside the file that asks for them.
  if (suite) await vscode.window.showTextDocument(vscode.Uri.file(suite.path), { viewColumn: vscode.ViewColumn.One, preview: false });
  for (const id of runs) await panels.show(id);
  if (walkthrough) await openWalkthrough();
};
