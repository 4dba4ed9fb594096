import { basename } from 'node:path';
import * as vscode from 'vscode';
import { Fault } from '../../base/fault.ts';
import type { AttributeRequest, Attribution } from '../../report/tasks.ts';
import { panels } from '../contributions.ts';
import type { SaliencySubject } from '../define.ts';
import type { Method } from '../methods.ts';
import type { ToPage } from '../protocol.ts';
import { fillPanel, remember, tabIcon } from './page.ts';

/** What is looked at: a position of the split, or a dataset row as cards name it. */
export type Place = { readonly position: number } | { readonly row: number };
type Asked = Pick<AttributeRequest, 'position' | 'row' | 'method' | 'target'>;

export interface SaliencyPanelPorts {
  readonly extension: vscode.Uri;
  readonly methods: readonly Method[];
  attribute(subject: SaliencySubject, asked: Asked, signal: AbortSignal): Promise<Attribution>;
  /** Shows progress for as long as `work` takes. */
  busy(title: string, work: Promise<unknown>): void;
  save(name: string, bytes: Uint8Array): void;
  failed(error: unknown): void;
}

export interface SaliencyPanels extends vscode.Disposable {
  open(subject: SaliencySubject, place: Place): void;
}

const isState = (state: unknown): state is { readonly subject: SaliencySubject; readonly place: Place } =>
  typeof state === 'object' && state !== null && 'subject' in state && 'place' in state;

const parse = (state: unknown): unknown => {
  try {
    return typeof state === 'string' ? JSON.parse(state) : undefined;
  } catch {
    return undefined;
  }
};

/** The image tab: a sample with the heat map over it. One tab per model and dataset; the newest question wins. */
export const saliencyPanels = (ports: SaliencyPanelPorts): SaliencyPanels => {
  const open = new Map<string, { readonly panel: vscode.WebviewPanel; ask(asked: Asked): void }>();
  const first = ports.methods[0]?.id ?? '';

  const fill = (subject: SaliencySubject, place: Place, panel: vscode.WebviewPanel): void => {
    const key = JSON.stringify(subject);
    const name = `${basename(subject.model.path)} on ${basename(subject.data.path)}`;
    let told: readonly ToPage[] = [];
    let current = new AbortController();
    const tell = (message: ToPage): void => {
      told = remember(told, message);
      post(message);
    };
    const ask = async (asked: Asked): Promise<void> => {
      current.abort();
      const mine = new AbortController();
      current = mine;
      try {
        const work = ports.attribute(subject, asked, mine.signal);
        ports.busy(`Saliency: ${name}`, work);
        const attribution = await work;
        if (!mine.signal.aborted) tell({ type: 'saliency', name, methods: ports.methods, attribution });
      } catch (error) {
        if (Fault.is(error, 'job/stopped')) return;
        tell({ type: 'problem', sentence: error instanceof Error ? error.message : String(error) });
        ports.failed(error);
      }
    };
    const start = (asked: Asked): void => void ask(asked);
    const post = fillPanel(
      panel,
      ports.extension,
      'saliency',
      JSON.stringify({ subject, place }),
      () => told,
      (message) => {
        if (message.type === 'attribute')
          start({
            position: message.position,
            method: message.method,
            ...(message.target === undefined ? {} : { target: message.target }),
          });
        else if (message.type === 'cancel') current.abort();
        else if (message.type === 'rerun') start(placed(place));
        else if (message.type === 'export') ports.save(message.name, Buffer.from(message.base64, 'base64'));
      },
    );
    panel.iconPath = tabIcon(ports.extension);
    panel.onDidDispose(() => {
      current.abort();
      if (open.get(key)?.panel === panel) open.delete(key);
    });
    open.set(key, { panel, ask: start });
    start(placed(place));
  };
  const placed = (place: Place): Asked => ({ position: 0, ...place, method: first });

  const serializer = vscode.window.registerWebviewPanelSerializer(panels.saliency, {
    async deserializeWebviewPanel(panel, kept: unknown) {
      const state = parse(kept);
      if (isState(state)) fill(state.subject, state.place, panel);
      else panel.dispose();
    },
  });

  return {
    open(subject, place) {
      const known = open.get(JSON.stringify(subject));
      if (known) {
        known.panel.reveal(undefined, false);
        known.ask(placed(place));
        return;
      }
      const title = `Saliency: ${basename(subject.model.path)}`;
      fill(subject, place, vscode.window.createWebviewPanel(panels.saliency, title, vscode.ViewColumn.Active, {}));
    },
    dispose: () => serializer.dispose(),
  };
};
