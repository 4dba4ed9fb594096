import { applyEdits, modify, parse } from 'jsonc-parser';
import type { Check, RunRequest } from '../base/request.ts';
import type { SuiteFile } from './define.ts';
import { located } from './located.ts';

/** A run that a check of a suite can repeat: its model and data have names there. */
export interface Gateable {
  readonly suite: SuiteFile;
  readonly model?: string;
  readonly data: string;
}

export const gateable = ({ model, data, against, limit }: RunRequest, suites: readonly SuiteFile[]): Gateable | undefined => {
  if (against !== undefined || limit !== undefined) return undefined;
  for (const suite of suites) {
    const named = suite.models.find(({ value }) => located(suite.path, value).path === model?.path)?.name;
    const read = suite.datasets.find(({ value }) => located(suite.path, value).path === data.path && value.split === data.split)?.name;
    if (read === undefined || (model !== undefined && named === undefined)) continue;
    return { suite, data: read, ...(named === undefined ? {} : { model: named }) };
  }
  return undefined;
};

/** Whether less of a number is better, by what its name tells. */
export const lessIsBetter = (name: string): boolean =>
  /(^|_)(ece|mce|ace|nll|brier|loss|error|gap|rate_of_change|mae|rmse|mse|drift|violations?)(_|$)/.test(name);

/** The text of an assay.json with one more gate: in a check that asks the same, else in a new one at the end. */
export const withGate = (
  text: string,
  check: Omit<Check, 'expect'>,
  number: string,
  limit: { readonly min: number } | { readonly max: number },
): string => {
  const formattingOptions = { insertSpaces: true, tabSize: 2, eol: '\n' };
  const { checks = [] } = (parse(text) as { checks?: readonly Check[] } | undefined) ?? {};
  const same = checks.findIndex(
    ({ run, model, data, options = {} }) =>
      run === check.run && model === check.model && data === check.data && JSON.stringify(options) === JSON.stringify(check.options ?? {}),
  );
  const edits =
    same >= 0
      ? modify(text, ['checks', same, 'expect', number], limit, { formattingOptions })
      : modify(
          text,
          ['checks', checks.length],
          { ...check, expect: { [number]: limit } },
          { formattingOptions, isArrayInsertion: checks.length > 0 },
        );
  return applyEdits(text, edits);
};

/** A name that no check has yet. */
export const freshName = (stem: string, taken: readonly string[]): string => {
  for (let n = 1; ; n++) {
    const name = n === 1 ? stem : `${stem} ${n}`;
    if (!taken.includes(name)) return name;
  }
};
