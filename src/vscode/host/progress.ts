import * as vscode from 'vscode';

type Report = (fraction: number, text: string) => void;

/** In the status bar, with its percentage, until `work` has ended. */
export const inStatusBar = <T>(title: string, work: (report: Report) => Promise<T>): Promise<T> =>
  new Promise((done, fail) => {
    void vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, async (bar) => {
      const result = work((fraction, text) => bar.report({ message: `${Math.floor(100 * fraction)} % ${text}` }));
      result.then(done, fail);
      await result.catch(() => {});
    });
  });

/** In a notification that can cancel it, until `work` has ended: for work that no page shows. */
export const inNotification = <T>(title: string, work: (report: Report, signal: AbortSignal) => Promise<T>): Promise<T> =>
  new Promise((done, fail) => {
    void vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title, cancellable: true }, async (bar, token) => {
      const stop = new AbortController();
      token.onCancellationRequested(() => stop.abort());
      let shown = 0;
      const result = work((fraction, message) => {
        bar.report({ increment: Math.max(0, fraction - shown) * 100, message });
        shown = Math.max(shown, fraction);
      }, stop.signal);
      result.then(done, fail);
      await result.catch(() => {});
    });
  });
