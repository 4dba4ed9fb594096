import { createRequire } from 'node:module';
import * as vscode from 'vscode';
import { afterActivation } from './host/soon.ts';
import type { Opened } from './window.ts';

/** What package.json lists, which is generated from the definitions. */
interface Contributed {
  readonly commands: readonly { readonly command: string }[];
  readonly languageModelTools: readonly { readonly name: string }[];
  readonly mcpServerDefinitionProviders: readonly { readonly id: string }[];
}

/**
 * Registers what VS Code looks for as soon as it has activated the extension: commands, links, tools of agents. The rest is `window.cjs`,
 * loaded by the first of them, else in the turn after.
 */
export const activate = (context: vscode.ExtensionContext): void => {
  let opened: Opened | undefined;
  const window = (): Opened => {
    opened ??= (createRequire(import.meta.url)('./window.cjs') as typeof import('./window.ts')).open(context);
    return opened;
  };
  const { contributes } = context.extension.packageJSON as { readonly contributes: Contributed };
  context.subscriptions.push(
    ...contributes.commands.map(({ command }) =>
      vscode.commands.registerCommand(command, (first: unknown, selected: unknown) => window().run(command, first, selected)),
    ),
    vscode.window.registerUriHandler({ handleUri: (link) => window().follow(link) }),
    ...contributes.languageModelTools.map(({ name }) =>
      vscode.lm.registerTool<unknown>(name, {
        prepareInvocation: (options, token) => window().agents.tools.get(name)?.prepareInvocation?.(options, token),
        invoke: (options, token) => window().agents.tools.get(name)?.invoke(options, token),
      }),
    ),
    ...contributes.mcpServerDefinitionProviders.map(({ id }) =>
      vscode.lm.registerMcpServerDefinitionProvider(id, {
        onDidChangeMcpServerDefinitions: (changed, self) => vscode.workspace.onDidChangeWorkspaceFolders(() => changed.call(self)),
        provideMcpServerDefinitions: () => window().agents.servers(),
      }),
    ),
  );
  afterActivation(window);
};
