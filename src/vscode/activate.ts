import * as vscode from 'vscode';
import type { Catalogue } from '../base/catalogue.ts';
import catalogue from '../generated/catalogue.json' with { type: 'json' };
import { suiteLanguage } from './authoring/language.ts';
import { commands } from './commands/index.ts';
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

export const activate = (context: vscode.ExtensionContext): void => {
  speak(vscode.l10n.t);
  const window = openWindow(context, catalogue as Catalogue);
  const { host, history, outlines, checks, changed, failed } = window;
  context.subscriptions.push(
    window,
    ...commands(host.catalogue).map(({ id, needsTrust, anywhere, run }) =>
      vscode.commands.registerCommand(id, async (first: unknown, selected: unknown) => {
        const target = targetOf(first, selected);
        if (target.elsewhere !== undefined && !anywhere) void vscode.window.showErrorMessage(elsewhereSentence(target.elsewhere));
        else if (!needsTrust || trusted()) await run(host, target).catch(failed);
      }),
    ),
    openViews(window),
    vscode.window.registerUriHandler({
      handleUri(link) {
        const target = targetOfLink(link);
        if (target) void vscode.commands.executeCommand(target.focus === undefined ? 'assay.openRun' : 'assay.openCard', target);
      },
    }),
    vscode.languages.registerCodeLensProvider({ scheme: 'file', pattern: '**/assay.json' }, suiteLenses(history, changed)),
    codeLenses({ host, history, outlines, changed }),
    suiteLanguage({ ...host, history, outlines, changed, failed }),
    checkTests({ runner: checks, history, changed, memory: context.globalState, host, trusted, failed }),
  );
  afterActivation(() => window.openRunsLeftByStart().catch(failed));
};
