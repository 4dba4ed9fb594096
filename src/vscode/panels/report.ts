import * as vscode from 'vscode';
import type { Run, RunStore } from '../../jobs/store.ts';
import { withLive } from '../../report/live-series.ts';
import type { Live, Steer } from '../../report/tasks.ts';
import { panels } from '../contributions.ts';
import { t } from '../l10n.ts';
import { type RunView, reportsMessage } from '../launch.ts';
import type { ToPage } from '../protocol.ts';
import { fillPanel, remember, tabIcon } from './page.ts';

export interface ReportPanelPorts {
  readonly extension: vscode.Uri;
  readonly store: Pick<RunStore, 'read'>;
  cancel(run: string): void;
  steer(run: string, steer: Steer): void;
  /** Chooses a training to draw behind this one. */
  overlay(run: string): void;
  /** Opens a model file. */
  model(path: string): void;
  repeat(run: string): void;
  sample(run: string, report: number, row: number): void;
  /** Saves a report as a web page, whole or one card of it. */
  page(run: string, report: number, card?: number): void;
  /** Puts the address of a card on the clipboard. */
  link(run: string, report: number, card: number): void;
  compare(run: string): void;
  /** Keeps the first units of a trained model. */
  cut(model: string, units: number): void;
  save(name: string, bytes: Uint8Array): void;
}

export interface ReportPanels extends vscode.Disposable {
  /** Opens the panel of a run that begins. */
  begin(run: string, title: string): RunView;
  /** Opens or brings forward the panel of a run, at a card if `focus` (REPORT:CARD) names one. */
  show(run: string, focus?: string): Promise<void>;
  close(run: string): void;
  /** Draws the curves of another training behind those of a run, whose panel is opened or brought forward. */
  overlay(run: string, other: string): Promise<void>;
  /** The run whose panel has the focus. */
  active(): string | undefined;
}

interface Shown {
  title: string;
  told: readonly ToPage[];
  panel?: vscode.WebviewPanel | undefined;
  /** The card to bring into view once the page listens. */
  focus?: string | undefined;
  post(message: ToPage): boolean;
}

/** What the page keeps is its own, but for the run: `{ run, … }` as JSON. */
const runOf = (kept: unknown): string | undefined => {
  try {
    const state: unknown = typeof kept === 'string' ? JSON.parse(kept) : undefined;
    return typeof state === 'object' && state !== null && 'run' in state && typeof state.run === 'string' ? state.run : undefined;
  } catch {
    return undefined;
  }
};

/** All that is kept of a run, as messages to a page. */
const messagesOf = (run: Run): readonly ToPage[] => {
  const title = `${run.title}: ${run.subject}`;
  if (run.status === 'done') return [reportsMessage(title, run.result)];
  const sentence = run.sentence ?? (run.status === 'running' ? t('This run goes on in another window.') : t('This run has no report.'));
  const notes = run.notes.length > 0 ? ` ${t('Notes: {0}', run.notes.join(' '))}` : '';
  return [...liveOf(run).map((live): ToPage => ({ type: 'live', live })), { type: 'problem', sentence: `${sentence}${notes}` }];
};

const liveOf = ({ live }: Run): readonly Live[] => live.reduce<readonly Live[]>(withLive, []);

/** One panel per run, beside the code. What a panel shows outlives it while its run goes on. */
export const reportPanels = (ports: ReportPanelPorts): ReportPanels => {
  const shown = new Map<string, Shown>();
  const going = new Set<string>();
  let focused: string | undefined;

  const fill = (run: string, panel: vscode.WebviewPanel): void => {
    const entry: Shown = shown.get(run) ?? { title: panel.title, told: [], post: () => false };
    shown.set(run, entry);
    entry.panel = panel;
    panel.iconPath = tabIcon(ports.extension);
    const trained = (): readonly string[] => entry.told.flatMap((one) => (one.type === 'reports' && one.out ? [one.out] : [])).slice(0, 1);
    entry.post = fillPanel(
      panel,
      ports.extension,
      'report',
      JSON.stringify({ run }),
      () => {
        const { focus } = entry;
        entry.focus = undefined;
        return focus === undefined ? entry.told : [...entry.told, { type: 'focus', focus }];
      },
      (message) => {
        switch (message.type) {
          case 'cancel':
            return ports.cancel(run);
          case 'steer':
            return ports.steer(run, message.steer);
          case 'overlay':
            return ports.overlay(run);
          case 'openModel':
            return trained().forEach(ports.model);
          case 'cut':
            return trained().forEach((model) => void ports.cut(model, message.units));
          case 'rerun':
            return ports.repeat(run);
          case 'sample':
            return ports.sample(run, message.report, message.row);
          case 'page':
            return ports.page(run, message.report, message.card);
          case 'link':
            return ports.link(run, message.report, message.card);
          case 'compare':
            return ports.compare(run);
          case 'export':
            return ports.save(message.name, Buffer.from(message.base64, 'base64'));
          case 'ready':
          case 'attribute':
          case 'second':
          case 'weights':
          case 'diagnose':
          case 'gradient':
            return;
        }
      },
    );
    panel.onDidChangeViewState(() => {
      if (panel.active) focused = run;
      else if (focused === run) focused = undefined;
    });
    if (panel.active) focused = run;
    panel.onDidDispose(() => {
      entry.panel = undefined;
      entry.post = () => false;
      if (focused === run) focused = undefined;
      if (!going.has(run)) shown.delete(run);
    });
  };

  const open = (run: string, title: string): void => {
    // Reports stand together, beside the code and never over it.
    const code = vscode.window.activeTextEditor?.viewColumn;
    const among = [...shown.values()].find(({ panel }) => panel)?.panel?.viewColumn;
    const viewColumn = among === undefined || among === code ? vscode.ViewColumn.Beside : among;
    fill(run, vscode.window.createWebviewPanel(panels.report, title, { viewColumn, preserveFocus: true }, {}));
  };

  const tell = (run: string, message: ToPage): void => {
    const entry = shown.get(run);
    if (!entry) return;
    entry.told = remember(entry.told, message);
    entry.post(message);
  };

  const restore = async (run: string): Promise<void> => {
    for (const message of messagesOf(await ports.store.read(run))) tell(run, message);
  };

  const serializer = vscode.window.registerWebviewPanelSerializer(panels.report, {
    async deserializeWebviewPanel(panel, state: unknown) {
      const run = runOf(state);
      if (run === undefined) return panel.dispose();
      fill(run, panel);
      await restore(run).catch((error: unknown) =>
        tell(run, { type: 'problem', sentence: error instanceof Error ? error.message : String(error) }),
      );
    },
  });

  const show = async (run: string, focus?: string): Promise<void> => {
    const entry = shown.get(run);
    if (entry?.panel) entry.panel.reveal(undefined, false);
    else if (entry && going.has(run)) open(run, entry.title);
    else {
      const kept = await ports.store.read(run);
      open(run, `${kept.title}: ${kept.subject}`);
      for (const message of messagesOf(kept)) tell(run, message);
    }
    const shownNow = shown.get(run);
    if (focus === undefined || shownNow === undefined || going.has(run)) return;
    if (!shownNow.post({ type: 'focus', focus })) shownNow.focus = focus;
  };

  return {
    begin(run, title) {
      going.add(run);
      open(run, title);
      const ended = (): void => {
        going.delete(run);
        if (!shown.get(run)?.panel) shown.delete(run);
      };
      return {
        post(message) {
          tell(run, message);
          if (message.type === 'reports' || message.type === 'problem') ended();
        },
        close() {
          shown.get(run)?.panel?.dispose();
          ended();
        },
      };
    },
    show,
    async overlay(run, other) {
      await show(run);
      const [behind, own] = [await ports.store.read(other), going.has(run) ? undefined : await ports.store.read(run)];
      const title = `${behind.title}, ${new Date(behind.startedAt).toLocaleString()}`;
      tell(run, { type: 'overlay', title, live: liveOf(behind), ...(own ? { own: liveOf(own) } : {}) });
    },
    close: (run) => shown.get(run)?.panel?.dispose(),
    active: () => focused,
    // Panels stay: after a reload the serializer gets them back.
    dispose: () => serializer.dispose(),
  };
};
