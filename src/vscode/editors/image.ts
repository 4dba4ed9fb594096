import * as vscode from 'vscode';
import { editors } from '../contributions.ts';
import type { SaliencySubject } from '../define.ts';
import { t } from '../l10n.ts';
import { fillPanel, onDiskOnly } from '../panels/page.ts';
import type { SaliencyPanels } from '../panels/saliency.ts';

export interface ImageEditorPorts {
  readonly extension: vscode.Uri;
  readonly tabs: Pick<SaliencyPanels, 'adopt'>;
  /** The model for a picture; `again` asks also where one was chosen before. */
  choose(path: string, again: boolean): Promise<SaliencySubject | undefined>;
}

export interface ImageEditors extends vscode.Disposable {
  /** Asks for the model and shows the picture with its saliency. */
  open(path: string): Promise<void>;
}

/** PNG and JPEG files with the map of a model over them. */
export const imageEditors = ({ extension, tabs, choose }: ImageEditorPorts): ImageEditors => {
  const open = new Map<string, vscode.WebviewPanel>();
  const fill = async (path: string, panel: vscode.WebviewPanel): Promise<void> => {
    const subject = vscode.workspace.isTrusted ? await choose(path, false) : undefined;
    if (subject) return tabs.adopt(subject, { position: 0 }, panel);
    let waiting = true;
    const sentence = vscode.workspace.isTrusted
      ? t('No model was chosen for this picture. Run again to choose one.')
      : t('Saliency is off: running a model needs a trusted workspace.');
    fillPanel(
      panel,
      extension,
      'saliency',
      '',
      () => (waiting ? [{ type: 'problem', sentence }] : []),
      (message) => {
        if (!waiting || message.type !== 'rerun') return;
        waiting = false;
        void fill(path, panel);
      },
    );
  };
  const provider = vscode.window.registerCustomEditorProvider(editors.image, {
    openCustomDocument: (uri) => ({ uri, dispose: () => {} }),
    resolveCustomEditor: onDiskOnly(extension, (path, panel) => {
      open.set(path, panel);
      panel.onDidDispose(() => {
        if (open.get(path) === panel) open.delete(path);
      });
      return fill(path, panel);
    }),
  });
  return {
    async open(path) {
      const subject = await choose(path, true);
      if (!subject) return;
      // Another model may have been chosen for what is open.
      open.get(path)?.dispose();
      await vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(path), editors.image);
    },
    dispose: () => provider.dispose(),
  };
};
