import type { Report } from './report.ts';
import type { CheckResult, Verdict } from './tasks.ts';

/** The reports of a suite in order, and its checks with the places of theirs. */
export const verdictsOf = (
  checks: readonly CheckResult[],
): { readonly reports: readonly Report[]; readonly verdicts: readonly Verdict[] } => {
  const reports: Report[] = [];
  const verdicts = checks.map(({ name, status, sentence, report }): Verdict => {
    if (report === undefined) return { name, status, sentence };
    reports.push(report);
    return { name, status, sentence, report: reports.length - 1 };
  });
  return { reports, verdicts };
};
