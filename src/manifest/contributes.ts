import type { Catalogue } from '../base/catalogue.ts';
import { agentContributions } from '../vscode/agents.ts';
import { commands } from '../vscode/commands/index.ts';
import { activationEvents, capabilities, commandContributions, contributes } from '../vscode/contributions.ts';

/** The generated part of package.json: a pure function of the registries and the commands. */
export const generatedManifest = (catalogue: Catalogue): Readonly<Record<string, unknown>> => ({
  activationEvents,
  capabilities,
  l10n: './media/l10n',
  contributes: { ...commandContributions(commands(catalogue)), ...contributes, ...agentContributions(catalogue) },
});
