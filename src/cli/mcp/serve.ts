import { pathToFileURL } from 'node:url';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListResourcesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { AgentPorts, AgentTool, Answer } from '../../jobs/agents/define.ts';
import type { RunStore } from '../../jobs/store.ts';
import { toMarkdown } from '../../report/markdown.ts';

export interface McpPorts {
  readonly version: string;
  readonly tools: readonly AgentTool[];
  readonly ports: AgentPorts;
  readonly store: Pick<RunStore, 'list' | 'read'>;
  /** What went wrong, in one sentence. Given, as the errors are of the other bundle's classes. */
  sentenceOf(error: unknown): string;
  /** Stops the server and every job. */
  readonly signal: AbortSignal;
}

const LISTED = 50;
const scheme = 'assay://runs/';

const resultOf = ({ text, files, facts, failed }: Answer): CallToolResult => ({
  content: [
    { type: 'text', text },
    ...files.map(({ path, title, mime }) => ({
      type: 'resource_link' as const,
      uri: pathToFileURL(path).href,
      name: title,
      mimeType: mime,
    })),
  ],
  structuredContent: { ...facts },
  ...(failed ? { isError: true } : {}),
});

/** Serves the tools over the standard streams until the client goes or `signal` aborts. Nothing else is written to the output. */
export const serveMcp = async ({ version, tools, ports, store, sentenceOf, signal }: McpPorts): Promise<void> => {
  const server = new Server({ name: 'assay', title: 'Assay', version }, { capabilities: { tools: {}, resources: {} } });

  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(({ name, title, description, inputs, readOnly }) => ({
      name,
      title,
      description,
      inputSchema: { ...inputs, required: [...inputs.required] },
      annotations: {
        title,
        readOnlyHint: readOnly,
        destructiveHint: name === 'train_model',
        idempotentHint: readOnly,
        openWorldHint: false,
      },
    })),
  }));

  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra): Promise<CallToolResult> => {
    const tool = tools.find(({ name }) => name === params.name);
    if (!tool)
      throw new McpError(ErrorCode.InvalidParams, `Unknown tool '${params.name}'. Tools: ${tools.map(({ name }) => name).join(', ')}.`);
    const progressToken = params._meta?.progressToken;
    try {
      const call = await tool.prepare(params.arguments, ports);
      const answer = await call.run({
        signal: AbortSignal.any([signal, extra.signal]),
        onProgress(progress, message) {
          if (progressToken === undefined) return;
          // A client that has gone hears of nothing more.
          extra
            .sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: 1, message } })
            .catch(() => {});
        },
      });
      return resultOf(answer);
    } catch (error) {
      return { content: [{ type: 'text', text: sentenceOf(error) }], isError: true };
    }
  });

  server.setRequestHandler(ListResourcesRequestSchema, async () => {
    const { runs } = await store.list();
    return {
      resources: runs
        .filter(({ status }) => status === 'done')
        .slice(0, LISTED)
        .map(({ id, title, subject }) => ({ uri: `${scheme}${id}`, name: `${title}: ${subject}`, mimeType: 'text/markdown' })),
    };
  });

  server.setRequestHandler(ReadResourceRequestSchema, async ({ params: { uri } }) => {
    try {
      const { result } = await store.read(uri.startsWith(scheme) ? uri.slice(scheme.length) : uri);
      return { contents: [{ uri, mimeType: 'text/markdown', text: result.reports.map(toMarkdown).join('\n') }] };
    } catch (error) {
      throw new McpError(ErrorCode.InvalidParams, sentenceOf(error));
    }
  });

  const gone = new Promise<void>((done) => {
    server.onclose = done;
    process.stdin.once('end', done);
    process.stdin.once('close', done);
    signal.addEventListener('abort', () => done());
  });
  await server.connect(new StdioServerTransport());
  await gone;
  await server.close();
};
