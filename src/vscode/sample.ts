import type { Catalogue } from '../base/catalogue.ts';
import type { RunRequest } from '../base/request.ts';
import type { Run } from '../jobs/store.ts';
import type { SuiteRequest } from '../report/tasks.ts';
import type { SaliencySubject } from './define.ts';
import { located } from './located.ts';
import { readSuite } from './suite.ts';

/** The model and data behind one report of a run; undefined where there is no model to ask, or its entry is gone. */
export const subjectOf = async (
  run: Run,
  report: number,
  read: (path: string) => Promise<string>,
  readers: Catalogue['readers'],
): Promise<SaliencySubject | undefined> => {
  switch (run.kind) {
    case 'run': {
      const { model, data } = run.request as RunRequest;
      return model && { model, data };
    }
    case 'suite': {
      const { path } = run.request as SuiteRequest;
      const name = run.result.suite?.checks.filter((check) => check.report)[report]?.name;
      const { models, datasets, checks } = readSuite(await read(path));
      const check = checks.find((entry) => entry.name === name)?.value;
      const model = models.find((entry) => entry.name === check?.model)?.value;
      const data = datasets.find((entry) => entry.name === check?.data)?.value;
      return model && data && { model: located(path, model), data: located(path, data, readers) };
    }
    case 'train':
    case 'compare':
      return undefined;
  }
};
