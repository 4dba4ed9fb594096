import { delimiter, dirname } from 'node:path';
import * as vscode from 'vscode';
import { Fault } from '../../base/fault.ts';
import type { AgentPorts, AgentTool, Prepared } from '../../jobs/agents/define.ts';
import { sentenceOf } from '../../jobs/agents/keep.ts';
import { agentTools } from '../../jobs/agents/tools.ts';
import { t } from '../l10n.ts';
import { labelOf } from './suites.ts';

export interface AgentHost {
  readonly ports: AgentPorts;
  /** `dist/cli.js`, which is the MCP server too. */
  readonly program: string;
  readonly version: string;
}

const list = (paths: readonly string[]): string => paths.map((path) => `\`${labelOf(path)}\``).join(', ');

/** What a person agrees to: what it costs, where it runs, what it reads and writes. */
const confirmation = async ({ reads, writes, device, cost }: Prepared, keeps: boolean): Promise<vscode.MarkdownString> => {
  const lines = [
    t('Cost: {0}', await cost().catch(sentenceOf)),
    device === undefined
      ? t('No model is run.')
      : t('Device: {0}', device === 'auto' ? t('the fastest that agrees with the processor') : device),
    t('Reads: {0}', list(reads)),
    t('Writes: {0}', writes.length > 0 ? list(writes) : keeps ? t('nothing but the report, under `.assay/runs`') : t('nothing')),
  ];
  return new vscode.MarkdownString(lines.map((line) => `- ${line}`).join('\n'));
};

const signalOf = (token: vscode.CancellationToken): AbortSignal => {
  const stop = new AbortController();
  if (token.isCancellationRequested) stop.abort();
  token.onCancellationRequested(() => stop.abort());
  return stop.signal;
};

const languageModelTool = (tool: AgentTool, { ports }: AgentHost): vscode.LanguageModelTool<unknown> => ({
  async prepareInvocation({ input }) {
    try {
      const call = await tool.prepare(input, ports);
      return {
        invocationMessage: call.title,
        confirmationMessages: { title: call.title, message: await confirmation(call, !tool.readOnly) },
      };
    } catch {
      // Arguments that cannot be are told by the call itself, to the model.
      return { invocationMessage: tool.title };
    }
  },
  async invoke({ input }, token) {
    try {
      if (!vscode.workspace.isTrusted) throw new Fault('job/untrusted', {});
      const call = await tool.prepare(input, ports);
      const { text } = await call.run({ signal: signalOf(token) });
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
    } catch (error) {
      throw Fault.is(error, 'job/stopped') ? new vscode.CancellationError() : new Error(sentenceOf(error), { cause: error });
    }
  },
});

/** Tools for the language models of this window by their names, and the same over MCP for other agents that run in it. */
export interface Agents {
  readonly tools: ReadonlyMap<string, vscode.LanguageModelTool<unknown>>;
  servers(): Promise<vscode.McpStdioServerDefinition[]>;
}

export const openAgents = (host: AgentHost): Agents => {
  const { ports, program, version } = host;
  return {
    tools: new Map(agentTools(ports.catalogue).map((tool) => [tool.name, languageModelTool(tool, host)])),
    async servers() {
      if (!vscode.workspace.isTrusted) return [];
      const folders = [...new Set([ports.folder, ...(await ports.suites()).map(({ path }) => dirname(path))])].join(delimiter);
      const words = [program, 'serve-mcp', '--folder', folders, '--device', ports.device, '--seed', String(ports.seed)];
      return [new vscode.McpStdioServerDefinition('Assay', process.execPath, words, { ELECTRON_RUN_AS_NODE: '1' }, version)];
    },
  };
};
