import { rules } from '../autodiff/rules/index.ts';
import { constant } from '../autodiff/rules/no-gradient.ts';
import { withoutRule } from '../autodiff/rules/without-rule.ts';

const byDomain = (keys: readonly string[]): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>();
  for (const key of keys.toSorted()) {
    const dot = key.lastIndexOf('.');
    const domain = dot < 0 ? 'ai.onnx' : key.slice(0, dot);
    found.set(domain, [...(found.get(domain) ?? []), key.slice(dot + 1)]);
  }
  return found;
};

/** Rows of operators by reason. */
const byReason = (what: string, table: Readonly<Record<string, string>>): readonly string[] => {
  const reasons = new Map<string, string[]>();
  for (const [op, reason] of Object.entries(table)) reasons.set(reason, [...(reasons.get(reason) ?? []), op]);
  return [...reasons].map(([reason, ops]) => `| ${what}: ${reason} | ${ops.toSorted().join(', ')} |`);
};

/** The table of operators: with a gradient, by domain; and without one, by reason. */
export const operatorTable = (): string => {
  // Those of 'assay' stand for several nodes inside the engine and are in no file.
  const with_ = [...byDomain(Object.keys(rules).filter((key) => !key.startsWith('assay.')))].map(
    ([domain, ops]) => `| gradient to every order (${domain}, ${ops.length}) | ${ops.join(', ')} |`,
  );
  const without = [...byReason('no gradient', constant), ...byReason('no rule', withoutRule)];
  return ['| | operators |', '|---|---|', ...with_, ...without].join('\n');
};
