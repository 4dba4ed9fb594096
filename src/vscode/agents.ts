import type { Catalogue } from '../base/catalogue.ts';
import type { InputSchema } from '../jobs/agents/fields.ts';
import { agentTools } from '../jobs/agents/tools.ts';

interface ToolContribution {
  readonly name: string;
  readonly displayName: string;
  readonly toolReferenceName: string;
  readonly canBeReferencedInPrompt: true;
  readonly icon: string;
  readonly userDescription: string;
  readonly modelDescription: string;
  readonly tags: readonly string[];
  readonly when: string;
  readonly inputSchema: InputSchema;
}
interface AgentContributions {
  readonly languageModelTools: readonly ToolContribution[];
  readonly mcpServerDefinitionProviders: readonly { readonly id: string; readonly label: string }[];
}

/** What package.json says of the tools for agents. */
export const agentContributions = (catalogue: Pick<Catalogue, 'diagnostics'>): AgentContributions => ({
  languageModelTools: agentTools(catalogue).map(({ name, title, icon, summary, description, inputs }) => ({
    name,
    displayName: title,
    toolReferenceName: name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    canBeReferencedInPrompt: true,
    icon,
    userDescription: summary,
    modelDescription: description,
    tags: ['assay', 'onnx', 'machine learning'],
    when: 'isWorkspaceTrusted',
    inputSchema: inputs,
  })),
  mcpServerDefinitionProviders: [{ id: 'assay.mcp', label: 'Assay' }],
});
