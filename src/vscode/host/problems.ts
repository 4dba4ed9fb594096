import * as vscode from 'vscode';
import type { Catalogue } from '../../base/catalogue.ts';
import { commandOf } from '../commands/diagnose.ts';
import type { Launch } from '../define.ts';
import { type Problem, problemOf, remedyTitle } from '../problem.ts';

export interface ProblemPorts {
  readonly catalogue: Catalogue;
  readonly log: vscode.LogOutputChannel;
  again(work: Launch): Promise<void>;
  showLog(): void;
}
export interface ProblemTeller {
  /** Says what is wrong, with ways out. */
  say(problem: Problem, work?: Launch): void;
  /** Says what went wrong; silent where the user stopped it. */
  failed(error: unknown): void;
}

/** The command that asks for the same work again from the start. */
const commandFor = (catalogue: Catalogue, work: Launch): string => {
  switch (work.task) {
    case 'run': {
      const { id } = work.ask;
      return commandOf(catalogue.diagnostics.find((d) => d.id === id) ?? { id, title: id }).id;
    }
    case 'suite':
      return 'assay.runSuite';
    case 'train':
      return 'assay.train';
    case 'compare':
      return 'assay.compareRuns';
  }
};

export const problemTeller = ({ catalogue, log, again, showLog }: ProblemPorts): ProblemTeller => {
  const act = async (problem: Problem, remedy: Problem['remedies'][number], work?: Launch): Promise<void> => {
    switch (remedy) {
      case 'choose':
        await vscode.commands.executeCommand(work ? commandFor(catalogue, work) : 'assay.saliency');
        return;
      case 'open':
        if (problem.file !== undefined) await vscode.window.showTextDocument(vscode.Uri.file(problem.file));
        return;
      case 'device':
        await vscode.commands.executeCommand('workbench.action.openSettings', 'assay.device');
        return;
      case 'again':
        if (work) await again(work);
        return;
      case 'log':
        showLog();
    }
  };
  const say: ProblemTeller['say'] = (problem, work) => {
    const remedies = problem.remedies.filter((remedy) => remedy !== 'again' || work);
    void vscode.window.showErrorMessage(problem.sentence, ...remedies.map((remedy) => remedyTitle(remedy))).then((chosen) => {
      const remedy = remedies.find((one) => remedyTitle(one) === chosen);
      if (remedy) act(problem, remedy, work).catch(failed);
    });
  };
  const failed: ProblemTeller['failed'] = (error) => {
    log.error(error instanceof Error ? error : String(error));
    const problem = problemOf(error);
    if (problem) say(problem);
  };
  return { say, failed };
};
