import * as vscode from 'vscode';
import type { Catalogue } from '../base/catalogue.ts';
import catalogue from '../generated/catalogue.json' with { type: 'json' };
import { suiteLanguage } from './authoring/language.ts';
import { commands } from './commands/index.ts';
import type { Agents } from './host/agents.ts';
import { elsewhereSentence } from './host/files.ts';
import { afterActivation } from './host/soon.ts';
import { trusted } from './host/trust.ts';
import { openWindow } from './host.ts';
import { speak } from './l10n.ts';
import { codeLenses } from './lenses/code.ts';
import { suiteLenses } from './lenses/suite.ts';
import { targetOfLink } from './link.ts';
import { targetOf } from './target.ts';
import { checkTests } from './testing/controller.ts';
import { openViews } from './trees/views.ts';

/** What the registrations of the activation ask for. */
export interface Opened {
  readonly agents: Agents;
  /** Runs a command of package.json on what it was invoked on. */
  run(command: string, first: unknown, selected: unknown): Promise<void>;
  /** Opens what a link from outside names. */
  follow(link: vscode.Uri): void;
}

/** The views, editors, lenses and tests of the window. */
export const open = (context: vscode.ExtensionContext): Opened => {
  speak(vscode.l10n.t);
  const window = openWindow(context, catalogue as Catalogue);
  const { host, history, outlines, checks, changed, failed, agents } = window;
  const { suites, find, open } = host;
  const known = new Map(commands(host.catalogue).map((command) => [command.id as string, command]));
  context.subscriptions.push(
    window,
    openViews(window),
    vscode.languages.registerCodeLensProvider({ scheme: 'file', pattern: '**/assay.json' }, suiteLenses(history, changed)),
    codeLenses({ host, history, outlines, changed }),
    suiteLanguage({ catalogue: host.catalogue, suites, find, open, history, outlines, changed, failed }),
    checkTests({ runner: checks, history, changed, memory: context.globalState, host, trusted, failed }),
  );
  afterActivation(() => window.openRunsLeftByStart().catch(failed));
  return {
    agents,
    async run(id, first, selected) {
      const command = known.get(id);
      const target = targetOf(first, selected);
      if (target.elsewhere !== undefined && !command?.anywhere) void vscode.window.showErrorMessage(elsewhereSentence(target.elsewhere));
      else if (!command?.needsTrust || trusted()) await command?.run(host, target).catch(failed);
    },
    follow(link) {
      const target = targetOfLink(link);
      if (target) void vscode.commands.executeCommand(target.focus === undefined ? 'assay.openRun' : 'assay.openCard', target);
    },
  };
};
