import { basename } from 'node:path';
import * as vscode from 'vscode';
import { Fault } from '../../base/fault.ts';
import type { ModelRef } from '../../base/request.ts';
import type { AttributeRequest, Attribution } from '../../report/tasks.ts';
import { panels } from '../contributions.ts';
import type { Place, SaliencySubject } from '../define.ts';
import { t } from '../l10n.ts';
import type { SaliencyForm } from '../methods.ts';
import type { Asked, Looked, ToPage } from '../protocol.ts';
import { fillPanel, remember, tabIcon } from './page.ts';

export interface SaliencyPanelPorts {
  readonly extension: vscode.Uri;
  readonly form: SaliencyForm;
  attribute(
    subject: SaliencySubject,
    asked: Pick<AttributeRequest, 'position' | 'row' | 'method' | 'target' | 'options'>,
    watch: { readonly signal: AbortSignal; readonly onProgress: (fraction: number, text: string) => void },
  ): Promise<Attribution>;
  /** Lets the user choose a model to stand beside the first. */
  second(): Promise<ModelRef | undefined>;
  /** Shows progress for as long as `work` takes. */
  busy(title: string, work: Promise<unknown>): void;
  save(name: string, bytes: Uint8Array): void;
  failed(error: unknown): void;
}

export interface SaliencyPanels extends vscode.Disposable {
  open(subject: SaliencySubject, place: Place): void;
  /** Shows it in a panel that is already there. */
  adopt(subject: SaliencySubject, place: Place, panel: vscode.WebviewPanel): void;
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

const stopped = (looked: Looked): Looked =>
  looked.attribution || looked.problem ? looked : { ...looked, problem: t('Stopped on request.') };

/** The image tab: a sample with the heat map over it. One tab per model and dataset; the newest question wins. */
export const saliencyPanels = (ports: SaliencyPanelPorts): SaliencyPanels => {
  const open = new Map<string, { readonly panel: vscode.WebviewPanel; go(place: Place): void }>();
  const { form } = ports;

  const fill = (subject: SaliencySubject, place: Place, panel: vscode.WebviewPanel): void => {
    const key = JSON.stringify(subject);
    const name = `${basename(subject.model.path)} on ${basename(subject.data.path)}`;
    let told: readonly ToPage[] = [];
    let current = new AbortController();
    let asked: Asked = { position: 0, method: form.methods[0]?.id ?? '', options: {} };
    let first: Looked = { name: basename(subject.model.path) };
    let second: { readonly model: ModelRef; readonly looked: Looked } | undefined;
    const tell = (message: ToPage): void => {
      told = remember(told, message);
      post(message);
    };
    const show = (): void => {
      const models = second ? [first, second.looked] : [first];
      tell({ type: 'saliency', name, form, asked, models });
    };

    /** The map of one model, or why there is none; undefined where another question came in between. */
    const look = async (
      model: ModelRef,
      at: Place,
      target: number | string | undefined,
      mine: AbortSignal,
    ): Promise<Looked | undefined> => {
      const { method, options, position } = asked;
      const who = basename(model.path);
      try {
        const attribution = await ports.attribute(
          { ...subject, model },
          { position, ...at, method, options, ...(target === undefined ? {} : { target }) },
          { signal: mine, onProgress: (fraction, text) => !mine.aborted && tell({ type: 'progress', title: name, fraction, text }) },
        );
        return mine.aborted ? undefined : { name: who, attribution };
      } catch (error) {
        if (mine.aborted) return undefined;
        // What is asked of a method that cannot answer is said in the tab alone; what breaks is logged and offered ways out.
        if (!(error instanceof Fault) || !/^(diagnostic|evidence|option|grad|graph)\//.test(error.code)) ports.failed(error);
        return { name: who, problem: error instanceof Error ? error.message : String(error) };
      }
    };
    const answer = async (at: Place): Promise<void> => {
      current.abort();
      const mine = new AbortController();
      current = mine;
      const found = await look(subject.model, at, asked.target, mine.signal);
      if (!found) return;
      first = found;
      const { attribution } = found;
      if (attribution) asked = { ...asked, position: attribution.position };
      if (second) second = { ...second, looked: { name: second.looked.name } };
      show();
      if (!second) return;
      // The second model explains the class that the first one does, by its name.
      const target = attribution && attribution.classes.length > 0 ? attribution.classes[attribution.target] : asked.target;
      const beside = await look(second.model, attribution ? { row: attribution.row } : at, target, mine.signal);
      if (!beside || !second) return;
      second = { ...second, looked: beside };
      show();
    };
    const start = (at: Place): void => ports.busy(`Saliency: ${name}`, answer(at).catch(ports.failed));
    const choose = async (): Promise<void> => {
      const model = await ports.second();
      if (!model) return;
      second = { model, looked: { name: basename(model.path) } };
      show();
      start({ position: asked.position });
    };

    const post = fillPanel(
      panel,
      ports.extension,
      'saliency',
      JSON.stringify({ subject, place }),
      () => told,
      (message) => {
        switch (message.type) {
          case 'attribute': {
            const { type: _, ...rest } = message;
            asked = rest;
            return start({ position: asked.position });
          }
          case 'second':
            if (message.wanted) return void choose().catch(ports.failed);
            second = undefined;
            return show();
          case 'cancel':
            current.abort();
            first = stopped(first);
            if (second) second = { ...second, looked: stopped(second.looked) };
            return show();
          case 'rerun':
            return start({ position: asked.position });
          case 'export':
            return ports.save(message.name, Buffer.from(message.base64, 'base64'));
          case 'ready':
          case 'sample':
            return;
        }
      },
    );
    panel.iconPath = tabIcon(ports.extension);
    panel.onDidDispose(() => {
      current.abort();
      if (open.get(key)?.panel === panel) open.delete(key);
    });
    const go = (to: Place): void => start(to);
    open.set(key, { panel, go });
    show();
    go(place);
  };

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
        known.go(place);
        return;
      }
      const title = `Saliency: ${basename(subject.model.path)}`;
      fill(subject, place, vscode.window.createWebviewPanel(panels.saliency, title, vscode.ViewColumn.Active, {}));
    },
    adopt: fill,
    dispose: () => serializer.dispose(),
  };
};
