import * as vscode from 'vscode';
import type { SuiteFile } from '../define.ts';
import { type History, standingOf } from '../history.ts';
import { type Milestone, milestones } from '../walkthrough.ts';

export interface Milestones {
  reached(one: Milestone): void;
  /** Looks at what the workspace holds by now. */
  look(suites: readonly SuiteFile[], history: Pick<History, 'runs'>): Promise<void>;
}

/** How far the walkthrough is done in this workspace; told to VS Code as contexts. What was reached stays so. */
export const openMilestones = (): Milestones => {
  const done = new Set<Milestone>();
  const reached = (one: Milestone): void => {
    if (done.has(one)) return;
    done.add(one);
    void vscode.commands.executeCommand('setContext', milestones[one], true);
  };
  return {
    reached,
    async look(suites, history) {
      if (suites.length > 0) reached('sample');
      for (const run of await history.runs()) {
        if (standingOf(run) !== 'done') continue;
        if (run.kind === 'train') reached('trained');
        if (run.kind === 'run') reached('diagnosed');
      }
    },
  };
};
