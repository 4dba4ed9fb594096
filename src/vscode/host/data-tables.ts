import * as vscode from 'vscode';
import type { Device } from '../../base/request.ts';
import { type Supervisor, supervisor, type Watch } from '../../jobs/supervisor.ts';
import type { TaskName, Tasks } from '../../report/tasks.ts';
import { chooseModel } from '../commands/subject.ts';
import type { Host, SaliencySubject } from '../define.ts';
import { type DataEditors, dataEditors } from '../editors/data.ts';
import { t } from '../l10n.ts';

export interface DataTablesPorts {
  readonly extension: vscode.Uri;
  readonly context: Pick<vscode.ExtensionContext, 'storageUri' | 'globalStorageUri'>;
  /** The module that job processes run. */
  readonly entry: string;
  jobs(): Pick<Supervisor, 'submit'>;
  host(): Host & { readonly device: Device };
  saliency(subject: SaliencySubject, row: number): void;
  failed(error: unknown): void;
}

/**
 * The data editor with a job process of its own: looks at data never wait for a run, and a file that was surveyed stays open. It is never
 * recycled, runs no model, and ends with the last editor of data.
 */
export const dataTables = ({ extension, context, entry, jobs, host, saliency, failed }: DataTablesPorts): DataEditors => {
  let reader: Supervisor | undefined;
  const release = (): void => {
    void reader?.dispose();
    reader = undefined;
  };
  const tables = dataEditors({
    extension,
    storage: vscode.Uri.joinPath(context.storageUri ?? context.globalStorageUri, 'predictions').fsPath,
    read(task, ask, watch) {
      reader ??= supervisor({ entry, processes: 1, recycleAfter: Number.POSITIVE_INFINITY, graceMs: 5000 });
      return reader.submit(task, ask, watch);
    },
    release,
    submit: <T extends TaskName>(task: T, ask: Omit<Tasks[T]['ask'], 'device' | 'seed'>, watch: Watch) =>
      jobs().submit(task, { ...ask, device: host().device, seed: host().seed } as Tasks[T]['ask'], watch),
    async chooseModel() {
      const model = await chooseModel(host(), t('Predictions'), {}, false, t('Model that predicts these rows'));
      return model && model !== 'none' ? model.ref : undefined;
    },
    saliency: (model, data, row) => saliency({ model, data }, row),
    failed,
  });
  return {
    open: (data) => tables.open(data),
    dispose() {
      tables.dispose();
      release();
    },
  };
};
